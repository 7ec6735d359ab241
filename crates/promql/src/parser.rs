//! From text to a type-checked tree, by recursive descent and operator precedence.
//!
//! The grammar, its quirks and every error text are upstream's
//! (`promql/parser/{lex.go,generated_parser.y,parse.go}`). The first syntax error ends the parse;
//! errors of meaning found on the way are collected, and types are checked only when there was
//! none, as upstream does. Nothing here panics on any input, and nothing is global: what is
//! experimental comes in [`Features`].
//!
//! Tokens come from `parser/lexer.rs`. Each file holds one part of the grammar: operators in
//! `binary.rs`, `sum by (a) (b)` and calls in `call.rs`, selectors in `selector.rs`, what may
//! follow an expression in `postfix.rs`, arithmetic in durations in `duration.rs`. `check.rs`
//! checks types.

use masthead_model::Matcher;

use crate::{
    ast::{DEPTH_MAX, Expr, NumberLiteral, Paren, PosRange, StringLiteral},
    features::Features,
};

mod binary;
mod call;
mod check;
mod duration;
mod error;
mod lexer;
mod number;
mod postfix;
mod selector;
#[cfg(test)]
mod tests;
mod token;

pub use error::{ParseError, ParseErrors};
use lexer::Lexer;
use token::{Kind, Token};

/// An expression may have at most this many bytes.
pub const EXPRESSION_BYTES_MAX: usize = 1 << 20;

/// At most this many errors are collected for one expression; further ones are not kept.
pub const PARSE_ERRORS_MAX: usize = 1000;

/// Reads an expression and checks its types.
///
/// # Errors
/// Everything that is wrong with it, with places; among them the limits
/// [`EXPRESSION_BYTES_MAX`] and [`DEPTH_MAX`].
#[expect(clippy::trivially_copy_pass_by_ref, reason = "it grows with the language")]
pub fn parse(input: &str, features: &Features) -> Result<Expr, ParseErrors> {
    let mut parser = Parser::new(input, *features);
    let expr = parser.whole(Parser::whole_expression);
    match expr {
        Ok(mut expr) if parser.errors.is_empty() => {
            check::check(&mut expr, &mut parser);
            parser.finish(expr)
        }
        Ok(expr) => parser.finish(expr),
        Err(Stop) => Err(parser.into_errors()),
    }
}

/// Reads a selector such as `up{job="api"}`, as `match[]` parameters have it, and returns its
/// conditions. A selector that matches everything is fine here.
///
/// # Errors
/// As [`parse`].
pub fn parse_selector(input: &str) -> Result<Vec<Matcher>, ParseErrors> {
    let mut parser = Parser::new(input, Features::STABLE);
    match parser.whole(Parser::whole_selector) {
        Ok(matchers) => parser.finish(matchers),
        Err(Stop) => Err(parser.into_errors()),
    }
}

/// The parse is over: a syntax error or a limit was recorded.
#[derive(Debug)]
struct Stop;

type Parsed<T> = Result<T, Stop>;

/// An expression and how high its tree is.
#[derive(Debug)]
struct Node {
    expr: Expr,
    height: usize,
}

/// What errors say of an unexpected token when nothing nearer knows better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Context {
    /// Where it stands, for `in …`; empty for nowhere.
    place: &'static str,
    /// What belongs there, for `expected …`; empty if that cannot be said.
    expected: &'static str,
}

const ANYWHERE: Context = Context { place: "", expected: "" };
const AGGREGATION: Context = Context { place: "aggregation", expected: "" };
const GROUPING: &str = "grouping opts";

#[derive(Debug)]
struct Parser<'a> {
    input: &'a str,
    lexer: Lexer<'a>,
    features: Features,
    /// Read but not yet used.
    ahead: Option<Token<'a>>,
    /// The end of the last token that was used.
    used_end: usize,
    errors: Vec<ParseError>,
    context: Context,
    /// How deep the recursion is.
    depth: usize,
}

impl<'a> Parser<'a> {
    fn new(input: &'a str, features: Features) -> Self {
        Self {
            input,
            lexer: Lexer::new(input),
            features,
            ahead: None,
            used_end: 0,
            errors: Vec::new(),
            context: ANYWHERE,
            depth: 0,
        }
    }

