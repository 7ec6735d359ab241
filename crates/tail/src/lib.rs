//! Follows log files, container logs and pipes, and runs Promtail's pipeline stages over their lines.
//!
//! A [`Collector`] searches for files, reads what is new, and hands batches to a
//! [`LogSink`](masthead_ports::LogSink) together with how far each file was read. The sink holds both
//! or neither, so that after a crash at any instant every line is there exactly once, and nothing
//! is kept here. While the sink takes nothing, nothing is read: memory does not grow.
//!
//! It never answers HTTP, never writes to a file that it follows, and never decompresses: a rotated
//! file that was compressed before it was read is counted as gone.
//!
//! - `collector.rs`: the steps; `run.rs`: the thread that takes them; `lines.rs`: pipes;
//!   `journal.rs`: systemd's journal.
//! - `follow.rs`: one path through rotations; `rotation.rs`: what lies beside it; `reader.rs`: one
//!   file; `position.rs`: how far; `promtail_positions.rs`: how far, for Promtail.
//! - `entry.rs`, `pipeline.rs` and the files below it: a line and its stages; `batch.rs`: what goes
//!   to the sink.
//! - `config.rs`: Promtail's configuration; `target.rs`, `pods.rs`, `glob.rs`: which files.

#![forbid(unsafe_code)]

mod batch;
mod collector;
mod config;
mod entry;
mod error;
mod follow;
mod glob;
mod journal;
mod lines;
mod pipeline;
mod pods;
mod position;
mod promtail_positions;
mod reader;
mod rotation;
mod run;
mod stats;
mod target;
mod text;
mod world;

pub use batch::TENANT_LABEL;
pub use collector::{Collector, OPEN_FILES_DEFAULT, Parts, Step};
pub use config::{ClientConfig, PromtailConfig, Setup, WrittenConfig, variables};
pub use error::Error;
pub use lines::{Ended, LineSource};
pub use pipeline::metrics::{CustomMetric, CustomMetrics, CustomValue};
pub use run::Running;
pub use stats::Stats;

/// Reads an entry of the journal and throws it away, for the fuzzer.
#[doc(hidden)]
pub fn read_journal_entry_for_fuzzing(line: &[u8]) -> bool {
    journal::read_for_fuzzing(line)
}

/// Reads a file of Promtail's positions, for the fuzzer.
#[doc(hidden)]
pub fn read_positions_for_fuzzing(bytes: &[u8]) {
    promtail_positions::read_for_fuzzing(bytes);
}

/// Sends lines through stages of the input's choice, for the fuzzer.
#[doc(hidden)]
pub fn run_stages_for_fuzzing(bytes: &[u8]) {
    pipeline::fuzzing::run(bytes);
}

/// Bytes of a line; what is longer is cut and marked.
pub const LINE_BYTES_MAX: usize = 256 * 1024;
