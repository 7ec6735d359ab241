//! Strings of JSON without their escapes.

use super::super::extract;
use super::scan::Key;

/// Appends what a string says; nothing if an escape in it is wrong, as in Loki.
pub(in super::super) fn push_string(string: &Key<'_>, out: &mut Vec<u8>) {
    if !string.escaped {
        extract::push_text(out, string.raw);
        return;
    }
    let start = out.len();
    if !unescape(string.raw, out) {
        out.truncate(start);
        return;
    }
    let clean = out.get(start..).is_none_or(|s| {
        s.is_ascii() || std::str::from_utf8(s).is_ok_and(|s| !s.contains('\u{fffd}'))
    });
    if !clean {
        let raw = out.split_off(start);
        extract::push_text(out, &raw);
    }
}

/// Appends `raw` without its escapes; whether all of them were right. Bytes stay as they are.
pub(in super::super) fn unescape(raw: &[u8], out: &mut Vec<u8>) -> bool {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, escape) = rest.split_at(at);
        out.extend_from_slice(before);
        let simple = match escape.get(1) {
            Some(b'"') => b'"',
            Some(b'\\') => b'\\',
            Some(b'/') => b'/',
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                let Some((c, len)) = unicode(escape) else { return false };
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                rest = escape.get(len..).unwrap_or_default();
                continue;
            }
            _ => return false,
        };
        out.push(simple);
        rest = escape.get(2..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    true
}

/// The character of the `\u` that `escape` starts with, and the length of what spells it.
fn unicode(escape: &[u8]) -> Option<(char, usize)> {
    let high = unit(escape)?;
    if let Some(c) = char::from_u32(high) {
        return Some((c, 6));
    }
    // Half of a pair: the other half must follow.
    let low = unit(escape.get(6..)?)?;
    if !(0xd800..0xdc00).contains(&high) || !(0xdc00..0xe000).contains(&low) {
        return None;
    }
    Some((char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))?, 12))
}

fn unit(escape: &[u8]) -> Option<u32> {
    let digits = escape.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
}
