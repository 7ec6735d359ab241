//! Which lines belong to one series: keys made of the labels that count, without making a label
//! set for each line.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use masthead_model::{Labels, LabelsBuilder};

use super::{Error, state::State, window::Span};
use crate::stages::{ERROR_DETAILS_LABEL, ERROR_LABEL, Line};

/// Which labels of a line count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// None: all lines are one series.
    Nothing,
    /// These, sorted.
    Only(Vec<Box<str>>),
    /// All but these.
    AllBut(Vec<Box<str>>),
}

/// Memory for label sets and their series that one query may take, shared between its threads.
#[derive(Debug)]
pub(super) struct GroupBudget {
    left: AtomicUsize,
    limit: usize,
}

impl GroupBudget {
    pub(super) fn new(limit: usize) -> Self {
        Self { left: AtomicUsize::new(limit), limit }
    }

    /// Takes memory for labels, or for the numbers of a series.
    pub(super) fn take(&self, bytes: usize) -> Result<(), Error> {
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        taken.map(drop).map_err(|_| Error::GroupBytes { limit: self.limit })
    }
}

/// Series with what is kept of their lines.
#[derive(Debug)]
pub(super) struct Groups<'b, S> {
    budget: &'b GroupBudget,
    known: HashMap<Box<[u8]>, usize, foldhash::fast::RandomState>,
    elements: Vec<Vec<(Span, S)>>,
    key: Vec<u8>,
    /// The last key and its group, because neighbouring lines often share theirs.
    last: Option<usize>,
    last_key: Vec<u8>,
}

/// What a group costs beside its key.
const GROUP_BYTES: usize = 96;

impl<'b, S: State> Groups<'b, S> {
    pub(super) fn new(budget: &'b GroupBudget) -> Self {
        Self {
            budget,
            known: HashMap::default(),
            elements: Vec::new(),
            key: Vec::new(),
            last: None,
            last_key: Vec::new(),
        }
    }

    /// The group of a line as it left the pipeline.
    pub(super) fn of(&mut self, line: &Line<'_>, wanted: &Wanted) -> Result<usize, Error> {
        self.key.clear();
        match wanted {
            Wanted::Nothing => {}
            Wanted::Only(names) => {
                for name in names {
                    let value = match &**name {
                        ERROR_LABEL => line.error().map(str::as_bytes),
                        ERROR_DETAILS_LABEL => line.error_details(),
                        name => line.get(name),
                    };
                    push(&mut self.key, name, value.unwrap_or_default());
                }
            }
            Wanted::AllBut(names) => {
                let mut labels: Vec<_> = line
                    .labels()
                    .filter(|label| !names.iter().any(|name| **name == *label.name))
                    .collect();
                labels.sort_unstable_by_key(|label| label.name);
                for label in labels {
                    push(&mut self.key, label.name, label.value);
                }
            }
        }
        self.find()
    }

    fn find(&mut self) -> Result<usize, Error> {
        if let Some(last) = self.last.filter(|_| self.last_key == self.key) {
            return Ok(last);
        }
        let found = if let Some(found) = self.known.get(self.key.as_slice()) {
            *found
        } else {
            self.budget.take(self.key.len() + GROUP_BYTES)?;
            let made = self.elements.len();
            self.known.insert(self.key.as_slice().into(), made);
            self.elements.push(Vec::new());
            made
        };
        self.last = Some(found);
        self.last_key.clone_from(&self.key);
        Ok(found)
    }

    /// Takes a line into its group.
    pub(super) fn add(&mut self, group: usize, span: Span, at: i64, value: f64) {
        let Some(elements) = self.elements.get_mut(group) else { return };
        match elements.last_mut() {
            Some((last, state)) if *last == span => state.add(at, value),
            _ => {
                let mut state = S::default();
                state.add(at, value);
                elements.push((span, state));
            }
        }
    }

    /// Takes in the groups of later parts.
    pub(super) fn merge(&mut self, later: Self) -> Result<(), Error> {
        let mut keys: Vec<_> = later.known.into_iter().map(|(key, at)| (at, key)).collect();
        // Which key comes first decides only about places, but those shall not depend on chance.
        keys.sort_unstable_by_key(|(at, _)| *at);
        for ((_, key), elements) in keys.into_iter().zip(later.elements) {
            self.key.clear();
            self.key.extend_from_slice(&key);
            let group = self.find()?;
            if let Some(into) = self.elements.get_mut(group) {
                into.extend(elements);
            }
        }
        Ok(())
    }

    /// Every series in label order, with what is kept of its lines.
    pub(super) fn finish(self) -> Vec<(Labels, Vec<(Span, S)>)> {
        let mut elements = self.elements;
        let mut all: Vec<_> = self
            .known
            .into_iter()
            .map(|(key, at)| {
                let elements = elements.get_mut(at).map(std::mem::take).unwrap_or_default();
                (labels(&key), elements)
            })
            .collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all
    }
}

/// Appends one label; one without a value is not there.
fn push(key: &mut Vec<u8>, name: &str, value: &[u8]) {
    if value.is_empty() {
        return;
    }
    for text in [name.as_bytes(), value] {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        key.extend_from_slice(&length.to_le_bytes());
        key.extend_from_slice(text);
    }
}

/// The labels of a key; what is not UTF-8 in them becomes U+FFFD.
fn labels(mut key: &[u8]) -> Labels {
    let mut builder = LabelsBuilder::default();
    while let Some((name, rest)) = field(key) {
        let Some((value, rest)) = field(rest) else { break };
        builder.set(&String::from_utf8_lossy(name), &String::from_utf8_lossy(value));
        key = rest;
    }
    builder.build()
}

fn field(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = key.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}
