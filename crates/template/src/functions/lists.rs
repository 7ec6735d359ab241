//! Lists and maps: made, taken apart, joined. None has more than [`ITEMS_MAX`] items, those of its
//! items included, or more text than a value may have, or more than [`DEPTH_MAX`] in each other; so
//! whatever walks through one ends.
//!
//! Facts: sprig's `list.go`, `dict.go`, `strings.go`, `defaults.go`.

use std::{collections::BTreeSet, rc::Rc};

use super::Kind::{Any, Int, Text};
use super::choice::shown;
use super::conversion::is_empty;
use super::text::{char_len, too_long};
use super::{Function, bytes, f, int};
use crate::VALUE_BYTES_MAX;
use crate::exec;
use crate::value::Value;

/// A list or map has at most so many items.
pub(super) const ITEMS_MAX: usize = 100_000;
/// So many lists and maps may be in each other.
const DEPTH_MAX: usize = 16;

#[rustfmt::skip]
pub(super) static FUNCTIONS: &[Function] = &[
    f("list", &[Any], |_, a| list(a.to_vec()), "A list of its arguments.").variadic(),
    f("dict", &[Any], |_, a| dict(a), "A map of names and values, which take turns.").variadic(),
    f("splitList", &[Text, Text], |_, a| list(parts(bytes(a, 0), bytes(a, 1), None)?), "The parts of the second text between occurrences of the first."),
    f("split", &[Text, Text], |_, a| numbered(parts(bytes(a, 0), bytes(a, 1), None)?), "The same as a map: `_0`, `_1` and so on."),
    f("splitn", &[Text, Int, Text], |_, a| numbered(parts(bytes(a, 0), bytes(a, 2), usize::try_from(int(a, 1)).ok())?), "The same with at most n parts; all if n is negative."),
    f("toStrings", &[Any], |_, a| list(texts(a.first()).into_iter().map(Value::bytes).collect()), "The items of a list as texts."),
    f("join", &[Text, Any], |_, a| join(bytes(a, 0), a.get(1)), "The items of a list as one text, with another between them."),
    f("first", &[Any], |_, a| Ok(items("first", a)?.first().cloned().unwrap_or_default()), "The first item of a list."),
    f("last", &[Any], |_, a| Ok(items("last", a)?.last().cloned().unwrap_or_default()), "The last item of a list."),
    f("rest", &[Any], |_, a| list(items("rest", a)?.get(1..).unwrap_or_default().to_vec()), "A list without its first item."),
    f("initial", &[Any], |_, a| list(items("initial", a)?.split_last().map(|(_, rest)| rest.to_vec()).unwrap_or_default()), "A list without its last item."),
    f("reverse", &[Any], |_, a| list(items("reverse", a)?.iter().rev().cloned().collect()), "A list the other way round."),
    f("compact", &[Any], |_, a| list(items("compact", a)?.iter().filter(|v| !is_empty(v)).cloned().collect()), "A list without its empty items."),
    f("uniq", &[Any], |_, a| uniq(items("uniq", a)?), "A list with each item once."),
    f("has", &[Any, Any], |_, a| Ok(Value::Bool(items("has", a.get(1..).unwrap_or_default())?.iter().any(|v| a.first().is_some_and(|n| key(n) == key(v))))), "Whether the first value is an item of a list."),
    f("sortAlpha", &[Any], |_, a| sort_alpha(a), "The items of a list as texts, in their order."),
    f("get", &[Any, Text], |_, a| Ok(member(a)?.unwrap_or_else(|| Value::text(""))), "The value of a map under a name, or an empty text."),
    f("hasKey", &[Any, Text], |_, a| Ok(Value::Bool(member(a)?.is_some())), "Whether a map has a name."),
    f("keys", &[Any], |_, a| list(members(a)?.into_iter().map(|(name, _)| Value::bytes(name)).collect()), "The names of a map, in their order."),
    f("values", &[Any], |_, a| list(members(a)?.into_iter().map(|(_, value)| value).collect()), "The values of a map, in the order of their names."),
    f("toJson", &[Any], |_, a| Ok(Value::text(a.first().and_then(|v| json(v).ok()).unwrap_or_default())), "A value as JSON."),
];

