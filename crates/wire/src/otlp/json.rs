//! What metrics and logs have in common in JSON, as `envelope.rs` has it for protobuf.
//!
//! Read as it comes, without a tree of it: a body of brackets must not become memory. Keys are in
//! camel case, 64-bit integers may be strings, ids are hexadecimal, `null` is what is not there,
//! and what is not known is passed over (OTLP specification, "JSON Protobuf Encoding").

use super::{
    envelope::{Budget, Resource, Resources, Scope, Signal},
    message::Text,
    value::{Any, nest},
};
use crate::{Error, go::valid_text, scan::Scan};

/// What a scope or resource says of itself.
#[derive(Debug)]
struct Source<'a, V> {
    name: Text<'a>,
    version: Text<'a>,
    attributes: Vec<(Text<'a>, V)>,
    dropped: u64,
}

pub(super) fn request<'a, S: Signal<'a>>(body: &'a mut [u8]) -> Result<Resources<'a, S>, Error> {
    let ([name, ..], [key, ..]) = (S::MESSAGES, S::KEYS);
    let mut scan = Scan::new(body);
    let mut budget = Budget::default();
    let mut resources = Vec::new();
    scan.object(name, |scan, found| {
        if found != key.as_bytes() {
            return skip(scan, name);
        }
        scan.array(key, |scan| {
            resources.push(resource::<S>(scan, &mut budget)?);
            Ok(())
        })
    })?;
    scan.end(name)?;
    Ok(resources)
}

fn resource<'a, S: Signal<'a>>(
    scan: &mut Scan<'a>,
    budget: &mut Budget,
) -> Result<Resource<'a, S::Value, S::Item>, Error> {
    budget.message()?;
    let ([_, name, _], [_, key, _]) = (S::MESSAGES, S::KEYS);
    let mut out = Resource { attributes: Vec::new(), scopes: Vec::new() };
    scan.object(name, |scan, found| {
        if found == b"resource" {
            out.attributes = source::<S>(scan, budget)?.attributes;
            Ok(())
        } else if found == key.as_bytes() {
            scan.array(key, |scan| {
                out.scopes.push(scope::<S>(scan, budget)?);
                Ok(())
            })
        } else {
            skip(scan, name)
        }
    })?;
    Ok(out)
}

fn scope<'a, S: Signal<'a>>(
    scan: &mut Scan<'a>,
    budget: &mut Budget,
) -> Result<Scope<'a, S::Value, S::Item>, Error> {
    budget.message()?;
    let ([.., name], [.., key]) = (S::MESSAGES, S::KEYS);
    let mut out = Scope::default();
    scan.object(name, |scan, found| {
        if found == b"scope" {
            let Source { name, version, attributes, dropped } = source::<S>(scan, budget)?;
            (out.name, out.version) = (name, version);
            (out.attributes, out.dropped) = (attributes, dropped);
        } else if found == b"schemaUrl" {
            out.schema_url = text(scan, "schemaUrl")?;
        } else if found == key.as_bytes() {
            scan.array(key, |scan| {
                budget.message()?;
                out.items.push(S::item_of_json(scan, budget)?);
                Ok(())
            })?;
        } else {
            skip(scan, name)?;
        }
        Ok(())
    })?;
    Ok(out)
}

fn source<'a, S: Signal<'a>>(
    scan: &mut Scan<'a>,
    budget: &mut Budget,
) -> Result<Source<'a, S::Value>, Error> {
    let (name, version) = (Text::default(), Text::default());
    let mut out = Source { name, version, attributes: Vec::new(), dropped: 0 };
    scan.object("a resource or scope", |scan, key| {
        match key {
            b"name" => out.name = text(scan, "name")?,
            b"version" => out.version = text(scan, "version")?,
            b"attributes" => attributes::<S>(scan, "attributes", &mut out.attributes, budget)?,
            b"droppedAttributesCount" => out.dropped = unsigned(scan, "droppedAttributesCount")?,
            _ => skip(scan, "a resource or scope")?,
        }
        Ok(())
    })?;
    Ok(out)
}

pub(super) fn attributes<'a, S: Signal<'a>>(
    scan: &mut Scan<'a>,
    key: &str,
    out: &mut Vec<(Text<'a>, S::Value)>,
    budget: &mut Budget,
) -> Result<(), Error> {
    scan.array(key, |scan| {
        let (key, value) = pair(scan, 0, budget)?;
        out.push((key, S::value(value)));
        Ok(())
    })
}

fn pair<'a>(
    scan: &mut Scan<'a>,
    depth: usize,
    budget: &mut Budget,
) -> Result<(Text<'a>, Any<'a>), Error> {
    budget.spend(1)?;
    let (mut name, mut value) = (Text::default(), Any::Empty);
    scan.object("a KeyValue", |scan, key| {
        match key {
            b"key" => name = text(scan, "key")?,
            b"value" => value = any(scan, depth, budget)?,
            _ => skip(scan, "a KeyValue")?,
        }
        Ok(())
    })?;
    Ok((name, value))
}

