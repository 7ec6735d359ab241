//! The HTTP client of everything that fetches: scrapes, `http_sd`, forwarding.
//!
//! It understands the client options of Prometheus' configuration (`basic_auth`, `authorization`,
//! `oauth2`, `tls_config`, `proxy_url`, `http_headers`, …) and speaks HTTP/1.1. A [`Client`] holds the options
//! of one job; a [`Session`] is one conversation with one server and keeps its connection between
//! requests. Nothing runs in the background: a connection moves only while a request is under way.
//!
//! It never answers more bytes than the caller allows, never decompresses without a limit, never
//! sends credentials to another host after a redirect, and never prints a secret. Deadlines are the
//! caller's: drop the future, and the connection is gone.
//!
//! - `config.rs`: the options as they are written; `section.rs`: among the keys of others;
//!   `secret.rs`: texts that are not shown.
//! - `credentials.rs`: what they amount to now, files read again; `oauth2.rs`: tokens that are
//!   fetched; `tls.rs`, `proxy.rs`, `socks.rs`.
//! - `connection.rs`: dialling; `session.rs`: requests, redirects; `response.rs`: bodies;
//!   `streaming.rs`: bodies while they come; `shown.rs`: URLs without their passwords.
//! - `fuzzing.rs`: other ends for the fuzzer.

#![forbid(unsafe_code)]

mod config;
mod connection;
mod credentials;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod oauth2;
mod proxy;
mod response;
mod secret;
mod section;
mod session;
mod shown;
mod socks;
mod streaming;
mod tls;

pub use config::{
    Authorization, BasicAuth, HeaderValues, HttpClientConfig, InvalidConfig, OAuth2,
    RESERVED_HEADERS, TlsConfig,
};
pub use connection::Stream;
pub use error::Error;
pub use response::Response;
pub use secret::Secret;
pub use section::WithClient;
pub use session::{Client, Post, Request, Session};
pub use shown::shown;
pub use streaming::Streaming;

#[cfg(test)]
mod tests;
