//! What a template is once parsed. Every node knows its place and prints as Go prints it,
//! because messages name the node at fault.

use std::{fmt, sync::Arc};

use crate::functions::Function;
use crate::lexer::Number;

#[derive(Debug, Clone)]
pub(crate) enum Node {
    Text(Box<[u8]>),
    Action(Pipe),
    If(Branch),
    With(Branch),
    Range(Branch),
    /// A call; `shown` is what messages show of it.
    Template {
        at: usize,
        shown: String,
        name: String,
        pipe: Option<Pipe>,
    },
    Break,
    Continue,
}

#[derive(Debug, Clone)]
pub(crate) struct Branch {
    pub(crate) pipe: Pipe,
    pub(crate) list: Vec<Node>,
    pub(crate) otherwise: Vec<Node>,
}

#[derive(Debug, Clone)]
pub(crate) struct Pipe {
    pub(crate) at: usize,
    /// Variables that take its value, with their `$`.
    pub(crate) variables: Vec<String>,
    /// `=` rather than `:=`.
    pub(crate) assigns: bool,
    pub(crate) commands: Vec<Command>,
}

#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) at: usize,
    /// At least one.
    pub(crate) words: Vec<Operand>,
}

#[derive(Debug, Clone)]
pub(crate) struct Operand {
    pub(crate) at: usize,
    pub(crate) what: What,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    Dot,
    Nil,
    Bool(bool),
    Number {
        text: String,
        value: Number,
    },
    Text {
        quoted: String,
        value: Arc<[u8]>,
    },
    /// `.a.b`
    Field(Vec<String>),
    /// `$x.a.b`
    Variable(String, Vec<String>),
    /// A function of the table, or one that is built in.
    Function(String, Option<&'static Function>),
    Pipe(Box<Pipe>),
    /// `(…).a.b`
    Chain(Box<Operand>, Vec<String>),
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            let sign = if self.assigns { "=" } else { ":=" };
            write!(f, "{} {sign} ", self.variables.join(", "))?;
        }
        for (at, command) in self.commands.iter().enumerate() {
            write!(f, "{}{command}", if at > 0 { " | " } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, word) in self.words.iter().enumerate() {
            let space = if at > 0 { " " } else { "" };
            match &word.what {
                What::Pipe(pipe) => write!(f, "{space}({pipe})")?,
                _ => write!(f, "{space}{word}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = |f: &mut fmt::Formatter<'_>, names: &[String]| {
            names.iter().try_for_each(|name| write!(f, ".{name}"))
        };
        match &self.what {
            What::Dot => f.write_str("."),
            What::Nil => f.write_str("nil"),
            What::Bool(value) => write!(f, "{value}"),
            What::Number { text, .. } => f.write_str(text),
            What::Text { quoted, .. } => f.write_str(quoted),
            What::Field(names) => fields(f, names),
            What::Variable(name, names) => {
                f.write_str(name)?;
                fields(f, names)
            }
            What::Function(name, _) => f.write_str(name),
            What::Pipe(pipe) => write!(f, "{pipe}"),
            What::Chain(operand, names) => {
                match &operand.what {
                    What::Pipe(pipe) => write!(f, "({pipe})")?,
                    _ => write!(f, "{operand}")?,
                }
                fields(f, names)
            }
        }
    }
}
