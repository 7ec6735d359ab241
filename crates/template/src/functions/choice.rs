//! Values chosen, asked what they are, and turned into others.
//!
//! Facts: sprig's `defaults.go`, `reflect.go`, `numeric.go`, `date.go`.

use masthead_model::GoDuration;

use super::Kind::{Any, Bool, Int, Text};
use super::conversion::{is_empty, to_int};
use super::{Function, bytes, f, int, string};
use crate::print;
use crate::value::Value;

#[rustfmt::skip]
pub(super) static FUNCTIONS: &[Function] = &[
    f("empty", &[Any], |_, a| Ok(Value::Bool(a.first().is_none_or(is_empty))), "Whether a value is nothing, zero, false or has no parts."),
    f("coalesce", &[Any], |_, a| Ok(a.iter().find(|v| !is_empty(v)).cloned().unwrap_or_default()), "The first value that is not empty.").variadic(),
    f("all", &[Any], |_, a| Ok(Value::Bool(!a.iter().any(is_empty))), "Whether no value is empty.").variadic(),
    f("any", &[Any], |_, a| Ok(Value::Bool(!a.iter().all(is_empty))), "Whether some value is not empty.").variadic(),
    f("ternary", &[Any, Any, Bool], |_, a| Ok(ternary(a)), "The first value if the third is true, else the second."),
    f("plural", &[Text, Text, Int], |_, a| Ok(Value::bytes(bytes(a, usize::from(int(a, 2) != 1)).to_vec())), "The first text if the number is 1, else the second."),
    f("toString", &[Any], |_, a| Ok(Value::bytes(a.first().map(shown).unwrap_or_default())), "A value as a text."),
    f("atoi", &[Text], |_, a| Ok(Value::Int(string(a, 0).parse().unwrap_or(0))), "The whole number that a text says, or 0."),
    f("int64", &[Any], |_, a| Ok(Value::Int64(a.first().map_or(0, to_int))), "A value as a whole number of 64 bits."),
    f("add1", &[Any], |_, a| Ok(Value::Int64(a.first().map_or(0, to_int).wrapping_add(1))), "A whole number and 1."),
    f("duration", &[Any], |_, a| Ok(duration(a.first())), "Seconds, as a text or an `int64`, as Go writes a duration: `1m30s`."),
    f("typeOf", &[Any], |_, a| Ok(Value::text(a.first().map_or("<nil>", Value::type_name))), "The type of a value in Go."),
    f("typeIs", &[Text, Any], |_, a| Ok(Value::Bool(a.get(1).is_some_and(|v| v.type_name().as_bytes() == bytes(a, 0)))), "Whether a value has a type."),
    f("kindOf", &[Any], |_, a| Ok(Value::text(a.first().map_or("invalid", kind))), "The kind of a value in Go."),
    f("kindIs", &[Text, Any], |_, a| Ok(Value::Bool(a.get(1).is_some_and(|v| kind(v).as_bytes() == bytes(a, 0)))), "Whether a value has a kind."),
    f("fail", &[Text], |_, a| Err(string(a, 0).into_owned()), "Ends the run with an error."),
];

/// Go's `%v`, but nothing more than the text of a text.
pub(super) fn shown(value: &Value<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    print::plain(value, &mut out);
    out
}

fn ternary<'v>(args: &[Value<'v>]) -> Value<'v> {
    let at = usize::from(!matches!(args.get(2), Some(Value::Bool(true))));
    args.get(at).cloned().unwrap_or_default()
}

fn duration(seconds: Option<&Value<'_>>) -> Value<'static> {
    let seconds = match seconds {
        Some(Value::Int64(seconds)) => *seconds,
        Some(Value::Text(text)) => {
            str::from_utf8(text).ok().and_then(|t| t.parse().ok()).unwrap_or(0)
        }
        _ => 0,
    };
    Value::text(GoDuration(seconds.wrapping_mul(1_000_000_000)).to_string())
}

fn kind(value: &Value<'_>) -> &'static str {
    match value {
        Value::Nil => "invalid",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Int64(_) => "int64",
        Value::Float(_) => "float64",
        Value::Text(_) => "string",
        Value::Time(_) => "struct",
        Value::List(_) => "slice",
        Value::Map(_) | Value::Object(_) => "map",
    }
}
