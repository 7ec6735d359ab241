//! Where log lines come out.
//!
//! A query names what it will read in one call, so that the store can pin one snapshot. What
//! comes back are parts, each a run of one stream's lines with the times that bound it; a part is
//! decoded only when the evaluation reaches it, from any thread, into buffers used again. So a
//! query for the newest hundred lines opens few parts, and one over all of them uses all threads.

use std::{fmt::Debug, sync::Arc};

use masthead_model::{Labels, Matcher, MemberTest, Nanos, TimeRange};

use crate::{QueryCtx, QueryError};

/// Where log lines come out.
pub trait LogSource: Send + Sync + Debug {
    /// Finds the parts of every selection on one snapshot of the store; the answer has one entry
    /// per selection, in the same order.
    ///
    /// # Errors
    /// [`QueryError`]; damage that leaves a partial answer is a warning in `ctx` instead.
    fn select(
        &self,
        ctx: &QueryCtx,
        selections: &[LogSelection],
    ) -> Result<Vec<LogSelected>, QueryError>;

    /// Label sets of streams that match all matchers of any of `matchers` (empty: every stream)
    /// and have a line in the range, sorted.
    ///
    /// # Errors
    /// [`QueryError`].
    fn streams(
        &self,
        ctx: &QueryCtx,
        matchers: &[Vec<Matcher>],
        range: TimeRange<Nanos>,
    ) -> Result<Vec<Labels>, QueryError>;

    /// How much each stream that matches all `matchers` has in the range, in label order. Parts
    /// that the range cuts are counted by their lines inside it.
    ///
    /// # Errors
    /// [`QueryError`].
    fn volumes(
        &self,
        ctx: &QueryCtx,
        matchers: &[Matcher],
        range: TimeRange<Nanos>,
    ) -> Result<Vec<(Labels, LogVolume)>, QueryError>;
}

/// One selector of a query, with what the store may use to read less.
#[derive(Debug, Clone)]
pub struct LogSelection {
    /// All must match the stream's labels.
    pub matchers: Vec<Matcher>,
    /// Lines outside are never handed out; both ends included.
    pub range: TimeRange<Nanos>,
    /// What will become of the lines.
    pub hints: LogHints,
}

/// What will become of the lines; a store may ignore all of it but [`LogHints::lines`] and
/// [`LogHints::metadata`].
#[derive(Debug, Clone, Default)]
pub struct LogHints {
    /// Lines that fail one of these are of no use: the store may leave them out, in whole parts
    /// or one by one, and never leaves out a line that passes all.
    pub filters: Vec<LineFilter>,
    /// From which end the query reads, and that it may stop early.
    pub direction: Direction,
    /// How much of a line is wanted.
    pub lines: LineColumn,
    /// Whether structured metadata is wanted.
    pub metadata: bool,
    /// Labels that are made of members of lines that are JSON objects (`| json`), where nothing
    /// else of a line's text matters: the store may leave out members that can become none of them,
    /// and whatever is no object comes whole. Names are those of the members, and of nested ones
    /// all names on the way, joined by `_`; what is no letter or digit of ASCII counts as `_`.
    pub members: Option<Arc<[Box<str>]>>,
    /// Of a line that is a JSON object, each label is made of the first member that can become it,
    /// by the names above; the line is of no use if one of these labels fails its test, or no member
    /// becomes it. The store may leave such lines out, but none of a stream that has a label of that
    /// name, and none whose structured metadata has one: the test is then about that label.
    pub tests: Vec<MemberTest>,
}

/// From which end a query reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Newest first.
    #[default]
    Backward,
    /// Oldest first.
    Forward,
}

/// How much of a line is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum LineColumn {
    /// Only that it is there.
    Count,
    /// How long it is.
    Length,
    /// Its text.
    #[default]
    Text,
}

