//! OpenMetrics 1.0, with the start timestamps (`st@`) of 2.0.
//!
//! Single spaces between tokens, no blank lines, no free comments, `# EOF` at the end: what does
//! not keep to that is refused, as upstream refuses it. `_created` lines tell when the series
//! around them started; they are found by looking ahead once per family member, and what was
//! found is remembered, so that a family costs no more than twice its length.
//! Facts: `openmetricslex.l`, `openmetricsparse.go`, the OpenMetrics specification.

use std::borrow::Cow;

use masthead_model::{Labels, Millis};

use super::{
    Entry, Options,
    lexer::{Lexer, Quotes, Token},
    series::{Place, SeriesPlaces, unescape, unescaped},
    text::check_utf8,
};
use crate::{
    Error, Exemplar, Limits, MetricType,
    go::{parse_float, quote_bytes},
};

mod created;

use created::Created;

const NAME: Quotes = Quotes { newlines: true, nulls: false };
const VALUE: Quotes = Quotes { newlines: false, nulls: true };
const IN_EXEMPLAR: Quotes = Quotes { newlines: false, nulls: false };
const NO_EOF: &str = "data does not end with # EOF";
const NOWHERE: Place = Place { from: 0, to: 0 };

/// Goes through a body.
#[derive(Debug)]
pub(super) struct OpenMetrics<'a> {
    lexer: Lexer<'a>,
    limits: Limits,
    skip_created: bool,
    places: SeriesPlaces,
    series: Place,
    value: f64,
    timestamp: Option<Millis>,
    start: Option<Millis>,
    exemplar: Option<(f64, Option<Millis>)>,
    exemplar_places: SeriesPlaces,
    family: Cow<'a, str>,
    /// The family's name as it stands in the body.
    raw_family: Place,
    metric_type: MetricType,
    text: Place,
    created: Created,
    done: bool,
}

impl<'a> OpenMetrics<'a> {
    pub(super) fn new(body: &'a [u8], options: Options) -> Self {
        Self {
            lexer: Lexer::new(body, false),
            limits: options.limits,
            skip_created: options.skip_created_series,
            places: SeriesPlaces::default(),
            series: NOWHERE,
            value: 0.0,
            timestamp: None,
            start: None,
            exemplar: None,
            exemplar_places: SeriesPlaces::default(),
            family: Cow::Borrowed(""),
            raw_family: NOWHERE,
            metric_type: MetricType::Unknown,
            text: NOWHERE,
            created: Created::default(),
            done: false,
        }
    }

    #[inline]
    pub(super) fn advance(&mut self) -> Result<Option<Entry>, Error> {
        if self.done {
            return Ok(None);
        }
        loop {
            let entry = self.entry();
            self.done = !matches!(entry, Ok(Some(_)));
            if matches!(entry, Ok(Some(Entry::Sample))) && self.skip_created && self.is_created() {
                continue;
            }
            return entry;
        }
    }

    #[inline]
    fn entry(&mut self) -> Result<Option<Entry>, Error> {
        self.lexer.begin_entry();
        self.exemplar = None;
        match self.lexer.begin() {
            Err(_) => Err(self.lexer.fail(NO_EOF)),
            Ok(b'#') => self.comment(),
            Ok(b'{') => {
                self.places.clear();
                self.lexer.one(Token::BraceOpen);
                self.read_labels(false)?;
                self.end_of_series();
                let token = self.value_token();
                self.rest_of_sample(token).map(Some)
            }
            Ok(_) => {
                if self.lexer.metric_name() == Token::Invalid {
                    let expected = "expected a valid start token";
                    return Err(self.lexer.unexpected(expected, Token::Invalid));
                }
                self.places.clear();
                self.places.name = Some(Place { from: self.lexer.entry, to: self.lexer.at });
                self.end_of_series();
                let mut token = self.value_token();
                if token == Token::BraceOpen {
                    self.read_labels(false)?;
                    self.end_of_series();
                    token = self.value_token();
                }
                self.rest_of_sample(token).map(Some)
            }
        }
    }