    fn whole<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.input.len() > EXPRESSION_BYTES_MAX {
            let message = format!(
                "the expression has {} bytes, and at most {EXPRESSION_BYTES_MAX} are read; record parts of it by rules",
                self.input.len()
            );
            return self.stop(PosRange::new(0, self.input.len()), message);
        }
        let result = read(self)?;
        match self.peek().kind {
            Kind::Eof => Ok(result),
            _ => self.unexpected(ANYWHERE),
        }
    }

    fn whole_expression(&mut self) -> Parsed<Expr> {
        if self.peek().kind == Kind::Eof {
            return self.stop(PosRange::default(), "no expression found in input".into());
        }
        Ok(self.expression(0)?.expr)
    }

    fn whole_selector(&mut self) -> Parsed<Vec<Matcher>> {
        let token = self.peek();
        let selector = match token.kind {
            Kind::LeftBrace => self.selector(None)?,
            kind if kind.is_metric_name() => {
                self.advance();
                self.selector(Some(token))?
            }
            _ => return self.unexpected(ANYWHERE),
        };
        Ok(selector.matchers)
    }

    fn finish<T>(self, result: T) -> Result<T, ParseErrors> {
        if self.errors.is_empty() { Ok(result) } else { Err(self.into_errors()) }
    }

    fn into_errors(self) -> ParseErrors {
        ParseErrors::new(self.input, self.errors)
    }

    /// The next token, without using it.
    fn peek(&mut self) -> Token<'a> {
        if let Some(token) = self.ahead {
            return token;
        }
        let (token, error) = self.lexer.next_token();
        if let Some(error) = error {
            self.error(token.pos, error);
        }
        self.ahead = Some(token);
        token
    }

    /// Uses the next token.
    fn advance(&mut self) -> Token<'a> {
        let token = self.peek();
        self.ahead = None;
        self.used_end = token.pos.end;
        token
    }

    /// Uses the next token if it is of this kind.
    fn accept(&mut self, kind: Kind) -> Option<Token<'a>> {
        (self.peek().kind == kind).then(|| self.advance())
    }

    fn expect(&mut self, kind: Kind, context: Context) -> Parsed<Token<'a>> {
        match self.accept(kind) {
            Some(token) => Ok(token),
            None => self.unexpected(context),
        }
    }

    /// Records an error and goes on.
    fn error(&mut self, pos: PosRange, message: String) {
        if self.errors.len() < PARSE_ERRORS_MAX {
            self.errors.push(ParseError { pos, message });
        }
    }

    fn stop<T>(&mut self, pos: PosRange, message: String) -> Parsed<T> {
        self.error(pos, message);
        Err(Stop)
    }

    /// Complains about the next token.
    fn unexpected<T>(&mut self, context: Context) -> Parsed<T> {
        let token = self.peek();
        if token.kind == Kind::Error {
            return Err(Stop); // The lexer has said why.
        }
        let mut message = format!("unexpected {}", token.describe());
        for (word, text) in [(" in ", context.place), (", expected ", context.expected)] {
            if !text.is_empty() {
                message.push_str(word);
                message.push_str(text);
            }
        }
        self.stop(token.pos, message)
    }

    /// Reads something inside a context of its own.
    fn within<T>(
        &mut self,
        context: Context,
        read: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Parsed<T> {
        let outer = std::mem::replace(&mut self.context, context);
        let result = read(self);
        self.context = outer;
        result
    }

    /// Goes one level deeper; a parse that stops need not come back up.
    fn enter(&mut self) -> Parsed<()> {
        if self.depth >= DEPTH_MAX {
            let pos = self.peek().pos;
            return self.too_deep(pos);
        }
        self.depth += 1;
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Puts a node on top of others of which the highest has this height.
    fn node(&mut self, expr: Expr, below: usize) -> Parsed<Node> {
        if below >= DEPTH_MAX {
            return self.too_deep(expr.pos());
        }
        Ok(Node { expr, height: below + 1 })
    }

    fn too_deep<T>(&mut self, pos: PosRange) -> Parsed<T> {
        let message = format!(
            "the expression is nested deeper than {DEPTH_MAX} levels, and each operator of a chain is one; use brackets to join halves of a chain, or record parts of it by rules"
        );
        self.stop(pos, message)
    }

    /// What an operator stands between: a value with what follows it.
    fn operand(&mut self) -> Parsed<Node> {
        match self.primary() {
            Ok(node) => self.postfix(node),
            stopped => stopped,
        }
    }

    fn primary(&mut self) -> Parsed<Node> {
        match self.peek().kind {
            Kind::Number | Kind::Duration | Kind::String => self.literal(),
            Kind::LeftParen => self.paren(),
            Kind::LeftBrace => self.selector_node(None),
            kind if kind.is_metric_name() => self.named(),
            _ => self.unexpected(self.context),
        }
    }

    fn literal(&mut self) -> Parsed<Node> {
        let expr = if self.peek().kind == Kind::String {
            let token = self.advance();
            Expr::String(self.string_literal(token))
        } else {
            Expr::Number(self.number_literal())
        };
        self.node(expr, 0)
    }

    fn paren(&mut self) -> Parsed<Node> {
        let open = self.advance().pos;
        let inner = self.expression(0)?;
        self.close_paren(open, inner)
    }

    fn close_paren(&mut self, open: PosRange, inner: Node) -> Parsed<Node> {
        let close = self.expect(Kind::RightParen, self.context)?;
        let paren = Paren { expr: inner.expr, pos: open.to(close.pos) };
        self.node(Expr::Paren(Box::new(paren)), inner.height)
    }

    /// The next token, which is a number or a duration; one that cannot be read counts as 0.
    fn number_literal(&mut self) -> NumberLiteral {
        let token = self.advance();
        let is_duration = token.kind == Kind::Duration;
        let value =
            if is_duration { number::duration(token.text) } else { number::number(token.text) };
        let value = value.unwrap_or_else(|message| {
            self.error(token.pos, message);
            0.0
        });
        NumberLiteral { value, is_duration, pos: token.pos }
    }

    fn string_literal(&mut self, token: Token<'a>) -> StringLiteral {
        let bytes = self.unquote(token);
        match String::from_utf8(bytes) {
            Ok(value) => StringLiteral { value, not_utf8: None, pos: token.pos },
            Err(error) => {
                let bytes = error.into_bytes();
                let value = String::from_utf8_lossy(&bytes).into_owned();
                StringLiteral { value, not_utf8: Some(bytes.into()), pos: token.pos }
            }
        }
    }

    fn unquote(&mut self, token: Token<'a>) -> Vec<u8> {
        masthead_model::unquote_bytes(token.text).unwrap_or_else(|error| {
            let text = masthead_model::quote(token.text);
            self.error(token.pos, format!("error unquoting string {text}: {error}"));
            Vec::new()
        })
    }

    /// The text of a string token where it must be text: in names and conditions.
    fn unquote_text(&mut self, token: Token<'a>) -> String {
        String::from_utf8(self.unquote(token)).unwrap_or_else(|_| {
            let text = masthead_model::quote(token.text);
            let error = masthead_model::QuoteError::NotUtf8;
            self.error(token.pos, format!("error unquoting string {text}: {error}"));
            String::new()
        })
    }
}
