//! Loki's push: streams of log lines, from protobuf or JSON, and to protobuf.
//!
//! A body becomes a [`Push`] that borrows from it: lines, names and values are slices of the body,
//! also those that JSON had escaped, because they are unescaped where they stand. Nothing is
//! allocated for a line. What a line or a label may be is not decided here but by who stores it;
//! only labels that cannot be read at all are an error, of their stream alone.
//!
//! Protobuf: `loki/protobuf.rs`. JSON: `loki/json.rs`, with the older form of `/api/prom/push`.
//! Label sets as text: `loki/labels.rs`. Names of structured metadata: `loki/names.rs`. Facts: `pkg/push/push.proto`, `pkg/loghttp/push`,
//! `pkg/util/unmarshal` of Loki.

use std::{borrow::Cow, ops::Range};

use masthead_model::Nanos;

use crate::{Error, Limits};

mod json;
mod labels;
mod names;
mod protobuf;

pub use labels::{LabelTextError, label_text};
pub use names::metadata_name;
pub use protobuf::Encoder;

/// A name and a value.
pub type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The time of an entry that was sent without one; Go's zero time, which no counter of
/// nanoseconds holds.
pub const NO_TIME: Nanos = Nanos::MIN;

/// What one body brings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Push<'a> {
    /// Its streams in its order; a stream may come more than once. Those without entries are left
    /// out, but for the last: a push of such alone is one of streams all the same.
    pub streams: Vec<PushStream<'a>>,
}

/// Lines of one stream.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PushStream<'a> {
    /// Which stream.
    pub labels: StreamLabels<'a>,
    /// Its lines in the order of the body.
    pub entries: Vec<PushEntry<'a>>,
    /// The structured metadata of all entries, one after the other.
    pub pairs: Vec<Pair<'a>>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushEntry<'a> {
    /// When it was written; [`NO_TIME`] if that was not said.
    pub timestamp: Nanos,
    /// The line, any bytes.
    pub line: Cow<'a, [u8]>,
    /// Where its structured metadata stands in [`PushStream::pairs`].
    pub metadata: Range<u32>,
}

/// The labels of a stream as they were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamLabels<'a> {
    /// `{name="value", …}`, as protobuf has them.
    Text(&'a str),
    /// Names and values, as JSON has them; a name stands there once.
    Pairs(Vec<Pair<'a>>),
}

impl Default for StreamLabels<'_> {
    fn default() -> Self {
        Self::Pairs(Vec::new())
    }
}

impl<'a> StreamLabels<'a> {
    /// The labels as pairs, in the order in which they were sent. A name may come twice; a value
    /// may be empty.
    ///
    /// # Errors
    /// [`LabelTextError`] in the words of Prometheus' parser, which Loki hands on.
    pub fn read(self) -> Result<Vec<Pair<'a>>, LabelTextError> {
        match self {
            Self::Text(text) => labels::parse(text),
            Self::Pairs(pairs) => labels::check(pairs),
        }
    }
}

impl<'a> Push<'a> {
    /// Appends a stream in the place of one without entries, which keeps nothing.
    fn add(&mut self, stream: PushStream<'a>) {
        self.streams.pop_if(|last| last.entries.is_empty());
        self.streams.push(stream);
    }
}

impl<'a> PushStream<'a> {
    /// The structured metadata of an entry of this stream.
    pub fn metadata(&self, entry: &PushEntry<'_>) -> &[Pair<'a>] {
        let Range { start, end } = entry.metadata;
        self.pairs.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Appends an entry whose pairs are the last of [`PushStream::pairs`], from `first` on.
    pub(crate) fn push(&mut self, timestamp: Nanos, line: Cow<'a, [u8]>, first: usize) {
        // A body that could hold so many pairs is far beyond every limit.
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let metadata = place(first)..place(self.pairs.len());
        self.entries.push(PushEntry { timestamp, line, metadata });
    }
}

/// Items that a stream with entries counts for beside them, by the memory that it takes.
const STREAM_ITEMS: usize = 8;

/// Counts what takes more memory than its bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Count(usize);

impl Count {
    fn one(&mut self) -> Result<(), Error> {
        self.spend(1)
    }

    fn spend(&mut self, items: usize) -> Result<(), Error> {
        self.0 += items;
        Limits::check_items(self.0)
    }

    /// After a stream was read: one without entries is not kept, nor what was counted for it since
    /// `before`.
    fn stream(&mut self, stream: &PushStream<'_>, before: Self) -> Result<(), Error> {
        if stream.entries.is_empty() {
            *self = before;
            return Ok(());
        }
        self.spend(STREAM_ITEMS)
    }
}

/// Reads a `logproto.PushRequest`, decompressed.
///
/// # Errors
/// [`Error::Proto`] if it is none; [`Error::Limit`].
pub fn decode_protobuf<'a>(body: &'a [u8], limits: &Limits) -> Result<Push<'a>, Error> {
    limits.check_body(body.len())?;
    protobuf::decode(body)
}

/// Reads `{"streams":[{"stream":{…},"values":[["nanoseconds","line",{…}]]}]}`. The body is
/// changed: texts are unescaped where they stand.
///
/// # Errors
/// [`Error::Json`] with the offset if it has another shape; [`Error::Limit`].
pub fn decode_json<'a>(body: &'a mut [u8], limits: &Limits) -> Result<Push<'a>, Error> {
    limits.check_body(body.len())?;
    json::decode(body)
}

/// Reads the older `{"streams":[{"labels":"{…}","entries":[{"ts":"RFC 3339","line":"…"}]}]}`.
///
/// # Errors
/// As [`decode_json`].
pub fn decode_legacy_json<'a>(body: &'a mut [u8], limits: &Limits) -> Result<Push<'a>, Error> {
    limits.check_body(body.len())?;
    json::decode_legacy(body)
}

#[cfg(test)]
mod tests;
