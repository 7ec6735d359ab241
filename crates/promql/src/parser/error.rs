//! What is wrong with an expression, and where.

use std::fmt;

use masthead_model::ErrorClass;

use crate::ast::PosRange;

/// One thing that is wrong, in upstream's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// The bytes that it is about.
    pub pos: PosRange,
    /// What is wrong, without the place.
    pub message: String,
}

/// Everything that is wrong with an expression; at least one thing.
///
/// It prints as upstream prints it: the first error alone, with line and column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseErrors {
    input: String,
    errors: Vec<ParseError>,
}

impl ParseErrors {
    pub(super) fn new(input: &str, errors: Vec<ParseError>) -> Self {
        Self { input: input.to_owned(), errors }
    }

    /// The errors in the order in which they were found.
    pub fn errors(&self) -> &[ParseError] {
        &self.errors
    }

    /// The expression that was read.
    pub fn input(&self) -> &str {
        &self.input
    }

    /// The caller wrote the expression.
    #[expect(clippy::unused_self, reason = "asked of every error alike")]
    pub fn class(&self) -> ErrorClass {
        ErrorClass::BadInput
    }

    /// Line and column of a byte of the input, both from 1, the column in bytes; nothing if the
    /// input is empty, as upstream has it.
    pub fn place(&self, at: usize) -> Option<(usize, usize)> {
        let before = self.input.as_bytes().get(..at).filter(|_| !self.input.is_empty())?;
        let lines = before.split(|byte| *byte == b'\n');
        let column = lines.clone().next_back().map_or(0, <[u8]>::len) + 1;
        Some((lines.count(), column))
    }

    /// The text of one of the errors, with its place.
    pub fn text(&self, error: &ParseError) -> String {
        match self.place(error.pos.start) {
            Some((line, column)) => format!("{line}:{column}: parse error: {}", error.message),
            None => format!("unknown position: parse error: {}", error.message),
        }
    }
}

impl fmt::Display for ParseErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errors.first() {
            Some(error) => f.write_str(&self.text(error)),
            None => f.write_str("error contains no error message"),
        }
    }
}

impl std::error::Error for ParseErrors {}
