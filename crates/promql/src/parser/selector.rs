//! Selectors: `name{label="value", …}` and `{"quoted name", "quoted label"="value"}`.

use masthead_model::{MatchOp, Matcher};

use super::{Context, Node, Parsed, Parser, token::Kind, token::Token};
use crate::ast::{BinaryOp, Duration, Expr, PosRange, RangeEdges, VectorSelector};

const MATCHING: &str = "label matching";

impl<'a> Parser<'a> {
    pub(super) fn selector_node(&mut self, name: Option<Token<'a>>) -> Parsed<Node> {
        let selector = self.selector(name)?;
        self.node(Expr::Vector(Box::new(selector)), 0)
    }

    /// After the name, if there is one; without one a brace comes next.
    pub(super) fn selector(&mut self, name: Option<Token<'a>>) -> Parsed<VectorSelector> {
        let mut matchers = Vec::new();
        let pos = if self.peek().kind == Kind::LeftBrace {
            let braces = self.matchers(&mut matchers)?;
            name.map_or(braces, |name| name.pos.to(braces))
        } else {
            name.map_or(self.peek().pos, |name| name.pos)
        };
        if let Some(name) = name {
            matchers.push(Matcher::metric(name.text));
        }
        Ok(VectorSelector {
            name: name.map(|name| name.text.to_owned()),
            matchers,
            offset: Duration::ZERO,
            at: None,
            edges: RangeEdges::Plain,
            is_info_filter: false,
            pos,
        })
    }

    fn matchers(&mut self, matchers: &mut Vec<Matcher>) -> Parsed<PosRange> {
        let open = self.advance().pos;
        if let Some(close) = self.accept(Kind::RightBrace) {
            return Ok(open.to(close.pos));
        }
        loop {
            // One that cannot be compiled has left an error.
            matchers.extend(self.matcher()?);
            if self.accept(Kind::Comma).is_none() {
                let context = Context { place: MATCHING, expected: "\",\" or \"}\"" };
                return Ok(open.to(self.expect(Kind::RightBrace, context)?.pos));
            }
            if let Some(close) = self.accept(Kind::RightBrace) {
                return Ok(open.to(close.pos));
            }
        }
    }

    fn matcher(&mut self) -> Parsed<Option<Matcher>> {
        let label = self.peek();
        let name = match label.kind {
            Kind::Identifier => label.text.to_owned(),
            Kind::String => self.unquote_text(label),
            _ => {
                let expected = "identifier or \"}\"";
                return self.unexpected(Context { place: MATCHING, expected });
            }
        };
        self.advance();
        let op = match self.peek().kind {
            Kind::Assign => MatchOp::Equal,
            Kind::Operator(BinaryOp::NotEqual) => MatchOp::NotEqual,
            Kind::Matches => MatchOp::Matches,
            Kind::NotMatches => MatchOp::NotMatches,
            // A string alone is the name of the metric.
            _ if label.kind == Kind::String => return Ok(Some(Matcher::metric(&name))),
            _ => {
                let expected = "label matching operator";
                return self.unexpected(Context { place: MATCHING, expected });
            }
        };
        self.advance();
        let value = self.expect(Kind::String, Context { place: MATCHING, expected: "string" })?;
        let text = self.unquote_text(value);
        match Matcher::new(op, &name, &text) {
            Ok(matcher) => Ok(Some(matcher)),
            Err(error) => {
                self.error(label.pos.to(value.pos), error.to_string());
                Ok(None)
            }
        }
    }
}
