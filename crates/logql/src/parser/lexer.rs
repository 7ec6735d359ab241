//! From characters to tokens of LogQL. Upstream: `pkg/logql/syntax/lex.go`.
//!
//! Words are keywords whatever their case, and functions only where an argument list follows.

use masthead_model::{ByteSize, GoDuration, PromDuration, unquote_bytes};

use super::{
    ParseError,
    scanner::{Place, Raw, Scanner},
    token::{Kind, function, word},
};

/// A token with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) value: Value,
    pub(super) place: Place,
}

/// What a token stands for beside its kind.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    None,
    /// A name, a number, a flag: as it was written.
    Word(String),
    Text(Vec<u8>),
    Nanos(i64),
    Bytes(u64),
}

#[derive(Debug)]
pub(super) struct Lexer<'a> {
    scanner: Scanner<'a>,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(input: &'a str) -> Self {
        Self { scanner: Scanner::new(input) }
    }

    /// The first thing that is wrong with the tokens so far.
    pub(super) fn error(&self) -> Option<&ParseError> {
        self.scanner.error.as_ref()
    }

    /// The next token; the end again and again after an error that leaves no token.
    pub(super) fn next(&mut self) -> Token {
        let raw = self.scanner.scan();
        let (kind, value) = self.token(raw);
        Token { kind, value, place: self.scanner.place() }
    }

    fn token(&mut self, raw: Raw) -> (Kind, Value) {
        match raw {
            Raw::End => return (Kind::End, Value::None),
            Raw::Number => return self.number(),
            Raw::Text => {
                return match unquote_bytes(self.scanner.text()) {
                    Ok(text) => (Kind::Text, Value::Text(text)),
                    Err(_) => self.fail("invalid syntax"),
                };
            }
            Raw::Other('-') => {
                if let Some(token) = self.flag() {
                    return token;
                }
                if let Some(nanos) = self.duration() {
                    return (Kind::Duration, Value::Nanos(nanos));
                }
            }
            Raw::Other('[') => return self.range(),
            Raw::Word | Raw::Char | Raw::Other(_) => {}
        }
        self.word()
    }

    fn word(&mut self) -> (Kind, Value) {
        let text = self.scanner.text().to_owned();
        let name = |text: String| (Kind::Identifier, Value::Word(text));
        let lower = text.to_lowercase();
        if let Some(kind) = function(&lower) {
            return if self.arguments_follow() { (kind, Value::None) } else { name(text) };
        }
        if let Some(next) = self.scanner.peek()
            && let Some(kind) = word(&format!("{lower}{}", next.to_ascii_lowercase()))
        {
            self.scanner.extend();
            return (kind, Value::None);
        }
        word(&lower).map_or_else(|| name(text), |kind| (kind, Value::None))
    }

    fn fail(&mut self, message: impl Into<String>) -> (Kind, Value) {
        self.scanner.fail(message);
        (Kind::End, Value::None)
    }

    fn number(&mut self) -> (Kind, Value) {
        let text = self.scanner.text().to_owned();
        if let Some(nanos) = self.duration() {
            return (Kind::Duration, Value::Nanos(nanos));
        }
        let more = self.run_of(|c| matches!(c, 'B' | 'i' | 'k' | 'K' | 'M' | 'G' | 'T' | 'P'));
        if !more.is_empty()
            && let Ok(ByteSize(bytes)) = ByteSize::parse_decimal(&format!("{text}{more}"))
        {
            self.scanner.extend_by(more.len());
            return (Kind::Bytes, Value::Bytes(bytes));
        }
        (Kind::Number, Value::Word(text))
    }

    /// Takes what follows the last token if together they are a duration.
    fn duration(&mut self) -> Option<i64> {
        let unit = |c| matches!(c, 'n' | 'u' | 'µ' | 'm' | 's' | 'h' | 'd' | 'w' | 'y');
        let more = self.run_of(unit);
        if more.is_empty() {
            return None;
        }
        let nanos = parse_duration(&format!("{}{more}", self.scanner.text()))?;
        self.scanner.extend_by(more.len());
        Some(nanos)
    }

    /// Digits, points and the letters of units right behind the last token.
    fn run_of(&self, unit: impl Fn(char) -> bool) -> &'a str {
        let rest = self.scanner.rest();
        let end = rest.find(|c: char| !(c.is_numeric() || c == '.' || unit(c)));
        rest.get(..end.unwrap_or(rest.len())).unwrap_or("")
    }

    fn flag(&mut self) -> Option<(Kind, Value)> {
        let rest = self.scanner.rest();
        let end = rest.find(|c: char| !(c.is_alphabetic() || c == '-')).unwrap_or(rest.len());
        let flag = rest.get(..end).filter(|flag| matches!(*flag, "-strict" | "-keep-empty"))?;
        self.scanner.extend_by(flag.len());
        Some((Kind::Flag, Value::Word(format!("-{flag}"))))
    }

    /// `[5m]` is one token.
    fn range(&mut self) -> (Kind, Value) {
        let rest = self.scanner.rest();
        let Some(length) = rest.find(']') else {
            self.scanner.extend_by(rest.len().max(1));
            self.scanner.lose_line();
            return self.fail("missing closing ']' in duration");
        };
        let text = rest.get(..length).unwrap_or("").to_owned();
        self.scanner.extend_by(length + 1);
        match PromDuration::parse(&text) {
            Ok(range) => (Kind::Range, Value::Nanos(range.as_millis().saturating_mul(1_000_000))),
            Err(error) => self.fail(error.to_string()),
        }
    }

    /// Whether `(`, `by (` or `without (` follows.
    fn arguments_follow(&self) -> bool {
        let rest = self.scanner.rest().trim_start();
        if rest.starts_with('(') {
            return true;
        }
        ["by", "without"].iter().any(|word| {
            rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
                && rest.get(word.len()..).is_some_and(|rest| rest.trim_start().starts_with('('))
        })
    }
}

/// A duration in either dialect, in nanoseconds.
fn parse_duration(text: &str) -> Option<i64> {
    match PromDuration::parse(text) {
        Ok(duration) => duration.as_millis().checked_mul(1_000_000),
        Err(_) => GoDuration::parse(text).ok().map(|GoDuration(nanos)| nanos),
    }
}
