//! The text format, 0.0.4 and 1.0.0 (which adds quoted names).
//!
//! Spaces and tabs may stand between any two tokens, the last newline may be missing, comments
//! and blank lines are passed over, and a null byte where a line should begin ends the body.
//! Facts: `promlex.l`, `promparse.go`.

use std::borrow::Cow;

use masthead_model::{Labels, Millis};

use super::{
    Entry, Options,
    lexer::{Lexer, Quotes, Token},
    series::{Place, SeriesPlaces, unescape, unescaped},
};
use crate::{
    Error, Limits, MetricType,
    go::{parse_float, parse_int, quote_bytes},
};

const NAME: Quotes = Quotes { newlines: true, nulls: false };
const VALUE: Quotes = Quotes { newlines: true, nulls: true };

/// Goes through a body.
#[derive(Debug)]
pub(super) struct Text<'a> {
    lexer: Lexer<'a>,
    limits: Limits,
    places: SeriesPlaces,
    series: Place,
    value: f64,
    timestamp: Option<Millis>,
    family: Cow<'a, str>,
    metric_type: MetricType,
    content: Place,
    done: bool,
}

impl<'a> Text<'a> {
    pub(super) fn new(body: &'a [u8], options: Options) -> Self {
        Self {
            lexer: Lexer::new(body, true),
            limits: options.limits,
            places: SeriesPlaces::default(),
            series: Place { from: 0, to: 0 },
            value: 0.0,
            timestamp: None,
            family: Cow::Borrowed(""),
            metric_type: MetricType::Unknown,
            content: Place { from: 0, to: 0 },
            done: false,
        }
    }

    #[inline]
    pub(super) fn advance(&mut self) -> Result<Option<Entry>, Error> {
        if self.done {
            return Ok(None);
        }
        let entry = self.entry();
        self.done = !matches!(entry, Ok(Some(_)));
        entry
    }

    #[inline]
    fn entry(&mut self) -> Result<Option<Entry>, Error> {
        loop {
            self.lexer.skip_spaces();
            self.lexer.begin_entry();
            match self.lexer.begin() {
                Err(_) | Ok(0) => return Ok(None),
                Ok(b'\n') => {
                    self.lexer.one(Token::Linebreak);
                }
                Ok(b'#') => {
                    if let Some(entry) = self.comment()? {
                        return Ok(Some(entry));
                    }
                }
                Ok(b'{') => {
                    self.places.clear();
                    self.lexer.one(Token::BraceOpen);
                    self.read_labels()?;
                    self.end_of_series();
                    let token = self.value_token();
                    return self.rest_of_sample(token).map(Some);
                }
                Ok(_) => {
                    if self.lexer.metric_name() == Token::Invalid {
                        return Err(self
                            .lexer
                            .unexpected("expected a valid start token", Token::Invalid));
                    }
                    self.places.clear();
                    self.places.name = Some(Place { from: self.lexer.entry, to: self.lexer.at });
                    self.end_of_series();
                    let mut token = self.value_token();
                    if token == Token::BraceOpen {
                        self.read_labels()?;
                        self.end_of_series();
                        token = self.value_token();
                    }
                    return self.rest_of_sample(token).map(Some);
                }
            }
        }
    }

    #[inline]
    fn end_of_series(&mut self) {
        self.series = Place { from: self.lexer.entry, to: self.lexer.at };
    }

