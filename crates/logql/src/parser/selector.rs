//! `{app="api", level=~"warn|error"}`, and the conditions of which it is made.

use masthead_model::{MatchOp, Matcher};

use super::{Kind, ParseError, Parser};

/// What may stand behind a label's name in a selector.
const OPERATORS: [Kind; 4] = [Kind::Equal, Kind::Matches, Kind::NotMatches, Kind::NotEqual];

impl Parser<'_> {
    /// A selector, of which the brace is next.
    pub(super) fn selector(&mut self) -> Result<Vec<Matcher>, ParseError> {
        self.expect(Kind::OpenBrace)?;
        let mut matchers = Vec::new();
        if self.accept(Kind::CloseBrace) {
            return Ok(matchers);
        }
        let mut name = self.name_or(&[Kind::Identifier, Kind::CloseBrace])?;
        loop {
            let Some(op) = match_op(self.peek()) else {
                return Err(self.unexpected(&OPERATORS));
            };
            self.take();
            let value = self.string()?;
            matchers.push(matcher(op, &name, &value)?);
            if self.accept(Kind::CloseBrace) {
                return Ok(matchers);
            }
            self.expect_one_of(Kind::Comma, &[Kind::CloseBrace, Kind::Comma])?;
            name = self.name()?;
        }
    }
}

/// The operator of a condition on a label's text.
pub(super) fn match_op(kind: Kind) -> Option<MatchOp> {
    match kind {
        Kind::Equal => Some(MatchOp::Equal),
        Kind::NotEqual => Some(MatchOp::NotEqual),
        Kind::Matches => Some(MatchOp::Matches),
        Kind::NotMatches => Some(MatchOp::NotMatches),
        _ => None,
    }
}

/// A condition; a pattern that is none ends the query at once, as upstream has it.
pub(super) fn matcher(op: MatchOp, name: &str, value: &str) -> Result<Matcher, ParseError> {
    Matcher::new(op, name, value).map_err(|error| ParseError::nowhere(error.to_string()))
}
