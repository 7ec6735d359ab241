//! One series as frames: a length, a checksum, and a message with chunks of samples.

use std::sync::Arc;

use masthead_model::{Histogram, Labels};

use super::chunks::{self, Encoding, SAMPLES_MAX};
use crate::{labels::write_labels, proto::Writer};

/// Bytes of chunks in one frame; the next frame goes on with the same series. Upstream's
/// `--storage.remote.read-max-bytes-in-frame`.
const FRAME_BYTES: usize = 1 << 20;

/// A chunk and the time that it covers.
struct Chunk {
    first: i64,
    last: i64,
    encoding: Encoding,
    data: Vec<u8>,
}

/// Hands the frames of one series that answers query number `query` to `send`, one by one, so that
/// a long series is not held whole. Times must rise, and none may be both a float's and a
/// histogram's.
///
/// # Errors
/// What `send` returned.
pub fn write_chunked_series<E>(
    query: usize,
    labels: &Labels,
    floats: (&[i64], &[f64]),
    histograms: (&[i64], &[Arc<Histogram>]),
    mut send: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut held = Vec::new();
    let mut bytes = 0;
    for chunk in chunks_of(floats, histograms) {
        bytes += chunk.data.len();
        held.push(chunk);
        if bytes >= FRAME_BYTES {
            send(&frame(query, labels, &held))?;
            held.clear();
            bytes = 0;
        }
    }
    if !held.is_empty() {
        send(&frame(query, labels, &held))?;
    }
    Ok(())
}

/// The chunks in the order of time: floats up to the next histogram, that histogram, and so on.
fn chunks_of<'a>(
    floats: (&'a [i64], &'a [f64]),
    histograms: (&'a [i64], &'a [Arc<Histogram>]),
) -> impl Iterator<Item = Chunk> + 'a {
    let (mut times, mut values) = floats;
    let mut histograms = histograms.0.iter().copied().zip(histograms.1).peekable();
    std::iter::from_fn(move || {
        let next = histograms.peek().map(|(time, _)| *time);
        let before = next.map_or(times.len(), |next| times.partition_point(|time| *time < next));
        let count = before.min(SAMPLES_MAX);
        if count > 0 {
            let (now, later) = times.split_at_checked(count)?;
            let (now_values, later_values) = values.split_at_checked(count)?;
            (times, values) = (later, later_values);
            let data = chunks::floats(now, now_values);
            let (first, last) = (*now.first()?, *now.last()?);
            return Some(Chunk { first, last, encoding: Encoding::Xor, data });
        }
        let (time, histogram) = histograms.next()?;
        let data = chunks::histogram(time, histogram);
        Some(Chunk { first: time, last: time, encoding: Encoding::FloatHistogram, data })
    })
}

fn frame(query: usize, labels: &Labels, chunks: &[Chunk]) -> Vec<u8> {
    let mut message = Vec::new();
    let mut w = Writer::new(&mut message);
    w.nested(1, |w| {
        write_labels(w, labels);
        for chunk in chunks {
            w.nested(2, |w| {
                w.signed(1, chunk.first);
                w.signed(2, chunk.last);
                w.unsigned(3, chunk.encoding as u64);
                w.bytes(4, &chunk.data);
            });
        }
    });
    w.unsigned(2, query as u64);
    let mut out = Vec::with_capacity(message.len() + 16);
    Writer::new(&mut out).length(message.len());
    out.extend_from_slice(&crc32c::crc32c(&message).to_be_bytes());
    out.extend_from_slice(&message);
    out
}
