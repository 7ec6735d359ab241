//! The items API from the outside: its router as a service, and its real process.
//!
//! What needs no process (`items`, `hostile`, `limits`, `metrics`, `openapi`) calls the router, once
//! on each database that there is; the rest (`process`) starts the binary on free loopback ports.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![expect(clippy::float_cmp, reason = "counts are whole numbers, exact in a float")]

mod hostile;
mod items;
mod limits;
mod metrics;
mod openapi;
mod process;
mod support;
