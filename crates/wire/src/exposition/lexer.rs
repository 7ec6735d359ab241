//! The tokens that the two text formats share, and errors as upstream words them.
//!
//! Upstream's lexers are tables made from `promlex.l` and `openmetricslex.l`. Here each state is
//! a function, because the parser always knows which one it is in. An error shows the token up
//! to the byte at which no rule fitted any more, which is why tokens that fail still move.

use crate::{Error, go::quote_bytes};

/// What was found; the names stand in error texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Invalid,
    Eof,
    Linebreak,
    Help,
    Type,
    Unit,
    EofWord,
    Comment,
    MetricName,
    Quoted,
    BraceOpen,
    BraceClose,
    LabelName,
    LabelValue,
    Comma,
    Equal,
    Timestamp,
    Value,
    StartTimestamp,
}

impl Token {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Invalid => "INVALID",
            Self::Eof => "EOF",
            Self::Linebreak => "LINEBREAK",
            Self::Help => "HELP",
            Self::Type => "TYPE",
            Self::Unit => "UNIT",
            Self::EofWord => "EOFWORD",
            Self::Comment => "COMMENT",
            Self::MetricName => "MNAME",
            Self::Quoted => "QSTRING",
            Self::BraceOpen => "BOPEN",
            Self::BraceClose => "BCLOSE",
            Self::LabelName => "LNAME",
            Self::LabelValue => "LVALUE",
            Self::Comma => "COMMA",
            Self::Equal => "EQUAL",
            Self::Timestamp => "TIMESTAMP",
            Self::Value => "VALUE",
            Self::StartTimestamp => "STARTTIMESTAMP",
        }
    }
}

const LETTER: u8 = 1;
const COLON: u8 = 2;
const DIGIT: u8 = 4;

/// What a byte may be in names.
static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0_u8;
    loop {
        class[byte as usize] = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => LETTER,
            b':' => COLON,
            b'0'..=b'9' => DIGIT,
            _ => 0,
        };
        if byte == u8::MAX {
            break class;
        }
        byte += 1;
    }
};

/// What a quoted token may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quotes {
    pub(super) newlines: bool,
    pub(super) nulls: bool,
}

