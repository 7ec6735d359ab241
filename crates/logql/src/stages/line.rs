//! The state of one line on its way through a pipeline.
//!
//! Labels stand in three groups, because clients that ask for it get them apart: those of the
//! stream, structured metadata, and whatever a stage made. A name is visible once: a stage's label
//! hides one of the stream or the metadata, metadata that bears a stream label's name is seen with
//! `_extracted` behind it (Loki's `pkg/logql/log/labels.go`).
//!
//! Labels that stages make are in `line/fields.rs`.

use std::borrow::Cow;

use masthead_model::Labels;

use super::{DUPLICATE_SUFFIX, ERROR_DETAILS_LABEL, ERROR_LABEL, Needed, extract};

mod fields;

use fields::Fields;
#[cfg(test)]
pub(super) use fields::LABELS_MAX;
pub(super) use fields::Mark;

/// Where a label comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// The stream.
    Stream,
    /// The structured metadata of the line.
    Metadata,
    /// A stage.
    Parsed,
}

/// One label as a result shows it; the value can be empty and need not be UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelView<'v> {
    /// Where it comes from.
    pub group: Group,
    /// Its name.
    pub name: &'v str,
    /// Its value.
    pub value: &'v [u8],
}

/// One line with its labels.
#[derive(Debug)]
pub struct Line<'a> {
    needed: &'a Needed,
    timestamp: i64,
    now: i64,
    original: &'a [u8],
    rewritten: Vec<u8>,
    is_rewritten: bool,

    stream: Option<&'a Labels>,
    metadata: Option<&'a Labels>,
    /// The labels of the stream, then those of the metadata.
    base: Vec<BaseLabel<'a>>,
    /// How many of `base` are the stream's.
    stream_len: usize,
    any_hidden: bool,
    parsed: Fields,

    error: Option<&'a str>,
    metadata_error: Option<&'a str>,
    details: Vec<u8>,
    metadata_details: &'a str,

    /// Buffers that stages borrow, so that they need not make their own.
    scratch: Vec<u8>,
    name_buffer: String,
}

/// A label that came with the line.
#[derive(Debug)]
struct BaseLabel<'a> {
    name: Cow<'a, str>,
    value: &'a str,
    hidden: bool,
}

impl<'a> Line<'a> {
    /// A line to be filled by [`Line::reset`].
    pub fn new(needed: &'a Needed) -> Self {
        Self {
            needed,
            timestamp: 0,
            now: 0,
            original: &[],
            rewritten: Vec::new(),
            is_rewritten: false,
            stream: None,
            metadata: None,
            base: Vec::new(),
            stream_len: 0,
            any_hidden: false,
            parsed: Fields::default(),
            error: None,
            metadata_error: None,
            details: Vec::new(),
            metadata_details: "",
            scratch: Vec::new(),
            name_buffer: String::new(),
        }
    }

    /// The same, with the instant that templates take for the present, in nanoseconds.
    #[must_use]
    pub fn at(mut self, now: i64) -> Self {
        self.now = now;
        self
    }

    /// Starts the next line. Cheapest when stream and metadata are the very values (the same
    /// places in memory) of the line before.
    pub fn reset(
        &mut self,
        stream: &'a Labels,
        metadata: Option<&'a Labels>,
        text: &'a [u8],
        timestamp: i64,
    ) {
        self.timestamp = timestamp;
        self.original = text;
        self.is_rewritten = false;
        self.parsed.clear();
        if !same(self.stream, Some(stream)) {
            self.base.clear();
            self.base.extend(stream.iter().map(|label| BaseLabel {
                name: Cow::Borrowed(label.name),
                value: label.value,
                hidden: false,
            }));
            self.stream = Some(stream);
            self.stream_len = self.base.len();
            self.set_metadata(metadata);
        } else if !same(self.metadata, metadata) {
            self.set_metadata(metadata);
        }
        if self.any_hidden {
            self.base.iter_mut().for_each(|label| label.hidden = false);
            self.any_hidden = false;
        }
        self.error = self.metadata_error;
        self.details.clear();
        self.details.extend_from_slice(self.metadata_details.as_bytes());
    }

