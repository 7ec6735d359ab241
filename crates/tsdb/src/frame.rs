//! What the journal's frames say: new series, samples, metadata, deletions.
//!
//! Rows of one batch are written as columns: numbers of series as runs, times as runs, values as
//! tokens relative to what the series had before in the same segment, so that a sample that did
//! not change costs a few bits. A checksum over the absolute values is there for that reason: a
//! frame whose predecessor is lost is noticed and dropped, and never yields other values.
//!
//! `frame/encode.rs` writes, `frame/decode.rs` reads. Byte layout: `docs/format/samples.md`.

mod decode;
mod encode;
mod values;

#[cfg(test)]
mod tests;

use masthead_model::{Histogram, Labels};
use masthead_ports::{Exemplar, Metadata};

pub(crate) use decode::{Decoded, decode, read_labels};
pub(crate) use encode::{FrameBuilder, encode_deletion, encode_head, encode_state, put_labels};

/// First byte of a frame.
pub(super) const KIND_BATCH: u8 = 1;
pub(super) const KIND_DELETION: u8 = 2;
pub(super) const KIND_STATE: u8 = 3;
pub(super) const KIND_HEAD: u8 = 4;

/// A float of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FloatRow {
    /// The series' number in the journal.
    pub(crate) id: u64,
    pub(crate) time: i64,
    /// Zero where unknown.
    pub(crate) start: i64,
    pub(crate) bits: u64,
    /// Whether it is older than the newest of its series.
    pub(crate) late: bool,
}

/// A histogram of a batch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HistogramRow {
    pub(crate) id: u64,
    pub(crate) time: i64,
    pub(crate) start: i64,
    pub(crate) late: bool,
    pub(crate) histogram: Histogram,
}

/// What a batch brought.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Batch {
    pub(crate) group: u64,
    pub(crate) definitions: Vec<(u64, Labels)>,
    pub(crate) metadata: Vec<Metadata>,
    pub(crate) floats: Vec<FloatRow>,
    /// Whether the floats are what was appended; see the module.
    pub(crate) floats_good: bool,
    pub(crate) histograms: Vec<HistogramRow>,
    pub(crate) exemplars: Vec<(u64, Exemplar)>,
}