/// The body and where the lexer stands in it.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'a> {
    pub(super) bytes: &'a [u8],
    /// The body as text if all of it is: checked once, so that no part of it must be.
    text: Option<&'a str>,
    /// The next byte to read.
    pub(super) at: usize,
    /// Where the current token starts.
    pub(super) token: usize,
    /// Where the current entry starts.
    pub(super) entry: usize,
    /// Whether a newline stands behind the last byte, as if it had been sent.
    closing_newline: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(bytes: &'a [u8], closing_newline: bool) -> Self {
        Self {
            bytes,
            text: std::str::from_utf8(bytes).ok(),
            at: 0,
            token: 0,
            entry: 0,
            closing_newline,
        }
    }

    /// The byte at `at`; zero beyond the end, which no rule accepts.
    #[inline]
    pub(super) fn peek(&self) -> u8 {
        self.byte(self.at)
    }

    #[inline]
    fn byte(&self, at: usize) -> u8 {
        match self.bytes.get(at) {
            Some(byte) => *byte,
            None if self.closing_newline && at == self.bytes.len() => b'\n',
            None => 0,
        }
    }

    #[inline]
    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.end()
    }

    #[inline]
    fn end(&self) -> usize {
        self.bytes.len() + usize::from(self.closing_newline)
    }

    /// The body between two places.
    #[inline]
    pub(super) fn slice(&self, from: usize, to: usize) -> &'a [u8] {
        self.bytes.get(from..to.min(self.bytes.len())).unwrap_or(&[])
    }

    /// The body between two places, if it is text.
    #[inline]
    pub(super) fn text(&self, from: usize, to: usize) -> Option<&'a str> {
        match self.text {
            Some(text) => text.get(from..to),
            None => std::str::from_utf8(self.slice(from, to)).ok(),
        }
    }

    /// The current token's bytes.
    #[inline]
    pub(super) fn token_bytes(&self) -> &'a [u8] {
        self.slice(self.token, self.at)
    }

    #[inline]
    pub(super) fn begin_entry(&mut self) {
        self.entry = self.at;
    }

    #[inline]
    pub(super) fn skip_spaces(&mut self) {
        while matches!(self.peek(), b' ' | b'\t') {
            self.at += 1;
        }
    }

    /// Starts a token, unless nothing is left: then the last one stays the current one.
    #[inline]
    pub(super) fn begin(&mut self) -> Result<u8, Token> {
        if self.is_at_end() {
            return Err(Token::Eof);
        }
        self.token = self.at;
        Ok(self.peek())
    }

    /// Takes one byte as a token.
    #[inline]
    pub(super) fn one(&mut self, token: Token) -> Token {
        self.at += 1;
        token
    }

    /// A metric's name outside of quotes, whose first byte was looked at.
    #[inline]
    pub(super) fn metric_name(&mut self) -> Token {
        self.name(LETTER | COLON, Token::MetricName)
    }

    #[inline]
    fn name(&mut self, first: u8, token: Token) -> Token {
        let class = |byte: u8| CLASS.get(usize::from(byte)).copied().unwrap_or(0);
        if class(self.peek()) & first == 0 {
            return Token::Invalid;
        }
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        self.at += rest.iter().position(|b| class(*b) & (first | DIGIT) == 0).unwrap_or(rest.len());
        token
    }

    /// A token between the braces, in the series (`quotes.newlines`) or in an exemplar.
    #[inline]
    pub(super) fn label_token(&mut self, quotes: Quotes) -> Token {
        match self.begin() {
            Err(token) => token,
            Ok(b'}') => self.one(Token::BraceClose),
            Ok(b'=') => self.one(Token::Equal),
            Ok(b',') => self.one(Token::Comma),
            Ok(b'"') => self.quoted(quotes, Token::Quoted),
            Ok(_) => self.name(LETTER, Token::LabelName),
        }
    }

    /// A label's value.
    #[inline]
    pub(super) fn label_value(&mut self, quotes: Quotes) -> Token {
        match self.begin() {
            Err(token) => token,
            Ok(b'"') => self.quoted(quotes, Token::LabelValue),
            Ok(_) => Token::Invalid,
        }
    }

    /// A token in double quotes, at the first of which the lexer stands.
    #[inline]
    pub(super) fn quoted(&mut self, quotes: Quotes, token: Token) -> Token {
        let opening = self.at;
        let mut from = opening + 1;
        let closed = loop {
            let rest = self.bytes.get(from..).unwrap_or(&[]);
            let Some(found) = memchr::memchr3(b'"', b'\\', b'\n', rest).map(|n| from + n) else {
                // A closing newline is one more byte that does not close the quotes.
                self.at = if quotes.newlines { self.end() } else { self.bytes.len() };
                break false;
            };
            match self.byte(found) {
                b'"' => {
                    self.at = found + 1;
                    break true;
                }
                b'\\' if found + 1 < self.bytes.len() && self.byte(found + 1) != b'\n' => {
                    from = found + 2;
                }
                b'\\' => {
                    self.at = found + 1;
                    break false;
                }
                _ if quotes.newlines => from = found + 1,
                _ => {
                    self.at = found;
                    break false;
                }
            }
        };
        if !quotes.nulls
            && let Some(null) = memchr::memchr(0, self.slice(opening, self.at))
        {
            self.at = opening + null;
            return Token::Invalid;
        }
        if closed { token } else { Token::Invalid }
    }

    /// `expected …, got … while parsing: …`
    #[cold]
    pub(super) fn unexpected(&self, expected: &str, got: Token) -> Error {
        let end = self.end().min(self.at + 1);
        let text = format!(
            "{expected}, got {} ({}) while parsing: {}",
            self.quote(self.token, end),
            masthead_model::quote(got.name()),
            self.quote(self.entry, end)
        );
        self.fail(text)
    }

    /// `… while parsing: …`
    #[cold]
    pub(super) fn while_parsing(&self, what: &str) -> Error {
        self.fail(format!("{what} while parsing: {}", self.quote(self.entry, self.at)))
    }

    #[cold]
    pub(super) fn fail(&self, message: impl Into<String>) -> Error {
        Error::Exposition { message: message.into(), offset: self.token }
    }

    /// The bytes between two places in quotes; an error must not be as long as a body.
    fn quote(&self, from: usize, to: usize) -> String {
        const BYTES_MAX: usize = 4096;
        let mut bytes = self.slice(from, to).to_vec();
        if to > self.bytes.len() && self.closing_newline {
            bytes.push(b'\n');
        }
        if bytes.len() > BYTES_MAX {
            bytes.truncate(BYTES_MAX);
            return format!("{}…", quote_bytes(&bytes));
        }
        quote_bytes(&bytes)
    }
}
