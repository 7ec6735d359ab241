//! What both stores stand on: a journal, checksummed immutable files, atomic publish, numbered
//! blocks, a label index, retention.
//!
//! Nothing here knows a sample or a log line: payloads are bytes, series are numbers. Everything
//! goes through [`masthead_sysio::Fs`] and [`masthead_sysio::Clock`], synchronous, without a thread
//! of its own, so that a simulation can cut the power at any operation.
//!
//! - `journal.rs`: frames in segment files, written in groups, read again after a crash;
//! - `table.rs`: one immutable file of named sections, checksummed page by page;
//! - `publish.rs`: a directory appears whole or not at all; leftovers and bad ones go aside;
//! - `blocks.rs`: the numbered directories of a store, and who may write, replace and remove them;
//! - `index.rs`: label sets to numbers and matchers to sets of numbers, in memory and in a file;
//! - `retention.rs`: which of the old must go;
//! - `snapshot.rs`: what copies of a store are made with;
//! - `stats.rs`: what every store counts;
//! - `simulation.rs`: a store on a disk that fails, compared with a map;
//! - `bytes.rs`: the small parts of every format.
//!
//! Layouts, byte by byte: `docs/format/journal.md`, `docs/format/table.md`, `docs/format/index.md`.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod blocks;
pub mod bytes;
mod error;
pub mod index;
pub mod journal;
pub mod publish;
pub mod retention;
pub mod simulation;
pub mod snapshot;
pub mod stats;
pub mod table;

pub use error::{Error, Result};
