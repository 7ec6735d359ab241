//! What the operating system knows: processor time and memory of a process tree, bytes of a
//! directory, and the machine itself.
//!
//! It only reads. Linux alone: everything comes from `/proc`.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result};
use camino::Utf8Path;

use crate::http::Patience;

/// Entries of a directory tree that are looked at.
const ENTRIES_MAX: usize = 1_000_000;

/// Processor time that a process, its children and its ended children have used, user and system,
/// in seconds; steps of one clock tick, 10 ms on most machines.
///
/// # Errors
/// When there is no such process.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64> {
    let ticks: u64 = tree(pid)?.iter().map(|stat| stat.ticks).sum();
    Ok(ticks as f64 / ticks_per_second())
}

/// The clock's ticks in a second.
pub(crate) fn ticks_per_second() -> f64 {
    rustix::param::clock_ticks_per_second() as f64
}

/// Memory of a process tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Resident now (`VmRSS`).
    pub resident_bytes: f64,
    /// The most that was ever resident (`VmHWM`).
    pub peak_bytes: f64,
}

/// # Errors
/// When there is no such process.
pub(crate) fn memory(pid: u32) -> Result<Memory> {
    let mut sum = Memory { resident_bytes: 0.0, peak_bytes: 0.0 };
    for stat in tree(pid)? {
        // A child may have ended meanwhile.
        let Ok(memory) = own_memory(stat.pid) else { continue };
        sum.resident_bytes += memory.resident_bytes;
        sum.peak_bytes += memory.peak_bytes;
    }
    Ok(sum)
}

/// Memory of one process, without its children.
///
/// # Errors
/// When there is no such process.
pub(crate) fn own_memory(pid: u32) -> Result<Memory> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let bytes = |key| kibibytes(&text, key) * 1024.0;
    Ok(Memory { resident_bytes: bytes("VmRSS:"), peak_bytes: bytes("VmHWM:") })
}

/// How long a server is given to come to rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rest {
    /// So long in any case, because much is written some seconds later.
    pub least: Duration,
    /// No longer, however busy it is.
    pub most: Duration,
}

/// Waits until the process tree uses less than a tenth of a core.
///
/// # Errors
/// When the process ends, or the run is to end.
pub(crate) fn settle(pid: u32, rest: Rest, patience: &Patience) -> Result<()> {
    const LOOK: Duration = Duration::from_millis(500);
    let mut before = cpu_seconds(pid)?;
    let mut waited = Duration::ZERO;
    while waited + LOOK <= rest.most {
        patience.sleep(LOOK)?;
        waited += LOOK;
        let now = cpu_seconds(pid)?;
        if waited >= rest.least && now - before <= 0.1 * LOOK.as_secs_f64() {
            break;
        }
        before = now;
    }
    Ok(())
}

/// The lengths of all files below `directory`, added up. A file that is gone when it is looked at
/// counts nothing, because a system merges its files whenever it likes.
///
/// # Errors
/// When `directory` itself cannot be read.
pub(crate) fn directory_bytes(directory: &Utf8Path) -> Result<f64> {
    let list = |path: &Utf8Path| -> std::io::Result<Vec<_>> { path.read_dir_utf8()?.collect() };
    let mut todo = list(directory).with_context(|| format!("cannot read {directory}"))?;
    let (mut sum, mut seen) = (0, 0);
    while let Some(entry) = todo.pop() {
        seen += 1;
        anyhow::ensure!(seen <= ENTRIES_MAX, "more than {ENTRIES_MAX} files below {directory}");
        match fs::symlink_metadata(entry.path()) {
            Ok(metadata) if metadata.is_dir() => {
                todo.extend(list(entry.path()).unwrap_or_default());
            }
            Ok(metadata) if metadata.is_file() => sum += metadata.len(),
            _ => {}
        }
    }
    Ok(sum as f64)
}

/// The machine that measures.
#[derive(Debug)]
pub(crate) struct Machine {
    pub cores: usize,
    pub memory_bytes: f64,
    pub kernel: String,
}

impl Machine {
    pub(crate) fn this() -> Self {
        let uname = rustix::system::uname();
        let text = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
        let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        Self {
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            memory_bytes: kibibytes(&meminfo, "MemTotal:") * 1024.0,
            kernel: format!("{} {}", text(uname.sysname()), text(uname.release())),
        }
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        let Self { cores, memory_bytes, kernel } = self;
        serde_json::json!({ "cores": cores, "memory_bytes": memory_bytes, "kernel": kernel })
    }
}

