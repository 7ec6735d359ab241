//! One line on its way through a pipeline: text, time, labels, and what stages found in it.
//!
//! An entry is used again for line after line, so that a pipeline which only parses a container's
//! format allocates nothing. Which bytes of which file it came from travels with it ([`Mark`]), so
//! that whoever holds it back also says what must be read again after a crash.

use std::{borrow::Cow, sync::Arc};

use masthead_model::{Labels, Nanos};
use smallvec::SmallVec;

use crate::{position::Run, text::Text};

/// Where a line was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The number of the reader; another one after the file was emptied.
    pub(crate) reader: u64,
    pub(crate) run: Run,
}

/// One line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entry {
    pub(crate) timestamp: Nanos,
    /// Without its newline; any bytes.
    pub(crate) line: Vec<u8>,
    /// A part of the line is missing because of a limit.
    pub(crate) cut: bool,
    pub(crate) labels: LineLabels,
    pub(crate) extracted: Extracted,
    /// Structured metadata, in the order in which stages set it; the last of a name counts.
    pub(crate) metadata: Vec<(Text, String)>,
    /// For whom the line is; the sink's own idea if empty.
    pub(crate) tenant: Option<String>,
    pub(crate) marks: SmallVec<[Mark; 1]>,
}

impl Entry {
    /// Makes it another line, and keeps its memory.
    pub(crate) fn reset(
        &mut self,
        timestamp: Nanos,
        line: &[u8],
        base: &Labels,
        mark: Option<Mark>,
    ) {
        self.timestamp = timestamp;
        self.line.clear();
        self.line.extend_from_slice(line);
        self.cut = false;
        self.labels.base = base.clone();
        self.labels.changes.clear();
        self.extracted.values.clear();
        self.metadata.clear();
        self.tenant = None;
        self.marks.clear();
        self.marks.extend(mark);
    }

    /// What stages call `name`: something extracted, else a label that the line began with.
    pub(crate) fn value(&self, name: &str) -> Option<Cow<'_, Value>> {
        match self.extracted.get(name) {
            Some(Value::Removed) => None,
            Some(value) => Some(Cow::Borrowed(value)),
            None => self.labels.base.get(name).map(|v| Cow::Owned(Value::Text(v.into()))),
        }
    }

    /// The text of [`Entry::value`], if it has one.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        match self.value(name)? {
            Cow::Borrowed(value) => value.text(),
            Cow::Owned(value) => value.text().map(|text| Cow::Owned(text.into_owned())),
        }
    }

    /// Makes every label that the line has now an extracted value, as a pipeline within a pipeline
    /// begins (Promtail's `Pipeline.Run`).
    pub(crate) fn extract_labels(&mut self) {
        for label in &self.labels.base {
            // What nobody set is found among the labels that the line began with.
            if self.labels.is_as_begun(label.name) && self.extracted.get(label.name).is_some() {
                self.extracted.set(&label.name.into(), Value::Text(label.value.into()));
            }
        }
        for (name, value) in &self.labels.changes {
            if let Some(value) = value {
                self.extracted.set(&name.shared(), Value::Text(value.as_bytes().to_vec()));
            }
        }
    }

    /// The input of a stage: what is called `source`, or the line.
    pub(crate) fn input(&self, source: Option<&str>) -> Option<Cow<'_, [u8]>> {
        match source {
            Some(name) => self.text(name),
            None => Some(Cow::Borrowed(&self.line)),
        }
    }
}

/// Labels of a line: those of its file, and what stages changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LineLabels {
    pub(crate) base: Labels,
    /// Each name once; `None` removes it.
    pub(crate) changes: SmallVec<[(Text, Option<Text>); 2]>,
}

