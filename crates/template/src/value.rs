//! What template expressions are made of: Go's values as far as templates see them.
//!
//! Strings are bytes, as in Go, so that a line that is not UTF-8 comes through unchanged. Go's
//! kinds of integers are told apart where a function takes only one of them.

use std::{borrow::Cow, collections::BTreeMap, fmt, rc::Rc};

use crate::time::Time;

/// A value.
#[derive(Debug, Clone, Default)]
pub enum Value<'v> {
    /// Nothing: Go's untyped nil, and what a missing key of a map of anything is.
    #[default]
    Nil,
    /// A boolean.
    Bool(bool),
    /// An `int`.
    Int(i64),
    /// An `int64`.
    Int64(i64),
    /// A `float64`.
    Float(f64),
    /// A string.
    Text(Cow<'v, [u8]>),
    /// An instant.
    Time(Time),
    /// A slice of anything.
    List(Rc<[Value<'v>]>),
    /// A map of text to anything.
    Map(Rc<BTreeMap<Vec<u8>, Value<'v>>>),
    /// Whatever the caller brought.
    Object(&'v dyn Object),
}

/// A map that the caller brings, such as the labels of a line.
pub trait Object: fmt::Debug {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Option<Value<'_>>;

    /// What a missing key counts as.
    fn zero(&self) -> Value<'static> {
        Value::text("")
    }

    /// All keys with their values, sorted by key.
    fn entries(&self) -> Vec<(Cow<'_, [u8]>, Value<'_>)>;

    /// Its type in messages.
    fn type_name(&self) -> &'static str {
        "map[string]string"
    }
}

impl<'v> Value<'v> {
    /// A string.
    pub fn text(text: impl Into<Cow<'v, str>>) -> Self {
        Self::Text(match text.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        })
    }

    /// A string of any bytes.
    pub fn bytes(bytes: impl Into<Cow<'v, [u8]>>) -> Self {
        Self::Text(bytes.into())
    }

    /// Its type as Go names it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Int64(_) => "int64",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::Time(_) => "time.Time",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
            Self::Object(object) => object.type_name(),
        }
    }

    /// Whether `if` takes it: not zero, not empty.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value) | Self::Int64(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::Time(_) => true,
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Object(object) => !object.entries().is_empty(),
        }
    }

    /// About how many bytes it takes, for the limit on what a template may make. A list or map that
    /// somebody else holds, too, was weighed when it was made.
    pub(crate) fn weight(&self) -> usize {
        let item = |value: &Self| size_of::<Self>() + value.text_weight();
        match self {
            Self::List(list) if Rc::strong_count(list) == 1 => list.iter().map(item).sum(),
            Self::Map(map) if Rc::strong_count(map) == 1 => {
                map.iter().map(|(name, value)| name.len() + item(value)).sum()
            }
            other => other.text_weight(),
        }
    }

    fn text_weight(&self) -> usize {
        if let Self::Text(Cow::Owned(text)) = self { text.len() } else { 0 }
    }
}
