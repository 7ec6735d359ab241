//! Log lines on disk: streams in memory with their journal, and immutable blocks.
//!
//! ```text
//! append ──> judge ──> journal ──> stream ──(1 MiB)──> segment ──(128 MiB)──> block ──> merged block
//!                                     │                    │                    │           │
//! select <────────────────────────────┴────────────────────┴────────────────────┴───────────┘
//! ```
//!
//! [`Logdb`] is a [`masthead_ports::LogSink`] and a [`masthead_ports::LogSource`]. It knows
//! matchers, ranges and literals, never an expression tree; it starts no thread: whoever owns it
//! calls [`Logdb::tick`] now and then. Everything goes through `Fs` and `Clock`, so that
//! `simulation.rs` can cut the power at any operation.
//!
//! - `store.rs`: the store and opening it; `append.rs`, `select.rs`: the two ports;
//! - `replay.rs`: the journal back into memory; `frame.rs`: what the journal says;
//! - `head.rs`, `stream.rs`, `rows.rs`: lines in memory; `segment.rs`: lines compressed together;
//!   `block.rs`: segments in files;
//! - `part.rs`: lines from several places as one run; `filter.rs`: what filters leave out;
//! - `deletion.rs`, `delete.rs`: what is hidden; `admin.rs`: the store as an operator sees it;
//! - `flush.rs`, `merge.rs`, `retention.rs`: what changes blocks; `snapshot.rs`: a copy of all.
//!
//! Layouts, byte by byte: `docs/format/log-journal.md`, `docs/format/log-block.md`.

#![forbid(unsafe_code)]

mod admin;
mod append;
mod block;
mod delete;
mod deletion;
mod error;
mod filter;
mod flush;
mod frame;
mod head;
mod merge;
mod options;
mod part;
mod replay;
mod retention;
mod rows;
mod segment;
mod select;
pub mod simulation;
mod snapshot;
mod stats;
mod store;
mod stream;

pub use error::{Error, Result};
pub use options::Options;
pub use stats::Stats;
pub use store::{Logdb, OpenReport};

// What the options and the numbers are made of.
pub use masthead_durable::{
    journal::{Damage, JournalOptions, ReplayReport, SyncPolicy},
    retention::Keep,
    stats::Upkeep,
};
