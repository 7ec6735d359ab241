//! Label sets as text: `{name="value", …}`.
//!
//! Reading follows Prometheus' parser, whose messages with their positions Loki hands on
//! (`promql/parser/lex.go`, `generated_parser.y`); names are the old ones, without dots and UTF-8.

use std::borrow::Cow;

use masthead_model::{is_legacy_label_name, quote, unquote};

use super::Pair;

/// Why the labels of a stream cannot be read, as Loki says it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("couldn't parse labels: 1:{column}: parse error: {what}")]
pub struct LabelTextError {
    column: usize,
    what: String,
}

/// Writes labels as text, in the order given: `{a="b", c="d"}`.
pub fn label_text<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::from("{");
    for (name, value) in labels {
        if out.len() > 1 {
            out.push_str(", ");
        }
        out.push_str(name);
        out.push('=');
        out.push_str(&quote(value));
    }
    out.push('}');
    out
}

/// Checks names that came as JSON. Loki writes them as text and parses that, so a bad name is
/// told by its place in a text that the sender never saw.
pub(super) fn check(mut pairs: Vec<Pair<'_>>) -> Result<Vec<Pair<'_>>, LabelTextError> {
    if pairs.iter().all(|(name, _)| is_legacy_label_name(name)) {
        return Ok(pairs);
    }
    pairs.sort();
    let text = label_text(pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref())));
    parse(&text)?;
    // Only names that are none come here, so the text cannot be right.
    Err(LabelTextError { column: 1, what: "unexpected label name".to_owned() })
}

pub(super) fn parse(text: &str) -> Result<Vec<Pair<'_>>, LabelTextError> {
    let mut reader = Reader { text, at: 0 };
    let mut pairs = Vec::new();
    reader.spaces();
    let name = reader.name(|c| c == ':');
    if !name.is_empty() {
        pairs.push((Cow::Borrowed(masthead_model::METRIC_NAME), Cow::Borrowed(name)));
        reader.spaces();
    }
    if reader.is_at_end() {
        return Ok(pairs);
    }
    if !reader.take('{') {
        return Err(reader.fail(format!("unexpected {}", reader.shown())));
    }
    loop {
        reader.spaces();
        if reader.take('}') {
            break;
        }
        pairs.push(reader.pair()?);
        reader.spaces();
        if !reader.take(',') && !reader.rest().starts_with('}') {
            return Err(reader.unexpected("\",\" or \"}\""));
        }
    }
    reader.spaces();
    if reader.is_at_end() {
        Ok(pairs)
    } else {
        Err(reader.fail(format!("unexpected {}", reader.shown())))
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    fn spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn take(&mut self, c: char) -> bool {
        let found = self.rest().starts_with(c);
        self.at += if found { c.len_utf8() } else { 0 };
        found
    }

    /// A name, empty if none stands here.
    fn name(&mut self, more: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let first = rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || more(c));
        let ends = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || more(c));
        let len = if first { rest.find(ends).unwrap_or(rest.len()) } else { 0 };
        self.at += len;
        rest.get(..len).unwrap_or("")
    }

    fn pair(&mut self) -> Result<Pair<'a>, LabelTextError> {
        let name = self.name(|_| false);
        if name.is_empty() {
            return Err(self.unexpected("identifier or \"}\""));
        }
        self.spaces();
        if !self.take('=') {
            return Err(self.unexpected("\"=\""));
        }
        self.spaces();
        Ok((Cow::Borrowed(name), self.string()?))
    }

    fn string(&mut self) -> Result<Cow<'a, str>, LabelTextError> {
        let rest = self.rest();
        let Some(mark) = rest.chars().next().filter(|c| matches!(c, '"' | '\'' | '`')) else {
            return Err(self.unexpected("string"));
        };
        let bytes = rest.as_bytes();
        let mut end = 1;
        loop {
            match bytes.get(end) {
                None => return Err(self.fail("unterminated quoted string".to_owned())),
                Some(b'\\') if mark != '`' => end += 2,
                Some(byte) if char::from(*byte) == mark => break,
                Some(_) => end += 1,
            }
        }
        let quoted = rest.get(..=end).unwrap_or("");
        let inner = quoted.get(1..end).unwrap_or("");
        let value = if inner.contains(['\\', '\r', '\n']) {
            let text = unquote(quoted)
                .map_err(|_| self.fail(format!("error unquoting string {}", quote(quoted))))?;
            Cow::Owned(text)
        } else {
            Cow::Borrowed(inner)
        };
        self.at += end + 1;
        Ok(value)
    }

    /// What stands where `expected` should.
    fn unexpected(&mut self, expected: &str) -> LabelTextError {
        let rest = self.rest();
        let Some(c) = rest.chars().next() else {
            return self.fail("unexpected end of input inside braces".to_owned());
        };
        let is_word = c.is_ascii_alphabetic() || c == '_';
        if !is_word && !matches!(c, '=' | ',' | '{' | '}' | '"' | '\'' | '`' | '!') {
            return self.fail(format!("unexpected character inside braces: '{c}'"));
        }
        let shown = self.shown();
        self.fail(format!("unexpected {shown} in label set, expected {expected}"))
    }

    /// The token that stands here.
    fn shown(&self) -> String {
        let rest = self.rest();
        let mut ahead = Reader { text: self.text, at: self.at };
        let name = ahead.name(|_| false);
        match rest.chars().next() {
            _ if !name.is_empty() => format!("identifier {}", quote(name)),
            Some('"' | '\'' | '`') => format!("string {rest}"),
            Some(c) => quote(c.encode_utf8(&mut [0; 4])),
            None => "end of input".to_owned(),
        }
    }

    fn fail(&self, what: String) -> LabelTextError {
        let column = self.text.get(..self.at).unwrap_or(self.text).chars().count() + 1;
        LabelTextError { column, what }
    }
}
