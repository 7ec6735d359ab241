//! The two JSON forms of a push.
//!
//! What is refused and what is let pass is what Loki does: a time must be a string of decimal
//! nanoseconds, `null` is no stream and no entry, a fourth element is not looked at, a label may
//! be any value and is then its JSON text, of a label that comes twice the last counts.

use std::borrow::Cow;

use masthead_model::Nanos;

use super::{Count, NO_TIME, Pair, Push, PushStream, StreamLabels};
use crate::{Error, rfc3339, scan::Scan};

pub(super) fn decode(body: &mut [u8]) -> Result<Push<'_>, Error> {
    streams(body, |scan, count| {
        let mut stream = PushStream::default();
        scan.object("a stream", |scan, key| match key {
            b"stream" => {
                stream.labels = StreamLabels::Pairs(labels(scan, count)?);
                Ok(())
            }
            b"values" => scan.array("values", |scan| {
                count.one()?;
                entry(scan, &mut stream, count)
            }),
            _ => scan.raw("a stream").map(drop),
        })?;
        Ok(stream)
    })
}

pub(super) fn decode_legacy(body: &mut [u8]) -> Result<Push<'_>, Error> {
    streams(body, |scan, count| {
        let mut stream = PushStream::default();
        scan.object("a stream", |scan, key| match key {
            b"labels" => {
                let text = std::str::from_utf8(scan.string("labels")?);
                let text = text.map_err(|_| scan.fail("labels: expected UTF-8"))?;
                stream.labels = StreamLabels::Text(text);
                Ok(())
            }
            b"entries" => scan.array("entries", |scan| {
                count.one()?;
                if scan.null() {
                    return Ok(());
                }
                let (mut timestamp, mut line) = (NO_TIME, &[][..]);
                scan.object("an entry", |scan, key| match key {
                    b"ts" | b"timestamp" => {
                        let text = scan.string("ts")?;
                        timestamp = rfc3339::parse(text)
                            .ok_or_else(|| scan.fail("ts: expected a time as in RFC 3339"))?;
                        Ok(())
                    }
                    b"line" => {
                        line = scan.string("line")?;
                        Ok(())
                    }
                    _ => scan.raw("an entry").map(drop),
                })?;
                stream.push(timestamp, Cow::Borrowed(line), stream.pairs.len());
                Ok(())
            }),
            _ => scan.raw("a stream").map(drop),
        })?;
        Ok(stream)
    })
}

/// What both forms have around their streams.
fn streams<'a>(
    body: &'a mut [u8],
    mut read: impl FnMut(&mut Scan<'a>, &mut Count) -> Result<PushStream<'a>, Error>,
) -> Result<Push<'a>, Error> {
    let mut scan = Scan::new(body);
    let mut push = Push::default();
    let mut count = Count::default();
    scan.object("a push", |scan, key| match key {
        b"streams" => scan.array("streams", |scan| {
            count.one()?;
            if !scan.null() {
                let before = count;
                let stream = read(scan, &mut count)?;
                count.stream(&stream, before)?;
                push.add(stream);
            }
            Ok(())
        }),
        _ => scan.raw("a push").map(drop),
    })?;
    Ok(push)
}

fn labels<'a>(scan: &mut Scan<'a>, count: &mut Count) -> Result<Vec<Pair<'a>>, Error> {
    let mut pairs: Vec<Pair<'a>> = Vec::new();
    if scan.peek() != Some(b'{') {
        return Err(scan.fail("stream: expected {"));
    }
    scan.object("stream", |scan, key| {
        count.one()?;
        let name = String::from_utf8_lossy(key);
        let value = match scan.peek() {
            Some(b'"') => scan.text_value("a label")?,
            _ => String::from_utf8_lossy(scan.raw("a label")?),
        };
        pairs.push((name, value));
        Ok(())
    })?;
    // Looking for each among those before it would take a flood of labels hours.
    if !pairs.is_sorted_by(|a, b| a.0 < b.0) {
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        pairs.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                std::mem::swap(later, kept);
            }
            same
        });
    }
    Ok(pairs)
}

fn entry<'a>(
    scan: &mut Scan<'a>,
    stream: &mut PushStream<'a>,
    count: &mut Count,
) -> Result<(), Error> {
    if scan.null() {
        return Ok(());
    }
    let first = stream.pairs.len();
    let (mut timestamp, mut line) = (NO_TIME, &[][..]);
    let mut place = 0;
    scan.array("an entry", |scan| {
        place += 1;
        match place {
            1 => {
                let text = scan.string("the time of an entry")?;
                timestamp = nanoseconds(text)
                    .ok_or_else(|| scan.fail("the time of an entry: expected nanoseconds"))?;
            }
            2 => line = scan.string("the line of an entry")?,
            3 if scan.peek() == Some(b'{') => scan.object("structured metadata", |scan, key| {
                count.one()?;
                let name = String::from_utf8_lossy(key);
                stream.pairs.push((name, scan.text_value("structured metadata")?));
                Ok(())
            })?,
            3 => return Err(scan.fail("structured metadata: expected {")),
            _ => drop(scan.raw("an entry")?),
        }
        Ok(())
    })?;
    stream.push(timestamp, Cow::Borrowed(line), first);
    Ok(())
}

fn nanoseconds(text: &[u8]) -> Option<Nanos> {
    std::str::from_utf8(text).ok()?.parse().ok().map(Nanos)
}
