//! A segment: some thousand lines of one stream, compressed together.
//!
//! It is the same bytes in memory and in a block, so that lines are compressed once. What it says
//! without being decoded ([`Info`]) stands apart, in the head or in a block's directory.
//!
//! ```text
//! +----------------+-----------------+---+------------------------------------------+
//! | times: integers| lines           | 0 | or 1, sets, lengths, their texts, places |
//! +----------------+-----------------+---+------------------------------------------+
//! ```
//!
//! Byte layout: `docs/format/log-block.md`.

use masthead_chunk::{Column, Error, ints, lines};
use masthead_model::{Labels, MemberTest};
use masthead_ports::{LineColumn, LogColumns};

/// Most lines of one segment.
pub(crate) const LINES_MAX: usize = 1 << 16;
/// Ends each name and each value of a set's text, so that they are tokens of their own.
const END: u8 = 0x1f;
/// Most bytes of the texts of all sets of one segment.
const LABELS_MAX: usize = 1 << 16;

/// What a segment says without being decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Info {
    /// Time of its first line.
    pub(crate) first: i64,
    /// Time of its last line.
    pub(crate) last: i64,
    pub(crate) lines: usize,
    /// Bytes of its lines.
    pub(crate) raw: u64,
    /// Bytes of its lines' metadata, each line's counted.
    pub(crate) metadata: u64,
    /// Its place in the order of pushing.
    pub(crate) seq: u64,
    /// Deletions with a larger number apply to it.
    pub(crate) generation: u64,
}

impl Info {
    pub(crate) fn overlaps(&self, first: i64, last: i64) -> bool {
        self.first <= last && first <= self.last
    }
}

/// A segment in memory.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) data: Vec<u8>,
    /// Which words are in it; see [`masthead_chunk::words`].
    pub(crate) words: Vec<u8>,
}

/// Keeps what encoding needs from one segment to the next.
#[derive(Debug)]
pub(crate) struct Sealer {
    encoder: lines::Encoder,
    metadata_encoder: lines::Encoder,
}

impl Sealer {
    pub(crate) fn new(level: i32) -> Self {
        Self { encoder: lines::Encoder::new(level), metadata_encoder: lines::Encoder::new(level) }
    }

    /// Compresses lines, which must be in order and at most [`LINES_MAX`].
    pub(crate) fn seal(&mut self, rows: &LogColumns) -> Result<Sealed, Error> {
        let mut data = Vec::with_capacity(rows.text.len() / 8 + 64);
        let mut words = Vec::new();
        ints::encode(&rows.times, &mut data)?;
        let lines = (&*rows.text, &*rows.ends, &*rows.times);
        self.encoder.encode_with_words(lines, &mut data, &mut words)?;
        if rows.metadata.is_empty() {
            data.push(0);
        } else {
            data.push(1);
            self.seal_metadata(rows, &mut data)?;
        }
        data.shrink_to_fit();
        words.shrink_to_fit();
        Ok(Sealed { data, words })
    }

    fn seal_metadata(&mut self, rows: &LogColumns, data: &mut Vec<u8>) -> Result<(), Error> {
        let (mut lengths, mut text, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for set in &rows.metadata_sets {
            for label in set {
                for (field, end) in [(label.name, b'='), (label.value, END)] {
                    lengths.push(i64::try_from(field.len()).unwrap_or(i64::MAX));
                    text.extend_from_slice(field.as_bytes());
                    text.push(end);
                }
            }
            ends.push(text.len());
        }
        let counts: Vec<i64> = rows
            .metadata_sets
            .iter()
            .map(|set| i64::try_from(set.len()).unwrap_or(i64::MAX))
            .collect();
        ints::encode(&counts, data)?;
        let parts = lengths.chunks(masthead_chunk::COUNT_MAX);
        masthead_durable::bytes::put_unsigned(data, parts.len() as u64);
        for part in parts {
            ints::encode(part, data)?;
        }
        self.metadata_encoder.encode(&text, &ends, data)?;
        let places: Vec<i64> = rows.metadata.iter().map(|set| i64::from(*set)).collect();
        ints::encode(&places, data)
    }
}

/// How much of a segment is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Want<'a> {
    pub(crate) lines: LineColumn,
    pub(crate) metadata: bool,
    /// See [`masthead_ports::LogHints::members`].
    pub(crate) members: Option<&'a [Box<str>]>,
    /// Lines that can hold none of these may be left out, if there are some.
    pub(crate) holding: &'a [lines::Needle],
    /// Lines that fail one of these may be left out; see [`masthead_ports::LogHints::tests`].
    pub(crate) tests: &'a [MemberTest],
}

impl Want<'_> {
    pub(crate) const ALL: Self =
        Self { lines: LineColumn::Text, metadata: true, members: None, holding: &[], tests: &[] };

    /// Whether all lines come.
    fn is_every_line(&self) -> bool {
        self.holding.is_empty() && self.tests.is_empty()
    }
}

