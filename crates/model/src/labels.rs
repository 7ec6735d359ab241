//! A label set: sorted names, each with a non-empty value.
//!
//! An empty value means the label is not there, as everywhere in Prometheus, so no stored pair
//! ever has one. Names may be any UTF-8 text, as since Prometheus 3; what older clients accept is
//! told by [`is_legacy_label_name`] and [`is_legacy_metric_name`].
//!
//! A set is one shared string, cheap to clone, to hash and to keep by the million:
//!
//! ```text
//! len "__name__" len "up" len "job" len "api"
//!  └ lengths in base 64, least digit first; 0x40 marks that another digit follows.
//!    All digits are ASCII, so the whole stays valid UTF-8 and slices on character boundaries.
//! ```
//!
//! Two sets are equal when their strings are. Their order is by label name, then value, which is
//! not the order of the strings. Building: `labels/builder.rs`. Text form: `labels/text.rs`.

use std::{cmp::Ordering, fmt, sync::Arc};

mod builder;
mod text;

pub use builder::LabelsBuilder;
pub use text::{is_legacy_label_name, is_legacy_metric_name};

/// The label that holds a metric's name.
pub const METRIC_NAME: &str = "__name__";

/// One name with its value, borrowed from a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label<'a> {
    /// The name; never empty.
    pub name: &'a str,
    /// The value; never empty.
    pub value: &'a str,
}

/// A sorted set of labels.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Labels(Arc<str>);

/// Why a label set could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelsError {
    /// The text is not `name{label="value", …}`.
    #[error("bad label set at byte {offset}: expected {expected}")]
    Syntax {
        /// Where in the text.
        offset: usize,
        /// What should have stood there.
        expected: &'static str,
    },
    /// The same name twice.
    #[error("label {name:?} is given twice")]
    Duplicate {
        /// The name in question.
        name: String,
    },
}

impl Labels {
    /// The value of `name`, if it is there.
    pub fn get(&self, name: &str) -> Option<&str> {
        // Sets are small and sorted: a scan that stops early beats a search that must decode.
        self.iter().take_while(|l| l.name <= name).find(|l| l.name == name).map(|l| l.value)
    }

    /// The metric's name, if it is there.
    pub fn metric_name(&self) -> Option<&str> {
        self.get(METRIC_NAME)
    }

    /// The labels in the order of their names.
    pub fn iter(&self) -> Iter<'_> {
        Iter { rest: &self.0 }
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there are no labels.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes that the set takes in memory, shared between its clones.
    pub fn byte_len(&self) -> usize {
        self.0.len()
    }

    /// A builder that starts with these labels.
    pub fn to_builder(&self) -> LabelsBuilder {
        LabelsBuilder::from_sorted(self)
    }

    /// The same set without the metric's name, as most functions return it.
    #[must_use]
    pub fn without_metric_name(&self) -> Self {
        self.without(|name| name == METRIC_NAME)
    }

    /// The same set without the labels for whose names `gone` says so; shared if there are none.
    #[must_use]
    pub fn without(&self, gone: impl Fn(&str) -> bool) -> Self {
        let text = &*self.0;
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        let mut kept = String::new();
        // What is before `from` is gone or in `kept`; mostly one label is gone, and it is the first.
        let (mut from, mut at) = (0, 0);
        let mut labels = self.iter();
        while let Some(label) = labels.next() {
            let end = text.len() - labels.rest.len();
            if gone(label.name) {
                kept.push_str(part(from, at));
                from = end;
            }
            at = end;
        }
        if from == 0 {
            return self.clone();
        }
        if kept.is_empty() {
            return Self(part(from, at).into());
        }
        kept.push_str(part(from, at));
        Self(kept.into())
    }
}

/// The labels of a set, in order.
#[derive(Debug, Clone)]
pub struct Iter<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Label<'a>;

    fn next(&mut self) -> Option<Label<'a>> {
        let (name, rest) = split_field(self.rest)?;
        let (value, rest) = split_field(rest)?;
        self.rest = rest;
        Some(Label { name, value })
    }
}

impl<'a> IntoIterator for &'a Labels {
    type Item = Label<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// Any order is accepted; a name given again replaces, an empty value removes.
impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut builder = LabelsBuilder::default();
        for (name, value) in pairs {
            builder.set(name.as_ref(), value.as_ref());
        }
        builder.build()
    }
}

/// Collects labels that are already sorted, distinct and not empty.
trait CollectSorted<'a>: Iterator<Item = Label<'a>> + Sized {
    fn collect_sorted(self) -> Labels {
        let mut text = String::new();
        for label in self {
            push_field(&mut text, label.name);
            push_field(&mut text, label.value);
        }
        Labels(text.into())
    }
}

impl<'a, I: Iterator<Item = Label<'a>>> CollectSorted<'a> for I {}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Labels {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const DIGIT_BITS: usize = 6;
const MORE: u8 = 1 << DIGIT_BITS;

fn push_field(text: &mut String, field: &str) {
    let mut len = field.len();
    loop {
        let digit = u8::try_from(len & usize::from(MORE - 1)).unwrap_or(0);
        len >>= DIGIT_BITS;
        text.push(char::from(if len > 0 { digit | MORE } else { digit }));
        if len == 0 {
            break;
        }
    }
    text.push_str(field);
}

fn split_field(text: &str) -> Option<(&str, &str)> {
    // Nearly every field has one digit, and this runs for every label that is compared.
    let first = *text.as_bytes().first()?;
    if first & MORE == 0 {
        return text.get(1..)?.split_at_checked(usize::from(first));
    }
    let mut len = 0;
    for (at, byte) in text.bytes().enumerate() {
        len |= usize::from(byte & (MORE - 1)) << (DIGIT_BITS * at);
        if byte & MORE == 0 {
            return text.get(at + 1..)?.split_at_checked(len);
        }
    }
    None
}

#[cfg(test)]
mod tests;
