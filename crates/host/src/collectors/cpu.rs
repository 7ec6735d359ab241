//! `/proc/stat`: where the time of each processor went; `/sys`: throttling and who is online.
//!
//! The kernel's idle and iowait counters step back a little now and then. A counter that steps back
//! would read as a restart, so the largest value seen is kept, unless idle fell by so much that the
//! processor must have been away (`collector/cpu_linux.go: jumpBackSeconds`).

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;

use super::{Context, TICK_SECONDS, is_numbered};
use crate::{Error, Families, files::number};

/// The columns of a `cpuN` line.
const MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
const IDLE: usize = 3;
const GUEST_MODES: [&str; 2] = ["user", "nice"];
const COLUMNS: usize = MODES.len() + GUEST_MODES.len();
const IDLE_FALL_SECONDS_MAX: f64 = 3.0;

type Seconds = [f64; COLUMNS];

/// The largest values seen of each processor.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<BTreeMap<String, Seconds>>);

pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let text = context.files.read("proc/stat")?;
    let mut memory = context.state.cpu.0.lock();
    let mut present = BTreeSet::new();
    for (at, line) in text.lines().enumerate() {
        let mut words = line.split_ascii_whitespace();
        let Some(cpu) = words.next().and_then(|word| is_numbered(word, "cpu")) else { continue };
        let mut seconds = [0.0; COLUMNS];
        // Old kernels have fewer columns; a word that is no number is an error all the same.
        for (slot, word) in seconds.iter_mut().zip(words) {
            let ticks = number(word)
                .ok_or_else(|| context.malformed("proc/stat", at, "numbers after cpuN"))?;
            *slot = ticks * TICK_SECONDS;
        }
        let seconds = never_back(memory.entry(cpu.to_owned()).or_insert(seconds), &seconds);
        present.insert(cpu.to_owned());
        emit(cpu, &seconds, into);
    }
    memory.retain(|cpu, _| present.contains(cpu));
    drop(memory);
    throttles(context, into);
    online(context, into);
    Ok(())
}

fn never_back(kept: &mut Seconds, new: &Seconds) -> Seconds {
    if new[IDLE] + IDLE_FALL_SECONDS_MAX < kept[IDLE] {
        *kept = *new;
    }
    for (kept, new) in kept.iter_mut().zip(new) {
        *kept = kept.max(*new);
    }
    *kept
}

fn emit(cpu: &str, seconds: &Seconds, into: &mut Families) {
    let family = into.counter("node_cpu_seconds_total", "Seconds a processor spent in each mode.");
    for (mode, value) in MODES.iter().zip(seconds) {
        family.row(&[("cpu", cpu), ("mode", mode)], *value);
    }
    let family = into.counter(
        "node_cpu_guest_seconds_total",
        "Seconds spent running virtual machines; part of user and nice as well.",
    );
    for (mode, value) in GUEST_MODES.iter().zip(&seconds[MODES.len()..]) {
        family.row(&[("cpu", cpu), ("mode", mode)], *value);
    }
}

/// Counted once for each core and each package, whatever the number of threads.
fn throttles(context: &Context<'_>, into: &mut Families) {
    let mut cores = BTreeSet::new();
    let mut packages = BTreeSet::new();
    for cpu in processors(context) {
        let at = |file: &str| format!("sys/devices/system/cpu/{cpu}/{file}");
        let word = |file: &str| context.files.word(&at(file));
        let Some(package) = word("topology/physical_package_id") else { continue };
        let Some(core) = word("topology/core_id") else { continue };
        if let Some(count) = context.files.number(&at("thermal_throttle/core_throttle_count"))
            && cores.insert((package.clone(), core.clone()))
        {
            into.counter("node_cpu_core_throttles_total", "Times a core was throttled by heat.")
                .row(&[("core", &core), ("package", &package)], count);
        }
        if let Some(count) = context.files.number(&at("thermal_throttle/package_throttle_count"))
            && packages.insert(package.clone())
        {
            into.counter(
                "node_cpu_package_throttles_total",
                "Times a whole processor package was throttled by heat.",
            )
            .row(&[("package", &package)], count);
        }
    }
}

fn online(context: &Context<'_>, into: &mut Families) {
    for cpu in processors(context) {
        // The first processor often has no such file, because it can't be taken offline.
        let path = format!("sys/devices/system/cpu/{cpu}/online");
        if let Some(value) = context.files.number(&path) {
            into.gauge("node_cpu_online", "Whether a processor takes part in scheduling.")
                .row(&[("cpu", cpu.trim_start_matches("cpu"))], value);
        }
    }
}

pub(super) fn processors(context: &Context<'_>) -> Vec<String> {
    let mut names = context.files.list("sys/devices/system/cpu").unwrap_or_default();
    names.retain(|name| is_numbered(name, "cpu").is_some());
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_never_step_back_unless_the_processor_was_away() {
        let at = |user: f64, idle: f64| {
            let mut seconds = [0.0; COLUMNS];
            (seconds[0], seconds[IDLE]) = (user, idle);
            seconds
        };
        let mut kept = at(5.0, 100.0);
        assert_eq!(
            never_back(&mut kept, &at(6.0, 99.9)).map(f64::to_bits),
            at(6.0, 100.0).map(f64::to_bits)
        );
        assert_eq!(
            never_back(&mut kept, &at(1.0, 2.0)).map(f64::to_bits),
            at(1.0, 2.0).map(f64::to_bits)
        );
    }
}
