//! Log records from JSON; what else an `ExportLogsServiceRequest` may hold is passed over.

use super::{Record, protobuf::Logs};
use crate::{
    Error,
    otlp::{
        envelope::Budget,
        json::{any, attributes, skip, text, unsigned},
    },
    scan::Scan,
};

pub(super) fn record<'a>(scan: &mut Scan<'a>, budget: &mut Budget) -> Result<Record<'a>, Error> {
    let mut out = Record::default();
    scan.object("a LogRecord", |scan, key| {
        match key {
            b"timeUnixNano" => out.time = unsigned(scan, "timeUnixNano")?,
            b"observedTimeUnixNano" => out.observed = unsigned(scan, "observedTimeUnixNano")?,
            b"severityNumber" => out.severity_number = severity(scan)?,
            b"severityText" => out.severity_text = text(scan, "severityText")?,
            b"body" => out.body = any(scan, 0, budget)?,
            b"attributes" => {
                attributes::<Logs>(scan, "attributes", &mut out.attributes, budget)?;
            }
            b"droppedAttributesCount" => out.dropped = unsigned(scan, "droppedAttributesCount")?,
            b"flags" => out.flags = unsigned(scan, "flags")?,
            b"traceId" => out.trace_id = id(scan, "traceId")?,
            b"spanId" => out.span_id = id(scan, "spanId")?,
            b"eventName" => out.event_name = text(scan, "eventName")?,
            _ => skip(scan, "a LogRecord")?,
        }
        Ok(())
    })?;
    Ok(out)
}

/// An id of zeros is none.
fn id(scan: &mut Scan<'_>, key: &str) -> Result<String, Error> {
    let id = text(scan, key)?.to_ascii_lowercase();
    Ok(if id.bytes().all(|digit| digit == b'0') { String::new() } else { id })
}

/// A number, or its name in the enumeration such as `SEVERITY_NUMBER_WARN2`.
fn severity(scan: &mut Scan<'_>) -> Result<u64, Error> {
    const NAMES: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
    if scan.peek() != Some(b'"') {
        return unsigned(scan, "severityNumber");
    }
    let name = text(scan, "severityNumber")?;
    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    let name = name.strip_prefix("SEVERITY_NUMBER_").unwrap_or("");
    let number = (0_u64..).zip(NAMES).find_map(|(at, known)| {
        let within = match name.strip_prefix(known)? {
            "" => 1,
            digit => digit.parse().ok().filter(|digit| (2..=4).contains(digit))?,
        };
        Some(at * 4 + within)
    });
    Ok(number.unwrap_or(0))
}
