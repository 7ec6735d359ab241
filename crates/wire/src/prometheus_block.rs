//! The files of a Prometheus TSDB block: `meta.json`, `index`, `chunks/NNNNNN`, `tombstones`.
//!
//! Each reader takes the bytes of one whole file and gives back words; checksums are verified
//! before anything is believed, and nothing is allocated from a length that the bytes merely claim.
//! Which files there are, and opening them, is the caller's. Nothing here writes, but for
//! `testing.rs`, which makes blocks for tests.
//!
//! Facts: `tsdb/docs/format/*.md` and `tsdb/chunkenc/` of Prometheus.
//!
//! - `index.rs`: labels, and where the chunks of each series are; `chunks.rs`: the chunk files;
//! - `floats.rs`, `histograms.rs`: samples in chunks, on `bits.rs`;
//! - `tombstones.rs`: what is deleted; `meta.rs`: what the block is.

mod bits;
mod chunks;
mod cursor;
mod floats;
mod histograms;
mod index;
mod meta;
pub mod testing;
mod tombstones;

pub use chunks::{Chunk, ChunkFile, SampleVisitor};
pub use index::{ChunkPlace, Index, SeriesEntry};
pub use meta::Meta;
pub use tombstones::Tombstones;

#[cfg(test)]
mod tests;
