//! What queries answer.

use std::collections::HashMap;

use masthead_model::{Labels, Nanos};

use crate::stages::{Group, Line};

/// What a query answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Lines.
    Streams(Lines),
    /// One number a series.
    Vector(Vec<Sample>),
    /// Numbers over time a series.
    Matrix(Vec<Series>),
    /// One number.
    Scalar(f64, Nanos),
}

/// A number with its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Whose it is.
    pub labels: Labels,
    /// Where it stands.
    pub at: Nanos,
    /// What it is.
    pub value: f64,
}

/// Numbers over time, in their order; there is at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Whose they are.
    pub labels: Labels,
    /// Where they stand and what they are.
    pub points: Vec<(Nanos, f64)>,
}

/// A name and a value; values can be empty and need not be UTF-8.
pub type Pair = (Box<str>, Box<[u8]>);

/// The labels of a line in the three groups that clients can ask for, each sorted by name. A name
/// stands in one group only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct LineLabels {
    /// Of the stream.
    pub stream: Vec<Pair>,
    /// Of the line's structured metadata.
    pub metadata: Vec<Pair>,
    /// Made by a stage.
    pub parsed: Vec<Pair>,
}

/// Lines in the order in which they were asked for, with each different label set once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lines {
    /// Label sets.
    pub labels: Vec<LineLabels>,
    /// Lines.
    pub entries: Vec<LineEntry>,
}

/// One line of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineEntry {
    /// The place of its labels in [`Lines::labels`].
    pub labels: usize,
    /// When it was written.
    pub at: Nanos,
    /// Its text; any bytes.
    pub text: Box<[u8]>,
}

impl LineLabels {
    /// The labels of a line as it left the pipeline.
    pub fn of(line: &Line<'_>) -> Self {
        let mut labels = Self::default();
        for label in line.labels() {
            let group = match label.group {
                Group::Stream => &mut labels.stream,
                Group::Metadata => &mut labels.metadata,
                Group::Parsed => &mut labels.parsed,
            };
            group.push((label.name.into(), label.value.into()));
        }
        for group in [&mut labels.stream, &mut labels.metadata, &mut labels.parsed] {
            group.sort_unstable();
        }
        labels
    }

    /// Bytes of all names and values.
    pub(super) fn bytes(&self) -> usize {
        let all = [&self.stream, &self.metadata, &self.parsed].into_iter().flatten();
        all.map(|(name, value)| name.len() + value.len()).sum()
    }

    /// All labels, sorted by name.
    pub fn all(&self) -> Vec<&Pair> {
        let mut all: Vec<&Pair> =
            self.stream.iter().chain(&self.metadata).chain(&self.parsed).collect();
        all.sort_unstable();
        all
    }
}

impl Lines {
    /// The lines by what `key` makes of their labels, keys in rising order, lines in theirs.
    pub fn grouped<'a, K: Ord>(
        &'a self,
        key: impl Fn(&'a LineLabels) -> K,
    ) -> Vec<(K, Vec<&'a LineEntry>)> {
        let mut keys: Vec<(K, usize)> =
            self.labels.iter().enumerate().map(|(at, labels)| (key(labels), at)).collect();
        keys.sort();
        let mut groups: Vec<(K, Vec<&LineEntry>)> = Vec::new();
        let mut place = vec![0; self.labels.len()];
        for (key, at) in keys {
            if groups.last().is_none_or(|(last, _)| *last != key) {
                groups.push((key, Vec::new()));
            }
            if let Some(place) = place.get_mut(at) {
                *place = groups.len() - 1;
            }
        }
        for entry in &self.entries {
            let group = place.get(entry.labels).and_then(|at| groups.get_mut(*at));
            if let Some((_, entries)) = group {
                entries.push(entry);
            }
        }
        groups.retain(|(_, entries)| !entries.is_empty());
        groups
    }

    /// The lines by their whole label set, as they are shown by default.
    pub fn by_labels(&self) -> Vec<(Vec<&Pair>, Vec<&LineEntry>)> {
        self.grouped(LineLabels::all)
    }

    /// The lines by the labels of their stream, as clients get them that ask for labels by group.
    pub fn by_stream(&self) -> Vec<(&[Pair], Vec<&LineEntry>)> {
        self.grouped(|labels| labels.stream.as_slice())
    }
}

/// Collects lines and keeps each different label set once.
#[derive(Debug, Default)]
pub(super) struct LinesBuilder {
    known: HashMap<LineLabels, usize>,
    lines: Lines,
}

impl LinesBuilder {
    pub(super) fn push(&mut self, labels: &LineLabels, at: Nanos, text: Box<[u8]>) {
        let place = if let Some(place) = self.known.get(labels) {
            *place
        } else {
            let place = self.lines.labels.len();
            self.known.insert(labels.clone(), place);
            self.lines.labels.push(labels.clone());
            place
        };
        self.lines.entries.push(LineEntry { labels: place, at, text });
    }

    pub(super) fn finish(self) -> Lines {
        self.lines
    }
}
