//! The seams to the world: [`Clock`] and [`Fs`], each real and simulated.
//!
//! The stores and the languages reach time and files through these two traits alone. Whatever
//! runs on [`RealFs`] therefore also runs on [`SimFs`], where a seed decides what a power cut
//! leaves behind, and a test can fail the n-th operation, fill the disk or rot a bit.
//!
//! - `clock.rs`: the wall clock and the monotonic clock; `clock/sim.rs` steps on demand.
//! - `fs.rs`: the traits; `fs/real.rs` the operating system; `fs/sim.rs` the simulation.
//! - `atomic.rs`: what is built on top of the traits: whole-file replacement, durable directories.
//! - `buffers.rs`: large buffers that are used again.
//! - `memory.rs`: how the allocator divides memory and what goes back to the kernel, which is the
//!   process' own business.
//! - `testing.rs`: the conformance suite that every `Fs` passes.
//!
//! Invariants: synchronous, no global state, no thread of its own. `std::fs` and the clocks of
//! `std::time` are named in `fs/real.rs` and `clock.rs` only, unsafe code in `fs/map.rs`,
//! `clock/state.rs` and `memory.rs` only.

#![warn(missing_docs)]

mod atomic;
mod buffers;
mod clock;
mod fs;
mod memory;
mod random;
pub mod testing;

pub use atomic::{atomic_write, create_dir_all_synced, is_temporary, read_to_vec};
pub use buffers::Buffers;
pub use clock::{Clock, ClockState, RealClock, SimClock, UnixNanos};
pub use fs::{
    Counters, File, FileBytes, FileId, FileLock, Fs, Metadata, OpenOptions, Operation, PathError,
    READ_DIR_ENTRIES_MAX, RealFs, SIM_CAPACITY_DEFAULT, SimFs,
};
pub use memory::{release_free, release_program, tune_allocator};
pub use random::Random;
