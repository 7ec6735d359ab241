//! What expressions find, for a collector; `regex.rs` has what LogQL has too.
//!
//! Facts: sprig's `regex.go`; Go's `Regexp.Split`.

use super::Kind::{Int, Text};
use super::lists::list;
use super::{Call, Function, bytes, f, int, regex, string};
use crate::value::Value;

#[rustfmt::skip]
pub(super) static FUNCTIONS: &[Function] = &[
    f("regexMatch", &[Text, Text], |call, a| regex::is_match(call, &string(a, 0), bytes(a, 1)), "Whether the first text, an expression, matches somewhere in the second."),
    f("regexFind", &[Text, Text], find, "The first match of the first text in the second, or an empty text."),
    f("regexFindAll", &[Text, Text, Int], find_all, "The first n matches of the first text in the second; all if n is negative."),
    f("regexSplit", &[Text, Text, Int], split, "At most n parts of the second text between matches of the first; all if n is negative."),
    f("regexQuoteMeta", &[Text], |_, a| Ok(Value::bytes(quoted(bytes(a, 0)))), "A text as an expression that matches it."),
];

/// How many are asked for.
fn most(args: &[Value<'_>]) -> usize {
    usize::try_from(int(args, 2)).unwrap_or(usize::MAX)
}

fn find<'v>(call: &Call<'_, 'v>, args: &[Value<'v>]) -> Result<Value<'v>, String> {
    let found = regex::ranges(call, &string(args, 0), bytes(args, 1), 1)?.into_iter().next();
    let found = found.and_then(|range| bytes(args, 1).get(range));
    Ok(Value::bytes(found.unwrap_or_default().to_vec()))
}

fn find_all<'v>(call: &Call<'_, 'v>, args: &[Value<'v>]) -> Result<Value<'v>, String> {
    let text = bytes(args, 1);
    let found = regex::ranges(call, &string(args, 0), text, most(args))?;
    list(
        found.into_iter().map(|r| Value::bytes(text.get(r).unwrap_or_default().to_vec())).collect(),
    )
}

fn split<'v>(call: &Call<'_, 'v>, args: &[Value<'v>]) -> Result<Value<'v>, String> {
    let (pattern, text, most) = (string(args, 0), bytes(args, 1), most(args));
    let part =
        |from: usize, to: usize| Value::bytes(text.get(from..to).unwrap_or_default().to_vec());
    if most == 0 {
        return list(Vec::new());
    }
    if !pattern.is_empty() && text.is_empty() {
        return list(vec![Value::text("")]);
    }
    let (mut parts, mut from, mut last) = (Vec::new(), 0, 0);
    for found in regex::ranges(call, &pattern, text, most)? {
        if parts.len() + 1 == most {
            break;
        }
        last = found.start;
        // A match of nothing at the start divides nothing.
        if found.end != 0 {
            parts.push(part(from, last));
        }
        from = found.end;
    }
    if last != text.len() {
        parts.push(part(from, text.len()));
    }
    list(parts)
}

fn quoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        if br"\.+*?()|[]{}^$".contains(byte) {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out
}