/// An `AnyValue` that whoever reads it has paid for.
pub(super) fn any<'a>(
    scan: &mut Scan<'a>,
    depth: usize,
    budget: &mut Budget,
) -> Result<Any<'a>, Error> {
    let mut value = Any::Empty;
    scan.object("an AnyValue", |scan, key| {
        value = match key {
            b"stringValue" => Any::Text(bytes(scan, "stringValue")?),
            // In base64, which is how it is shown.
            b"bytesValue" => Any::Text(bytes(scan, "bytesValue")?),
            b"boolValue" => Any::Bool(truth(scan, "boolValue")?),
            b"intValue" => Any::Int(signed(scan, "intValue")?),
            b"doubleValue" => Any::Double(double(scan, "doubleValue")?),
            b"arrayValue" => {
                nest(depth + 1, budget)?;
                let mut list = Vec::new();
                values(scan, "arrayValue", |scan| {
                    budget.spend(1)?;
                    list.push(any(scan, depth + 1, budget)?);
                    Ok(())
                })?;
                Any::List(list)
            }
            b"kvlistValue" => {
                nest(depth + 1, budget)?;
                let mut map = Vec::new();
                values(scan, "kvlistValue", |scan| {
                    map.push(pair(scan, depth + 1, budget)?);
                    Ok(())
                })?;
                Any::Map(map)
            }
            _ => return skip(scan, "an AnyValue"),
        };
        Ok(())
    })?;
    Ok(value)
}

/// What a list or map holds.
fn values<'a>(
    scan: &mut Scan<'a>,
    what: &str,
    mut read: impl FnMut(&mut Scan<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    scan.object(what, |scan, key| match key {
        b"values" => scan.array("values", &mut read),
        _ => skip(scan, what),
    })
}

/// Passes over a value that nobody asks for.
pub(super) fn skip(scan: &mut Scan<'_>, what: &str) -> Result<(), Error> {
    scan.raw(what).map(drop)
}

fn bytes<'a>(scan: &mut Scan<'a>, key: &str) -> Result<&'a [u8], Error> {
    if scan.null() { Ok(&[]) } else { scan.string(key) }
}

pub(super) fn text<'a>(scan: &mut Scan<'a>, key: &str) -> Result<Text<'a>, Error> {
    bytes(scan, key).map(valid_text)
}

pub(super) fn truth(scan: &mut Scan<'_>, key: &str) -> Result<bool, Error> {
    match scan.raw(key)? {
        b"true" => Ok(true),
        b"false" | b"null" => Ok(false),
        _ => Err(wrong(key, "true or false")),
    }
}

pub(super) fn unsigned(scan: &mut Scan<'_>, key: &str) -> Result<u64, Error> {
    number(scan, key, "a whole number that is not negative", |text| text.parse().ok())
}

pub(super) fn signed(scan: &mut Scan<'_>, key: &str) -> Result<i64, Error> {
    number(scan, key, "a whole number", |text| text.parse().ok())
}

pub(super) fn signed32(scan: &mut Scan<'_>, key: &str) -> Result<i32, Error> {
    number(scan, key, "a whole number of 32 bits", |text| text.parse().ok())
}

/// Numbers that JSON does not have are strings.
pub(super) fn double(scan: &mut Scan<'_>, key: &str) -> Result<f64, Error> {
    number(scan, key, "a number", masthead_model::parse_number)
}

/// A number as it is or in quotes.
fn number<N: Default>(
    scan: &mut Scan<'_>,
    key: &str,
    expected: &str,
    parse: impl Fn(&str) -> Option<N>,
) -> Result<N, Error> {
    let quoted = scan.peek() == Some(b'"');
    let text = if quoted { scan.string(key)? } else { scan.raw(key)? };
    if !quoted && text == b"null" {
        return Ok(N::default());
    }
    let is_bare = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let text = Some(text).filter(|text| quoted || text.iter().all(is_bare));
    let text = text.and_then(|text| std::str::from_utf8(text).ok());
    text.and_then(parse).ok_or_else(|| wrong(key, expected))
}

fn wrong(key: &str, expected: &str) -> Error {
    Error::Json(format!("{key} must be {expected}"))
}
