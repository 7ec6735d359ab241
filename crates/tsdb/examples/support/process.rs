//! What an example knows of its own process.

/// Memory that is in use.
pub(crate) fn resident_kib() -> u64 {
    let statm = proc("/proc/self/statm");
    statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4
}

/// A file of the kernel's about it; nothing where there is none.
#[expect(clippy::disallowed_methods, reason = "the process looks at itself, not at its files")]
pub(crate) fn proc(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// A figure to be printed.
#[expect(clippy::cast_precision_loss, reason = "a figure to be printed")]
pub(crate) fn ratio(amount: impl TryInto<u64>, count: usize) -> f64 {
    amount.try_into().unwrap_or(0) as f64 / count as f64
}
