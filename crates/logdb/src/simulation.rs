//! The store in the crash simulation of `masthead_durable::simulation`: a run pushes, deletes,
//! flushes, merges and forgets lines at random.
//!
//! One stream is written by a reader that keeps its progress in the store, sends again what
//! failed, and after a restart goes on where the store says: it must have neither lost nor doubled
//! a line.
//!
//! `simulation/testdata.rs` writes the small store that every later version must be able to read.
//! `simulation/run.rs` says what is done.

mod run;
mod testdata;

pub use run::{run_seed, run_seeds};
pub use testdata::{testdata_lines, write_testdata};

/// Reads `bytes` as everything that the store reads from disk below its checksums, for fuzzing:
/// whatever they are, it must come back.
pub fn decode_any(bytes: &[u8]) {
    drop(crate::frame::decode(bytes));
    let mut lines = masthead_ports::LogColumns::default();
    let mut decoder = masthead_chunk::lines::Decoder::default();
    let done = crate::segment::open(bytes, crate::segment::Want::ALL, &mut decoder, &mut lines);
    if done.is_ok() {
        assert_eq!(lines.times.len(), lines.ends.len(), "BUG: a segment of two lengths");
    }
}
