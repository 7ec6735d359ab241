//! Go's `text/template`: parse once, run often, never without limits.
//!
//! Actions, pipelines, variables, `if`, `range`, `with`, `break`, `continue`, `define`,
//! `template`, `block`, comparison and logic, `printf` and its kin, trim markers; a missing key is
//! the zero of its map (`missingkey=zero`). What functions there are besides the built-in ones is a
//! table of the caller's: [`functions::LOKI`] for LogQL, [`functions::PROMTAIL`] for Promtail's stages,
//! [`functions::PROMETHEUS`] for alerting rules.
//!
//! A template cannot read a clock, a file or the environment; what it is about comes through
//! [`Env`] and the data. Strings are bytes. Errors have Go's words, because clients see them in
//! `__error_details__`.
//!
//! Text to tokens is `lexer.rs`, tokens to a tree `parser.rs`, running it `exec.rs`; values are
//! `value.rs`, printing them `print.rs`, instants `time.rs`, and how Go reads numbers, durations
//! and sizes `go.rs`.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::collections::BTreeMap;
use std::fmt::{self, Debug};

pub mod functions;
pub mod go;

mod ast;
mod builtin;
mod exec;
mod lexer;
mod parser;
mod print;
mod time;
mod value;

use ast::{Branch, Command, Node, Operand, Pipe, What};
use functions::{Functions, RegexCache};
pub use time::Time;
pub use value::{Object, Value};

/// One run writes at most this much.
pub const OUTPUT_BYTES_MAX: usize = 4 << 20;
/// One run makes values of at most this much altogether.
pub const VALUE_BYTES_MAX: usize = 16 << 20;
/// A template is at most this long.
pub const TEXT_BYTES_MAX: usize = 1 << 20;

/// What a run is about.
pub trait Env: Debug {
    /// The line, for `__line__`.
    fn line(&self) -> &[u8] {
        b""
    }

    /// When it was written, in nanoseconds, for `__timestamp__`.
    fn timestamp(&self) -> i64 {
        0
    }

    /// The present, in nanoseconds.
    fn now(&self) -> i64 {
        0
    }

    /// The values that an expression has now, as a list of objects with `Labels` and `Value`.
    ///
    /// # Errors
    /// Why there is none, as text.
    fn query(&self, _expression: &str) -> Result<Value<'_>, String> {
        Err("nothing can be asked here".to_owned())
    }

    /// The address at which people reach this server.
    #[expect(clippy::unnecessary_literal_bound, reason = "who knows it returns its own text")]
    fn external_url(&self) -> &str {
        ""
    }
}

/// A template.
#[derive(Debug)]
pub struct Template {
    name: String,
    text: String,
    root: Vec<Node>,
    defined: BTreeMap<String, Vec<Node>>,
    regexes: RegexCache,
}

/// Why a text is no template, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseError(String);

/// Why a run ended early, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RunError(String);

/// A limit that a run came to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    Output(usize),
    Values(usize),
    Steps(usize),
    Calls(usize),
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output(limit) => write!(f, "output of more than {limit} bytes"),
            Self::Values(limit) => write!(f, "values of more than {limit} bytes"),
            Self::Steps(limit) => write!(f, "more than {limit} steps"),
            Self::Calls(limit) => write!(f, "exceeded maximum template depth ({limit})"),
        }
    }
}

impl Template {
    /// Parses a template. Its name stands in messages.
    ///
    /// # Errors
    /// [`ParseError`] with the line.
    pub fn parse(name: &str, text: &str, functions: &Functions) -> Result<Self, ParseError> {
        let mut template = Self {
            name: name.to_owned(),
            text: String::new(),
            root: Vec::new(),
            defined: BTreeMap::new(),
            regexes: RegexCache::default(),
        };
        if text.len() > TEXT_BYTES_MAX {
            let what = format!("template: {name}: text of more than {TEXT_BYTES_MAX} bytes");
            return Err(ParseError(what));
        }
        text.clone_into(&mut template.text);
        let parsed = parser::parse(text, functions).map_err(|(at, what)| {
            ParseError(format!("template: {name}:{}: {what}", template.place(at, false)))
        })?;
        template.root = parsed.root;
        template.defined = parsed.defined;
        Ok(template)
    }

