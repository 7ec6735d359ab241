//! From text to a syntax tree, with upstream's words for whatever is wrong.
//!
//! Recursive descent, which yields the messages of upstream's LALR parser because it asks for a
//! token where that one would: a state with a default reduction reduces before it complains, so
//! that after anything complete the complaint comes from the state around it. At most four
//! expected tokens are listed, else none. Grammar: upstream's `pkg/logql/syntax/syntax.y`.
//!
//! What is wrong with the meaning of an expression ([`Node::Broken`]) is told only if the whole
//! query is well-formed, except where upstream gives up at once. Tokens: `parser/lexer.rs`.

use masthead_model::Matcher;

use crate::ast::{Expr, LogExpr};
use lexer::{Lexer, Token, Value};
use node::Node;
use token::Kind;

mod error;
mod filter;
mod lexer;
mod metric;
mod node;
mod range;
mod scanner;
mod selector;
mod stages;
mod token;

pub use error::ParseError;

/// A query may have this many bytes, as upstream has it.
pub const QUERY_BYTES_MAX: usize = 131_072;

/// Said of a selector that selects everything.
const NOT_SELECTIVE: &str = "queries require at least one regexp or equality matcher that does \
     not have an empty-compatible value. For instance, app=~\".*\" does not meet this \
     requirement, but app=~\".+\" will";

/// Reads a query.
///
/// # Errors
/// [`ParseError`] with upstream's text and place.
pub fn parse(query: &str) -> Result<Expr, ParseError> {
    if query.len() >= QUERY_BYTES_MAX {
        let length = query.len();
        return Err(ParseError::nowhere(format!(
            "input size too long ({length} > {QUERY_BYTES_MAX})"
        )));
    }
    if query.is_empty() {
        return Err(ParseError::nowhere("syntax error: unexpected $end"));
    }
    let mut parser = Parser { lexer: Lexer::new(query), next: None, depth: 0 };
    let node = parser.expression(0)?;
    parser.end()?;
    let expr = node.finish()?;
    crate::engine::check(&expr)?;
    Ok(expr)
}

/// Reads a query that is only a selector, as the endpoints for labels and series take it.
///
/// # Errors
/// [`ParseError`]; of a query that is more than a selector it says so.
pub fn parse_matchers(query: &str) -> Result<Vec<Matcher>, MatchersError> {
    match parse(query)? {
        Expr::Log(LogExpr { matchers, stages }) if stages.is_empty() => Ok(matchers),
        Expr::Log(_) | Expr::Metric(_) => Err(MatchersError::NotOnlyMatchers),
    }
}

/// Why a text is not a selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MatchersError {
    /// It is no query at all.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// It is a query that is more than a selector.
    #[error("only label matchers are supported")]
    NotOnlyMatchers,
}

#[derive(Debug)]
struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The token that was looked at and not taken.
    next: Option<Token>,
    depth: usize,
}

impl Parser<'_> {
    fn token(&mut self) -> &Token {
        let lexer = &mut self.lexer;
        self.next.get_or_insert_with(|| lexer.next())
    }

    fn peek(&mut self) -> Kind {
        self.token().kind
    }

    fn take(&mut self) -> Token {
        let lexer = &mut self.lexer;
        self.next.take().unwrap_or_else(|| lexer.next())
    }

    /// Takes the next token if it is `kind`.
    fn accept(&mut self, kind: Kind) -> bool {
        let accepted = self.peek() == kind;
        if accepted {
            self.take();
        }
        accepted
    }

    /// Takes the next token, which must be `kind`.
    fn expect(&mut self, kind: Kind) -> Result<Value, ParseError> {
        self.expect_one_of(kind, &[kind])
    }

    /// Takes the next token, which must be `kind`, where `expected` would do as well.
    fn expect_one_of(&mut self, kind: Kind, expected: &[Kind]) -> Result<Value, ParseError> {
        if self.peek() == kind { Ok(self.take().value) } else { Err(self.unexpected(expected)) }
    }

    fn name(&mut self) -> Result<String, ParseError> {
        self.name_or(&[Kind::Identifier])
    }

    fn name_or(&mut self, expected: &[Kind]) -> Result<String, ParseError> {
        self.expect_one_of(Kind::Identifier, expected).map(Value::into_word)
    }

    /// A string that is text; bytes that are not become U+FFFD, since no label value has any.
    fn string(&mut self) -> Result<String, ParseError> {
        self.expect(Kind::Text).map(Value::into_string)
    }

    /// The error that the next token is none of `expected`, which are listed if they are few.
    fn unexpected(&mut self, expected: &[Kind]) -> ParseError {
        const LISTED_MAX: usize = 4;
        let token = self.token().clone();
        if let Some(error) = self.lexer.error() {
            return error.clone();
        }
        let mut message = format!("syntax error: unexpected {}", token.kind.name());
        if expected.len() <= LISTED_MAX {
            let mut expected = expected.to_vec();
            expected.sort_by_key(|kind| kind.rank());
            for (at, kind) in expected.into_iter().enumerate() {
                message.push_str(if at == 0 { ", expecting " } else { " or " });
                message.push_str(&kind.name());
            }
        }
        let place = token.place;
        ParseError { line: place.line, column: place.column, offset: Some(place.offset), message }
    }

    /// Runs `read` one level deeper.
    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, ParseError>,
    ) -> Result<T, ParseError> {
        self.depth += 1;
        if self.depth > crate::DEPTH_MAX {
            return Err(node::too_deep());
        }
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn end(&mut self) -> Result<(), ParseError> {
        if self.peek() != Kind::End {
            return Err(self.unexpected(&[]));
        }
        self.lexer.error().cloned().map_or(Ok(()), Err)
    }
}

impl Value {
    fn into_word(self) -> String {
        match self {
            Self::Word(word) => word,
            Self::Text(_) | Self::Nanos(_) | Self::Bytes(_) | Self::None => String::new(),
        }
    }

    fn into_text(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text,
            Self::Word(_) | Self::Nanos(_) | Self::Bytes(_) | Self::None => Vec::new(),
        }
    }

    fn into_string(self) -> String {
        String::from_utf8_lossy(&self.into_text()).into_owned()
    }

    fn nanos(&self) -> i64 {
        if let Self::Nanos(nanos) = self { *nanos } else { 0 }
    }
}

#[cfg(test)]
mod tests;
