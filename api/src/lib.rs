//! The items API: a small production service that shows what a user of Masthead writes.
//!
//! `main.rs` starts it, in this order: `settings`, logs, `database`, listeners, `serve`, drain.
//! A request goes through `app` (routes and limits) into `items/` (routes, model, store); whatever
//! fails on the way becomes an RFC 9457 body in `problem`. `metrics` holds the service's own series,
//! the HTTP ones and the request ids come from `masthead-instrument`. `openapi` describes it all.
//!
//! Nothing here may let a request decide the name or a label of a series, print a password, or
//! serve `/metrics` on the public listener.

#![forbid(unsafe_code)]

pub mod app;
pub mod database;
pub mod error;
pub mod items;
pub mod metrics;
pub mod openapi;
pub mod problem;
pub mod serve;
pub mod settings;

mod demo;
mod extract;
mod health;

pub use error::Error;
