//! `| unpack`: a line that Promtail's `pack` stage wrapped in JSON, as it was before.
//!
//! The strings of the object become labels and `_entry` the line, but only if `_entry` is there
//! and the object can be read to its end.

use super::json::scan::{self, Malformed, Value};
use super::json::{JSON_ERROR, text};
use super::{Keep, Line, Needed, Stage, extract};

const ENTRY: &[u8] = b"_entry";

/// `| unpack`
#[derive(Debug, Clone, Copy, Default)]
pub struct Unpack;

impl Stage for Unpack {
    fn process(&self, line: &mut Line<'_>) -> Keep {
        if line.text().is_empty() || line.needed().is_nothing() || line.has_all_needed() {
            return Keep::Yes;
        }
        if line.text().first() != Some(&b'{') {
            line.set_error(JSON_ERROR, "expecting json object(6), but it is not");
            return Keep::Yes;
        }
        // First the whole object is looked at, because labels are set only if it is good.
        match entry_of(line.text()) {
            Err(malformed) => line.set_error(JSON_ERROR, malformed.text()),
            Ok(false) => {}
            Ok(true) => {
                line.with_text(|line, text, buffer| set_labels(line, text, buffer));
                line.rewrite(|line, out| set_entry(line.text(), out).is_some());
            }
        }
        Keep::Yes
    }

    fn needs(&self, _: &mut Needed) {}
}

/// Whether the object has a readable `_entry`.
fn entry_of(text: &[u8]) -> Result<bool, Malformed> {
    let mut found = false;
    let mut buffer = Vec::new();
    let mut members = scan::Members::open(text)?;
    while let Some((key, rest)) = members.next_key()? {
        let (value, rest) = scan::value(rest)?;
        if key.escaped {
            buffer.clear();
            if !text::unescape(key.raw, &mut buffer) {
                return Err(Malformed::Escape);
            }
        }
        if let (ENTRY, Value::String(entry)) = (key.raw, value) {
            if entry.escaped {
                buffer.clear();
                if !text::unescape(entry.raw, &mut buffer) {
                    return Err(Malformed::Escape);
                }
            }
            found = true;
        }
        members.resume(rest);
    }
    Ok(found)
}

fn set_labels(line: &mut Line<'_>, text: &[u8], buffer: &mut Vec<u8>) {
    let Ok(mut members) = scan::Members::open(text) else { return };
    let mut name = std::mem::take(line.name_buffer());
    while let Ok(Some((key, rest))) = members.next_key() {
        let Ok((value, rest)) = scan::value(rest) else { break };
        members.resume(rest);
        let Value::String(value) = value else { continue };
        if key.raw == ENTRY {
            continue;
        }
        name.clear();
        buffer.clear();
        if key.escaped {
            text::unescape(key.raw, buffer);
            extract::push_name(&mut name, buffer);
        } else {
            extract::push_name(&mut name, key.raw);
        }
        if extract::accept(line, &mut name) {
            buffer.clear();
            text::push_string(&value, buffer);
            line.set(&name, buffer);
        }
    }
    *line.name_buffer() = name;
}

/// Writes the last `_entry` of the object.
fn set_entry(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut members = scan::Members::open(text).ok()?;
    while let Some((key, rest)) = members.next_key().ok()? {
        let (value, rest) = scan::value(rest).ok()?;
        if let (ENTRY, Value::String(entry)) = (key.raw, value) {
            out.clear();
            text::unescape(entry.raw, out).then_some(())?;
        }
        members.resume(rest);
    }
    Some(())
}