/// Replaces `into` by the lines of the segment `data`; of text, what is wanted. Returns how many
/// lines the segment has.
///
/// # Errors
/// Damage.
pub(crate) fn open(
    data: &[u8],
    want: Want<'_>,
    decoder: &mut lines::Decoder,
    into: &mut LogColumns,
) -> Result<usize, Error> {
    into.clear();
    let bad = |what| Error::Corrupt { what, offset: 0 };
    let Column { values: count, bytes: mut at } = masthead_chunk::peek(data)?;
    // Where no line is wanted, nobody needs their times.
    if want.is_every_line() || want.lines == LineColumn::Count {
        ints::decode_into(data, &mut into.times)?;
    }
    if want.lines == LineColumn::Count && !want.metadata {
        return Ok(count);
    }
    let rest = |at: usize| data.get(at..).unwrap_or_default();
    let text = rest(at);
    at += masthead_chunk::peek(text)?.bytes;
    let metadata = match rest(at).first() {
        Some(1) if want.metadata => Some(rest(at + 1)),
        Some(0 | 1) => None,
        _ => return Err(bad("kind of metadata")),
    };
    let mut tests = Vec::new();
    let mut kept = None;
    if want.lines == LineColumn::Length {
        decoder.decode_lengths(text, &into.times, &mut into.ends)?;
    } else if want.lines == LineColumn::Text {
        if let Some(metadata) = metadata.filter(|_| !want.tests.is_empty()) {
            // What a label is told by that came with the line says nothing of its text.
            open_metadata(metadata, count, decoder, into)?;
            let came = |name: &str| into.metadata_sets.iter().any(|set| set.get(name).is_some());
            tests.extend(want.tests.iter().filter(|test| !came(&test.name)).cloned());
        }
        let tests = if metadata.is_some() { &tests } else { want.tests };
        let choice = lines::Choice { needles: want.holding, tests, members: want.members };
        let LogColumns { times, ends, text: into, .. } = &mut *into;
        let is_there = want.is_every_line();
        let times = move || {
            let times = times;
            if !is_there {
                ints::decode_into(data, times)?;
            }
            Ok(times.as_slice())
        };
        (_, kept) = decoder.decode_chosen(text, (times, choice), ends, into)?;
    }
    if kept.as_ref().is_some_and(Vec::is_empty) {
        into.clear();
        return Ok(count);
    }
    if want.lines != LineColumn::Count {
        if into.times.is_empty() {
            ints::decode_into(data, &mut into.times)?;
        }
        if into.ends.len() != kept.as_ref().map_or(count, Vec::len) {
            return Err(bad("count of lines"));
        }
    }
    if let Some(metadata) = metadata.filter(|_| into.metadata.is_empty()) {
        open_metadata(metadata, count, decoder, into)?;
    }
    if let Some(kept) = kept {
        keep(&mut into.times, &kept);
        keep(&mut into.metadata, &kept);
    }
    Ok(count)
}

/// Keeps the values at the places of `kept`, which rise.
fn keep<T: Copy>(values: &mut Vec<T>, kept: &[usize]) {
    *values = kept.iter().filter_map(|place| values.get(*place).copied()).collect();
}

fn open_metadata(
    data: &[u8],
    lines: usize,
    decoder: &mut lines::Decoder,
    into: &mut LogColumns,
) -> Result<(), Error> {
    let bad = |what| Error::Corrupt { what, offset: 0 };
    let rest = |at: usize| data.get(at..).unwrap_or_default();
    let (mut counts, mut lengths) = (Vec::new(), Vec::new());
    let mut at = ints::decode_into(data, &mut counts)?;
    let mut reader = masthead_durable::bytes::Reader::new(rest(at));
    let parts = reader.count(LABELS_MAX, "columns of lengths").map_err(|b| bad(b.what))?;
    at += reader.offset();
    for _ in 0..parts {
        at += ints::decode_into(rest(at), &mut lengths)?;
    }
    let (mut ends, mut text) = (Vec::new(), Vec::new());
    at += decoder.decode_into(rest(at), &mut ends, &mut text)?;
    let mut lengths = lengths.into_iter();
    let mut start = 0_usize;
    for count in counts {
        let mut pairs = Vec::new();
        let mut field = || -> Result<&str, Error> {
            let length = lengths.next().and_then(|length| usize::try_from(length).ok());
            let end = length.and_then(|length| start.checked_add(length)).unwrap_or(usize::MAX);
            let bytes = text.get(start..end).ok_or_else(|| bad("text of metadata"))?;
            start = end.saturating_add(1);
            std::str::from_utf8(bytes).map_err(|_| bad("text of metadata"))
        };
        for _ in 0..count {
            let (name, value) = (field()?, field()?);
            pairs.push((name.into(), value.into()));
        }
        let set = Labels::from_pairs(&mut pairs).map_err(|_| bad("set of metadata"))?;
        into.metadata_sets.push(set);
    }
    let mut places = Vec::new();
    ints::decode_into(rest(at), &mut places)?;
    if places.len() != lines {
        return Err(bad("count of metadata"));
    }
    for place in places {
        let place = u32::try_from(place).ok();
        let known = place.filter(|place| (*place as usize) < into.metadata_sets.len());
        into.metadata.push(known.ok_or_else(|| bad("place of metadata"))?);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
