//! The functions that every Go template has: comparison, logic, indexing, escaping, printing.

use std::cmp::Ordering;

use crate::print;
use crate::value::Value;

/// Name, least and most arguments; `and` and `or` are run by `exec.rs`.
const BUILTINS: [(&str, usize, usize); 19] = [
    ("and", 1, usize::MAX),
    ("call", 1, usize::MAX),
    ("eq", 1, usize::MAX),
    ("ge", 2, 2),
    ("gt", 2, 2),
    ("html", 0, usize::MAX),
    ("index", 1, usize::MAX),
    ("js", 0, usize::MAX),
    ("le", 2, 2),
    ("len", 1, 1),
    ("lt", 2, 2),
    ("ne", 2, 2),
    ("not", 1, 1),
    ("or", 1, usize::MAX),
    ("print", 0, usize::MAX),
    ("printf", 1, usize::MAX),
    ("println", 0, usize::MAX),
    ("slice", 1, 4),
    ("urlquery", 0, usize::MAX),
];

pub(crate) fn is_builtin(name: &str) -> bool {
    BUILTINS.iter().any(|(known, _, _)| *known == name)
}

/// Whether a function takes so many arguments; if not, what it wants.
pub(crate) fn arity(name: &str, count: usize) -> Result<(), String> {
    let Some((_, least, most)) = BUILTINS.iter().find(|(known, _, _)| *known == name) else {
        return Ok(());
    };
    if count < *least && *most == usize::MAX {
        return Err(format!("want at least {least} got {count}"));
    }
    if count < *least || count > *most {
        return Err(format!("want {least} got {count}"));
    }
    Ok(())
}

pub(crate) fn call<'v>(name: &str, args: &[Value<'v>]) -> Result<Value<'v>, String> {
    let (first, rest) = match args.split_first() {
        Some((first, rest)) => (first, rest),
        None => (&Value::Nil, args),
    };
    Ok(match name {
        "print" => Value::bytes(print::print(args)),
        "println" => Value::bytes(print::println(args)),
        "printf" => match first {
            Value::Text(format) => Value::bytes(print::printf(format, rest)),
            other => {
                return Err(format!(
                    "wrong type for value; expected string; got {}",
                    other.type_name()
                ));
            }
        },
        "html" => Value::bytes(escape(&joined(args), html)),
        "js" => Value::bytes(escape(&joined(args), js)),
        "urlquery" => Value::bytes(crate::functions::url::encode(&joined(args))),
        "len" => Value::Int(len(first)?),
        "not" => Value::Bool(!first.is_true()),
        "index" => index(first, rest)?,
        "slice" => slice(first, rest)?,
        "eq" => {
            if rest.is_empty() {
                return Err("missing argument for comparison".to_owned());
            }
            let mut found = false;
            for other in rest {
                found |= equal(first, other)?;
            }
            Value::Bool(found)
        }
        "ne" => Value::Bool(!equal(first, rest.first().unwrap_or(&Value::Nil))?),
        "lt" | "le" | "gt" | "ge" => {
            let order = compare(first, rest.first().unwrap_or(&Value::Nil))?;
            Value::Bool(match name {
                "lt" => order == Some(Ordering::Less),
                "le" => order.is_some_and(Ordering::is_le),
                // Go has `gt` as "not le", so that NaN is greater than anything.
                "gt" => !order.is_some_and(Ordering::is_le),
                _ => order != Some(Ordering::Less),
            })
        }
        _ => return Err(format!("{} is not a function", masthead_model::quote(name))),
    })
}

fn joined(args: &[Value<'_>]) -> Vec<u8> {
    match args {
        [Value::Text(text)] => text.to_vec(),
        _ => print::print(args),
    }
}

fn escape(text: &[u8], of: impl Fn(u8) -> Option<&'static str>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match of(*byte) {
            Some(escape) => out.extend_from_slice(escape.as_bytes()),
            None => out.push(*byte),
        }
    }
    out
}

fn html(byte: u8) -> Option<&'static str> {
    Some(match byte {
        b'"' => "&#34;",
        b'\'' => "&#39;",
        b'&' => "&amp;",
        b'<' => "&lt;",
        b'>' => "&gt;",
        0 => "\u{fffd}",
        _ => return None,
    })
}

fn js(byte: u8) -> Option<&'static str> {
    Some(match byte {
        b'\\' => "\\\\",
        b'\'' => "\\'",
        b'"' => "\\\"",
        b'<' => "\\u003C",
        b'>' => "\\u003E",
        b'&' => "\\u0026",
        b'=' => "\\u003D",
        b'\n' => "\\u000A",
        b'\r' => "\\u000D",
        b'\t' => "\\u0009",
        _ => return None,
    })
}

