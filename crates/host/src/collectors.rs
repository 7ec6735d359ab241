//! The table of collectors. Adding one is a file here and a line in [`COLLECTORS`].
//!
//! A collector reads files and fills rows; it knows no other collector. Its name is that of
//! `node_exporter`'s collector, and so are the names and labels of its metrics.

use masthead_sysio::{Clock, UnixNanos};

use crate::{
    Error, Families, Space,
    files::{Files, number},
    options::Patterns,
};

mod arp;
mod bonding;
mod conntrack;
mod cpu;
mod cpufreq;
mod diskstats;
mod dmi;
mod edac;
mod entropy;
mod filefd;
mod filesystem;
mod hwmon;
mod loadavg;
mod mdadm;
mod meminfo;
mod netclass;
mod netdev;
mod netstat;
mod nfs;
mod nfsd;
mod nvme;
mod os;
mod powersupplyclass;
mod pressure;
mod rapl;
mod schedstat;
mod selinux;
mod sockstat;
mod softnet;
mod stat;
mod thermal_zone;
mod time;
mod timex;
mod udp_queues;
mod uname;
mod vmstat;

type Collect = fn(&Context<'_>, &mut Families) -> Result<(), Error>;

/// Every collector by its name.
pub(crate) const COLLECTORS: &[(&str, Collect)] = &[
    ("arp", arp::collect),
    ("bonding", bonding::collect),
    ("conntrack", conntrack::collect),
    ("cpu", cpu::collect),
    ("cpufreq", cpufreq::collect),
    ("diskstats", diskstats::collect),
    ("dmi", dmi::collect),
    ("edac", edac::collect),
    ("entropy", entropy::collect),
    ("filefd", filefd::collect),
    ("filesystem", filesystem::collect),
    ("hwmon", hwmon::collect),
    ("loadavg", loadavg::collect),
    ("mdadm", mdadm::collect),
    ("meminfo", meminfo::collect),
    ("netclass", netclass::collect),
    ("netdev", netdev::collect),
    ("netstat", netstat::collect),
    ("nfs", nfs::collect),
    ("nfsd", nfsd::collect),
    ("nvme", nvme::collect),
    ("os", os::collect),
    ("powersupplyclass", powersupplyclass::collect),
    ("pressure", pressure::collect),
    ("rapl", rapl::collect),
    ("schedstat", schedstat::collect),
    ("selinux", selinux::collect),
    ("sockstat", sockstat::collect),
    ("softnet", softnet::collect),
    ("stat", stat::collect),
    ("thermal_zone", thermal_zone::collect),
    ("time", time::collect),
    ("timex", timex::collect),
    ("udp_queues", udp_queues::collect),
    ("uname", uname::collect),
    ("vmstat", vmstat::collect),
];

/// What a collector may look at.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) files: &'a Files,
    pub(crate) space: &'a dyn Space,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) now: UnixNanos,
    pub(crate) patterns: &'a Patterns,
    pub(crate) page_bytes: f64,
    pub(crate) state: &'a State,
}

/// What collectors remember from one reading to the next.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) cpu: cpu::Memory,
}

impl Context<'_> {
    fn malformed(&self, path: &str, line: usize, expected: &'static str) -> Error {
        Error::Malformed { path: self.files.resolve(path), line: line + 1, expected }
    }

    /// A file of `name value` lines.
    fn pairs(&self, path: &str) -> Result<Vec<(String, f64)>, Error> {
        let text = self.files.read(path)?;
        let mut pairs = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let mut words = line.split_ascii_whitespace();
            let Some(name) = words.next() else { continue };
            let value = words
                .next()
                .and_then(number)
                .ok_or_else(|| self.malformed(path, at, "a name and a number"))?;
            pairs.push((name.to_owned(), value));
        }
        Ok(pairs)
    }
}

/// Microseconds, as the kernel counts stalls, in seconds.
const MICROS: f64 = 1e-6;
/// Nanoseconds in seconds.
const NANOS: f64 = 1e-9;
/// `USER_HZ` is 100 in what the kernel shows to programs, whatever it ticks with.
const TICK_SECONDS: f64 = 0.01;

/// Whether `name` is `prefix` followed by digits only, such as `cpu12`.
fn is_numbered<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    let digits = name.strip_prefix(prefix)?;
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}