/// A test of one line: any of the patterns is found in it, or with `negated` none is.
#[derive(Debug, Clone)]
pub struct LineFilter {
    /// Whether a line must not hold any of the patterns.
    pub negated: bool,
    /// At least one.
    pub any: Vec<LinePattern>,
}

/// What is looked for in a line.
#[derive(Debug, Clone)]
pub enum LinePattern {
    /// These bytes.
    Literal(Arc<[u8]>),
    /// A match of this expression, unanchored, in Go's dialect; whoever built the filter has
    /// checked that it compiles.
    Regexp(Arc<str>),
}

/// The parts of one selection.
#[derive(Debug, Clone)]
pub struct LogSelected {
    /// Label sets of the streams, in label order, each once.
    pub streams: Vec<Labels>,
    /// Parts in the order in which the direction meets them: by `range.end` falling for
    /// backward, by `range.start` rising for forward. Parts of one stream do not overlap in
    /// time, except that two may share the instant at which they touch; that they do so in the
    /// order of pushing is told by their order here.
    pub parts: Vec<LogPart>,
    /// Reads parts by their place in `parts`.
    pub reader: Arc<dyn LogPartReader>,
}

/// A run of one stream's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogPart {
    /// The place of its stream in [`LogSelected::streams`].
    pub stream: usize,
    /// Bounds of its lines' times within the selection's range.
    pub range: TimeRange<Nanos>,
    /// Lines in it, before any filter and before the range cuts it.
    pub lines: usize,
}

/// Reads the lines of selected parts, from any thread.
pub trait LogPartReader: Send + Sync + Debug {
    /// Replaces what `into` holds by the lines of part number `at` within the selection's range,
    /// oldest first, lines of one instant in the order of pushing, duplicates left out, and
    /// charges `ctx` for them.
    ///
    /// # Errors
    /// [`QueryError`].
    fn read(&self, ctx: &QueryCtx, at: usize, into: &mut LogColumns) -> Result<(), QueryError>;
}

/// Lines of one stream, as columns in time order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LogColumns {
    /// Times in nanoseconds; they rise, not strictly.
    pub times: Vec<i64>,
    /// Where each line ends in `text`; it starts where the line before ends. With
    /// [`LineColumn::Length`] the ends are there and `text` is empty; with [`LineColumn::Count`]
    /// both are.
    pub ends: Vec<usize>,
    /// All lines, one after the other.
    pub text: Vec<u8>,
    /// The place of each line's structured metadata in `metadata_sets`; empty when no line has
    /// any or none was wanted.
    pub metadata: Vec<u32>,
    /// Different sets of structured metadata.
    pub metadata_sets: Vec<Labels>,
}

impl LogColumns {
    /// Removes all lines and keeps the memory for the next part.
    pub fn clear(&mut self) {
        self.times.clear();
        self.ends.clear();
        self.text.clear();
        self.metadata.clear();
        self.metadata_sets.clear();
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The text of line number `at`; empty if only its length is there, or nothing is.
    pub fn line(&self, at: usize) -> &[u8] {
        self.ends.get(at).and_then(|end| self.text.get(self.start(at)..*end)).unwrap_or_default()
    }

    /// The length of line number `at` in bytes; zero if only its presence was wanted.
    pub fn line_len(&self, at: usize) -> usize {
        self.ends.get(at).map_or(0, |end| end.saturating_sub(self.start(at)))
    }

    /// The structured metadata of line number `at`, if it has any.
    pub fn metadata(&self, at: usize) -> Option<&Labels> {
        let set = *self.metadata.get(at)?;
        self.metadata_sets.get(set as usize).filter(|labels| !labels.is_empty())
    }

    fn start(&self, at: usize) -> usize {
        at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0)
    }
}

/// How much a stream has in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogVolume {
    /// Parts that hold it.
    pub chunks: u64,
    /// Lines.
    pub entries: u64,
    /// Bytes of lines and their structured metadata, as pushed.
    pub bytes: u64,
}