/// A list of values, unless that is too large.
pub(super) fn list(values: Vec<Value<'_>>) -> Result<Value<'_>, String> {
    let list = exec::list(values);
    Room::of_a_value().take(&list, DEPTH_MAX)?;
    Ok(list)
}

fn map<'v>(pairs: impl Iterator<Item = (Vec<u8>, Value<'v>)>) -> Result<Value<'v>, String> {
    let map = Value::Map(Rc::new(pairs.collect()));
    Room::of_a_value().take(&map, DEPTH_MAX)?;
    Ok(map)
}

/// What a value may still hold.
struct Room {
    items: usize,
    bytes: usize,
}

impl Room {
    fn of_a_value() -> Self {
        Self { items: ITEMS_MAX, bytes: VALUE_BYTES_MAX }
    }

    /// Also of parts that are shared: they are written as often as they are there.
    fn take(&mut self, value: &Value<'_>, levels: usize) -> Result<(), String> {
        if !matches!(value, Value::List(_) | Value::Map(_)) {
            let text = if let Value::Text(text) = value { text.len() } else { 0 };
            return self.take_bytes(text);
        }
        let Some(levels) = levels.checked_sub(1) else {
            return Err(format!("more than {DEPTH_MAX} lists or maps in each other"));
        };
        match value {
            Value::List(list) => {
                self.take_items(list.len())?;
                list.iter().try_for_each(|item| self.take(item, levels))
            }
            Value::Map(map) => {
                self.take_items(map.len())?;
                map.iter().try_for_each(|(name, value)| {
                    self.take_bytes(name.len())?;
                    self.take(value, levels)
                })
            }
            _ => Ok(()),
        }
    }

    fn take_items(&mut self, items: usize) -> Result<(), String> {
        self.items = self.items.checked_sub(items).ok_or_else(too_many)?;
        Ok(())
    }

    fn take_bytes(&mut self, bytes: usize) -> Result<(), String> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or_else(too_long)?;
        Ok(())
    }
}

pub(super) fn too_many() -> String {
    format!("list of more than {ITEMS_MAX} items")
}

fn dict<'v>(args: &[Value<'v>]) -> Result<Value<'v>, String> {
    map(args.chunks(2).filter_map(|pair| {
        let (name, value) = pair.split_first()?;
        Some((shown(name), value.first().cloned().unwrap_or_else(|| Value::text(""))))
    }))
}

/// The parts of a text, at most so many; Go's `strings.SplitN`.
fn parts(
    separator: &[u8],
    text: &[u8],
    most: Option<usize>,
) -> Result<Vec<Value<'static>>, String> {
    let most = most.unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let mut rest = text;
    while parts.len() < most {
        if parts.len() == ITEMS_MAX {
            return Err(too_many());
        }
        // Nothing stands between all characters.
        let end = if separator.is_empty() {
            let len = char_len(rest);
            if rest.is_empty() && !parts.is_empty() || text.is_empty() {
                return Ok(parts);
            }
            (len < rest.len()).then_some(len)
        } else {
            memchr::memmem::find(rest, separator)
        };
        let end = end.filter(|_| parts.len() + 1 < most);
        let (part, behind) = match end.and_then(|end| rest.split_at_checked(end)) {
            Some((part, behind)) => (part, behind.get(separator.len()..)),
            None => (rest, None),
        };
        parts.push(Value::bytes(part.to_vec()));
        let Some(behind) = behind else { break };
        rest = behind;
    }
    Ok(parts)
}

