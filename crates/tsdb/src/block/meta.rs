//! What a block is: its times, how much it holds, and what it replaces.

use masthead_durable::{
    Result,
    bytes::{Bad, Reader, put_signed, put_unsigned},
    table::Section,
};

/// Most blocks that one block replaces.
const SOURCES_MAX: usize = 100_000;

/// Where a block comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Written from the head.
    Head,
    /// Written from other blocks.
    Merge,
}

/// What a block is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) origin: Origin,
    /// Time of the first sample.
    pub(crate) min_time: i64,
    /// Time of the last sample.
    pub(crate) max_time: i64,
    /// The time before which the head was written to blocks when this one was.
    pub(crate) floor: i64,
    pub(crate) series: u64,
    pub(crate) samples: u64,
    /// Numbers of the blocks that it replaces, rising.
    pub(crate) sources: Vec<u64>,
}

impl Meta {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![match self.origin {
            Origin::Head => 0,
            Origin::Merge => 1,
        }];
        for time in [self.min_time, self.max_time, self.floor] {
            put_signed(&mut out, time);
        }
        put_unsigned(&mut out, self.series);
        put_unsigned(&mut out, self.samples);
        put_unsigned(&mut out, self.sources.len() as u64);
        for source in &self.sources {
            put_unsigned(&mut out, *source);
        }
        out
    }

    pub(crate) fn decode(section: &Section) -> Result<Self> {
        let bytes = section.all()?;
        Self::parse(bytes).map_err(|bad| section.corrupt(bad.what, bad.offset))
    }

    fn parse(bytes: &[u8]) -> Result<Self, Bad> {
        let mut reader = Reader::new(bytes);
        let bad = reader.bad("origin of a block");
        let origin = match reader.byte("origin of a block")? {
            0 => Origin::Head,
            1 => Origin::Merge,
            _ => return Err(bad),
        };
        let (min_time, max_time) = (reader.signed("time")?, reader.signed("time")?);
        let floor = reader.signed("time")?;
        let (series, samples) = (reader.unsigned("series")?, reader.unsigned("samples")?);
        let count = reader.count(SOURCES_MAX, "sources of a block")?;
        let sources = (0..count)
            .map(|_| reader.unsigned("source of a block"))
            .collect::<Result<Vec<_>, _>>()?;
        reader.finish("meta of a block")?;
        Ok(Self { origin, min_time, max_time, floor, series, samples, sources })
    }
}
