//! Strings: cutting, padding, replacing, asking. Positions count bytes except in `alignLeft` and
//! `alignRight`.

use std::borrow::Cow;

use super::Kind::{Int, Text};
use super::{Function, bytes, f, int, string};
use crate::VALUE_BYTES_MAX;
use crate::value::Value;

#[rustfmt::skip]
pub(super) static FUNCTIONS: &[Function] = &[
    f("ToLower", &[Text], |_, a| Ok(Value::text(string(a, 0).to_lowercase())), "A text in small letters."),
    f("ToUpper", &[Text], |_, a| Ok(Value::text(string(a, 0).to_uppercase())), "A text in capital letters."),
    f("lower", &[Text], |_, a| Ok(Value::text(string(a, 0).to_lowercase())), "A text in small letters."),
    f("upper", &[Text], |_, a| Ok(Value::text(string(a, 0).to_uppercase())), "A text in capital letters."),
    f("title", &[Text], |_, a| Ok(Value::text(title(&string(a, 0)))), "A text with a capital at the start of each word."),
    f("Replace", &[Text, Text, Text, Int], |_, a| replace(bytes(a, 0), bytes(a, 1), bytes(a, 2), usize::try_from(int(a, 3)).ok()), "A text with the first n occurrences of another replaced; all if n is negative."),
    f("replace", &[Text, Text, Text], |_, a| replace(bytes(a, 2), bytes(a, 0), bytes(a, 1), None), "The last text with all occurrences of the first replaced by the second."),
    f("Trim", &[Text, Text], |_, a| Ok(trim(a, 0, 1, true, true)), "A text without the characters of a set at both ends."),
    f("TrimLeft", &[Text, Text], |_, a| Ok(trim(a, 0, 1, true, false)), "A text without the characters of a set at its start."),
    f("TrimRight", &[Text, Text], |_, a| Ok(trim(a, 0, 1, false, true)), "A text without the characters of a set at its end."),
    f("TrimPrefix", &[Text, Text], |_, a| Ok(strip(bytes(a, 0), bytes(a, 1), true)), "A text without another at its start."),
    f("TrimSuffix", &[Text, Text], |_, a| Ok(strip(bytes(a, 0), bytes(a, 1), false)), "A text without another at its end."),
    f("TrimSpace", &[Text], |_, a| Ok(trim_space(a)), "A text without blanks at both ends."),
    f("trim", &[Text], |_, a| Ok(trim_space(a)), "A text without blanks at both ends."),
    f("trimAll", &[Text, Text], |_, a| Ok(trim(a, 1, 0, true, true)), "The second text without the characters of the first at both ends."),
    f("trimPrefix", &[Text, Text], |_, a| Ok(strip(bytes(a, 1), bytes(a, 0), true)), "The second text without the first at its start."),
    f("trimSuffix", &[Text, Text], |_, a| Ok(strip(bytes(a, 1), bytes(a, 0), false)), "The second text without the first at its end."),
    f("trunc", &[Int, Text], |_, a| Ok(truncate(int(a, 0), bytes(a, 1))), "The first n bytes of a text, or the last if n is negative."),
    f("substr", &[Int, Int, Text], |_, a| substring(int(a, 0), int(a, 1), bytes(a, 2)), "The bytes of a text from one place up to another."),
    f("contains", &[Text, Text], |_, a| Ok(Value::Bool(memchr::memmem::find(bytes(a, 1), bytes(a, 0)).is_some())), "Whether the second text holds the first."),
    f("hasPrefix", &[Text, Text], |_, a| Ok(Value::Bool(bytes(a, 1).starts_with(bytes(a, 0)))), "Whether the second text starts with the first."),
    f("hasSuffix", &[Text, Text], |_, a| Ok(Value::Bool(bytes(a, 1).ends_with(bytes(a, 0)))), "Whether the second text ends with the first."),
    f("indent", &[Int, Text], |_, a| indent(a, b""), "A text with n blanks before each line."),
    f("nindent", &[Int, Text], |_, a| indent(a, b"\n"), "A newline, then a text with n blanks before each line."),
    f("repeat", &[Int, Text], |_, a| repeat(int(a, 0), bytes(a, 1)), "A text n times."),
    f("alignLeft", &[Int, Text], |_, a| align(a, true), "A text cut or filled up with blanks behind it to n characters."),
    f("alignRight", &[Int, Text], |_, a| align(a, false), "A text cut or filled up with blanks before it to n characters."),
];

pub(super) fn too_long() -> String {
    format!("result of more than {VALUE_BYTES_MAX} bytes")
}

pub(super) fn title(text: &str) -> String {
    let mut previous = ' ';
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let separated = if previous.is_ascii() {
            !(previous.is_ascii_alphanumeric() || previous == '_')
        } else {
            !previous.is_alphanumeric() && previous.is_whitespace()
        };
        if separated {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
        previous = c;
    }
    out
}

