//! What an example of several threads has used of the processors.

use std::time::Duration;

use crate::process::proc;

/// CPU time of this process.
pub(crate) fn cpu_time() -> Duration {
    let stat = proc("/proc/self/stat");
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 =
        fields.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