    /// `# HELP`, `# TYPE`, or something for people, which is passed over.
    fn comment(&mut self) -> Result<Option<Entry>, Error> {
        self.lexer.at += 1;
        let spaced = matches!(self.lexer.peek(), b' ' | b'\t');
        self.lexer.skip_spaces();
        let rest = self.lexer.slice(self.lexer.at, usize::MAX);
        let keyword = match rest {
            _ if !spaced => None,
            [b'H', b'E', b'L', b'P', b' ' | b'\t', ..] => Some(Token::Help),
            [b'T', b'Y', b'P', b'E', b' ' | b'\t', ..] => Some(Token::Type),
            _ => None,
        };
        let Some(keyword) = keyword else {
            self.lexer.at += memchr::memchr(b'\n', rest).map_or(rest.len() + 1, |end| end + 1);
            return Ok(None);
        };
        self.lexer.at += 4;
        self.lexer.skip_spaces();
        let expected = |lexer: &Lexer<'_>, token| {
            lexer.unexpected(&format!("expected metric name after {}", keyword.name()), token)
        };
        let name = match self.lexer.begin() {
            Err(token) => token,
            Ok(b'"') => self.lexer.quoted(NAME, Token::MetricName),
            Ok(_) => self.lexer.metric_name(),
        };
        if name != Token::MetricName {
            return Err(expected(&self.lexer, name));
        }
        let (mut from, mut to) = (self.lexer.token, self.lexer.at);
        if self.lexer.slice(from, to).starts_with(b"\"") {
            (from, to) = (from + 1, to - 1);
        }
        self.family = unescaped(&self.lexer, Place { from, to })?;
        // The text runs to the end of the line, without the byte that separates it.
        let rest = self.lexer.slice(self.lexer.at, usize::MAX);
        let len = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        self.content = Place { from: self.lexer.at + len.min(1), to: self.lexer.at + len };
        self.lexer.token = self.lexer.at;
        self.lexer.at += len + 1;
        let text = self.lexer.slice(self.content.from, self.content.to);
        if keyword == Token::Help {
            if std::str::from_utf8(text).is_err() {
                let text = quote_bytes(text);
                return Err(self
                    .lexer
                    .fail(format!("help text {text} is not a valid utf8 string")));
            }
            return Ok(Some(Entry::Help));
        }
        self.metric_type = match text {
            b"counter" => MetricType::Counter,
            b"gauge" => MetricType::Gauge,
            b"histogram" => MetricType::Histogram,
            b"summary" => MetricType::Summary,
            b"untyped" => MetricType::Unknown,
            other => {
                let other = quote_bytes(other);
                return Err(self.lexer.fail(format!("invalid metric type {other}")));
            }
        };
        Ok(Some(Entry::Type))
    }

    #[inline]
    fn label_token(&mut self) -> Token {
        self.lexer.skip_spaces();
        self.lexer.label_token(NAME)
    }

    /// What stands between the braces, the closing one included.
    #[inline]
    fn read_labels(&mut self) -> Result<(), Error> {
        let mut token = self.label_token();
        loop {
            let (mut from, mut to) = (self.lexer.token, self.lexer.at);
            let quoted = token == Token::Quoted;
            match token {
                Token::BraceClose => return Ok(()),
                Token::Quoted => (from, to) = (from + 1, to - 1),
                Token::LabelName => {}
                other => return Err(self.lexer.unexpected("expected label name", other)),
            }
            token = self.label_token();
            // A quoted text that is given no value is the metric's name.
            if quoted && matches!(token, Token::Comma | Token::BraceClose) {
                if self.places.name.is_some() {
                    return Err(self.lexer.while_parsing("metric name already set"));
                }
                self.places.name = Some(Place { from, to });
                if token == Token::BraceClose {
                    return Ok(());
                }
                token = self.label_token();
                continue;
            }
            if token != Token::Equal {
                return Err(self.lexer.unexpected("expected equal", token));
            }
            self.lexer.skip_spaces();
            let value = self.lexer.label_value(VALUE);
            if value != Token::LabelValue {
                return Err(self.lexer.unexpected("expected label value", value));
            }
            check_utf8(&self.lexer)?;
            let value = Place { from: self.lexer.token + 1, to: self.lexer.at - 1 };
            if self.places.labels.len() <= self.limits.labels {
                // One beyond the limit is enough to refuse the series.
                self.places.labels.push((Place { from, to }, value));
            }
            // The comma may be missing; upstream accepts that as well.
            token = self.label_token();
            if token == Token::Comma {
                token = self.label_token();
            }
        }
    }

    #[inline]
    fn value_token(&mut self) -> Token {
        self.lexer.skip_spaces();
        match self.lexer.begin() {
            Err(token) => token,
            Ok(b'{') => self.lexer.one(Token::BraceOpen),
            Ok(_) => {
                while !matches!(self.lexer.peek(), b'{' | b' ' | b'\t' | b'\n' | 0) {
                    self.lexer.at += 1;
                }
                if self.lexer.at == self.lexer.token { Token::Invalid } else { Token::Value }
            }
        }
    }

    /// The value, perhaps a timestamp, and the end of the line.
    #[inline]
    fn rest_of_sample(&mut self, token: Token) -> Result<Entry, Error> {
        if self.places.name.is_none() {
            return Err(self.lexer.while_parsing("metric name not set"));
        }
        if token != Token::Value {
            return Err(self.lexer.unexpected("expected value after metric", token));
        }
        self.value = parse_float(self.lexer.token_bytes())
            .map_err(|error| self.lexer.while_parsing(&error))?;
        self.timestamp = None;
        match self.timestamp_token() {
            Token::Linebreak => {}
            Token::Timestamp => {
                let timestamp = parse_int(self.lexer.token_bytes())
                    .map_err(|error| self.lexer.while_parsing(&error))?;
                self.timestamp = Some(Millis(timestamp));
                let token = self.timestamp_token();
                if token != Token::Linebreak {
                    let expected = "expected next entry after timestamp";
                    return Err(self.lexer.unexpected(expected, token));
                }
            }
            other => {
                return Err(self.lexer.unexpected("expected timestamp or new record", other));
            }
        }
        Ok(Entry::Sample)
    }

    #[inline]
    fn timestamp_token(&mut self) -> Token {
        self.lexer.skip_spaces();
        match self.lexer.begin() {
            Err(token) => token,
            Ok(b'\n') => self.lexer.one(Token::Linebreak),
            Ok(b'0'..=b'9') => {
                while self.lexer.peek().is_ascii_digit() {
                    self.lexer.at += 1;
                }
                Token::Timestamp
            }
            Ok(_) => Token::Invalid,
        }
    }

    pub(super) fn family(&self) -> &str {
        &self.family
    }

    pub(super) fn metric_type(&self) -> MetricType {
        self.metric_type
    }

    pub(super) fn text(&self) -> Cow<'_, str> {
        let text = std::str::from_utf8(self.lexer.slice(self.content.from, self.content.to));
        unescape(text.unwrap_or(""), false)
    }

    #[inline]
    pub(super) fn series(&self) -> &[u8] {
        self.lexer.slice(self.series.from, self.series.to)
    }

    #[inline]
    pub(super) fn value(&self) -> f64 {
        self.value
    }

    #[inline]
    pub(super) fn timestamp(&self) -> Option<Millis> {
        self.timestamp
    }

    pub(super) fn labels(&self) -> Result<Labels, Error> {
        self.places.to_labels(&self.lexer, self.metric_type, &self.limits)
    }
}

#[inline]
pub(super) fn check_utf8(lexer: &Lexer<'_>) -> Result<(), Error> {
    if lexer.text(lexer.token, lexer.at).is_some() {
        return Ok(());
    }
    let value = lexer.token_bytes();
    Err(lexer.fail(format!("invalid UTF-8 label value: {}", quote_bytes(value))))
}
