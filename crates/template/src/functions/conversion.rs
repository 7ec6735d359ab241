//! Values of one kind as another. Whatever is no number counts as zero, as in sprig.

use super::Kind::{Any, Text};
use super::{Function, bytes, f};
use crate::value::Value;
use crate::{go, lexer};

#[rustfmt::skip]
pub(super) static FUNCTIONS: &[Function] = &[
    f("int", &[Any], |_, a| Ok(Value::Int(a.first().map_or(0, to_int))), "A value as a whole number."),
    f("float64", &[Any], |_, a| Ok(Value::Float(a.first().map_or(0.0, to_float))), "A value as a number."),
    f("bytes", &[Text], |_, a| {
        #[expect(clippy::cast_precision_loss, reason = "the function returns a float, as Loki's does")]
        let bytes = go::parse_bytes(bytes(a, 0))? as f64;
        Ok(Value::Float(bytes))
    }, "A size such as 5KB in bytes."),
    f("duration", &[Text], |_, a| seconds(a), "A duration such as 1m30s in seconds."),
    f("duration_seconds", &[Text], |_, a| seconds(a), "A duration such as 1m30s in seconds."),
    f("default", &[Any, Any], |_, a| {
        let given = a.get(1).filter(|given| !is_empty(given)).or(a.first());
        Ok(given.cloned().unwrap_or_default())
    }, "The second value, or the first if that is empty.").variadic(),
];

pub(super) fn is_empty(value: &Value<'_>) -> bool {
    match value {
        Value::Time(_) => false,
        other => !other.is_true(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "as in Go's Duration.Seconds")]
fn seconds<'v>(args: &[Value<'v>]) -> Result<Value<'v>, String> {
    let nanos = go::parse_duration(bytes(args, 0))?;
    Ok(Value::Float((nanos / 1_000_000_000) as f64 + (nanos % 1_000_000_000) as f64 / 1e9))
}

pub(super) fn to_int(value: &Value<'_>) -> i64 {
    match value {
        Value::Int(value) | Value::Int64(value) => *value,
        #[expect(clippy::cast_possible_truncation, reason = "that is what converting means here")]
        Value::Float(value) => *value as i64,
        Value::Bool(value) => i64::from(*value),
        Value::Text(text) => std::str::from_utf8(text).map_or(0, int_of_text),
        Value::Nil | Value::Time(_) | Value::List(_) | Value::Map(_) | Value::Object(_) => 0,
    }
}

/// `7`, `0x1F`, `-3` and also `3.00`, whose zeros are cut off.
fn int_of_text(text: &str) -> i64 {
    let whole = match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
        _ => text,
    };
    lexer::number(whole).filter(|number| number.whole).and_then(|number| number.int).unwrap_or(0)
}

pub(super) fn to_float(value: &Value<'_>) -> f64 {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "that is what converting means here")]
        Value::Int(value) | Value::Int64(value) => *value as f64,
        Value::Float(value) => *value,
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::Text(text) => go::parse_float(text).unwrap_or(0.0),
        Value::Nil | Value::Time(_) | Value::List(_) | Value::Map(_) | Value::Object(_) => 0.0,
    }
}
