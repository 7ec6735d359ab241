//! Values of attributes and bodies from protobuf, and ids.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::envelope::Budget;
use crate::{Error, proto::Field};

/// Attribute values can hold attribute values; more than this is an attack.
const DEPTH_MAX: usize = 32;

/// An id of zeros is none.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    if bytes.iter().any(|byte| *byte != 0) {
        for byte in bytes {
            // Writing to a String cannot fail.
            write!(out, "{byte:02x}").unwrap_or_default();
        }
    }
    out
}

/// A list (5) or a map (6) as JSON, which is how it becomes a label.
pub(super) fn nested(field: &Field<'_>, depth: usize, budget: &mut Budget) -> Result<Value, Error> {
    if depth > DEPTH_MAX {
        return Err(Error::Content(format!("attribute value nested more than {DEPTH_MAX} deep")));
    }
    let mut fields = field.message("ArrayValue")?;
    let is_list = field.number == 5;
    let (mut list, mut map) = (Vec::new(), Map::new());
    while let Some(field) = fields.next()? {
        if field.number != 1 {
            continue;
        }
        if is_list {
            list.push(json_value(&field, depth, budget)?);
            continue;
        }
        let mut fields = field.message("KeyValue")?;
        let (mut key, mut value) = ("", Value::Null);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => key = field.text()?,
                2 => value = json_value(&field, depth, budget)?,
                _ => {}
            }
        }
        map.insert(key.to_owned(), value);
    }
    Ok(if is_list { Value::Array(list) } else { Value::Object(map) })
}

pub(super) fn json_value(
    field: &Field<'_>,
    depth: usize,
    budget: &mut Budget,
) -> Result<Value, Error> {
    budget.spend(1)?;
    let mut fields = field.message("AnyValue")?;
    let mut value = Value::Null;
    while let Some(field) = fields.next()? {
        value = match field.number {
            1 => field.text()?.into(),
            2 => (field.unsigned()? != 0).into(),
            3 => field.signed()?.into(),
            4 => field.double()?.into(),
            5 | 6 => nested(&field, depth + 1, budget)?,
            7 => base64(field.bytes()?).into(),
            _ => continue,
        };
    }
    Ok(value)
}

/// Standard alphabet with padding (RFC 4648, section 4).
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_usize, |group, byte| group << 8 | usize::from(*byte));
        let group = group << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let index = group >> (18 - 6 * digit) & 63;
            let shown = if digit > chunk.len() {
                b'='
            } else {
                ALPHABET.get(index).copied().unwrap_or(b'=')
            };
            out.push(char::from(shown));
        }
    }
    out
}