fn len(value: &Value<'_>) -> Result<i64, String> {
    let len = match value {
        Value::Text(text) => text.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        Value::Object(object) => object.entries().len(),
        Value::Nil => return Err("len of nil pointer".to_owned()),
        other => return Err(format!("len of type {}", other.type_name())),
    };
    Ok(i64::try_from(len).unwrap_or(i64::MAX))
}

fn index<'v>(value: &Value<'v>, keys: &[Value<'v>]) -> Result<Value<'v>, String> {
    let mut value = value.clone();
    for key in keys {
        value = match (&value, key) {
            (Value::Nil, _) => return Err("index of untyped nil".to_owned()),
            (Value::List(list), Value::Int(at) | Value::Int64(at)) => {
                let item = usize::try_from(*at).ok().and_then(|at| list.get(at));
                item.cloned()
                    .ok_or_else(|| format!("error calling index: index out of range: {at}"))?
            }
            (Value::Text(text), Value::Int(at) | Value::Int64(at)) => {
                let byte = usize::try_from(*at).ok().and_then(|at| text.get(at));
                Value::Int((*byte.ok_or_else(|| format!("index out of range: {at}"))?).into())
            }
            (Value::Map(map), Value::Text(key)) => map.get(&**key).cloned().unwrap_or_default(),
            (Value::Object(object), Value::Text(key)) => {
                object.get(key).unwrap_or_else(|| object.zero())
            }
            (Value::Map(_) | Value::Object(_), key) => {
                return Err(format!("value has type {}; should be string", key.type_name()));
            }
            (Value::List(_) | Value::Text(_), key) => {
                return Err(format!("cannot index slice/array with type {}", key.type_name()));
            }
            (other, _) => return Err(format!("can't index item of type {}", other.type_name())),
        };
    }
    Ok(value)
}

fn slice<'v>(value: &Value<'v>, bounds: &[Value<'v>]) -> Result<Value<'v>, String> {
    let len = match value {
        Value::Text(text) => text.len(),
        Value::List(list) => list.len(),
        Value::Nil => return Err("slice of untyped nil".to_owned()),
        other => return Err(format!("can't slice item of type {}", other.type_name())),
    };
    let mut range = [0, len];
    if bounds.len() > 2 {
        return Err("cannot 3-index slice a string".to_owned());
    }
    for (bound, value) in range.iter_mut().zip(bounds) {
        let at = match value {
            Value::Int(at) | Value::Int64(at) => *at,
            other => {
                let what = other.type_name();
                return Err(format!("cannot index slice/array with type {what}"));
            }
        };
        let inside = usize::try_from(at).ok().filter(|at| *at <= len);
        *bound = inside.ok_or_else(|| format!("index out of range: {at}"))?;
    }
    let [from, to] = range;
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}"));
    }
    Ok(match value {
        Value::Text(text) => Value::bytes(text.get(from..to).unwrap_or_default().to_vec()),
        Value::List(list) => Value::List(list.get(from..to).unwrap_or_default().into()),
        _ => Value::Nil,
    })
}

const INCOMPATIBLE: &str = "incompatible types for comparison";
const NOT_COMPARABLE: &str = "invalid type for comparison";

fn equal(a: &Value<'_>, b: &Value<'_>) -> Result<bool, String> {
    Ok(match (a, b) {
        (Value::Nil, Value::Nil) => true,
        (Value::Nil, _) | (_, Value::Nil) => false,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a) | Value::Int64(a), Value::Int(b) | Value::Int64(b)) => a == b,
        #[expect(clippy::float_cmp, reason = "Go compares floats for equality here")]
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::Time(a), Value::Time(b)) => a == b,
        (Value::List(_) | Value::Map(_) | Value::Object(_), _)
        | (_, Value::List(_) | Value::Map(_) | Value::Object(_)) => {
            return Err(format!("non-comparable type {}", a.type_name()));
        }
        _ => return Err(INCOMPATIBLE.to_owned()),
    })
}

fn compare(a: &Value<'_>, b: &Value<'_>) -> Result<Option<Ordering>, String> {
    Ok(match (a, b) {
        (Value::Int(a) | Value::Int64(a), Value::Int(b) | Value::Int64(b)) => Some(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (
            Value::Int(_) | Value::Int64(_) | Value::Float(_) | Value::Text(_),
            Value::Int(_) | Value::Int64(_) | Value::Float(_) | Value::Text(_),
        ) => return Err(INCOMPATIBLE.to_owned()),
        _ => return Err(NOT_COMPARABLE.to_owned()),
    })
}
