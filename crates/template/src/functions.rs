//! The functions that a user of templates offers, one file per group; [`LOKI`] is the set of
//! LogQL's `line_format` and `label_format`, [`PROMTAIL`] that of Promtail's stages, [`PROMETHEUS`]
//! that of alerting rules.
//!
//! A function says what kinds of arguments it takes, so that the check and its message are made in
//! one place. What it is given it may trust. It returns an error as text; the run adds the place.

use std::fmt::Debug;

use crate::Env;
use crate::value::Value;

mod alerting;
mod choice;
mod conversion;
mod date;
mod encoding;
mod hash;
mod line;
mod lists;
mod math;
mod paths;
mod regex;
mod search;
mod text;
pub(crate) mod url;
mod words;

pub(crate) use regex::RegexCache;

/// What an argument must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Anything.
    Any,
    /// A string.
    Text,
    /// A boolean.
    Bool,
    /// An `int`; an `int64` is not one.
    Int,
    /// A `float64`.
    Float,
    /// An instant.
    Time,
}

impl Kind {
    pub(crate) fn takes(self, value: &Value<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::Text => matches!(value, Value::Text(_)),
            Self::Bool => matches!(value, Value::Bool(_)),
            Self::Int => matches!(value, Value::Int(_)),
            Self::Float => matches!(value, Value::Float(_)),
            Self::Time => matches!(value, Value::Time(_)),
        }
    }

    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Text => "string",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float64",
            Self::Time => "time.Time",
        }
    }
}

/// What a function can reach besides its arguments.
#[derive(Debug, Clone, Copy)]
pub struct Call<'c, 'v> {
    pub(crate) env: &'v dyn Env,
    pub(crate) regexes: &'c RegexCache,
}

impl<'v> Call<'_, 'v> {
    /// What the run is about.
    pub fn env(&self) -> &'v dyn Env {
        self.env
    }
}

/// What a function computes; its arguments are as many and of the kinds that it says.
pub type Body = for<'c, 'v> fn(&Call<'c, 'v>, &[Value<'v>]) -> Result<Value<'v>, String>;

/// One function.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// As it is written in a template.
    pub name: &'static str,
    /// What it takes.
    pub args: &'static [Kind],
    /// Whether the last of `args` may be left out or come more than once.
    pub variadic: bool,
    /// What it computes.
    pub call: Body,
    /// What it does, in one sentence.
    pub doc: &'static str,
}

impl Function {
    pub(crate) fn kind(&self, at: usize) -> Kind {
        let last = if self.variadic { self.args.last() } else { None };
        self.args.get(at).or(last).copied().unwrap_or(Kind::Any)
    }

    const fn variadic(mut self) -> Self {
        self.variadic = true;
        self
    }
}

const fn f(name: &'static str, args: &'static [Kind], call: Body, doc: &'static str) -> Function {
    Function { name, args, variadic: false, call, doc }
}

/// The functions that a template may use, besides those that every Go template has.
#[derive(Debug, Clone, Copy)]
pub struct Functions {
    groups: &'static [&'static [Function]],
    /// Those of another language, which come after its own.
    others: &'static [&'static [Function]],
}

impl Functions {
    /// Functions from several tables; of two of one name the first counts.
    pub const fn new(groups: &'static [&'static [Function]]) -> Self {
        Self { groups, others: &[] }
    }

    /// The same before all that `others` has.
    const fn before(self, others: &Self) -> Self {
        Self { others: others.groups, ..self }
    }

    /// The function of this name.
    pub fn get(&self, name: &str) -> Option<&'static Function> {
        self.iter().find(|function| function.name == name)
    }

    /// All functions, group by group.
    pub fn iter(&self) -> impl Iterator<Item = &'static Function> {
        self.groups.iter().chain(self.others).copied().flatten()
    }
}

/// The functions of Loki.
pub static LOKI: Functions = Functions::new(&[
    line::FUNCTIONS,
    text::FUNCTIONS,
    regex::FUNCTIONS,
    encoding::FUNCTIONS,
    math::FUNCTIONS,
    conversion::FUNCTIONS,
    date::FUNCTIONS,
]);

/// The functions of Promtail's stages: its own, those of sprig that are of use for lines, and
/// Loki's. Nothing that is random, asks the machine or makes keys.
pub static PROMTAIL: Functions = Functions::new(&[
    hash::FUNCTIONS,
    words::FUNCTIONS,
    choice::FUNCTIONS,
    search::FUNCTIONS,
    lists::FUNCTIONS,
    paths::FUNCTIONS,
])
.before(&LOKI);

/// The functions of alerting rules.
pub static PROMETHEUS: Functions = Functions::new(&[alerting::FUNCTIONS]);

/// The bytes of an argument that was checked to be a string.
fn bytes<'a>(args: &'a [Value<'_>], at: usize) -> &'a [u8] {
    match args.get(at) {
        Some(Value::Text(text)) => text,
        _ => b"",
    }
}

/// The value of an argument that was checked to be an `int`.
fn int(args: &[Value<'_>], at: usize) -> i64 {
    match args.get(at) {
        Some(Value::Int(value) | Value::Int64(value)) => *value,
        _ => 0,
    }
}

/// What a string argument says, with U+FFFD for what is not UTF-8.
fn string<'a>(args: &'a [Value<'_>], at: usize) -> std::borrow::Cow<'a, str> {
    String::from_utf8_lossy(bytes(args, at))
}