    #[inline]
    fn end_of_series(&mut self) {
        self.series = Place { from: self.lexer.entry, to: self.lexer.at };
    }

    fn comment(&mut self) -> Result<Option<Entry>, Error> {
        const WORDS: [(&[u8], Token); 4] = [
            (b"# HELP ", Token::Help),
            (b"# TYPE ", Token::Type),
            (b"# UNIT ", Token::Unit),
            (b"# EOF", Token::EofWord),
        ];
        let rest = self.lexer.slice(self.lexer.at, usize::MAX);
        let common = |word: &[u8]| word.iter().zip(rest).take_while(|(a, b)| a == b).count();
        let Some((word, keyword)) = WORDS.iter().find(|(word, _)| common(word) == word.len())
        else {
            self.lexer.at += WORDS.iter().map(|(word, _)| common(word)).max().unwrap_or(0);
            let expected = "expected a valid start token";
            return Err(self.lexer.unexpected(expected, Token::Invalid));
        };
        self.lexer.at += word.len();
        if *keyword != Token::EofWord {
            return self.metadata(*keyword).map(Some);
        }
        if self.lexer.peek() == b'\n' {
            self.lexer.at += 1;
        }
        if self.lexer.is_at_end() {
            Ok(None)
        } else {
            Err(self.lexer.fail("unexpected data after # EOF"))
        }
    }

    fn metadata(&mut self, keyword: Token) -> Result<Entry, Error> {
        let name = match self.lexer.begin() {
            Err(token) => token,
            Ok(b'"') => self.lexer.quoted(NAME, Token::MetricName),
            Ok(_) => self.lexer.metric_name(),
        };
        if name != Token::MetricName {
            let expected = format!("expected metric name after {}", keyword.name());
            return Err(self.lexer.unexpected(&expected, name));
        }
        let (mut from, mut to) = (self.lexer.token, self.lexer.at);
        if self.lexer.slice(from, to).starts_with(b"\"") {
            (from, to) = (from + 1, to - 1);
        }
        self.raw_family = Place { from, to };
        self.family = unescaped(&self.lexer, self.raw_family)?;
        let rest = self.lexer.slice(self.lexer.at, usize::MAX);
        let Some(len) = memchr::memchr(b'\n', rest).filter(|_| rest.starts_with(b" ")) else {
            return Err(self.lexer.fail(format!("expected text in {}", keyword.name())));
        };
        self.text = Place { from: self.lexer.at + 1, to: self.lexer.at + len };
        self.lexer.token = self.lexer.at;
        self.lexer.at += len + 1;
        let text = self.lexer.slice(self.text.from, self.text.to);
        match keyword {
            Token::Help => {
                if std::str::from_utf8(text).is_err() {
                    let text = quote_bytes(text);
                    let message = format!("help text {text} is not a valid utf8 string");
                    return Err(self.lexer.fail(message));
                }
                Ok(Entry::Help)
            }
            Token::Unit => {
                let family = self.lexer.slice(from, to);
                let before = family.strip_suffix(text);
                if !text.is_empty() && !before.is_some_and(|before| before.ends_with(b"_")) {
                    let (unit, family) = (quote_bytes(text), quote_bytes(family));
                    let message = format!("unit {unit} not a suffix of metric {family}");
                    return Err(self.lexer.fail(message));
                }
                Ok(Entry::Unit)
            }
            _ => {
                self.metric_type = match text {
                    b"counter" => MetricType::Counter,
                    b"gauge" => MetricType::Gauge,
                    b"histogram" => MetricType::Histogram,
                    b"gaugehistogram" => MetricType::GaugeHistogram,
                    b"summary" => MetricType::Summary,
                    b"info" => MetricType::Info,
                    b"stateset" => MetricType::StateSet,
                    b"unknown" => MetricType::Unknown,
                    other => {
                        let message = format!("invalid metric type {}", quote_bytes(other));
                        return Err(self.lexer.fail(message));
                    }
                };
                Ok(Entry::Type)
            }
        }
    }

