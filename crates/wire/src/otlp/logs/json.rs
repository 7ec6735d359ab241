//! Log records from JSON; what else an `ExportLogsServiceRequest` may hold is passed over.

use std::borrow::Cow;

use serde_json::Value;

use super::{Attributes, Body, Record, Resource, Scope};
use crate::{
    Error,
    otlp::json::{each, plain, text, unsigned},
};

pub(super) fn request(value: &Value) -> Result<Vec<Resource<'static>>, Error> {
    if !value.is_object() {
        return Err(Error::Json("an ExportLogsServiceRequest must be an object".to_owned()));
    }
    each(value, "resourceLogs", |value| {
        let resource = value.get("resource").unwrap_or(&Value::Null);
        Ok(Resource { attributes: attributes(resource)?, scopes: each(value, "scopeLogs", scope)? })
    })
}

fn scope(value: &Value) -> Result<Scope<'static>, Error> {
    let scope = value.get("scope").unwrap_or(&Value::Null);
    Ok(Scope {
        name: owned(scope, "name")?,
        version: owned(scope, "version")?,
        attributes: attributes(scope)?,
        schema_url: Cow::default(),
        dropped: unsigned(scope, "droppedAttributesCount")?,
        items: each(value, "logRecords", record)?,
    })
}

fn record(value: &Value) -> Result<Record<'static>, Error> {
    let id = |key: &str| {
        let id = text(value, key)?.to_ascii_lowercase();
        Ok::<_, Error>(if id.bytes().all(|digit| digit == b'0') { String::new() } else { id })
    };
    let body = match plain(value.get("body").unwrap_or(&Value::Null))? {
        Value::String(text) => Body::Text(text.into()),
        other => Body::Other(other),
    };
    Ok(Record {
        time: unsigned(value, "timeUnixNano")?,
        observed: unsigned(value, "observedTimeUnixNano")?,
        severity_number: severity(value)?,
        severity_text: owned(value, "severityText")?,
        body,
        attributes: attributes(value)?,
        dropped: unsigned(value, "droppedAttributesCount")?,
        flags: unsigned(value, "flags")?,
        trace_id: id("traceId")?,
        span_id: id("spanId")?,
        event_name: owned(value, "eventName")?,
    })
}

/// A number, or its name in the enumeration such as `SEVERITY_NUMBER_WARN2`.
fn severity(value: &Value) -> Result<u64, Error> {
    const NAMES: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
    let Some(name) = value
        .get("severityNumber")
        .and_then(Value::as_str)
        .and_then(|name| name.strip_prefix("SEVERITY_NUMBER_"))
    else {
        return unsigned(value, "severityNumber");
    };
    let number = (0_u64..).zip(NAMES).find_map(|(at, known)| {
        let within = match name.strip_prefix(known)? {
            "" => 1,
            digit => digit.parse().ok().filter(|digit| (2..=4).contains(digit))?,
        };
        Some(at * 4 + within)
    });
    Ok(number.unwrap_or(0))
}

fn owned(value: &Value, key: &str) -> Result<Cow<'static, str>, Error> {
    text(value, key).map(|text| Cow::Owned(text.into_owned()))
}

fn attributes(value: &Value) -> Result<Attributes<'static>, Error> {
    each(value, "attributes", |pair| {
        let value = plain(pair.get("value").unwrap_or(&Value::Null))?;
        Ok((owned(pair, "key")?, value))
    })
}
