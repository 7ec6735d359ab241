//! The store in the crash simulation of `masthead_durable::simulation`: a run appends, deletes,
//! flushes, merges and forgets samples at random, and writes the head for a quick start.
//!
//! `simulation/testdata.rs` writes the small store that every later version must be able to read.
//! `simulation/heads.rs` lets a fuzzer at the head's file and at frames of the journal,
//! `simulation/blocks.rs` at a block's.
//! `simulation/run.rs` says what is done, `simulation/sample.rs` how samples are compared.

mod blocks;
mod heads;
mod run;
mod sample;
mod testdata;

pub use blocks::{block_sections, open_block_file};
pub use heads::{open_frame, open_head_file};
pub use run::{run_seed, run_seeds};
pub use testdata::write_testdata;