    /// What stands between the braces of a series or of an exemplar, the closing one included.
    #[inline]
    fn read_labels(&mut self, in_exemplar: bool) -> Result<(), Error> {
        let (names, values) = if in_exemplar { (IN_EXEMPLAR, IN_EXEMPLAR) } else { (NAME, VALUE) };
        let mut token = self.lexer.label_token(names);
        loop {
            let (mut from, mut to) = (self.lexer.token, self.lexer.at);
            let quoted = token == Token::Quoted;
            match token {
                Token::BraceClose => return Ok(()),
                Token::Quoted => (from, to) = (from + 1, to - 1),
                Token::LabelName => {}
                other => return Err(self.lexer.unexpected("expected label name", other)),
            }
            token = self.lexer.label_token(names);
            if matches!(token, Token::Comma | Token::BraceClose) {
                if in_exemplar {
                    return Err(self.lexer.unexpected("expected label name", token));
                }
                // A quoted text that is given no value is the metric's name.
                if quoted {
                    if self.places.name.is_some() {
                        return Err(self.lexer.while_parsing("metric name already set"));
                    }
                    self.places.name = Some(Place { from, to });
                    if token == Token::BraceClose {
                        return Ok(());
                    }
                    token = self.lexer.label_token(names);
                    continue;
                }
            }
            if token != Token::Equal {
                return Err(self.lexer.unexpected("expected equal", token));
            }
            let value = self.lexer.label_value(values);
            if value != Token::LabelValue {
                return Err(self.lexer.unexpected("expected label value", value));
            }
            check_utf8(&self.lexer)?;
            let value = Place { from: self.lexer.token + 1, to: self.lexer.at - 1 };
            let places = if in_exemplar { &mut self.exemplar_places } else { &mut self.places };
            if places.labels.len() <= self.limits.labels {
                // One beyond the limit is enough to refuse the series.
                places.labels.push((Place { from, to }, value));
            }
            token = self.lexer.label_token(names);
            if token == Token::Comma {
                token = self.lexer.label_token(names);
            } else if token != Token::BraceClose {
                return Err(self.lexer.unexpected("expected comma or brace close", token));
            }
        }
    }

    /// A space and what stands up to the next one or the end of the line.
    #[inline]
    fn word(&mut self, token: Token) -> Token {
        if self.lexer.peek() != b' ' {
            return Token::Invalid;
        }
        self.lexer.at += 1;
        let from = self.lexer.at;
        while !matches!(self.lexer.peek(), b' ' | b'\n' | 0) {
            self.lexer.at += 1;
        }
        if self.lexer.at == from { Token::Invalid } else { token }
    }

    #[inline]
    fn value_token(&mut self) -> Token {
        match self.lexer.begin() {
            Err(token) => token,
            Ok(b'{') => self.lexer.one(Token::BraceOpen),
            Ok(_) => self.word(Token::Value),
        }
    }

    #[inline]
    fn end_token(&mut self, in_exemplar: bool) -> Token {
        match self.lexer.begin() {
            Err(token) => return token,
            Ok(b'\n') => return self.lexer.one(Token::Linebreak),
            Ok(_) => {}
        }
        let rest = self.lexer.slice(self.lexer.at, usize::MAX);
        if !in_exemplar && rest.starts_with(b" # {") {
            self.lexer.at += 4;
            return Token::Comment;
        }
        if !in_exemplar && rest.starts_with(b" st@") {
            return self.word(Token::StartTimestamp);
        }
        self.word(Token::Timestamp)
    }

    #[inline]
    fn float(&self, token: Token, after: &str, skip: usize) -> Result<f64, Error> {
        if !matches!(token, Token::Value | Token::Timestamp | Token::StartTimestamp) {
            return Err(self.lexer.unexpected(&format!("expected value after {after}"), token));
        }
        let text = self.lexer.token_bytes().get(skip..).unwrap_or(&[]);
        parse_float(text).map_err(|error| self.lexer.while_parsing(&error))
    }