fn replace<'v>(
    text: &[u8],
    old: &[u8],
    new: &[u8],
    times: Option<usize>,
) -> Result<Value<'v>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut left = times.unwrap_or(usize::MAX);
    let mut rest = text;
    if old.is_empty() {
        // The empty text stands before each character and at the end.
        loop {
            if left > 0 {
                out.extend_from_slice(new);
                left -= 1;
            }
            let len = char_len(rest);
            if len == 0 {
                break;
            }
            let (c, after) = rest.split_at(len);
            out.extend_from_slice(c);
            rest = after;
            if out.len() > VALUE_BYTES_MAX {
                return Err(too_long());
            }
        }
        return Ok(Value::bytes(out));
    }
    let finder = memchr::memmem::Finder::new(old);
    while left > 0
        && let Some(at) = finder.find(rest)
    {
        let (before, after) = rest.split_at(at);
        out.extend_from_slice(before);
        out.extend_from_slice(new);
        rest = after.get(old.len()..).unwrap_or_default();
        left -= 1;
        if out.len() > VALUE_BYTES_MAX {
            return Err(too_long());
        }
    }
    out.extend_from_slice(rest);
    Ok(Value::bytes(out))
}

/// Bytes of the first character; one if that is none, nothing at the end.
pub(super) fn char_len(text: &[u8]) -> usize {
    // No character is longer.
    let start = text.get(..4).unwrap_or(text);
    let valid = start.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    valid.chars().next().map_or(1, char::len_utf8).min(text.len())
}

pub(super) fn trim<'v>(
    args: &[Value<'v>],
    text: usize,
    set: usize,
    left: bool,
    right: bool,
) -> Value<'v> {
    let (text, set) = (string(args, text), string(args, set));
    let mut rest: &str = &text;
    if left {
        rest = rest.trim_start_matches(|c| set.contains(c));
    }
    if right {
        rest = rest.trim_end_matches(|c| set.contains(c));
    }
    Value::text(rest.to_owned())
}

fn trim_space<'v>(args: &[Value<'v>]) -> Value<'v> {
    match std::str::from_utf8(bytes(args, 0)) {
        Ok(text) => Value::text(text.trim().to_owned()),
        Err(_) => Value::bytes(bytes(args, 0).trim_ascii().to_vec()),
    }
}

fn strip<'v>(text: &[u8], part: &[u8], start: bool) -> Value<'v> {
    let rest = if start { text.strip_prefix(part) } else { text.strip_suffix(part) };
    Value::bytes(rest.unwrap_or(text).to_vec())
}

fn truncate<'v>(count: i64, text: &[u8]) -> Value<'v> {
    let len = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    let cut = if count < 0 {
        text.len().checked_sub(len).and_then(|from| text.get(from..))
    } else {
        text.get(..len)
    };
    Value::bytes(cut.unwrap_or(text).to_vec())
}

fn substring<'v>(start: i64, end: i64, text: &[u8]) -> Result<Value<'v>, String> {
    let len = text.len();
    let place = |at: i64| usize::try_from(at).ok();
    let part = match (place(start), place(end)) {
        (None, None) => return Err(format!("runtime error: slice bounds out of range [:{end}]")),
        (None, Some(end)) => text.get(..end),
        (Some(start), end) => match end.filter(|end| *end <= len) {
            Some(end) => text.get(start..end),
            None => text.get(start..),
        },
    };
    let part = part.ok_or_else(|| {
        format!("runtime error: slice bounds out of range [{start}:{end}] with length {len}")
    })?;
    Ok(Value::bytes(part.to_vec()))
}

fn indent<'v>(args: &[Value<'v>], before: &[u8]) -> Result<Value<'v>, String> {
    let count = usize::try_from(int(args, 0)).map_err(|_| "strings: negative Repeat count")?;
    let text = bytes(args, 1);
    let lines = memchr::memchr_iter(b'\n', text).count() + 1;
    if count.saturating_mul(lines) > VALUE_BYTES_MAX {
        return Err(too_long());
    }
    let mut out = before.to_vec();
    for (at, line) in text.split(|b| *b == b'\n').enumerate() {
        if at > 0 {
            out.push(b'\n');
        }
        out.extend(std::iter::repeat_n(b' ', count));
        out.extend_from_slice(line);
    }
    Ok(Value::bytes(out))
}

fn repeat<'v>(count: i64, text: &[u8]) -> Result<Value<'v>, String> {
    let count = usize::try_from(count).map_err(|_| "strings: negative Repeat count")?;
    if count.saturating_mul(text.len()) > VALUE_BYTES_MAX {
        return Err(too_long());
    }
    Ok(Value::bytes(text.repeat(count)))
}

fn align<'v>(args: &[Value<'v>], left: bool) -> Result<Value<'v>, String> {
    let text = string(args, 1);
    let Ok(count) = usize::try_from(int(args, 0)) else {
        return Ok(Value::bytes(bytes(args, 1).to_vec()));
    };
    if count > VALUE_BYTES_MAX {
        return Err(too_long());
    }
    let len = text.chars().count();
    let out: Cow<'_, str> = match (len < count, left) {
        (true, true) => format!("{text}{}", " ".repeat(count - len)).into(),
        (true, false) => format!("{}{text}", " ".repeat(count - len)).into(),
        (false, true) => text.chars().take(count).collect(),
        (false, false) => text.chars().skip(len - count).collect(),
    };
    Ok(Value::text(out.into_owned()))
}
