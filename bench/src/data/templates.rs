//! Which series a host has: `node_exporter`'s, a small HTTP service's, and filler.
//!
//! The series that queries ask for come first; then as many constant and slowly changing ones as
//! the shares of `data.rs` want. How a value moves on is `data.rs`.

use super::{CHANGING_SHARE, CONSTANT_SHARE};

/// One series of every host.
#[derive(Debug)]
pub(super) struct Template {
    pub name: &'static str,
    pub labels: Vec<(&'static str, String)>,
    pub kind: Kind,
}

/// How a series' value moves from scrape to scrape.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Never.
    Constant(f64),
    /// A whole counter that moves by up to `step` at `chance`.
    Counter { chance: f64, step: f64 },
    /// Processor or disk time in hundredths of a second: this share of the time.
    Seconds { share: f64 },
    /// A gauge in whole pages that moves around `base` at `chance`.
    Bytes { base: f64, chance: f64 },
    /// A gauge with two decimals that wanders around `base`.
    Hundredths { base: f64 },
    /// A share of a handler's requests.
    Part { flow: usize, share: f64 },
    /// A handler's requests that took at most `le` seconds.
    Within { flow: usize, le: f64 },
    /// A handler's seconds.
    Total { flow: usize },
}

impl Kind {
    pub(super) fn first(&self) -> f64 {
        match self {
            Self::Constant(value) | Self::Hundredths { base: value } => *value,
            Self::Bytes { base, .. } => (base / 4096.0 * 0.75).floor() * 4096.0,
            Self::Counter { .. }
            | Self::Seconds { .. }
            | Self::Part { .. }
            | Self::Within { .. }
            | Self::Total { .. } => 0.0,
        }
    }

    pub(super) fn is_counter(&self) -> bool {
        matches!(self, Self::Counter { .. } | Self::Seconds { .. })
    }

    /// The share of scrapes at which it changes, about.
    fn changes(&self) -> f64 {
        match self {
            Self::Constant(_) => 0.0,
            Self::Counter { chance, .. } | Self::Bytes { chance, .. } => *chance,
            Self::Seconds { share } => (share * 1_500.0).min(1.0),
            Self::Hundredths { .. } => 0.95,
            Self::Part { share, .. } => (share * 20.0).min(1.0),
            Self::Within { .. } | Self::Total { .. } => 0.9,
        }
    }
}

impl Template {
    pub(super) fn job(&self) -> &'static str {
        if self.name.starts_with("http_") { "api" } else { "node" }
    }
}

/// A handler of the small service.
#[derive(Debug)]
pub(super) struct Handler {
    pub path: &'static str,
    pub per_second: f64,
    pub mean_seconds: f64,
}

/// The handlers; a `flow` is an index into these.
pub(super) const HANDLERS: &[Handler] = &[
    Handler { path: "/items", per_second: 40.0, mean_seconds: 0.02 },
    Handler { path: "/items/{id}", per_second: 12.0, mean_seconds: 0.008 },
    Handler { path: "/search", per_second: 3.0, mean_seconds: 0.2 },
    Handler { path: "/export", per_second: 0.05, mean_seconds: 1.5 },
];

const CODES: [(&str, f64); 3] = [("200", 0.96), ("404", 0.03), ("500", 0.01)];
const BUCKETS: [(&str, f64); 10] = [
    ("0.005", 0.005),
    ("0.01", 0.01),
    ("0.025", 0.025),
    ("0.05", 0.05),
    ("0.1", 0.1),
    ("0.25", 0.25),
    ("0.5", 0.5),
    ("1", 1.0),
    ("2.5", 2.5),
    ("+Inf", f64::INFINITY),
];
const MODES: [(&str, f64); 8] = [
    ("idle", 0.7),
    ("user", 0.2),
    ("system", 0.06),
    ("iowait", 0.02),
    ("softirq", 0.0004),
    ("irq", 0.0),
    ("nice", 0.0),
    ("steal", 0.0),
];
const MIB: f64 = 1_048_576.0;

/// `count` series; fewer than [`super::SERIES_MIN`] leave out some that queries ask for.
pub(super) fn of_a_host(count: u32) -> Vec<Template> {
    let count = count as usize;
    let mut all = asked_for();
    all.truncate(count);
    fill(&mut all, count);
    all
}

