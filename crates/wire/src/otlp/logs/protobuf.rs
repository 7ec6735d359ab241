//! Log records from protobuf; what else an `ExportLogsServiceRequest` may hold is passed over.

use serde_json::Value;

use super::{Attributes, Body, Record, Resource, Scope};
use crate::{
    Error,
    otlp::decode::{Budget, MESSAGE_ITEMS, hexadecimal, json_value},
    proto::{Field, Reader},
};

pub(super) fn request(body: &[u8]) -> Result<Vec<Resource<'_>>, Error> {
    let mut budget = Budget::default();
    let mut fields = Reader::new(body, "ExportLogsServiceRequest");
    let mut resources = Vec::new();
    while let Some(field) = fields.next()? {
        if field.number == 1 {
            resources.push(resource(&field, &mut budget)?);
        }
    }
    Ok(resources)
}

fn resource<'a>(field: &Field<'a>, budget: &mut Budget) -> Result<Resource<'a>, Error> {
    budget.spend(MESSAGE_ITEMS)?;
    let mut fields = field.message("ResourceLogs")?;
    let mut out = Resource::default();
    while let Some(field) = fields.next()? {
        match field.number {
            1 => {
                let mut fields = field.message("Resource")?;
                while let Some(field) = fields.next()? {
                    if field.number == 1 {
                        attribute(&field, &mut out.attributes, budget)?;
                    }
                }
            }
            2 => out.scopes.push(scope(&field, budget)?),
            _ => {}
        }
    }
    Ok(out)
}

fn scope<'a>(field: &Field<'a>, budget: &mut Budget) -> Result<Scope<'a>, Error> {
    budget.spend(MESSAGE_ITEMS)?;
    let mut fields = field.message("ScopeLogs")?;
    let mut out = Scope::default();
    while let Some(field) = fields.next()? {
        match field.number {
            1 => {
                let mut fields = field.message("InstrumentationScope")?;
                while let Some(field) = fields.next()? {
                    match field.number {
                        1 => out.name = field.text()?.into(),
                        2 => out.version = field.text()?.into(),
                        3 => attribute(&field, &mut out.attributes, budget)?,
                        4 => out.dropped = field.unsigned()?,
                        _ => {}
                    }
                }
            }
            2 => out.records.push(record(&field, budget)?),
            _ => {}
        }
    }
    Ok(out)
}

fn record<'a>(field: &Field<'a>, budget: &mut Budget) -> Result<Record<'a>, Error> {
    budget.spend(MESSAGE_ITEMS)?;
    let mut fields = field.message("LogRecord")?;
    let mut out = Record::default();
    while let Some(field) = fields.next()? {
        match field.number {
            1 => out.time = field.fixed64()?,
            2 => out.severity_number = field.unsigned()?,
            3 => out.severity_text = field.text()?.into(),
            5 => out.body = body(&field, budget)?,
            6 => attribute(&field, &mut out.attributes, budget)?,
            7 => out.dropped = field.unsigned()?,
            8 => out.flags = u64::from(field.fixed32()?),
            9 => out.trace_id = hexadecimal(field.bytes()?),
            10 => out.span_id = hexadecimal(field.bytes()?),
            11 => out.observed = field.fixed64()?,
            12 => out.event_name = field.text()?.into(),
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

/// A body that is a text is borrowed.
fn body<'a>(field: &Field<'a>, budget: &mut Budget) -> Result<Body<'a>, Error> {
    let mut fields = field.message("AnyValue")?;
    match fields.next()? {
        Some(field) if field.number == 1 => Ok(Body::Text(field.text()?.into())),
        _ => Ok(Body::Other(json_value(field, 0, budget)?)),
    }
}

fn attribute<'a>(
    field: &Field<'a>,
    out: &mut Attributes<'a>,
    budget: &mut Budget,
) -> Result<(), Error> {
    budget.spend(1)?;
    let mut fields = field.message("KeyValue")?;
    let (mut key, mut value) = ("", Value::Null);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => key = field.text()?,
            2 => value = json_value(&field, 0, budget)?,
            _ => {}
        }
    }
    out.push((key.into(), value));
    Ok(())
}
