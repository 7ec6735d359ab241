//! From frames of the journal to the requests of each shard. Takes processor time: to be called
//! where that is allowed.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use bytes::Bytes;
use masthead_model::{Labels, Millis};
use masthead_wire::{
    Error,
    remote_write::{self, Decoder, EncoderV1, EncoderV2, LabelScratch, Metadata, Series, Version},
};

use super::{frame, sink::Families};
use crate::backlog::{Frames, items};

/// Bytes of a request before compression, about; a request of fewer samples than asked for is sent
/// rather than one that a receiver finds too large.
const REQUEST_BYTES_MAX: usize = 4 << 20;

/// How a round is made.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) version: Version,
    pub(super) shards: usize,
    /// Most samples of a request.
    pub(super) samples_max: usize,
    /// Samples before this are not sent.
    pub(super) oldest: Option<Millis>,
    pub(super) families: Families,
}

/// What a round has to send.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// For each shard its requests, in their order.
    pub(super) shards: Vec<Vec<Request>>,
    /// What is not sent, by reason.
    pub(super) lost: Vec<(&'static str, u64)>,
}

/// A request, ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) body: Bytes,
    pub(super) samples: u64,
    /// The time of its newest sample.
    pub(super) newest: Millis,
    /// The last frame that it has samples of.
    pub(super) last_seq: u64,
}

impl Plan {
    /// Puts the samples of `frames` into requests.
    pub(super) fn build(&self, frames: &Frames) -> Round {
        let mut shards: Vec<Shard> = (0..self.shards).map(|_| Shard::new(self.version)).collect();
        let mut lost = Vec::new();
        let mut raw = Vec::new();
        for (seq, payload) in frames {
            let read = frame::decode(payload).ok().and_then(|parts| {
                remote_write::decompress(parts.series, &frame::LIMITS, &mut raw).ok()
            });
            let (mut too_old, mut unsupported, mut placed) = (0, 0, 0);
            let take = |labels: Labels, series: &Series<'_>| {
                let Some(time) = time(series) else { return };
                if self.oldest.is_some_and(|oldest| time < oldest) {
                    too_old += 1;
                } else if self.version == Version::V1 && has_custom_buckets(series) {
                    unsupported += 1;
                } else {
                    placed += 1;
                    let at = shard_of(&labels, shards.len());
                    if let Some(shard) = shards.get_mut(at) {
                        shard.add(self, &labels, series, time, *seq);
                    }
                }
            };
            let whole = read.is_some() && read_series(&raw, take).is_ok();
            if !whole {
                let rest = items(payload).saturating_sub(too_old + unsupported + placed);
                lost.push(("corrupt", rest));
            }
            lost.push(("too_old", too_old));
            lost.push(("unsupported", unsupported));
        }
        Round { shards: shards.into_iter().map(|shard| shard.finish(self)).collect(), lost }
    }
}

/// Hands out the series of a frame's request.
pub(super) fn read_series(
    raw: &[u8],
    mut take: impl FnMut(Labels, &Series<'_>),
) -> Result<(), Error> {
    let mut decoder = Decoder::new(raw, Version::V2, frame::LIMITS)?;
    let mut scratch = LabelScratch::default();
    while let Some(series) = decoder.next_series()? {
        take(series.labels(&mut scratch, &frame::LIMITS)?, series);
    }
    Ok(())
}

/// The requests of a shard while they are made.
struct Shard {
    done: Vec<Request>,
    encoder: Encoder,
    samples: u64,
    newest: Millis,
    last_seq: u64,
}

impl Shard {
    fn new(version: Version) -> Self {
        Self {
            done: Vec::new(),
            encoder: Encoder::new(version),
            samples: 0,
            newest: Millis(i64::MIN),
            last_seq: 0,
        }
    }

    fn add(&mut self, plan: &Plan, labels: &Labels, series: &Series<'_>, time: Millis, seq: u64) {
        self.encoder.add(&plan.families, labels, series);
        self.samples += 1;
        self.newest = self.newest.max(time);
        self.last_seq = seq;
        if self.samples >= plan.samples_max as u64 || self.encoder.byte_len() >= REQUEST_BYTES_MAX {
            self.cut(plan);
        }
    }

    fn cut(&mut self, plan: &Plan) {
        let encoder = std::mem::replace(&mut self.encoder, Encoder::new(plan.version));
        // Only a body beyond 4 GiB cannot be compressed, and it was cut long before.
        if let Ok(body) = remote_write::compress(&encoder.finish()) {
            let (samples, newest, last_seq) = (self.samples, self.newest, self.last_seq);
            self.done.push(Request { body: body.into(), samples, newest, last_seq });
        }
        (self.samples, self.newest) = (0, Millis(i64::MIN));
    }

    fn finish(mut self, plan: &Plan) -> Vec<Request> {
        if self.samples > 0 {
            self.cut(plan);
        }
        self.done
    }
}

enum Encoder {
    V1(EncoderV1),
    V2(EncoderV2),
}

impl Encoder {
    fn new(version: Version) -> Self {
        match version {
            Version::V1 => Self::V1(EncoderV1::default()),
            Version::V2 => Self::V2(EncoderV2::default()),
        }
    }

    fn add(&mut self, families: &Families, labels: &Labels, series: &Series<'_>) {
        let Series { samples, histograms, exemplars, .. } = series;
        match self {
            Self::V1(encoder) => encoder.series(labels, samples, histograms, exemplars),
            Self::V2(encoder) => {
                let found = labels.metric_name().and_then(|name| families.of(name));
                let metadata: Option<Metadata<'_>> = found.map(frame::described);
                encoder.series(labels, samples, histograms, exemplars, metadata.as_ref());
            }
        }
    }

    fn byte_len(&self) -> usize {
        match self {
            Self::V1(encoder) => encoder.byte_len(),
            Self::V2(encoder) => encoder.byte_len(),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::V1(encoder) => encoder.finish(),
            Self::V2(encoder) => encoder.finish(),
        }
    }
}

/// The same shard for the same series, as long as their number stays.
fn shard_of(labels: &Labels, shards: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    labels.hash(&mut hasher);
    let shards = shards.max(1) as u64;
    usize::try_from(hasher.finish() % shards).unwrap_or(0)
}

/// A frame has one sample of each series that it names.
fn time(series: &Series<'_>) -> Option<Millis> {
    let sample = series.samples.first().map(|point| point.timestamp);
    sample.or_else(|| series.histograms.first().map(|point| point.timestamp))
}

/// Version 1 has no field for the bounds of such buckets.
fn has_custom_buckets(series: &Series<'_>) -> bool {
    series.histograms.iter().any(|point| point.histogram.uses_custom_buckets())
}
