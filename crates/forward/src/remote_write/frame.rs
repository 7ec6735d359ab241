//! The bytes of a journal frame: samples as a compressed request of version 2, and what is said
//! about families as a request of version 1.
//!
//! The two codecs are `wire`'s, so that whatever can be sent can be kept, and nothing is invented
//! twice. Layout: `docs/format/forward.md`.

use masthead_durable::bytes::{Bad, Reader, put_slice, put_unsigned};
use masthead_ports::Metadata;
use masthead_wire::{
    Error, Limits,
    remote_write::{self, Decoder, EncoderV1, EncoderV2, Version},
};

use crate::backlog::ITEMS;

/// Whatever was taken is read again; only memory is limited.
pub(super) const LIMITS: Limits = Limits {
    body_bytes: 256 << 20,
    series: 10_000_000,
    labels: 100_000,
    label_name_bytes: 64 << 20,
    label_value_bytes: 64 << 20,
};

/// What a frame holds.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    /// A request of version 1 without series.
    pub(super) families: &'a [u8],
    /// A request of version 2, compressed; nothing for none.
    pub(super) series: &'a [u8],
}

pub(super) fn encode(
    samples: u64,
    families: EncoderV1,
    series: EncoderV2,
) -> Result<Vec<u8>, Error> {
    let mut out = vec![ITEMS];
    put_unsigned(&mut out, samples);
    put_slice(&mut out, &families.finish());
    if samples > 0 {
        out.extend_from_slice(&remote_write::compress(&series.finish())?);
    }
    Ok(out)
}

pub(super) fn decode(payload: &[u8]) -> Result<Parts<'_>, Bad> {
    let mut reader = Reader::new(payload);
    if reader.byte("kind")? != ITEMS {
        return Err(reader.bad("kind"));
    }
    reader.unsigned("samples")?;
    let families = reader.slice("families")?;
    Ok(Parts { families, series: reader.rest() })
}

/// Hands out what a frame says about families.
pub(super) fn each_family(families: &[u8], mut take: impl FnMut(Metadata)) -> Result<(), Error> {
    let mut decoder = Decoder::new(families, Version::V1, LIMITS)?;
    while decoder.next_series()?.is_some() {}
    for found in decoder.metadata() {
        take(Metadata {
            family: found.family.into(),
            metric_type: found.metric_type,
            help: found.help.into(),
            unit: found.unit.into(),
        });
    }
    Ok(())
}

/// In the words of the codec.
pub(super) fn described(metadata: &Metadata) -> remote_write::Metadata<'_> {
    remote_write::Metadata {
        family: &metadata.family,
        metric_type: metadata.metric_type,
        help: &metadata.help,
        unit: &metadata.unit,
    }
}

/// Reads a frame and throws it away, for the fuzzer.
#[doc(hidden)]
pub fn read_frame_for_fuzzing(bytes: &[u8]) -> bool {
    let Ok(parts) = decode(bytes) else { return false };
    let mut raw = Vec::new();
    each_family(parts.families, drop).is_ok()
        && remote_write::decompress(parts.series, &Limits::default(), &mut raw).is_ok()
        && super::round::read_series(&raw, |_, _| ()).is_ok()
}
