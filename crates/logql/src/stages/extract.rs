//! What every parser does with a key and a value: clean the name, see whether anybody needs it,
//! and keep the first of several (Loki's `sanitizeLabelKey` and `appendSanitized`).

use super::{DUPLICATE_SUFFIX, Line};

/// Appends `key` to `name` as a label name: every character that cannot stand there becomes `_`,
/// a digit at the very start gets one in front. Blank keys add nothing.
pub(super) fn push_name(name: &mut String, key: &[u8]) {
    if !name.is_empty() || !is_plain(key) {
        return push_cleaned(name, key);
    }
    name.push_str(std::str::from_utf8(key).unwrap_or_default());
}

/// Whether a key is a label name as it stands.
fn is_plain(key: &[u8]) -> bool {
    key.first().is_some_and(|b| !b.is_ascii_digit()) && key.iter().all(|b| is_name_byte(*b))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn push_cleaned(name: &mut String, key: &[u8]) {
    let text = String::from_utf8_lossy(key);
    let text = text.trim();
    if name.is_empty() && text.starts_with(|c: char| c.is_ascii_digit()) {
        name.push('_');
    }
    for c in text.chars() {
        name.push(if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' });
    }
}

/// Whether `name` must be extracted, with the suffix added if the line came with it.
pub(super) fn accept(line: &Line<'_>, name: &mut String) -> bool {
    // A needed `x_extracted` is in the set as `x` too, so this look-up settles most keys.
    if name.is_empty() || !line.needed().wants(name.as_bytes()) {
        return false;
    }
    if line.came_with(name) {
        name.push_str(DUPLICATE_SUFFIX);
        return line.needed().wants(name.as_bytes());
    }
    true
}

/// As [`accept`], and not when an earlier label bears the name: the first one wins.
pub(super) fn accept_first(line: &Line<'_>, name: &mut String) -> bool {
    accept(line, name) && !line.has_parsed(name)
}

/// The text of a value in which everything that is not UTF-8, and U+FFFD itself, became a space.
pub(super) fn push_text(out: &mut Vec<u8>, value: &[u8]) {
    if value.is_ascii() {
        out.extend_from_slice(value);
        return;
    }
    for chunk in value.utf8_chunks() {
        let mut valid = chunk.valid();
        while let Some((before, after)) = valid.split_once(char::REPLACEMENT_CHARACTER) {
            out.extend_from_slice(before.as_bytes());
            out.push(b' ');
            valid = after;
        }
        out.extend_from_slice(valid.as_bytes());
        out.extend(std::iter::repeat_n(b' ', chunk.invalid().len()));
    }
}

/// Whether a name may be given to a label in a query.
pub(super) fn is_label_name(name: &str) -> bool {
    is_plain(name.as_bytes())
}
