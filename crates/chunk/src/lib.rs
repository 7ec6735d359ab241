//! Columns of numbers to few bytes and back: pure functions on slices, no input or output.
//!
//! A column is a sequence of at most [`COUNT_MAX`] values of one kind. Each encoded column stands
//! alone (tag, count, payload length, payload), so columns can follow each other in a file and be
//! counted or skipped without being decoded: [`peek`]. What goes in comes out bit for bit.
//!
//! ```text
//!   times       floats        histograms        starts, counts        sealed columns
//!     |  \        |   \           /  \              /
//!     |   grid  decimal ordered  rows  floats      /
//!      \________ | _____/_________/_______________/
//!               ints: order of differences, base, scale, then packed | sparse | pco
//!
//!   times::Appender   xor::Appender                                   columns that still grow
//! ```
//!
//! The encoders choose by size, after one pass that rules out what cannot win. The decoders take
//! any bytes: an error names what is wrong and where, a column never yields more values than its
//! limit, and none of them panics. Bits that are flipped in storage may decode to other values:
//! checksums are `durable`'s.
//!
//! Byte layout: `docs/format/chunk.md`. Sizes and times: `cargo run --release --example ratio`.
//! Columns of log lines will be siblings of these modules, on the same frame (`frame.rs`).

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

mod bits;
mod cursor;
mod error;
pub mod floats;
mod frame;
pub mod histograms;
pub mod ints;
pub mod lines;
#[cfg(test)]
mod testing;
pub mod times;
pub mod words;
pub mod xor;

pub use error::Error;
pub use frame::{Column, peek};

/// Most values in one column: a day of samples one second apart fits.
///
/// It bounds what few bytes can become: a constant column of 20 bytes decodes to at most 1 MiB.
pub const COUNT_MAX: usize = 1 << 17;
