//! Words put together otherwise: cases, initials, quotes, what is too long.
//!
//! Facts: sprig's `strings.go`; Masterminds/goutils; huandu/xstrings, whose tests say what becomes of
//! capitals and digits. A character is a character here, also where goutils takes bytes for some.

use masthead_model::quote_bytes;

use super::Kind::{Any, Int, Text};
use super::choice::shown;
use super::text::{too_long, trim};
use super::{Function, bytes, f, int, string};
use crate::VALUE_BYTES_MAX;
use crate::value::Value;

#[rustfmt::skip]
pub(super) static FUNCTIONS: &[Function] = &[
    f("snakecase", &[Text], |_, a| Ok(Value::text(joined(&string(a, 0), '_'))), "A text in small letters, with underlines between words."),
    f("kebabcase", &[Text], |_, a| Ok(Value::text(joined(&string(a, 0), '-'))), "A text in small letters, with hyphens between words."),
    f("camelcase", &[Text], |_, a| Ok(Value::text(camel(&string(a, 0)))), "A text with a capital for each word and nothing between them."),
    f("swapcase", &[Text], |_, a| Ok(Value::text(string(a, 0).chars().flat_map(swapped).collect::<String>())), "A text with small letters for capitals and the other way round."),
    f("untitle", &[Text], |_, a| Ok(Value::text(untitle(&string(a, 0)))), "A text with a small letter at the start of each word."),
    f("nospace", &[Text], |_, a| Ok(Value::text(string(a, 0).replace(char::is_whitespace, ""))), "A text without blanks."),
    f("initials", &[Text], |_, a| Ok(Value::text(string(a, 0).split_whitespace().filter_map(|word| word.chars().next()).collect::<String>())), "The first character of each word."),
    f("abbrev", &[Int, Text], |_, a| Ok(abbreviated(int(a, 0), bytes(a, 1))), "A text of at most n bytes, which ends in `...` if it was longer."),
    f("trimall", &[Text, Text], |_, a| Ok(trim(a, 1, 0, true, true)), "The second text without the characters of the first at both ends."),
    f("quote", &[Any], |_, a| spaced(a, |value| quote_bytes(&shown(value)).into_bytes()), "Values in double quotes, with escapes.").variadic(),
    f("squote", &[Any], |_, a| spaced(a, |value| [b"'", &*shown(value), b"'"].concat()), "Values in single quotes, as they are.").variadic(),
    f("cat", &[Any], |_, a| spaced(a, shown), "Values with blanks between them.").variadic(),
];

/// Each value that is something, as `write` writes it.
fn spaced<'v>(
    values: &[Value<'v>],
    write: impl Fn(&Value<'_>) -> Vec<u8>,
) -> Result<Value<'v>, String> {
    let mut out = Vec::new();
    for (at, value) in values.iter().filter(|value| !matches!(value, Value::Nil)).enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend(write(value));
        if out.len() > VALUE_BYTES_MAX {
            return Err(too_long());
        }
    }
    Ok(Value::bytes(out))
}

fn is_connector(c: char) -> bool {
    matches!(c, '_' | '-' | ' ')
}

/// Words in small letters with `connector` between them, and where another connector was.
fn joined(text: &str, connector: char) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + 8);
    for (at, c) in chars.iter().enumerate() {
        if begins_word(&chars, at) {
            out.push(connector);
        }
        if is_connector(*c) {
            out.push(connector);
        } else {
            out.extend(c.to_lowercase());
        }
    }
    out
}

/// Whether a word begins at a character without a connector before it.
fn begins_word(chars: &[char], at: usize) -> bool {
    let char_at = |at: usize| chars.get(at).copied();
    let capitalised = |at: usize| {
        let next = char_at(at + 1);
        char_at(at).is_some_and(char::is_uppercase) && next.is_some_and(char::is_lowercase)
    };
    let Some((before, c)) = at.checked_sub(1).and_then(char_at).zip(char_at(at)) else {
        return false;
    };
    if c.is_uppercase() {
        // `noHTTPS`, and of `HTTPServer` the second word.
        return before.is_lowercase()
            || (before.is_uppercase() || before.is_numeric()) && capitalised(at);
    }
    if !c.is_numeric() || !before.is_alphabetic() {
        return false;
    }
    // Digits go with the letters behind them (`http_2xx`), unless those are a word of their own
    // (`bld4_floor`) or there are none.
    let digits = chars.get(at..).unwrap_or_default().iter().take_while(|c| c.is_numeric()).count();
    let behind = at + digits;
    char_at(behind).is_some_and(char::is_alphabetic) && !capitalised(behind)
}

/// Of connectors that follow each other all but one stay, and so do those at the ends.
fn camel(text: &str) -> String {
    let first = text.find(|c| c != '_').unwrap_or(text.len());
    let (leading, rest) = text.split_at(first);
    let mut out = leading.to_owned();
    let mut before = None;
    for c in rest.chars() {
        let behind_connector = before.is_some_and(is_connector);
        if is_connector(c) {
            out.extend(behind_connector.then_some(c));
        } else if before.is_none() || behind_connector {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
        before = Some(c);
    }
    out.extend(before.filter(|last| is_connector(*last)));
    out
}

fn swapped(c: char) -> Vec<char> {
    if c.is_uppercase() {
        c.to_lowercase().collect()
    } else if c.is_lowercase() {
        c.to_uppercase().collect()
    } else {
        vec![c]
    }
}

fn untitle(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut begins = true;
    for c in text.chars() {
        if begins {
            out.extend(c.to_lowercase());
        } else {
            out.push(c);
        }
        begins = c.is_whitespace();
    }
    out
}

fn abbreviated(width: i64, text: &[u8]) -> Value<'static> {
    let width = usize::try_from(width).unwrap_or(0);
    match text.get(..width.saturating_sub(3)) {
        Some(start) if width >= 4 && text.len() > width => Value::bytes([start, b"..."].concat()),
        _ => Value::bytes(text.to_vec()),
    }
}