/// The number behind `key` in a file whose lines are `Key:  123 kB`, or 0.
fn kibibytes(text: &str, key: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0.0)
}

/// One process, out of `/proc/PID/stat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    pid: u32,
    parent: u32,
    /// User and system, its own and those of children that ended and were waited for.
    ticks: u64,
}

/// The process and its descendants; the process itself first.
fn tree(pid: u32) -> Result<Vec<Stat>> {
    let own = fs::read_to_string(format!("/proc/{pid}/stat"));
    let own = own.with_context(|| format!("process {pid} is not there any more"))?;
    let own = stat(&own).with_context(|| format!("/proc/{pid}/stat is not as expected"))?;
    let names = fs::read_dir("/proc").context("cannot read /proc")?;
    let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let pids = names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    let all = pids.filter_map(|pid| stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?));
    Ok(descendants(own, &all.collect::<Vec<_>>()))
}

fn descendants(own: Stat, all: &[Stat]) -> Vec<Stat> {
    let mut tree = vec![own];
    let mut at = 0;
    while let Some(parent) = tree.get(at).map(|stat| stat.pid) {
        // Numbers may be given again while we look, so a process is taken once only.
        let known: Vec<u32> = tree.iter().map(|stat| stat.pid).collect();
        tree.extend(all.iter().filter(|s| s.parent == parent && !known.contains(&s.pid)));
        at += 1;
    }
    tree
}

/// Reads `pid (any ) name) state ppid … utime stime cutime cstime …` (proc(5)).
fn stat(text: &str) -> Option<Stat> {
    let (pid, rest) = text.split_once(" (")?;
    let (_, rest) = rest.rsplit_once(") ")?;
    // The first of these is the third field of the file.
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    let ticks = (14..=17).map(number).sum::<Option<u64>>()?;
    Some(Stat { pid: pid.parse().ok()?, parent: u32::try_from(number(4)?).ok()?, ticks })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_lines_are_read_whatever_the_name_of_the_program() {
        let f = |text: &str, want: Option<(u32, u32, u64)>| {
            let got = stat(text).map(|stat| (stat.pid, stat.parent, stat.ticks));
            assert_eq!(got, want, "{text:?}");
        };
        let tail = "1 2 0 -1 4194560 0 0 0 0 100 20 3 4 20 0 1 0 5 6 7";
        f(&format!("7 (sh) S 5 {tail}"), Some((7, 5, 127)));
        f(&format!("7 (a) b (c) S 5 {tail}"), Some((7, 5, 127)));
        f("7 (sh) S 5 1 2", None);
        f("", None);
    }

    #[test]
    fn a_tree_holds_children_of_children_once_and_no_stranger() {
        let process = |pid, parent| Stat { pid, parent, ticks: 1 };
        let all = [process(1, 0), process(2, 1), process(3, 2), process(4, 1), process(9, 8)];
        let pids: Vec<u32> = descendants(all[0], &all).iter().map(|stat| stat.pid).collect();
        assert_eq!(pids, [1, 2, 4, 3]);
        // A ring, as reused numbers might make one, ends.
        let ring = [process(1, 2), process(2, 1)];
        assert_eq!(descendants(ring[0], &ring).len(), 2);
    }

    #[test]
    fn processor_time_and_memory_of_this_process_are_seen() {
        let pid = std::process::id();
        let before = cpu_seconds(pid).unwrap();
        let mut sum = 0_u64;
        while cpu_seconds(pid).unwrap() < before + 0.02 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        let memory = memory(pid).unwrap();
        assert!(memory.resident_bytes > 500_000.0, "{memory:?}");
        assert!(memory.peak_bytes >= memory.resident_bytes, "{memory:?}");
        assert!(cpu_seconds(u32::MAX).is_err());
    }

    #[test]
    fn directories_are_added_up_with_all_below_them() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/b/c"), [0; 1000]).unwrap();
        fs::write(root.join("d"), [0; 24]).unwrap();
        assert!((directory_bytes(root).unwrap() - 1024.0).abs() < 0.5);
        assert!(directory_bytes(&root.join("gone")).is_err());
    }

    #[test]
    fn the_machine_is_described() {
        let machine = Machine::this();
        assert!(machine.cores > 0 && machine.memory_bytes > 1e8, "{machine:?}");
        assert!(machine.kernel.starts_with("Linux "), "{machine:?}");
    }
}
