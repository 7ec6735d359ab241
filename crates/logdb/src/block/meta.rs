//! What a block says about itself.

use masthead_durable::{
    Result,
    bytes::{Bad, Reader, put_signed, put_unsigned},
    table::Section,
};

/// What a block says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Meta {
    /// Time of its first line.
    pub(crate) first: i64,
    /// Time of its last line.
    pub(crate) last: i64,
    pub(crate) streams: u64,
    pub(crate) segments: u64,
    pub(crate) lines: u64,
    /// Bytes of its lines.
    pub(crate) raw: u64,
    /// Bytes of its lines' metadata.
    pub(crate) metadata: u64,
    /// Lines of segments of the journal before this one are in blocks.
    pub(crate) floor: u64,
    /// The largest number of a segment.
    pub(crate) seq: u64,
    /// All its segments know deletions up to this number.
    pub(crate) generation: u64,
    /// Numbers of the blocks that it replaces.
    pub(crate) sources: Vec<u64>,
}

impl Meta {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_signed(&mut out, self.first);
        put_signed(&mut out, self.last);
        for number in [
            self.streams,
            self.segments,
            self.lines,
            self.raw,
            self.metadata,
            self.floor,
            self.seq,
            self.generation,
            self.sources.len() as u64,
        ] {
            put_unsigned(&mut out, number);
        }
        for source in &self.sources {
            put_unsigned(&mut out, *source);
        }
        out
    }

    pub(super) fn decode(section: &Section) -> Result<Self> {
        let bytes = section.all()?;
        let parse = || -> Result<Self, Bad> {
            let mut reader = Reader::new(bytes);
            let mut meta = Self {
                first: reader.signed("first time")?,
                last: reader.signed("last time")?,
                streams: reader.unsigned("count of streams")?,
                segments: reader.unsigned("count of segments")?,
                lines: reader.unsigned("count of lines")?,
                raw: reader.unsigned("bytes of lines")?,
                metadata: reader.unsigned("bytes of metadata")?,
                floor: reader.unsigned("floor")?,
                seq: reader.unsigned("number of a segment")?,
                generation: reader.unsigned("number of a deletion")?,
                sources: Vec::new(),
            };
            for _ in 0..reader.count(bytes.len(), "count of sources")? {
                meta.sources.push(reader.unsigned("source")?);
            }
            reader.finish("end of meta")?;
            Ok(meta)
        };
        parse().map_err(|bad| section.corrupt(bad.what, bad.offset))
    }
}
