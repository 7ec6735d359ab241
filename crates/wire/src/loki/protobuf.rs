//! `logproto.PushRequest`: reading in place, and writing.
//!
//! A line is a `string` there, but Go writes and reads any bytes as one, and so do we.

use std::borrow::Cow;

use masthead_model::{Labels, Nanos};

use super::{Count, Pair, Push, PushStream, StreamLabels, label_text};
use crate::{
    Error,
    proto::{Field, Reader, Writer},
};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

pub(super) fn decode(body: &[u8]) -> Result<Push<'_>, Error> {
    let mut top = Reader::new(body, "PushRequest");
    let mut push = Push::default();
    let mut count = Count::default();
    while let Some(field) = top.next()? {
        if field.number == 1 {
            count.one()?;
            let before = count;
            let stream = stream(&field, &mut count)?;
            count.stream(&stream, before)?;
            push.add(stream);
        }
    }
    Ok(push)
}

fn stream<'a>(field: &Field<'a>, count: &mut Count) -> Result<PushStream<'a>, Error> {
    let mut message = field.message("StreamAdapter")?;
    let mut stream = PushStream { labels: StreamLabels::Text(""), ..PushStream::default() };
    while let Some(field) = message.next()? {
        match field.number {
            1 => stream.labels = StreamLabels::Text(field.text()?),
            2 => {
                count.one()?;
                entry(&field, &mut stream, count)?;
            }
            _ => {}
        }
    }
    Ok(stream)
}

#[inline]
fn entry<'a>(
    field: &Field<'a>,
    stream: &mut PushStream<'a>,
    count: &mut Count,
) -> Result<(), Error> {
    let mut message = field.message("EntryAdapter")?;
    let first = stream.pairs.len();
    let (mut timestamp, mut line) = (Nanos(0), &[][..]);
    while let Some(field) = message.next()? {
        match field.number {
            1 => timestamp = time(&field)?,
            2 => line = field.bytes()?,
            3 => {
                count.one()?;
                stream.pairs.push(pair(&field)?);
            }
            _ => {}
        }
    }
    stream.push(timestamp, Cow::Borrowed(line), first);
    Ok(())
}

/// A time beyond what nanoseconds can count is held at the end, where every check refuses it.
#[inline]
fn time(field: &Field<'_>) -> Result<Nanos, Error> {
    let mut message = field.message("Timestamp")?;
    let (mut seconds, mut nanos) = (0, 0);
    while let Some(field) = message.next()? {
        match field.number {
            1 => seconds = field.signed()?,
            2 => nanos = field.signed()?,
            _ => {}
        }
    }
    Ok(Nanos(seconds.saturating_mul(NANOS_PER_SECOND).saturating_add(nanos)))
}

fn pair<'a>(field: &Field<'a>) -> Result<Pair<'a>, Error> {
    let mut message = field.message("LabelPairAdapter")?;
    let (mut name, mut value) = (&[][..], &[][..]);
    while let Some(field) = message.next()? {
        match field.number {
            1 => name = field.bytes()?,
            2 => value = field.bytes()?,
            _ => {}
        }
    }
    Ok((String::from_utf8_lossy(name), String::from_utf8_lossy(value)))
}

/// Builds a request, to be compressed with [`compress`](crate::remote_write::compress) and sent
/// as `application/x-protobuf`.
#[derive(Debug, Default)]
pub struct Encoder {
    out: Vec<u8>,
}

impl Encoder {
    /// Appends lines of a stream: when, what, and the structured metadata of each.
    pub fn stream<'e>(
        &mut self,
        labels: &Labels,
        entries: impl IntoIterator<Item = (Nanos, &'e [u8], &'e Labels)>,
    ) {
        let text = label_text(labels.iter().map(|l| (l.name, l.value)));
        Writer::new(&mut self.out).nested(1, |w| {
            w.text(1, &text);
            for (timestamp, line, metadata) in entries {
                w.nested(2, |w| {
                    w.nested(1, |w| {
                        w.signed(1, timestamp.0.div_euclid(NANOS_PER_SECOND));
                        w.signed(2, timestamp.0.rem_euclid(NANOS_PER_SECOND));
                    });
                    w.bytes(2, line);
                    for label in metadata {
                        w.nested(3, |w| {
                            w.text(1, label.name);
                            w.text(2, label.value);
                        });
                    }
                });
            }
        });
    }

    /// Bytes so far.
    pub fn byte_len(&self) -> usize {
        self.out.len()
    }

    /// The request, to be compressed.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }
}
