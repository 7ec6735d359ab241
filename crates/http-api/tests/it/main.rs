//! The API as its clients see it: requests into the router, answers out of it, no sockets.
//!
//! `golden.rs` runs the scripts in `tests/golden/`; what a script cannot say (binary bodies,
//! slow clients, concurrency) is in the files beside it. Everything stands on `fixture.rs`.

mod crowd;
mod fixture;
mod golden;
mod loki;
mod queries;
mod quick;
mod reading;
mod streaming;
mod writing;