    fn set_metadata(&mut self, metadata: Option<&'a Labels>) {
        self.metadata = metadata;
        self.base.truncate(self.stream_len);
        self.metadata_error = None;
        self.metadata_details = "";
        for label in metadata.into_iter().flatten() {
            let name = if self.stream_has(label.name) {
                Cow::Owned(format!("{}{DUPLICATE_SUFFIX}", label.name))
            } else {
                Cow::Borrowed(label.name)
            };
            match &*name {
                ERROR_LABEL => self.metadata_error = Some(label.value),
                ERROR_DETAILS_LABEL => self.metadata_details = label.value,
                _ => match self.base.iter_mut().find(|other| other.name == name) {
                    Some(other) => other.value = label.value,
                    None => self.base.push(BaseLabel { name, value: label.value, hidden: false }),
                },
            }
        }
    }

    /// What parsers must extract.
    pub fn needed(&self) -> &'a Needed {
        self.needed
    }

    /// When the line was written, in nanoseconds.
    pub fn timestamp(&self) -> i64 {
        self.timestamp
    }

    /// The present, in nanoseconds.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// The line as the stages so far made it.
    pub fn text(&self) -> &[u8] {
        if self.is_rewritten { &self.rewritten } else { self.original }
    }

    /// Replaces the text by what `write` puts into an empty buffer, if it says so.
    pub(super) fn rewrite(&mut self, write: impl FnOnce(&Self, &mut Vec<u8>) -> bool) {
        let mut buffer = std::mem::take(&mut self.scratch);
        buffer.clear();
        if write(self, &mut buffer) {
            std::mem::swap(&mut self.rewritten, &mut buffer);
            self.is_rewritten = true;
        }
        self.scratch = buffer;
    }

    /// Hands the text and a free buffer to `read`, which can set labels meanwhile.
    pub(super) fn with_text<T>(
        &mut self,
        read: impl FnOnce(&mut Self, &[u8], &mut Vec<u8>) -> T,
    ) -> T {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let answer = if self.is_rewritten {
            let rewritten = std::mem::take(&mut self.rewritten);
            let answer = read(self, &rewritten, &mut scratch);
            self.rewritten = rewritten;
            answer
        } else {
            read(self, self.original, &mut scratch)
        };
        self.scratch = scratch;
        answer
    }

    /// Hands a free buffer to `work`, which can read and change everything meanwhile.
    pub(super) fn with_scratch<T>(&mut self, work: impl FnOnce(&mut Self, &mut Vec<u8>) -> T) -> T {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let answer = work(self, &mut scratch);
        self.scratch = scratch;
        answer
    }

    /// The value of a label, wherever it comes from. Errors are not labels here: [`Line::error`].
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        if let Some(value) = self.parsed.get(name) {
            return Some(value);
        }
        self.base
            .iter()
            .find(|label| !label.hidden && label.name == name)
            .map(|label| label.value.as_bytes())
    }

    /// What stage failed, such as `JSONParserErr`.
    pub fn error(&self) -> Option<&str> {
        self.error
    }

    /// How it failed.
    pub fn error_details(&self) -> Option<&[u8]> {
        (!self.details.is_empty()).then_some(&*self.details)
    }

    /// Whether the labels differ from those that came with the line, so that a result by label
    /// set can be looked up by stream and metadata alone if not.
    pub fn is_changed(&self) -> bool {
        self.any_hidden
            || !self.parsed.is_empty()
            || self.error.is_some()
            || !self.details.is_empty()
    }

    /// Every label that a result shows, errors as labels of group [`Group::Parsed`]; groups in
    /// order, names in no order.
    pub fn labels(&self) -> impl Iterator<Item = LabelView<'_>> {
        let base =
            self.base.iter().enumerate().filter(|(_, label)| !label.hidden).map(|(at, label)| {
                LabelView {
                    group: if at < self.stream_len { Group::Stream } else { Group::Metadata },
                    name: &label.name,
                    value: label.value.as_bytes(),
                }
            });
        let parsed =
            self.parsed.iter().map(|(name, value)| LabelView { group: Group::Parsed, name, value });
        let errors = [
            (ERROR_LABEL, self.error.map(str::as_bytes)),
            (ERROR_DETAILS_LABEL, self.error_details()),
        ];
        let errors = errors.into_iter().filter_map(|(name, value)| {
            Some(LabelView { group: Group::Parsed, name, value: value? })
        });
        base.chain(parsed).chain(errors)
    }

    /// Says that a stage failed. Details of an earlier failure stay where there are no new ones.
    pub(super) fn set_error(&mut self, error: &'static str, details: impl AsRef<[u8]>) {
        self.error = Some(error);
        let details = details.as_ref();
        if !details.is_empty() {
            self.details.clear();
            self.details.extend_from_slice(details);
        }
    }

    pub(super) fn clear_error(&mut self) {
        self.error = None;
    }

    pub(super) fn clear_error_details(&mut self) {
        self.details.clear();
    }

    /// Whether the line came with a label of this name, so that a parsed one gets a suffix.
    pub(super) fn came_with(&self, name: &str) -> bool {
        self.stream_has(name)
            || self.base.iter().skip(self.stream_len).any(|l| !l.hidden && l.name == name)
    }

    fn stream_has(&self, name: &str) -> bool {
        self.base.iter().take(self.stream_len).any(|label| label.name == name)
    }

    /// Whether a stage made a label of this name.
    pub(super) fn has_parsed(&self, name: &str) -> bool {
        self.parsed.has(name)
    }

    /// Whether every label that anything needs was made by a stage, so that a parser may stop.
    pub(super) fn has_all_needed(&self) -> bool {
        let needed = self.needed;
        !needed.is_everything()
            && needed.names().len() > 0
            && self.parsed.len() >= needed.names().len()
            && needed.names().all(|name| self.has_parsed(name))
    }

    /// Sets a label of group [`Group::Parsed`], in place of any of that name.
    pub(super) fn set(&mut self, name: &str, value: &[u8]) {
        self.hide(name);
        self.parsed.set(name, value);
    }

    /// As [`Line::set`] for a name that no parsed label and no visible one of the stream bears.
    pub(super) fn set_new(&mut self, name: &str, value: &[u8]) {
        // Metadata of a stream label's name is the one thing that can bear the suffix already.
        if name.ends_with(DUPLICATE_SUFFIX) {
            self.hide(name);
        }
        self.parsed.add(name, value);
    }

    /// As [`Line::set_new`], with a space for everything that is not UTF-8.
    pub(super) fn set_new_text(&mut self, name: &str, value: &[u8]) {
        if value.is_ascii() {
            return self.set_new(name, value);
        }
        let mut text = Vec::with_capacity(value.len());
        extract::push_text(&mut text, value);
        self.set_new(name, &text);
    }

    /// A buffer for names, to be taken and put back.
    pub(super) fn name_buffer(&mut self) -> &mut String {
        &mut self.name_buffer
    }

    /// Where the making of labels stands now.
    pub(super) fn mark(&self) -> Mark {
        self.parsed.mark()
    }

    /// Forgets every label set by [`Line::set_new`] since `mark`.
    pub(super) fn undo(&mut self, mark: Mark) {
        self.parsed.undo(mark);
    }

    /// Removes a label, wherever it comes from.
    pub(super) fn remove(&mut self, name: &str) {
        self.hide(name);
        self.parsed.remove(name);
    }

    /// Removes every label for which `keep` says no; errors are not asked about.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&str, &[u8]) -> bool) {
        for label in &mut self.base {
            if !label.hidden && !keep(&label.name, label.value.as_bytes()) {
                label.hidden = true;
                self.any_hidden = true;
            }
        }
        self.parsed.retain(keep);
    }

    fn hide(&mut self, name: &str) {
        for label in &mut self.base {
            if label.name == name {
                label.hidden = true;
                self.any_hidden = true;
            }
        }
    }
}

fn same(a: Option<&Labels>, b: Option<&Labels>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => std::ptr::eq(a, b),
        (None, None) => true,
        _ => false,
    }
}