    /// Seconds, as fractions of which OpenMetrics writes its timestamps.
    fn seconds(&self, token: Token, what: &str, skip: usize) -> Result<Millis, Error> {
        let seconds = self.float(token, what, skip)?;
        if !seconds.is_finite() {
            let shown = masthead_model::format_exact(seconds);
            return Err(self.lexer.fail(format!("invalid {what} {shown}")));
        }
        Ok(millis(seconds))
    }

    /// The value, perhaps timestamps and an exemplar, and the end of the line.
    #[inline]
    fn rest_of_sample(&mut self, token: Token) -> Result<Entry, Error> {
        if self.places.name.is_none() {
            return Err(self.lexer.while_parsing("metric name not set"));
        }
        if token == Token::BraceOpen {
            return Err(self.lexer.unexpected("expected value after metric", token));
        }
        self.value = self.float(token, "metric", 1)?;
        (self.timestamp, self.start) = (None, None);
        let mut token = self.end_token(false);
        let mut expected = "expected timestamp or comment";
        if token == Token::Timestamp {
            self.timestamp = Some(self.seconds(token, "timestamp", 1)?);
            expected = "expected next entry after timestamp";
            token = self.end_token(false);
        }
        if token == Token::StartTimestamp {
            self.start = Some(self.seconds(token, "start timestamp", 4)?);
            token = self.end_token(false);
        }
        match token {
            Token::Linebreak => {}
            Token::Comment => self.read_exemplar()?,
            Token::Eof if self.timestamp.is_none() => return Err(self.lexer.fail(NO_EOF)),
            other => return Err(self.lexer.unexpected(expected, other)),
        }
        Ok(Entry::Sample)
    }

    fn read_exemplar(&mut self) -> Result<(), Error> {
        self.exemplar_places.clear();
        self.read_labels(true)?;
        let token = match self.lexer.begin() {
            Err(token) => token,
            Ok(_) => self.word(Token::Value),
        };
        let value = self.float(token, "exemplar labels", 1)?;
        let mut timestamp = None;
        match self.end_token(true) {
            Token::Eof => return Err(self.lexer.fail(NO_EOF)),
            Token::Linebreak => {}
            Token::Timestamp => {
                timestamp = Some(self.seconds(Token::Timestamp, "exemplar timestamp", 1)?);
                let token = self.end_token(true);
                if token != Token::Linebreak {
                    let expected = "expected next entry after exemplar timestamp";
                    return Err(self.lexer.unexpected(expected, token));
                }
            }
            other => {
                return Err(self.lexer.unexpected("expected timestamp or comment", other));
            }
        }
        self.exemplar = Some((value, timestamp));
        Ok(())
    }

    pub(super) fn family(&self) -> &str {
        &self.family
    }

    pub(super) fn metric_type(&self) -> MetricType {
        self.metric_type
    }

    pub(super) fn text(&self) -> Cow<'_, str> {
        let text = std::str::from_utf8(self.lexer.slice(self.text.from, self.text.to));
        unescape(text.unwrap_or(""), true)
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

    pub(super) fn exemplars(&self, out: &mut Vec<Exemplar>) -> usize {
        let Some((value, timestamp)) = self.exemplar else { return 0 };
        let labels = self.exemplar_places.to_labels(&self.lexer, MetricType::Unknown, &self.limits);
        match labels {
            Ok(labels) => {
                out.push(Exemplar { labels, value, timestamp });
                0
            }
            Err(_) => 1,
        }
    }

    /// Whether the sample is a `_created` line of a type that has such.
    fn is_created(&self) -> bool {
        created::has_start(self.metric_type)
            && self
                .places
                .name
                .is_some_and(|name| self.lexer.slice(name.from, name.to).ends_with(b"_created"))
    }
}

/// Cut to whole milliseconds, as upstream does.
fn millis(seconds: f64) -> Millis {
    #[expect(clippy::cast_possible_truncation, reason = "beyond i64 it saturates")]
    Millis((seconds * 1000.0) as i64)
}
