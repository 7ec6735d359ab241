//! Where lines come from, and several such sources to one run in time order without duplicates.

use std::{collections::HashSet, hash::BuildHasher as _, ops::Range, sync::Arc};

use foldhash::fast::FixedState;
use masthead_chunk::lines::Decoder;
use masthead_ports::{LineColumn, LogColumns};

use crate::{
    Error, Result,
    block::{Block, Entry},
    deletion::Deletion,
    rows::{Row, Rows, row},
    segment::{self, Info, Sealed, Want},
};

/// Lines of one stream, in time order.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) info: Info,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    Rows(Arc<Rows>),
    Memory(Arc<Sealed>),
    Block(Arc<Block>, Entry),
}

impl Source {
    pub(crate) fn in_block(block: Arc<Block>, entry: Entry) -> Self {
        Self { info: entry.info, place: Place::Block(block, entry) }
    }

    pub(crate) fn in_memory(info: Info, sealed: Arc<Sealed>) -> Self {
        Self { info, place: Place::Memory(sealed) }
    }

    /// Lines that are not compressed; none of them must be there twice.
    pub(crate) fn of_rows(info: Info, rows: Arc<Rows>) -> Self {
        Self { info, place: Place::Rows(rows) }
    }

    pub(crate) fn seq(&self) -> u64 {
        self.info.seq
    }

    /// The words of it, if they are known; damage is found again by whoever reads the lines.
    pub(crate) fn words(&self) -> &[u8] {
        match &self.place {
            Place::Rows(_) => &[],
            Place::Memory(sealed) => &sealed.words,
            Place::Block(block, entry) => block.words(entry).unwrap_or_default(),
        }
    }

    /// The block that it is in.
    pub(crate) fn block(&self) -> Option<&Arc<Block>> {
        match &self.place {
            Place::Block(block, _) => Some(block),
            Place::Rows(_) | Place::Memory(_) => None,
        }
    }

    /// Compressed bytes that reading it decodes.
    pub(crate) fn bytes(&self) -> u64 {
        match &self.place {
            Place::Rows(_) => 0,
            Place::Memory(sealed) => sealed.data.len() as u64,
            Place::Block(_, entry) => entry.len() as u64,
        }
    }

    fn open<'a>(
        &'a self,
        want: Want<'_>,
        decoder: &mut Decoder,
        into: &'a mut LogColumns,
    ) -> Result<&'a LogColumns> {
        let bytes = match &self.place {
            Place::Rows(rows) => return Ok(&rows.columns),
            Place::Memory(sealed) => &sealed.data,
            Place::Block(block, entry) => block.data(entry)?,
        };
        let count = segment::open(bytes, want, decoder, into).map_err(|error| {
            Error::column(self.block().map_or("memory".into(), |block| block.path()), error)
        })?;
        if count != self.info.lines || !into.times.is_sorted() {
            let what = "lines of a segment";
            let path = self.block().map_or("memory".into(), |block| block.path());
            return Err(masthead_durable::Error::corrupt(path, what, 0).into());
        }
        Ok(into)
    }
}

/// What reading needs, kept from one part to the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    decoder: Decoder,
    columns: Vec<LogColumns>,
}

/// The places of times from `first` to `last`.
pub(crate) fn places(times: &[i64], (first, last): (i64, i64)) -> Range<usize> {
    let start = times.partition_point(|time| *time < first);
    start..times.partition_point(|time| *time <= last).max(start)
}