fn numbered(parts: Vec<Value<'_>>) -> Result<Value<'_>, String> {
    map(parts.into_iter().enumerate().map(|(at, part)| (format!("_{at}").into_bytes(), part)))
}

/// What a list holds; of anything else, itself.
fn texts(value: Option<&Value<'_>>) -> Vec<Vec<u8>> {
    match value {
        None | Some(Value::Nil) => Vec::new(),
        Some(Value::List(list)) => {
            list.iter().filter(|item| !matches!(item, Value::Nil)).map(shown).collect()
        }
        Some(other) => vec![shown(other)],
    }
}

fn join(separator: &[u8], value: Option<&Value<'_>>) -> Result<Value<'static>, String> {
    let texts = texts(value);
    let len: usize = texts.iter().map(Vec::len).sum();
    if len.saturating_add(separator.len().saturating_mul(texts.len())) > VALUE_BYTES_MAX {
        return Err(too_long());
    }
    Ok(Value::bytes(texts.join(separator)))
}

fn sort_alpha<'v>(args: &[Value<'v>]) -> Result<Value<'v>, String> {
    let mut texts = texts(args.first());
    texts.sort_unstable();
    list(texts.into_iter().map(Value::bytes).collect())
}

fn items<'a, 'v>(function: &str, args: &'a [Value<'v>]) -> Result<&'a [Value<'v>], String> {
    match args.first() {
        Some(Value::List(list)) => Ok(list),
        other => {
            let got = other.map_or("<nil>", Value::type_name);
            Err(format!("Cannot find {function} on type {got}"))
        }
    }
}

/// What makes two values the same: Go's `reflect.DeepEqual` tells types apart.
fn key(value: &Value<'_>) -> (&'static str, Vec<u8>) {
    (value.type_name(), shown(value))
}

fn uniq<'v>(items: &[Value<'v>]) -> Result<Value<'v>, String> {
    let mut seen = BTreeSet::new();
    list(items.iter().filter(|item| seen.insert(key(item))).cloned().collect())
}

const NO_MAP: &str = "wrong type for value; expected map[string]interface {}; got ";

fn member<'v>(args: &[Value<'v>]) -> Result<Option<Value<'v>>, String> {
    let name = bytes(args, 1);
    match args.first() {
        Some(Value::Map(map)) => Ok(map.get(name).cloned()),
        Some(Value::Object(object)) => Ok(object.get(name)),
        other => Err(format!("{NO_MAP}{}", other.map_or("<nil>", Value::type_name))),
    }
}

fn members<'v>(args: &[Value<'v>]) -> Result<Vec<(Vec<u8>, Value<'v>)>, String> {
    match args.first() {
        Some(Value::Map(map)) => Ok(map.iter().map(|(k, v)| (k.clone(), v.clone())).collect()),
        Some(Value::Object(object)) => {
            Ok(object.entries().into_iter().map(|(k, v)| (k.into_owned(), v)).collect())
        }
        other => Err(format!("{NO_MAP}{}", other.map_or("<nil>", Value::type_name))),
    }
}

/// As Go writes it, which escapes what HTML would take for its own.
fn json(value: &Value<'_>) -> serde_json::Result<String> {
    let plain = serde_json::to_string(&json_value(value))?;
    let mut out = String::with_capacity(plain.len());
    for c in plain.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            other => out.push(other),
        }
    }
    Ok(out)
}

/// No deeper than values become.
fn json_value(value: &Value<'_>) -> serde_json::Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match value {
        Value::Nil => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) | Value::Int64(value) => (*value).into(),
        #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
        Value::Float(value) if value.fract() == 0.0 && value.abs() < 1e15 => (*value as i64).into(),
        Value::Float(value) => (*value).into(),
        Value::Text(bytes) => text(bytes).into(),
        Value::Time(time) => time.format("2006-01-02T15:04:05.999999999Z07:00").into(),
        Value::List(list) => list.iter().map(json_value).collect(),
        Value::Map(map) => map.iter().map(|(k, v)| (text(k), json_value(v))).collect(),
        Value::Object(object) => {
            object.entries().iter().map(|(k, v)| (text(k), json_value(v))).collect()
        }
    }
}
