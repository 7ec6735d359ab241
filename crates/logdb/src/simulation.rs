//! The store on a simulated disk that loses, tears and refuses, compared with a map.
//!
//! Everything comes from one seed, so a failure replays: `run_seed(seed)`. A run pushes, deletes,
//! flushes, merges and forgets at random; it kills the process, cuts the power at any operation,
//! fills the disk, lets single operations fail and steps the clock. After each of these the store
//! must hold every acknowledged line once and nothing that was never sent. What a loss of power
//! may take under an interval of syncs is told by the journal's own count.
//!
//! One stream is written by a reader that keeps its progress in the store, sends again what
//! failed, and after a restart goes on where the store says: it must have neither lost nor doubled
//! a line.
//!
//! `simulation/testdata.rs` writes the small store that every later version must be able to read.
//! `simulation/model.rs` is the map with what may be uncertain; `simulation/run.rs` the run.

mod model;
mod run;
mod testdata;

pub use run::{Report, run_seed};
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