/// Replaces `into` by the lines of `sources`, which are in the order of pushing, from `first` to
/// `last`, without those that `deletions` hide.
pub(crate) fn read(
    sources: &[Source],
    bounds: (i64, i64),
    deletions: &[Arc<Deletion>],
    want: Want<'_>,
    scratch: &mut Scratch,
    into: &mut LogColumns,
) -> Result<()> {
    into.clear();
    let touched = |source: &Source| deletions.iter().any(|one| one.touches(&source.info));
    let deleted = sources.iter().any(touched);
    let one = sources.len() <= 1;
    // Duplicates and deleted lines are told by all that a line has.
    let read = if one && !deleted {
        want
    } else if one {
        Want { lines: LineColumn::Text, members: None, holding: &[], tests: &[], ..want }
    } else {
        Want::ALL
    };
    if scratch.columns.len() < sources.len() {
        scratch.columns.resize_with(sources.len(), LogColumns::default);
    }
    if let ([source], false) = (sources, deleted) {
        let inside = bounds.0 <= source.info.first && source.info.last <= bounds.1;
        if inside && !matches!(source.place, Place::Rows(_)) {
            source.open(read, &mut scratch.decoder, into)?;
            trim(into, want);
            return Ok(());
        }
    }
    let Scratch { decoder, columns: buffers } = scratch;
    let mut opened = Vec::with_capacity(sources.len());
    for (source, buffer) in sources.iter().zip(buffers) {
        opened.push((source, source.open(read, decoder, buffer)?));
    }
    if let ([(_, columns)], false) = (opened.as_slice(), deleted) {
        copy(columns, places(&columns.times, bounds), want, into);
        return Ok(());
    }
    let mut order: Vec<(i64, usize, usize)> = Vec::new();
    for (at, (source, columns)) in opened.iter().enumerate() {
        let hiding: Vec<&Arc<Deletion>> =
            deletions.iter().filter(|one| one.touches(&source.info)).collect();
        for place in places(&columns.times, bounds) {
            if !hiding.iter().any(|one| one.hides(columns, place)) {
                let time = columns.times.get(place).copied().unwrap_or(0);
                order.push((time, at, place));
            }
        }
    }
    // Stable, so that of one instant the order is that of pushing.
    order.sort_by_key(|(time, ..)| *time);
    let line = |(_, at, place): &(i64, usize, usize)| {
        opened.get(*at).map(|(_, columns)| row(columns, *place))
    };
    let mut rows = Rows::default();
    for instant in order.chunk_by(|a, b| a.0 == b.0) {
        push_distinct(instant.iter().filter_map(line), instant.len(), &mut rows);
    }
    *into = rows.columns;
    trim(into, want);
    Ok(())
}

/// Adds the lines of one instant, each once.
fn push_distinct<'a>(lines: impl Iterator<Item = Row<'a>>, count: usize, into: &mut Rows) {
    if count == 1 {
        lines.for_each(|line| into.push(line));
        return;
    }
    let start = into.columns.len();
    let mut seen: HashSet<u64, FixedState> = HashSet::with_hasher(FixedState::with_seed(1));
    for line in lines {
        let fresh = seen.insert(FixedState::with_seed(2).hash_one((line.line, line.metadata)));
        // Two lines with one hash are compared with all of the instant.
        if fresh || (start..into.columns.len()).all(|at| row(&into.columns, at) != line) {
            into.push(line);
        }
    }
}

/// Leaves out of columns what is not wanted.
fn trim(columns: &mut LogColumns, want: Want<'_>) {
    if want.lines < LineColumn::Text {
        columns.text.clear();
    }
    if want.lines < LineColumn::Length {
        columns.ends.clear();
    }
    if !want.metadata {
        columns.metadata.clear();
        columns.metadata_sets.clear();
    }
}

/// Replaces `into` by a range of lines.
fn copy(columns: &LogColumns, range: Range<usize>, want: Want<'_>, into: &mut LogColumns) {
    let LogColumns { times, ends, text, metadata, metadata_sets } = columns;
    let before = range.start.checked_sub(1).and_then(|at| ends.get(at)).copied().unwrap_or(0);
    let some = ends.get(range.clone()).unwrap_or_default();
    into.times.extend_from_slice(times.get(range.clone()).unwrap_or_default());
    if want.lines >= LineColumn::Length {
        into.ends.extend(some.iter().map(|end| end - before));
    }
    if want.lines == LineColumn::Text {
        let end = some.last().copied().unwrap_or(before);
        into.text.extend_from_slice(text.get(before..end).unwrap_or_default());
    }
    if want.metadata && !metadata.is_empty() && !range.is_empty() {
        into.metadata.extend_from_slice(metadata.get(range).unwrap_or_default());
        into.metadata_sets.clone_from(metadata_sets);
    }
}

/// Keeps of columns with all their parts the lines at the places of `kept`, which rise.
pub(crate) fn keep(columns: &LogColumns, kept: &[usize], want: Want<'_>, into: &mut LogColumns) {
    into.clear();
    let metadata = want.metadata && !columns.metadata.is_empty() && !kept.is_empty();
    for at in kept {
        into.times.push(columns.times.get(*at).copied().unwrap_or(0));
        let line = columns.line(*at);
        let end = into.ends.last().copied().unwrap_or(0) + line.len();
        into.ends.push(end);
        if want.lines == LineColumn::Text {
            into.text.extend_from_slice(line);
        }
        if metadata {
            into.metadata.push(columns.metadata.get(*at).copied().unwrap_or(0));
        }
    }
    if metadata {
        into.metadata_sets.clone_from(&columns.metadata_sets);
    }
    if want.lines < LineColumn::Length {
        into.ends.clear();
    }
}
