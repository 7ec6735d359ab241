//! Samples on disk: a head in memory with its journal, and immutable blocks.
//!
//! ```text
//! append ──> judge ──> journal ──> head ──(2 h)──> block ──(24 h)──> merged block ──> retention
//!                                   │                │                  │
//! select <──────────────────────────┴────────────────┴──────────────────┘  one pinned snapshot
//! ```
//!
//! [`Tsdb`] is a [`masthead_ports::SampleSink`] and a [`masthead_ports::SampleSource`]. It knows
//! matchers, ranges and samples, never an expression; it starts no thread: whoever owns it calls
//! [`Tsdb::tick`] now and then. Everything goes through `Fs` and `Clock`, so that
//! `simulation.rs` can cut the power at any operation.
//!
//! - `store.rs`: the store and opening it; `append.rs`, `select.rs`, `labels.rs`: the two ports;
//! - `checkpoint.rs`: the head to a file; `load.rs`: file and journal back into the head, with
//!   `image.rs`: what the file says, `frame.rs`: what the journal says, `replay.rs`: applying it;
//! - `head.rs`: samples in memory; `block.rs`: samples in files; `columns.rs`: what both hand out;
//! - `admin.rs`: the store as an operator sees it;
//! - `import.rs`: blocks of samples from elsewhere;
//! - `flush.rs`, `merge.rs`, `delete.rs`, `retention.rs`, `snapshot.rs`: what changes blocks.
//!
//! Layouts, byte by byte: `docs/format/samples.md` (journal), `docs/format/block.md`.

#![forbid(unsafe_code)]

mod admin;
mod append;
mod block;
mod checkpoint;
mod columns;
mod delete;
mod error;
mod flush;
mod frame;
mod head;
mod image;
mod import;
mod labels;
mod load;
mod merge;
mod options;
mod replay;
mod retention;
mod select;
pub mod simulation;
mod snapshot;
mod stats;
mod store;

pub use error::{Error, Result};
pub use import::BlockSink;
pub use labels::Cardinality;
pub use options::Options;
pub use stats::Stats;
pub use store::{OpenReport, Tsdb};

// What the options and the numbers are made of.
pub use masthead_durable::{
    journal::{Damage, JournalOptions, ReplayReport, SyncPolicy},
    retention::Keep,
    stats::Upkeep,
};
