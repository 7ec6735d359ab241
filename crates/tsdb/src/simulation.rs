//! The store on a simulated disk that loses, tears and refuses, compared with a map.
//!
//! Everything comes from one seed, so a failure replays: `run_seed(seed)`. A run appends, deletes,
//! flushes, merges and forgets at random; it kills the process, cuts the power at any operation,
//! fills the disk, lets single operations fail and steps the clock. After each of these the store
//! must hold every acknowledged sample once and nothing that was never sent. What a loss of power
//! may take under an interval of syncs is told by the journal's own count.
//!
//! `simulation/testdata.rs` writes the small store that every later version must be able to read.
//! `simulation/heads.rs` lets a fuzzer at the head's file.
//! `simulation/model.rs` is the map with what may be uncertain; `simulation/run.rs` the run.

mod heads;
mod model;
mod run;
mod testdata;

pub use heads::open_head_file;
pub use run::{Report, run_seed};
pub use testdata::write_testdata;
