//! Log records from protobuf; what else an `ExportLogsServiceRequest` may hold is passed over.

use super::{Record, Resource, json};
use crate::{
    Error,
    otlp::{
        envelope::{Budget, Signal, attribute, request as read_request},
        value::{Any, any, hexadecimal},
    },
    proto::Field,
    scan::Scan,
};

/// Reads records; the values of attributes keep their types.
pub(super) struct Logs;

impl<'a> Signal<'a> for Logs {
    type Value = Any<'a>;
    type Item = Record<'a>;
    const MESSAGES: [&'static str; 3] = ["ExportLogsServiceRequest", "ResourceLogs", "ScopeLogs"];
    const KEYS: [&'static str; 3] = ["resourceLogs", "scopeLogs", "logRecords"];

    fn value(value: Any<'a>) -> Any<'a> {
        value
    }

    fn item(field: &Field<'a>, budget: &mut Budget) -> Result<Record<'a>, Error> {
        record(field, budget)
    }

    fn item_of_json(scan: &mut Scan<'a>, budget: &mut Budget) -> Result<Record<'a>, Error> {
        json::record(scan, budget)
    }
}

pub(super) fn request(body: &[u8]) -> Result<Vec<Resource<'_>>, Error> {
    read_request::<Logs>(body)
}

fn record<'a>(field: &Field<'a>, budget: &mut Budget) -> Result<Record<'a>, Error> {
    let mut fields = field.message("LogRecord")?;
    let mut out = Record::default();
    while let Some(field) = fields.next()? {
        match field.number {
            1 => out.time = field.fixed64()?,
            2 => out.severity_number = field.unsigned()?,
            3 => out.severity_text = field.any_text()?,
            5 => out.body = any(&field, 0, budget)?,
            6 => out.attributes.push(attribute::<Logs>(&field, budget)?),
            7 => out.dropped = field.unsigned()?,
            8 => out.flags = u64::from(field.fixed32()?),
            9 => out.trace_id = hexadecimal(field.bytes()?),
            10 => out.span_id = hexadecimal(field.bytes()?),
            11 => out.observed = field.fixed64()?,
            12 => out.event_name = field.any_text()?,
            _ => {}
        }
    }
    // An id of zeros is none.
    for id in [&mut out.trace_id, &mut out.span_id] {
        if id.bytes().all(|digit| digit == b'0') {
            id.clear();
        }
    }
    Ok(out)
}
