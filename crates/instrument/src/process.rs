//! `process_*`: what the process uses, named as the Prometheus client libraries name it.
//!
//! Read from `/proc` at each scrape; a value that can't be read is left out, never shown as zero.
//! Elsewhere than on Linux only the start time is known.

use crate::clock;

/// Reads the process's own metrics.
#[derive(Debug)]
pub(crate) struct Process {
    start_time_seconds: f64,
}

/// One reading. Sizes in bytes, times in seconds.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    pub(crate) cpu_seconds: Option<f64>,
    pub(crate) resident_memory_bytes: Option<u64>,
    pub(crate) virtual_memory_bytes: Option<u64>,
    pub(crate) open_fds: Option<u64>,
    pub(crate) max_fds: Option<u64>,
    pub(crate) start_time_seconds: f64,
}

impl Process {
    pub(crate) fn new() -> Self {
        Self { start_time_seconds: start_time().unwrap_or_else(clock::unix_seconds) }
    }

    pub(crate) fn usage(&self) -> Usage {
        let mut usage =
            Usage { start_time_seconds: self.start_time_seconds, ..read().unwrap_or_default() };
        usage.open_fds = open_fds();
        usage.max_fds = max_fds();
        usage
    }
}

#[cfg(target_os = "linux")]
use linux::{max_fds, open_fds, read, start_time};

#[cfg(not(target_os = "linux"))]
use elsewhere::{max_fds, open_fds, read, start_time};

#[cfg(target_os = "linux")]
mod linux {
    //! The format of the files is proc(5)'s.
    #![expect(
        clippy::disallowed_methods,
        reason = "/proc is not a disk: it has no faults to simulate"
    )]

    use super::Usage;
    use crate::metrics::as_f64;

    pub(super) fn read() -> Option<Usage> {
        parse_stat(&std::fs::read_to_string("/proc/self/stat").ok()?).map(|stat| Usage {
            cpu_seconds: Some(as_f64(stat.cpu_ticks) / as_f64(ticks_per_second())),
            resident_memory_bytes: Some(stat.resident_pages * rustix::param::page_size() as u64),
            virtual_memory_bytes: Some(stat.virtual_bytes),
            ..Usage::default()
        })
    }

    pub(super) fn start_time() -> Option<f64> {
        let stat = parse_stat(&std::fs::read_to_string("/proc/self/stat").ok()?)?;
        let boot = parse_boot_time(&std::fs::read_to_string("/proc/stat").ok()?)?;
        Some(as_f64(boot) + as_f64(stat.start_ticks) / as_f64(ticks_per_second()))
    }

    pub(super) fn open_fds() -> Option<u64> {
        // The directory is open itself while it is read.
        let count = std::fs::read_dir("/proc/self/fd").ok()?.count();
        u64::try_from(count).ok()?.checked_sub(1)
    }

    pub(super) fn max_fds() -> Option<u64> {
        parse_max_fds(&std::fs::read_to_string("/proc/self/limits").ok()?)
    }

    fn ticks_per_second() -> u64 {
        rustix::param::clock_ticks_per_second()
    }

    #[derive(Debug, PartialEq)]
    pub(super) struct Stat {
        pub(super) cpu_ticks: u64,
        pub(super) start_ticks: u64,
        pub(super) virtual_bytes: u64,
        pub(super) resident_pages: u64,
    }

    pub(super) fn parse_stat(text: &str) -> Option<Stat> {
        // The command name is in parentheses and may hold anything, parentheses too.
        let (_, rest) = text.rsplit_once(')')?;
        // Field 3 of proc(5) is the first one after the name.
        let field = |number: usize| rest.split_ascii_whitespace().nth(number - 3)?.parse().ok();
        Some(Stat {
            cpu_ticks: u64::saturating_add(field(14)?, field(15)?),
            start_ticks: field(22)?,
            virtual_bytes: field(23)?,
            resident_pages: field(24)?,
        })
    }

    pub(super) fn parse_boot_time(text: &str) -> Option<u64> {
        text.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
    }

    /// The soft limit; `None` for "unlimited", which no number says.
    pub(super) fn parse_max_fds(text: &str) -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
        line.split_ascii_whitespace().next()?.parse().ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use super::Usage;

    pub(super) fn read() -> Option<Usage> {
        None
    }

    pub(super) fn start_time() -> Option<f64> {
        None
    }

    pub(super) fn open_fds() -> Option<u64> {
        None
    }

    pub(super) fn max_fds() -> Option<u64> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::linux::{Stat, parse_boot_time, parse_max_fds, parse_stat};
    use super::*;

    #[test]
    fn a_stat_line_is_read_past_any_command_name() {
        let line = "42 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 250 50 13 14 15 16 17 18 9000 4096 77 1";
        let want =
            Stat { cpu_ticks: 300, start_ticks: 9000, virtual_bytes: 4096, resident_pages: 77 };
        assert_eq!(parse_stat(line), Some(want));
        for end in 0..line.len() - 4 {
            assert_eq!(parse_stat(&line[..end]), None, "{}", &line[..end]);
        }
    }

    #[test]
    fn boot_time_and_file_limit() {
        assert_eq!(parse_boot_time("cpu 1\nbtime 1700000000\n"), Some(1_700_000_000));
        assert_eq!(parse_boot_time("cpu 1\n"), None);
        let limits = "Limit Soft Hard Units\nMax open files            1024     4096   files\n";
        assert_eq!(parse_max_fds(limits), Some(1024));
        assert_eq!(parse_max_fds("Max open files  unlimited unlimited files\n"), None);
    }

    #[test]
    fn this_process_has_plausible_numbers() {
        let usage = Process::new().usage();
        assert!(usage.resident_memory_bytes > Some(100_000), "{usage:?}");
        assert!(usage.virtual_memory_bytes >= usage.resident_memory_bytes, "{usage:?}");
        assert!(usage.open_fds >= Some(3) && usage.max_fds >= usage.open_fds, "{usage:?}");
        assert!(usage.cpu_seconds.is_some_and(|cpu| (0.0..3600.0).contains(&cpu)), "{usage:?}");
        let age = clock::unix_seconds() - usage.start_time_seconds;
        assert!((-2.0..3600.0).contains(&age), "started {age} s ago");
    }
}
