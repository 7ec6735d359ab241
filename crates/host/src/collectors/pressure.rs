//! `/proc/pressure`: time that tasks lost waiting for a resource.

use super::{Context, MICROS};
use crate::{Error, Families, files::number};

/// Resource, line, metric. Older kernels lack `irq`, and `full` of `cpu` means nothing.
const STALLS: &[(&str, &str, &str)] = &[
    ("cpu", "some", "node_pressure_cpu_waiting_seconds_total"),
    ("io", "some", "node_pressure_io_waiting_seconds_total"),
    ("io", "full", "node_pressure_io_stalled_seconds_total"),
    ("memory", "some", "node_pressure_memory_waiting_seconds_total"),
    ("memory", "full", "node_pressure_memory_stalled_seconds_total"),
    ("irq", "full", "node_pressure_irq_stalled_seconds_total"),
];

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    for (resource, kind, name) in STALLS {
        let path = format!("proc/pressure/{resource}");
        let text = match context.files.read(&path) {
            Ok(text) => text,
            Err(_) if *resource == "irq" => continue,
            Err(error) => return Err(error),
        };
        let micros = text
            .lines()
            .find(|line| line.split_ascii_whitespace().next() == Some(kind))
            .and_then(|line| line.rsplit_once("total=").and_then(|(_, total)| number(total.trim())))
            .ok_or_else(|| context.malformed(&path, 0, "some and full lines with a total"))?;
        let help = match *kind {
            "some" => format!("Seconds during which some task waited for {resource}."),
            _ => format!("Seconds during which every task waited for {resource}."),
        };
        into.counter(*name, help).row(&[], micros * MICROS);
    }
    Ok(())
}