fn asked_for() -> Vec<Template> {
    let mut all = Vec::new();
    let mut add = |name, labels: &[(&'static str, &str)], kind| {
        let labels = labels.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
        all.push(Template { name, labels, kind });
    };
    let constant = Kind::Constant;
    add("up", &[], constant(1.0));
    add("node_boot_time_seconds", &[], constant(1_700_000_000.0));
    add("node_uname_info", &[("sysname", "Linux"), ("machine", "x86_64")], constant(1.0));
    for cpu in ["0", "1", "2", "3"] {
        for (mode, share) in MODES {
            let kind = if share > 0.0 { Kind::Seconds { share } } else { constant(0.0) };
            add("node_cpu_seconds_total", &[("cpu", cpu), ("mode", mode)], kind);
        }
    }
    add("node_load1", &[], Kind::Hundredths { base: 1.2 });
    add("node_load5", &[], Kind::Hundredths { base: 1.1 });
    add("node_load15", &[], Kind::Hundredths { base: 1.0 });
    let pages = |mib: f64, chance| Kind::Bytes { base: mib * MIB, chance };
    add("node_memory_MemTotal_bytes", &[], constant(16_384.0 * MIB));
    add("node_memory_MemFree_bytes", &[], pages(2_000.0, 1.0));
    add("node_memory_MemAvailable_bytes", &[], pages(9_000.0, 1.0));
    add("node_memory_Cached_bytes", &[], pages(7_000.0, 0.9));
    add("node_memory_Buffers_bytes", &[], pages(300.0, 0.4));
    add("node_memory_Dirty_bytes", &[], pages(4.0, 0.7));
    add("node_memory_SwapTotal_bytes", &[], constant(0.0));
    add("node_memory_SwapFree_bytes", &[], constant(0.0));
    for (device, mountpoint, gib) in [("/dev/sda1", "/", 100.0), ("/dev/sdb1", "/data", 900.0)] {
        let labels = [("device", device), ("fstype", "ext4"), ("mountpoint", mountpoint)];
        add("node_filesystem_size_bytes", &labels, constant(gib * 1024.0 * MIB));
        add("node_filesystem_avail_bytes", &labels, pages(gib * 700.0, 0.6));
        add("node_filesystem_files", &labels, constant(gib * 65_536.0));
        add("node_filesystem_files_free", &labels, constant(gib * 60_000.0));
        add("node_filesystem_readonly", &labels, constant(0.0));
    }
    for (device, chance) in [("eth0", 1.0), ("lo", 0.5)] {
        let labels = [("device", device)];
        let counter = |step| Kind::Counter { chance, step };
        add("node_network_receive_bytes_total", &labels, counter(9e6));
        add("node_network_transmit_bytes_total", &labels, counter(4e6));
        add("node_network_receive_packets_total", &labels, counter(9_000.0));
        add("node_network_transmit_packets_total", &labels, counter(5_000.0));
        add("node_network_receive_errs_total", &labels, constant(0.0));
        add("node_network_transmit_errs_total", &labels, constant(0.0));
        add("node_network_up", &labels, constant(1.0));
    }
    for (device, chance) in [("sda", 0.9), ("sdb", 0.2)] {
        let labels = [("device", device)];
        add("node_disk_read_bytes_total", &labels, Kind::Counter { chance: 0.1, step: 2e6 });
        add("node_disk_written_bytes_total", &labels, Kind::Counter { chance, step: 5e6 });
        add("node_disk_reads_completed_total", &labels, Kind::Counter { chance: 0.1, step: 50.0 });
        add("node_disk_io_time_seconds_total", &labels, Kind::Seconds { share: 0.05 * chance });
    }
    for (flow, handler) in HANDLERS.iter().enumerate() {
        for (code, share) in CODES {
            let labels = [("handler", handler.path), ("method", "GET"), ("code", code)];
            add("http_requests_total", &labels, Kind::Part { flow, share });
        }
        for (text, le) in BUCKETS {
            let labels = [("handler", handler.path), ("le", text)];
            add("http_request_duration_seconds_bucket", &labels, Kind::Within { flow, le });
        }
        let labels = [("handler", handler.path)];
        add("http_request_duration_seconds_count", &labels, Kind::Part { flow, share: 1.0 });
        add("http_request_duration_seconds_sum", &labels, Kind::Total { flow });
    }
    all
}

/// Appends constant series and series that change now and then until there are `count`.
fn fill(all: &mut Vec<Template>, count: usize) {
    let constants = all.iter().filter(|t| matches!(t.kind, Kind::Constant(_))).count();
    let changes: f64 = all.iter().map(|template| template.kind.changes()).sum();
    let missing = count.saturating_sub(all.len());
    let constants_missing = (CONSTANT_SHARE * count as f64 - constants as f64).max(0.0);
    let moving = (missing as f64 - constants_missing).max(1.0);
    let chance = ((CHANGING_SHARE * count as f64 - changes) / moving).clamp(0.02, 1.0);
    let states = ["active", "activating", "deactivating", "failed", "inactive"];
    let (mut constant, mut other) = (0_usize, 0_usize);
    for number in 0..missing {
        // Spreads the moving ones evenly among the constant ones.
        let moving_due = moving / missing as f64 * (number + 1) as f64;
        if (other as f64) < moving_due.floor() {
            let name = ("groupname", format!("process-{:03}", other / 2));
            let (metric, kind) = if other % 2 == 0 {
                let counter = Kind::Counter { chance, step: 3.0 };
                ("namedprocess_context_switches_total", counter)
            } else {
                ("namedprocess_resident_bytes", Kind::Bytes { base: 200.0 * MIB, chance })
            };
            other += 1;
            all.push(Template { name: metric, labels: vec![name], kind });
        } else {
            let state = states[constant % states.len()];
            let unit = format!("unit-{:03}.service", constant / states.len());
            let labels = vec![("name", unit), ("state", state.to_owned())];
            let value = if state == "active" { 1.0 } else { 0.0 };
            constant += 1;
            let kind = Kind::Constant(value);
            all.push(Template { name: "node_systemd_unit_state", labels, kind });
        }
    }
}
