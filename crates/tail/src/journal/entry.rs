//! One entry of the journal, as `journalctl --output=json` writes it: a line with an object, whose
//! values are texts, lists of bytes for what is no UTF-8, or lists of these for a field that comes
//! several times. Facts: systemd's "Journal Export Formats".

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use serde_json::Value;

/// What syslog's numbers of priority are called.
const PRIORITIES: [&str; 8] =
    ["emerg", "alert", "crit", "error", "warning", "notice", "info", "debug"];

#[derive(Debug)]
pub(crate) struct Entry {
    /// Where it is in the journal.
    pub(crate) cursor: Arc<str>,
    /// In nanoseconds since 1970, if it says so.
    pub(crate) time: Option<i64>,
    /// The fields that are the journal's content.
    fields: BTreeMap<String, Vec<u8>>,
}

impl Entry {
    /// Nothing for what is no entry.
    pub(crate) fn read(line: &[u8]) -> Option<Self> {
        let Value::Object(object) = serde_json::from_slice(line).ok()? else { return None };
        let mut entry = Self { cursor: "".into(), time: None, fields: BTreeMap::new() };
        for (name, value) in object {
            let Some(value) = bytes(&value) else { continue };
            match name.as_str() {
                "__CURSOR" => entry.cursor = String::from_utf8(value).ok()?.into(),
                "__REALTIME_TIMESTAMP" => {
                    let micros: i64 = std::str::from_utf8(&value).ok()?.parse().ok()?;
                    entry.time = micros.checked_mul(1_000);
                }
                // Addresses, not content.
                name if name.starts_with("__") => {}
                _ => drop(entry.fields.insert(name, value)),
            }
        }
        (!entry.cursor.is_empty()).then_some(entry)
    }

    /// The line: the message, if there is one, or all fields as JSON.
    pub(crate) fn line(&self, json: bool) -> Option<Cow<'_, [u8]>> {
        if json {
            let text = |value: &Vec<u8>| String::from_utf8_lossy(value).into_owned();
            let fields: BTreeMap<_, _> =
                self.fields.iter().map(|(name, value)| (name, text(value))).collect();
            return Some(serde_json::to_vec(&fields).unwrap_or_default().into());
        }
        self.fields.get("MESSAGE").map(Into::into)
    }

    /// The labels that relabelling sees: `__journal_` and the field's name in small letters, and the
    /// word for the priority.
    pub(crate) fn labels(&self) -> impl Iterator<Item = (String, Cow<'_, str>)> {
        let word = self.fields.get("PRIORITY").and_then(|value| {
            let number: usize = std::str::from_utf8(value).ok()?.parse().ok()?;
            Some(Cow::Borrowed(*PRIORITIES.get(number)?))
        });
        let word = word.map(|word| ("__journal_priority_keyword".to_owned(), word));
        let label = |(name, value): (&String, &'_ Vec<u8>)| {
            let value = String::from_utf8_lossy(value).into_owned();
            (format!("__journal_{}", name.to_ascii_lowercase()), Cow::Owned(value))
        };
        // The message is the line.
        let fields = self.fields.iter().filter(|(name, _)| *name != "MESSAGE");
        fields.map(label).chain(word)
    }
}

/// A text, a list of bytes, or the first of a list of those.
fn bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.clone().into_bytes()),
        Value::Array(items) => match items.first()? {
            Value::Number(_) => {
                items.iter().map(|byte| u8::try_from(byte.as_u64()?).ok()).collect()
            }
            Value::String(text) => Some(text.clone().into_bytes()),
            Value::Array(_) => bytes(items.first()?),
            Value::Null | Value::Bool(_) | Value::Object(_) => None,
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

/// Reads an entry and throws it away, for the fuzzer.
pub(crate) fn read_for_fuzzing(line: &[u8]) -> bool {
    Entry::read(line).is_some_and(|entry| {
        let len = |json| entry.line(json).map_or(0, |line| line.len());
        entry.labels().count() < usize::MAX && len(true) >= len(false) / 4
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_bytes_and_lists_are_read() {
        let text = br#"{"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"1700000000000001",
            "__MONOTONIC_TIMESTAMP":"5","MESSAGE":[104,105,255],"PRIORITY":"3",
            "_SYSTEMD_UNIT":"a.service","TWICE":["one","two"],"LARGE":null}"#;
        let entry = Entry::read(text).unwrap();
        assert_eq!((&*entry.cursor, entry.time), ("s=1;i=2", Some(1_700_000_000_000_001_000)));
        assert_eq!(entry.line(false).as_deref(), Some(&b"hi\xff"[..]));
        let json = String::from_utf8(entry.line(true).unwrap().into_owned()).unwrap();
        assert!(
            json.starts_with(r#"{"MESSAGE":"hi"#) && json.contains(r#""TWICE":"one""#),
            "{json}"
        );
        let labels: Vec<_> =
            entry.labels().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            labels,
            [
                "__journal_priority=3",
                "__journal_twice=one",
                "__journal__systemd_unit=a.service",
                "__journal_priority_keyword=error",
            ]
        );
    }

    #[test]
    fn an_entry_without_a_message_is_no_line_but_is_json() {
        let entry = Entry::read(br#"{"__CURSOR":"s=1","UNIT":"a"}"#).unwrap();
        assert_eq!(entry.line(false), None);
        assert_eq!(entry.line(true).as_deref(), Some(&br#"{"UNIT":"a"}"#[..]));
        let empty = Entry::read(br#"{"__CURSOR":"s=1","MESSAGE":""}"#).unwrap();
        assert_eq!(empty.line(false).as_deref(), Some(&b""[..]));
    }

    #[test]
    fn what_is_no_entry_is_none() {
        for text in
            ["", "[]", "{}", r#"{"__CURSOR":1}"#, r#"{"__CURSOR":"x","__REALTIME_TIMESTAMP":"y"}"#]
        {
            assert!(Entry::read(text.as_bytes()).is_none(), "{text}");
        }
    }
}
