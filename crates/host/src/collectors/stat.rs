//! `/proc/stat`: what the kernel did since it started. Processors' times are in `cpu.rs`.

use super::Context;
use crate::{Error, Families, files::number};

/// Line, metric, meaning, whether it is a counter.
const LINES: &[(&str, &str, &str, bool)] = &[
    ("intr", "node_intr_total", "Interrupts that were served.", true),
    ("ctxt", "node_context_switches_total", "Times one task gave way to another.", true),
    ("processes", "node_forks_total", "Tasks that were started.", true),
    ("btime", "node_boot_time_seconds", "When the kernel started, since the epoch.", false),
    ("procs_running", "node_procs_running", "Tasks that can run.", false),
    ("procs_blocked", "node_procs_blocked", "Tasks that wait for input or output.", false),
];

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let text = context.files.read("proc/stat")?;
    for (at, line) in text.lines().enumerate() {
        let mut words = line.split_ascii_whitespace();
        let Some(first) = words.next() else { continue };
        let Some((_, name, help, is_counter)) = LINES.iter().find(|(key, ..)| *key == first) else {
            continue;
        };
        let value = words
            .next()
            .and_then(number)
            .ok_or_else(|| context.malformed("proc/stat", at, "a number"))?;
        let family =
            if *is_counter { into.counter(*name, *help) } else { into.gauge(*name, *help) };
        family.row(&[], value);
    }
    Ok(())
}
