//! What the journal's frames say: lines with the progress of their readers, deletions, and the
//! state that outlives segments of the journal.
//!
//! A frame of lines is written in one pass while lines are judged; a stream's labels stand where
//! it first comes in a segment of the journal, a set of metadata where it first comes in a frame.
//! Byte layout: `docs/format/log-journal.md`.

use std::{collections::BTreeMap, sync::Arc};

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use masthead_durable::{
    bytes::{Bad, Reader, put_signed, put_slice, put_unsigned},
    journal::Draft,
};
use masthead_model::Labels;

use crate::{deletion::Deletion, rows::Row};

const KIND_LINES: u8 = 1;
const KIND_DELETION: u8 = 2;
const KIND_STATE: u8 = 3;

/// A frame is ended after the row with which it has this many bytes.
pub(crate) const FRAME_BYTES: usize = 16 << 20;
/// Most labels of one set.
const LABELS_MAX: usize = 100_000;

/// A frame of lines that grows.
#[derive(Debug)]
pub(crate) struct FrameBuilder {
    draft: Draft,
    time: i64,
    sets: HashMap<Labels, usize, FixedState>,
    /// The set of the row before, which is mostly that of the next one too.
    last_set: Option<(Labels, usize)>,
    in_group: bool,
    rows: usize,
}

impl Default for FrameBuilder {
    fn default() -> Self {
        Self::new(Draft::default())
    }
}

impl FrameBuilder {
    /// A frame that grows in `draft`, which is empty.
    pub(crate) fn new(mut draft: Draft) -> Self {
        draft.end().push(KIND_LINES);
        let sets = HashMap::default();
        Self { draft, time: 0, sets, last_set: None, in_group: false, rows: 0 }
    }

    /// The rows from now on are of this stream, which is defined if `labels` are given.
    pub(crate) fn stream(&mut self, id: u64, labels: Option<&Labels>) {
        self.end_group();
        put_unsigned(self.draft.end(), id + 1);
        self.draft.end().push(u8::from(labels.is_some()));
        if let Some(labels) = labels {
            put_labels(self.draft.end(), labels);
        }
        self.in_group = true;
        self.time = 0;
    }

    pub(crate) fn row(&mut self, row: Row<'_>) {
        put_unsigned(self.draft.end(), row.line.len() as u64 + 1);
        put_signed(self.draft.end(), row.time.wrapping_sub(self.time));
        self.time = row.time;
        match row.metadata {
            None => self.draft.end().push(0),
            Some(labels) => self.put_set(labels),
        }
        self.draft.end().extend_from_slice(row.line);
        self.rows += 1;
    }

    /// Writes the number of a set, and the set itself where it is new.
    fn put_set(&mut self, labels: &Labels) {
        if let Some((last, number)) = &self.last_set
            && last == labels
        {
            put_unsigned(self.draft.end(), *number as u64);
            return;
        }
        let next = self.sets.len() + 1;
        let known = self.sets.get(labels).copied();
        let number = known.unwrap_or(next);
        put_unsigned(self.draft.end(), number as u64);
        if known.is_none() {
            put_labels(self.draft.end(), labels);
            self.sets.insert(labels.clone(), next);
        }
        self.last_set = Some((labels.clone(), number));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub(crate) fn is_full(&self) -> bool {
        self.draft.payload().len() >= FRAME_BYTES
    }

    /// The frame, with this progress; the builder starts anew.
    pub(crate) fn finish<'a>(
        &mut self,
        progress: impl ExactSizeIterator<Item = (&'a str, Option<&'a str>)>,
    ) -> Draft {
        self.end_group();
        put_unsigned(self.draft.end(), 0);
        put_progress(self.draft.end(), progress);
        std::mem::take(self).draft
    }

    fn end_group(&mut self) {
        if std::mem::take(&mut self.in_group) {
            put_unsigned(self.draft.end(), 0);
        }
    }
}

fn put_progress<'a>(
    out: &mut Vec<u8>,
    progress: impl ExactSizeIterator<Item = (&'a str, Option<&'a str>)>,
) {
    put_unsigned(out, progress.len() as u64);
    for (key, value) in progress {
        put_slice(out, key.as_bytes());
        out.push(u8::from(value.is_some()));
        if let Some(value) = value {
            put_slice(out, value.as_bytes());
        }
    }
}

fn put_labels(out: &mut Vec<u8>, labels: &Labels) {
    put_unsigned(out, labels.len() as u64);
    for label in labels {
        put_slice(out, label.name.as_bytes());
        put_slice(out, label.value.as_bytes());
    }
}

