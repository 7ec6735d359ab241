//! `detected_level`: how severe a line is, found when it is pushed.
//!
//! The label of the stream decides, else structured metadata, else an OpenTelemetry severity
//! number, else the line: a field of JSON, a key of logfmt, and at last the earliest word that is
//! a level. Levels get one spelling. An unknown level in a label or in metadata is kept as it is,
//! one in a line counts as none (Loki's `pkg/distributor/field_detection.go`).

use std::borrow::Cow;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use masthead_model::Labels;

use super::json::scan::{self, Value};
use super::logfmt::decode::Decoder;

/// The metadata that holds the level.
pub const LEVEL_LABEL: &str = "detected_level";
/// What it is when nothing tells.
pub const UNKNOWN: &str = "unknown";

/// Where a level is looked for, the first that is there; in a line's logfmt in any case.
const NAMES: [&str; 14] = [
    "level",
    "LEVEL",
    "Level",
    "log.level",
    "severity",
    "SEVERITY",
    "Severity",
    "SeverityText",
    "lvl",
    "LVL",
    "Lvl",
    "severity_text",
    "Severity_Text",
    "SEVERITY_TEXT",
];
const SEVERITY_NUMBER: &str = "severity_number";
/// Objects in a line are searched this deep.
const JSON_DEPTH: usize = 2;

/// The level of a line: borrowed when it is one of Loki's or stands in the labels.
pub fn detect<'l>(stream: &'l Labels, metadata: &'l Labels, line: &[u8]) -> Cow<'l, str> {
    if let Some(given) = metadata.get(LEVEL_LABEL) {
        return normalised(given);
    }
    let named = |labels: &'l Labels| NAMES.iter().find_map(|name| labels.get(name));
    if let Some(level) = named(stream).or_else(|| named(metadata)) {
        return normalised(level);
    }
    Cow::Borrowed(match metadata.get(SEVERITY_NUMBER) {
        Some(number) => of_severity(number),
        None => in_line(line),
    })
}

fn normalised(level: &str) -> Cow<'_, str> {
    Cow::Borrowed(known(level.as_bytes()).unwrap_or(level))
}

/// The usual spelling of a level.
fn known(level: &[u8]) -> Option<&'static str> {
    let spellings: [(&str, &[&str]); 7] = [
        ("info", &["info", "inf", "information"]),
        ("error", &["error", "err"]),
        ("warn", &["warn", "warning", "wrn"]),
        ("debug", &["debug", "dbg"]),
        ("trace", &["trace", "trc"]),
        ("critical", &["critical"]),
        ("fatal", &["fatal"]),
    ];
    if level.is_empty() {
        return None;
    }
    let is = |spelling: &&str| level.eq_ignore_ascii_case(spelling.as_bytes());
    spellings.iter().find(|(_, all)| all.iter().any(is)).map(|(level, _)| *level)
}

/// OpenTelemetry counts four steps a level, from 1 for trace.
fn of_severity(number: &str) -> &'static str {
    match number.parse::<i64>() {
        Ok(0) => UNKNOWN,
        Ok(..=4) => "trace",
        Ok(5..=8) => "debug",
        Err(_) | Ok(9..=12) => "info",
        Ok(13..=16) => "warn",
        Ok(17..=20) => "error",
        Ok(21..=24) => "fatal",
        Ok(_) => UNKNOWN,
    }
}

/// The level that a line alone tells.
pub fn in_line(line: &[u8]) -> &'static str {
    let trimmed = line.trim_ascii();
    let field = if trimmed.first() == Some(&b'{') && trimmed.last() == Some(&b'}') {
        in_json(trimmed, JSON_DEPTH).ok().flatten()
    } else if memchr::memchr(b'=', line).is_some() {
        in_logfmt(line)
    } else {
        None
    };
    field.or_else(|| in_words(line)).unwrap_or(UNKNOWN)
}

/// The level in the first string of an object that bears one of the names; the outer `Option` of
/// a found but unknown level is flattened away, because both go on with the words.
fn in_json(text: &[u8], depth: usize) -> Result<Option<&'static str>, Broken> {
    let mut members = scan::Members::open(text).map_err(|_| Broken)?;
    while let Some((key, rest)) = members.next_key().map_err(|_| Broken)? {
        let (value, rest) = scan::value(rest).map_err(|_| Broken)?;
        match value {
            Value::String(value) if NAMES.iter().any(|name| name.as_bytes() == key.raw) => {
                return known(value.raw).map(Some).ok_or(Broken);
            }
            Value::Object(inside) if depth > 1 => {
                if let Some(level) = in_json(inside, depth - 1)? {
                    return Ok(Some(level));
                }
            }
            _ => {}
        }
        members.resume(rest);
    }
    Ok(None)
}

/// The search ends here without a level.
struct Broken;

fn in_logfmt(line: &[u8]) -> Option<&'static str> {
    let (mut best, mut found) = (NAMES.len(), None);
    let mut buffer = Vec::new();
    let mut decoder = Decoder::new(line);
    while let Ok(Some(pair)) = decoder.next(&mut buffer) {
        let key = pair.key;
        let Some(rank) = NAMES.iter().position(|n| key.eq_ignore_ascii_case(n.as_bytes())) else {
            continue;
        };
        if rank < best {
            found = known(pair.value(&buffer));
            best = rank;
        }
        if best == 0 {
            break;
        }
    }
    found
}

/// Words that are levels, longer ones before those that they start with.
const WORDS: [(&str, &str); 9] = [
    ("trace", "trace"),
    ("debug", "debug"),
    ("fatal", "fatal"),
    ("critical", "critical"),
    ("error", "error"),
    ("err", "error"),
    ("warning", "warn"),
    ("warn", "warn"),
    ("info", "info"),
];

static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostLongest)
        .build(WORDS.map(|(word, _)| word))
        .ok()
});

/// The earliest word of a line that is a level.
fn in_words(line: &[u8]) -> Option<&'static str> {
    let search = SEARCH.as_ref()?;
    let opens = |byte: u8| b" \t\r\n[({\"'=|".contains(&byte);
    let closes = |byte: u8| opens(byte) || b"])}:,!".contains(&byte);
    let mut at = 0;
    while let Some(found) = search.find(line.get(at..)?) {
        let (start, end) = (at + found.start(), at + found.end());
        let before = start.checked_sub(1).and_then(|at| line.get(at));
        if before.is_none_or(|b| opens(*b)) && line.get(end).is_none_or(|b| closes(*b)) {
            return WORDS.get(found.pattern().as_usize()).map(|(_, level)| *level);
        }
        at = start + 1;
    }
    None
}

#[cfg(test)]
mod tests;