impl LineLabels {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        match self.changes.iter().find(|(changed, _)| **changed == *name) {
            Some((_, value)) => value.as_deref(),
            None => self.base.get(name),
        }
    }

    /// Whether no stage has set or removed `name`.
    fn is_as_begun(&self, name: &str) -> bool {
        self.changes.iter().all(|(changed, _)| **changed != *name)
    }

    pub(crate) fn set(&mut self, name: Text, value: Option<Text>) {
        match self.changes.iter_mut().find(|(changed, _)| *changed == name) {
            Some((_, before)) => *before = value,
            None => self.changes.push((name, value)),
        }
    }

    /// The names that are there now.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.base.iter().map(|l| l.name.to_owned()).collect();
        names.extend(self.changes.iter().map(|(name, _)| (**name).to_owned()));
        names.sort_unstable();
        names.dedup();
        names.retain(|name| self.get(name).is_some());
        names
    }

    /// The set that they make; labels that start with two underscores are ours and stay behind.
    pub(crate) fn resolve(&self) -> Labels {
        let mut labels = self.base.to_builder();
        for (name, value) in &self.changes {
            labels.set(name, value.as_deref().unwrap_or(""));
        }
        labels.build()
    }
}

/// What stages found in a line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extracted {
    values: Vec<(Arc<str>, Value)>,
}

impl Extracted {
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|(known, _)| **known == *name).map(|(_, value)| value)
    }

    pub(crate) fn set(&mut self, name: &Arc<str>, value: Value) {
        match self.values.iter_mut().find(|(known, _)| known == name) {
            Some((_, before)) => *before = value,
            None => self.values.push((Arc::clone(name), value)),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(name, value)| (&**name, value))
    }
}

/// Something found in a line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(Vec<u8>),
    Number(f64),
    Bool(bool),
    /// JSON's `null`: it is there, and has no text.
    Null,
    /// Taken away by a stage, and so is the label of that name for later stages.
    Removed,
}

impl Value {
    /// As Go prints it without an exponent.
    pub(crate) fn text(&self) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Number(number) => Some(Cow::Owned(number_text(*number).into_bytes())),
            Self::Bool(true) => Some(Cow::Borrowed(b"true")),
            Self::Bool(false) => Some(Cow::Borrowed(b"false")),
            Self::Null | Self::Removed => None,
        }
    }
}

fn number_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    number.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extracted_values_hide_labels_of_the_same_name() {
        let mut entry = Entry::default();
        let base: Labels = [("app", "api"), ("job", "x")].into_iter().collect();
        entry.reset(Nanos(1), b"line", &base, None);
        assert_eq!(entry.text("app").as_deref(), Some(&b"api"[..]));
        entry.extracted.set(&"app".into(), Value::Number(1.5));
        assert_eq!(entry.text("app").as_deref(), Some(&b"1.5"[..]));
        entry.extracted.set(&"app".into(), Value::Removed);
        assert_eq!(entry.text("app"), None);
        entry.reset(Nanos(2), b"next", &base, None);
        assert_eq!(entry.text("app").as_deref(), Some(&b"api"[..]));
    }

    #[test]
    fn labels_become_extracted_values() {
        let mut entry = Entry::default();
        let base: Labels = [("app", "api"), ("gone", "g"), ("job", "x")].into_iter().collect();
        entry.reset(Nanos(1), b"line", &base, None);
        entry.extracted.set(&"app".into(), Value::Number(1.5));
        entry.extracted.set(&"gone".into(), Value::Text(b"kept".to_vec()));
        entry.labels.set("gone".into(), None);
        entry.labels.set("env".into(), Some("prod".into()));
        entry.extract_labels();
        let f = |name: &str, want: &str| {
            assert_eq!(entry.text(name).as_deref(), Some(want.as_bytes()), "{name}");
        };
        f("app", "api");
        f("env", "prod");
        f("job", "x");
        f("gone", "kept");
    }

    #[test]
    fn labels_are_the_files_with_changes() {
        let base: Labels = [("app", "api"), ("job", "x")].into_iter().collect();
        let mut labels = LineLabels { base, ..LineLabels::default() };
        labels.set("stream".into(), Some("stdout".into()));
        labels.set("job".into(), None);
        labels.set("stream".into(), Some("stderr".into()));
        assert_eq!(labels.names(), ["app", "stream"]);
        assert_eq!(labels.resolve().to_string(), r#"{app="api", stream="stderr"}"#);
    }

    #[test]
    fn numbers_have_no_exponent() {
        let f = |number: f64, want: &str| assert_eq!(number_text(number), want);
        f(200.0, "200");
        f(0.25, "0.25");
        f(1e21, "1000000000000000000000");
        f(-1e-7, "-0.0000001");
        f(f64::INFINITY, "+Inf");
    }
}