    /// Appends what the template makes of `data` to `out`, which on an error holds the beginning.
    ///
    /// # Errors
    /// [`RunError`] with the place.
    pub fn run<'v>(
        &'v self,
        data: &'v dyn Object,
        env: &'v dyn Env,
        out: &mut Vec<u8>,
    ) -> Result<(), RunError> {
        match exec::Run::new(self, env, out).root(data) {
            Err(exec::Stop::Error(what)) => Err(RunError(what)),
            // `break` and `continue` end their loops, and the parser saw to it that there is one.
            Ok(()) | Err(exec::Stop::Break | exec::Stop::Continue) => Ok(()),
        }
    }

    /// The one field of which the template is made, as `{{.message}}`.
    pub fn single_field(&self) -> Option<&str> {
        let [Node::Action(pipe)] = self.root.as_slice() else { return None };
        let [Command { words, .. }] = pipe.commands.as_slice() else { return None };
        match words.as_slice() {
            [Operand { what: What::Field(names), .. }] if pipe.variables.is_empty() => {
                match names.as_slice() {
                    [name] => Some(name),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Calls `field` for every name that the template looks up in anything, and says whether it
    /// uses data as a whole, so that any name can matter.
    pub fn fields<'t>(&'t self, field: &mut dyn FnMut(&'t str)) -> bool {
        let mut whole = false;
        let lists = std::iter::once(&self.root).chain(self.defined.values());
        for list in lists {
            whole |= list_fields(list, field);
        }
        whole
    }

    /// `line`, or `line:column` with columns from 0 on.
    fn place(&self, at: usize, column: bool) -> String {
        let before = self.text.as_bytes().get(..at).unwrap_or(self.text.as_bytes());
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        if !column {
            return line.to_string();
        }
        let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        format!("{line}:{}", before.len() - start)
    }
}

fn list_fields<'t>(nodes: &'t [Node], field: &mut dyn FnMut(&'t str)) -> bool {
    let mut whole = false;
    for node in nodes {
        whole |= match node {
            Node::Text(_) | Node::Break | Node::Continue => false,
            Node::Action(pipe) => pipe_fields(pipe, field),
            Node::If(branch) | Node::With(branch) | Node::Range(branch) => {
                branch_fields(branch, field)
            }
            // Data as a whole may be handed on: what of it is used, the other list tells.
            Node::Template { pipe, .. } => pipe.as_ref().is_some_and(|pipe| {
                let dot = matches!(pipe.commands.as_slice(),
                    [Command { words, .. }] if matches!(words.as_slice(), [Operand { what: What::Dot, .. }]));
                !dot && pipe_fields(pipe, field)
            }),
        };
    }
    whole
}

fn branch_fields<'t>(branch: &'t Branch, field: &mut dyn FnMut(&'t str)) -> bool {
    let pipe = pipe_fields(&branch.pipe, field);
    let list = list_fields(&branch.list, field);
    list_fields(&branch.otherwise, field) || list || pipe
}

fn pipe_fields<'t>(pipe: &'t Pipe, field: &mut dyn FnMut(&'t str)) -> bool {
    let mut whole = false;
    for word in pipe.commands.iter().flat_map(|command| &command.words) {
        whole |= word_fields(word, field);
    }
    whole
}

fn word_fields<'t>(word: &'t Operand, field: &mut dyn FnMut(&'t str)) -> bool {
    match &word.what {
        What::Dot => true,
        What::Variable(name, names) => {
            for name in names {
                field(name);
            }
            name == "$" && names.is_empty()
        }
        What::Field(names) => {
            for name in names {
                field(name);
            }
            false
        }
        What::Pipe(pipe) => pipe_fields(pipe, field),
        What::Chain(inner, names) => {
            for name in names {
                field(name);
            }
            word_fields(inner, field)
        }
        What::Nil
        | What::Bool(_)
        | What::Number { .. }
        | What::Text { .. }
        | What::Function(..) => false,
    }
}

#[cfg(test)]
mod tests;
