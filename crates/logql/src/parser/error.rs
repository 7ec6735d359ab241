//! What is wrong with a query, and where; upstream's words.

use std::fmt;

use masthead_model::ErrorClass;

/// What is wrong with a query.
///
/// Upstream counts columns in characters from 1, and says line 0 where a token of more than one
/// character stands; both are kept in [`ParseError::line`] and [`ParseError::column`].
/// [`ParseError::offset`] is for editors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// The line as upstream prints it; 0 with a column of 0 means nowhere.
    pub line: usize,
    /// The column as upstream prints it.
    pub column: usize,
    /// Where in the query, in bytes, if it is somewhere.
    pub offset: Option<usize>,
    /// What is wrong, without the place.
    pub message: String,
}

impl ParseError {
    /// An error that is about no place.
    pub(crate) fn nowhere(message: impl Into<String>) -> Self {
        Self { line: 0, column: 0, offset: None, message: message.into() }
    }

    /// The caller wrote the query.
    #[expect(clippy::unused_self, reason = "asked of every error alike")]
    pub fn class(&self) -> ErrorClass {
        ErrorClass::BadInput
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 && self.column == 0 {
            write!(f, "parse error : {}", self.message)
        } else {
            write!(f, "parse error at line {}, col {}: {}", self.line, self.column, self.message)
        }
    }
}

impl std::error::Error for ParseError {}
