//! `/proc/schedstat`: how long tasks ran and waited on each processor.

use super::{Context, NANOS, is_numbered};
use crate::{Error, Families, files::number};

/// Of the columns after the name; `Documentation/scheduler/sched-stats.rst` in the kernel.
const RUNNING: usize = 6;
const WAITING: usize = 7;
const TIMESLICES: usize = 8;

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let path = "proc/schedstat";
    let text = context.files.read(path)?;
    for (at, line) in text.lines().enumerate() {
        let mut words = line.split_ascii_whitespace();
        let Some(cpu) = words.next().and_then(|word| is_numbered(word, "cpu")) else { continue };
        let columns: Vec<f64> = words.filter_map(number).collect();
        let get = |column: usize| {
            let expected = "nine numbers after cpuN";
            columns.get(column).copied().ok_or_else(|| context.malformed(path, at, expected))
        };
        let (running, waiting, slices) = (get(RUNNING)?, get(WAITING)?, get(TIMESLICES)?);
        let labels = [("cpu", cpu)];
        into.counter("node_schedstat_running_seconds_total", "Seconds that tasks ran.")
            .row(&labels, running * NANOS);
        into.counter("node_schedstat_waiting_seconds_total", "Seconds that tasks waited to run.")
            .row(&labels, waiting * NANOS);
        into.counter("node_schedstat_timeslices_total", "Turns that tasks were given.")
            .row(&labels, slices);
    }
    Ok(())
}
