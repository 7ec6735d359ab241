//! Values of attributes and bodies: an `AnyValue` as it was sent, and as it is shown.
//!
//! Texts are not copied out of the body, so a value takes little more than its bytes; whoever
//! reads one pays a [`Budget`] for each value and pair. Reading from JSON is in `json.rs`, from
//! protobuf here. How a value is shown is `Value.AsString` of the collector's `pcommon`, which
//! lists and maps go through Go's `encoding/json` in.

use std::{borrow::Cow, fmt::Write as _};

use super::{envelope::Budget, message::Text};
use crate::{Error, go::valid_text, proto::Field};

/// Attribute values can hold attribute values; more than this is an attack.
const DEPTH_MAX: usize = 32;

/// Items that a list or map counts for beside what it holds: room is made for four at once.
const NESTED_ITEMS: usize = 4;

/// A value of any type.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Any<'a> {
    #[default]
    Empty,
    /// Should be UTF-8, which nobody has checked.
    Text(&'a [u8]),
    Bool(bool),
    Int(i64),
    Double(f64),
    Bytes(&'a [u8]),
    List(Vec<Any<'a>>),
    Map(Vec<(Text<'a>, Any<'a>)>),
}

impl<'a> Any<'a> {
    /// Whether its text is empty.
    pub(super) fn is_blank(&self) -> bool {
        matches!(self, Self::Empty | Self::Text([]))
    }

    /// The value as one text.
    pub(super) fn into_text(self) -> Text<'a> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Text(bytes) => valid_text(bytes),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Int(number) => number.to_string().into(),
            Self::Double(number) if number.is_finite() => json_number(number).into(),
            Self::Double(number) => {
                let number = masthead_model::format_exact(number);
                format!("json: unsupported value: {number}").into()
            }
            Self::Bytes(bytes) => base64(bytes).into(),
            Self::List(_) | Self::Map(_) => {
                let mut out = String::new();
                // Go has no text at all for a value with a number that JSON lacks.
                if self.write_json(&mut out) { out.into() } else { Cow::Borrowed("") }
            }
        }
    }

    /// The value as one text; if it is one, byte for byte.
    pub(super) fn into_line(self) -> Cow<'a, [u8]> {
        match self {
            Self::Text(bytes) => Cow::Borrowed(bytes),
            other => match other.into_text() {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            },
        }
    }

    /// Whether all of it can be written.
    fn write_json(&self, out: &mut String) -> bool {
        match self {
            Self::Empty => out.push_str("null"),
            Self::Text(text) => write_json_string(text, out),
            Self::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Self::Int(number) => out.push_str(&number.to_string()),
            Self::Double(number) if number.is_finite() => out.push_str(&json_number(*number)),
            Self::Double(_) => return false,
            Self::Bytes(bytes) => {
                out.push('"');
                out.push_str(&base64(bytes));
                out.push('"');
            }
            Self::List(values) => {
                out.push('[');
                for (at, value) in values.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    if !value.write_json(out) {
                        return false;
                    }
                }
                out.push(']');
            }
            Self::Map(pairs) => {
                // In the order of keys, and of those that come twice the last.
                let mut pairs: Vec<_> = pairs.iter().collect();
                pairs.sort_by(|a, b| a.0.cmp(&b.0));
                let mut pairs = pairs.into_iter().peekable();
                let mut before = '{';
                while let Some((key, value)) = pairs.next() {
                    if pairs.peek().is_some_and(|(next, _)| next == key) {
                        continue;
                    }
                    out.push(before);
                    before = ',';
                    write_json_string(key.as_bytes(), out);
                    out.push(':');
                    if !value.write_json(out) {
                        return false;
                    }
                }
                if before == '{' {
                    out.push('{');
                }
                out.push('}');
            }
        }
        true
    }
}

/// As Go's `json.Marshal` writes a string, fit to stand in HTML.
fn write_json_string(bytes: &[u8], out: &mut String) {
    out.push('"');
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                // Writing to a String cannot fail.
                '\0'..' ' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    write!(out, "\\u{:04x}", u32::from(c)).unwrap_or_default();
                }
                _ => out.push(c),
            }
        }
        for _ in chunk.invalid() {
            out.push_str("\\ufffd");
        }
    }
    out.push('"');
}

/// As Go's `json.Marshal` writes a number.
fn json_number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return value.to_string();
    }
    let scientific = format!("{value:e}");
    // Go writes the plus.
    if size < 1.0 { scientific } else { scientific.replace('e', "e+") }
}

/// Before a list or map is read that stands so deep in others.
pub(super) fn nest(depth: usize, budget: &mut Budget) -> Result<(), Error> {
    if depth > DEPTH_MAX {
        return Err(Error::Content(format!("attribute value nested more than {DEPTH_MAX} deep")));
    }
    budget.spend(NESTED_ITEMS)
}

