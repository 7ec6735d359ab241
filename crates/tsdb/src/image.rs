//! The head in a file: what a start reads instead of the whole journal.
//!
//! ```text
//! DIR/head/head-00000012     the head when segment 12 of the journal began
//! ```
//!
//! The journal's checkpoint 12 names it; frames from segment 12 on are applied to what it holds.
//! It is written while appends go on, so series that come late in it may have samples that are in
//! these frames too: applying a frame again changes nothing.
//!
//! `image/writer.rs` writes it, `image/loader.rs` reads it, with as many threads as it may have.
//! Byte layout: `docs/format/head.md`.

mod loader;
mod writer;

pub(crate) use loader::load;
pub(crate) use writer::{Catalog, ImageWriter};

pub(crate) const KIND: u32 = u32::from_le_bytes(*b"head");
pub(crate) const VERSION: u32 = 1;

/// Series are read and written by so many.
const GROUP: usize = 1024;

/// Sections of the table.
mod section {
    pub(super) const PAIRS: u32 = 1;
    pub(super) const SETS: u32 = 2;
    pub(super) const SET_ENDS: u32 = 3;
    pub(super) const SERIES: u32 = 4;
    pub(super) const SERIES_ENDS: u32 = 5;
    pub(super) const LINES: u32 = 6;
    pub(super) const META: u32 = 7;
}

/// The name of the file of `segment`.
pub(crate) fn name(segment: u64) -> String {
    format!("head-{segment:08}")
}