pub(crate) fn encode_deletion(deletion: &Deletion) -> Vec<u8> {
    let mut out = vec![KIND_DELETION];
    deletion.encode(&mut out);
    out
}

/// The frame of a checkpoint, and of what follows a gap. `seq` is the number of the last frame
/// before it.
pub(crate) fn encode_state(
    seq: u64,
    generation: u64,
    progress: &BTreeMap<Arc<str>, Arc<str>>,
    deletions: &[Arc<Deletion>],
) -> Vec<u8> {
    let mut out = vec![KIND_STATE];
    put_unsigned(&mut out, seq);
    put_unsigned(&mut out, generation);
    put_progress(&mut out, progress.iter().map(|(key, value)| (&**key, Some(&**value))));
    put_unsigned(&mut out, deletions.len() as u64);
    for deletion in deletions {
        deletion.encode(&mut out);
    }
    out
}

/// What a frame says.
#[derive(Debug)]
pub(crate) enum Decoded<'a> {
    Lines {
        groups: Vec<Group<'a>>,
        sets: Vec<Labels>,
        progress: Vec<(&'a str, Option<&'a str>)>,
    },
    Deletion(Deletion),
    State {
        seq: u64,
        generation: u64,
        progress: Vec<(&'a str, Option<&'a str>)>,
        deletions: Vec<Deletion>,
    },
}

/// Rows of one stream.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    pub(crate) id: u64,
    pub(crate) labels: Option<Labels>,
    /// Time, number of the set of metadata from 1 or 0 for none, text.
    pub(crate) rows: Vec<(i64, usize, &'a [u8])>,
}

/// Reads a frame.
pub(crate) fn decode(payload: &[u8]) -> Result<Decoded<'_>, Bad> {
    let mut reader = Reader::new(payload);
    let bad = reader.bad("kind of frame");
    let decoded = match reader.byte("kind of frame")? {
        KIND_LINES => decode_lines(&mut reader)?,
        KIND_DELETION => Decoded::Deletion(Deletion::decode(&mut reader)?),
        KIND_STATE => {
            let seq = reader.unsigned("number of a frame")?;
            let generation = reader.unsigned("number of deletions")?;
            let progress = take_progress(&mut reader)?;
            let count = reader.count(reader.remaining(), "count of deletions")?;
            let deletions =
                (0..count).map(|_| Deletion::decode(&mut reader)).collect::<Result<_, _>>()?;
            Decoded::State { seq, generation, progress, deletions }
        }
        _ => return Err(bad),
    };
    reader.finish("end of frame")?;
    Ok(decoded)
}

fn decode_lines<'a>(reader: &mut Reader<'a>) -> Result<Decoded<'a>, Bad> {
    let (mut groups, mut sets) = (Vec::new(), Vec::new());
    while let Some(id) = reader.unsigned("stream")?.checked_sub(1) {
        let defined = reader.byte("definition")? != 0;
        let labels = if defined { Some(take_labels(reader)?) } else { None };
        let mut rows = Vec::new();
        let mut time = 0_i64;
        while let Some(length) = reader.count(usize::MAX, "length of a line")?.checked_sub(1) {
            time = time.wrapping_add(reader.signed("time")?);
            let set = reader.count(sets.len() + 1, "set of metadata")?;
            if set > sets.len() {
                sets.push(take_labels(reader)?);
            }
            rows.push((time, set, reader.take(length, "line")?));
        }
        groups.push(Group { id, labels, rows });
    }
    Ok(Decoded::Lines { groups, sets, progress: take_progress(reader)? })
}

fn take_progress<'a>(reader: &mut Reader<'a>) -> Result<Vec<(&'a str, Option<&'a str>)>, Bad> {
    let count = reader.count(reader.remaining(), "count of progress")?;
    let mut all = Vec::new();
    for _ in 0..count {
        let key = reader.text("key of progress")?;
        let there = reader.byte("progress")? != 0;
        all.push((key, if there { Some(reader.text("progress")?) } else { None }));
    }
    Ok(all)
}

fn take_labels(reader: &mut Reader<'_>) -> Result<Labels, Bad> {
    let count = reader.count(LABELS_MAX, "count of labels")?;
    let bad = reader.bad("labels");
    let mut pairs = Vec::new();
    for _ in 0..count {
        pairs.push((reader.text("name")?.into(), reader.text("value")?.into()));
    }
    Labels::from_pairs(&mut pairs).map_err(|_| bad)
}

#[cfg(test)]
mod tests;