/// An `AnyValue` that whoever reads it has paid for.
pub(super) fn any<'a>(
    field: &Field<'a>,
    depth: usize,
    budget: &mut Budget,
) -> Result<Any<'a>, Error> {
    let mut fields = field.message("AnyValue")?;
    let mut value = Any::Empty;
    while let Some(field) = fields.next()? {
        value = match field.number {
            1 => Any::Text(field.bytes()?),
            2 => Any::Bool(field.unsigned()? != 0),
            3 => Any::Int(field.signed()?),
            4 => Any::Double(field.double()?),
            5 => {
                nest(depth + 1, budget)?;
                let mut list = Vec::new();
                each(&field, "ArrayValue", |field| {
                    budget.spend(1)?;
                    list.push(any(field, depth + 1, budget)?);
                    Ok(())
                })?;
                Any::List(list)
            }
            6 => {
                nest(depth + 1, budget)?;
                let mut map = Vec::new();
                each(&field, "KeyValueList", |field| {
                    map.push(pair(field, depth + 1, budget)?);
                    Ok(())
                })?;
                Any::Map(map)
            }
            7 => Any::Bytes(field.bytes()?),
            _ => continue,
        };
    }
    Ok(value)
}

/// A `KeyValue`.
pub(super) fn pair<'a>(
    field: &Field<'a>,
    depth: usize,
    budget: &mut Budget,
) -> Result<(Text<'a>, Any<'a>), Error> {
    budget.spend(1)?;
    let mut fields = field.message("KeyValue")?;
    let (mut key, mut value) = (Text::default(), Any::Empty);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => key = field.any_text()?,
            2 => value = any(&field, depth, budget)?,
            _ => {}
        }
    }
    Ok((key, value))
}

/// What a list or map holds is its field 1.
fn each<'a>(
    field: &Field<'a>,
    name: &'static str,
    mut read: impl FnMut(&Field<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut fields = field.message(name)?;
    while let Some(field) = fields.next()? {
        if field.number == 1 {
            read(&field)?;
        }
    }
    Ok(())
}

/// An id of zeros is none.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    if bytes.iter().any(|byte| *byte != 0) {
        for byte in bytes {
            // Writing to a String cannot fail.
            write!(out, "{byte:02x}").unwrap_or_default();
        }
    }
    out
}

/// Standard alphabet with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_usize, |group, byte| group << 8 | usize::from(*byte));
        let group = group << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let index = group >> (18 - 6 * digit) & 63;
            let shown = if digit > chunk.len() {
                b'='
            } else {
                ALPHABET.get(index).copied().unwrap_or(b'=')
            };
            out.push(char::from(shown));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_as_go_shows_them() {
        let f = |value: Any<'_>, want: &str| assert_eq!(value.into_text(), want);
        f(Any::Empty, "");
        f(Any::Text(b"<a&b>\xe2\x82"), "<a&b>\u{fffd}\u{fffd}");
        f(Any::Bool(false), "false");
        f(Any::Int(-7), "-7");
        f(Any::Bytes(b"abcd"), "YWJjZA==");
        let number = |value, want: &str| {
            f(Any::Double(value), want);
            f(Any::List(vec![Any::Double(value)]), &format!("[{want}]"));
        };
        number(2.0, "2");
        number(-0.0, "-0");
        number(0.000_001, "0.000001");
        number(2.5e-7, "2.5e-7");
        number(1e20, "100000000000000000000");
        number(-1.5e21, "-1.5e+21");
        f(Any::Double(f64::NAN), "json: unsupported value: NaN");
        f(Any::Double(f64::INFINITY), "json: unsupported value: +Inf");
        f(Any::List(vec![Any::Int(1), Any::Double(f64::NAN)]), "");
        let text: &[u8] = "<a&b>\"\\/\u{8}\u{c}\n\r\t\u{1}\u{7f}\u{2028}é".as_bytes();
        let map = vec![
            ("z".into(), Any::List(vec![Any::Empty, Any::Bool(true), Any::Text(b"\xff\xfe")])),
            ("b".into(), Any::Int(1)),
            ("b".into(), Any::Bytes(b"ab")),
            ("a".into(), Any::Text(text)),
            ("<".into(), Any::Map(Vec::new())),
        ];
        f(
            Any::Map(map),
            concat!(
                r#"{"\u003c":{},"a":"\u003ca\u0026b\u003e\"\\/\b\f\n\r\t\u0001"#,
                "\u{7f}\\u2028é",
                r#"","b":"YWI=","z":[null,true,"\ufffd\ufffd"]}"#
            ),
        );
    }
}
