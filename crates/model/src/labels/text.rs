//! The text form of a label set: `name{label="value", "any utf-8"="value"}`.
//!
//! Printing follows Prometheus' `model/labels`: the metric's name is one more label, names that
//! older clients would refuse stand in quotes. Parsing accepts also what people write: a name in
//! front of the braces or quoted alone inside them, spaces, a trailing comma.

use std::{fmt, str::FromStr};

use super::{Labels, LabelsBuilder, LabelsError, METRIC_NAME};
use crate::quote::{push_escaped, unquote};

/// Whether `name` is a label name that Prometheus 2 accepts: `[a-zA-Z_][a-zA-Z0-9_]*`.
pub fn is_legacy_label_name(name: &str) -> bool {
    is_legacy(name, false)
}

/// Whether `name` is a metric name that Prometheus 2 accepts: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
pub fn is_legacy_metric_name(name: &str) -> bool {
    is_legacy(name, true)
}

fn is_legacy(name: &str, colons: bool) -> bool {
    name.starts_with(|c: char| !c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || (colons && c == ':'))
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::with_capacity(self.byte_len() + 16);
        out.push('{');
        for (at, label) in self.iter().enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            if is_legacy_label_name(label.name) {
                out.push_str(label.name);
            } else {
                push_quoted(&mut out, label.name);
            }
            out.push('=');
            push_quoted(&mut out, label.value);
        }
        out.push('}');
        f.write_str(&out)
    }
}

fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    text.chars().for_each(|c| push_escaped(out, c));
    out.push('"');
}

impl FromStr for Labels {
    type Err = LabelsError;

    fn from_str(text: &str) -> Result<Self, LabelsError> {
        let mut reader = Reader { text, at: 0 };
        let mut builder = LabelsBuilder::default();
        reader.skip_spaces();
        let name = reader.take_while(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
        if !name.is_empty() {
            if !is_legacy_metric_name(name) {
                return Err(LabelsError::Syntax { offset: 0, expected: "a metric name" });
            }
            builder.set(METRIC_NAME, name);
            reader.skip_spaces();
            if reader.rest().is_empty() {
                return Ok(builder.build());
            }
        }
        reader.expect('{', "`{`")?;
        loop {
            reader.skip_spaces();
            if reader.take('}') {
                break;
            }
            reader.pair(&mut builder)?;
            reader.skip_spaces();
            if !reader.take(',') {
                reader.expect('}', "`,` or `}`")?;
                break;
            }
        }
        reader.skip_spaces();
        if reader.rest().is_empty() { Ok(builder.build()) } else { Err(reader.fail("the end")) }
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

    fn fail(&self, expected: &'static str) -> LabelsError {
        LabelsError::Syntax { offset: self.at, expected }
    }

    fn skip_spaces(&mut self) {
        self.take_while(|c| c.is_ascii_whitespace());
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let len = rest.find(|c| !accept(c)).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or("")
    }

    fn take(&mut self, c: char) -> bool {
        let found = self.rest().starts_with(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    fn expect(&mut self, c: char, expected: &'static str) -> Result<(), LabelsError> {
        if self.take(c) { Ok(()) } else { Err(self.fail(expected)) }
    }

    /// `name="value"`, or a quoted metric name alone.
    fn pair(&mut self, builder: &mut LabelsBuilder) -> Result<(), LabelsError> {
        let quoted_name = self.rest().starts_with(['"', '\'', '`']);
        let name = if quoted_name {
            self.quoted("a label name")?
        } else {
            let start = self.at;
            let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
            if !is_legacy_label_name(name) {
                return Err(LabelsError::Syntax { offset: start, expected: "a label name" });
            }
            name.to_owned()
        };
        self.skip_spaces();
        let (name, value) = if self.take('=') {
            self.skip_spaces();
            (name, self.quoted("a quoted value")?)
        } else if quoted_name {
            (METRIC_NAME.to_owned(), name)
        } else {
            return Err(self.fail("`=`"));
        };
        if builder.get(&name).is_some() {
            return Err(LabelsError::Duplicate { name });
        }
        builder.set(&name, &value);
        Ok(())
    }

    fn quoted(&mut self, expected: &'static str) -> Result<String, LabelsError> {
        let rest = self.rest();
        let mark = rest.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
        let mark = mark.ok_or_else(|| self.fail(expected))?;
        let mut escaped = false;
        let end = rest.char_indices().skip(1).find(|&(_, c)| {
            let closes = c == mark && !escaped;
            escaped = c == '\\' && mark != '`' && !escaped;
            closes
        });
        let text = end.and_then(|(end, _)| rest.get(..=end)).ok_or_else(|| self.fail(expected))?;
        let value = unquote(text).map_err(|_| self.fail(expected))?;
        self.at += text.len();
        Ok(value)
    }
}
