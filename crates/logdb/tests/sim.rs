//! The crash simulation over some seeds; `SIM_SEED=N` runs one, `SIM_SEEDS=N` more.

use masthead_logdb::simulation::{Report, run_seed};

#[expect(clippy::disallowed_methods, reason = "a test binary reads its own environment")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn every_acknowledged_line_is_there_once_whatever_happens() {
    if let Some(seed) = number("SIM_SEED") {
        println!("{:?}", run_seed(seed).unwrap_or_else(|error| panic!("{error}")));
        return;
    }
    let seeds = number("SIM_SEEDS").unwrap_or(60);
    let mut sum = Report::default();
    let mut failures = Vec::new();
    for seed in 0..seeds {
        match run_seed(seed) {
            Ok(report) => add(&mut sum, &report),
            Err(error) => failures.push(error),
        }
    }
    assert!(failures.is_empty(), "{} seeds failed:\n{}", failures.len(), failures.join("\n"));
    println!("{sum:?}");
    // A run in which something never happens shows nothing.
    let Report { acknowledged, duplicates, rejected, failures, kills, power_cuts, .. } = sum;
    let Report { flushes, merges, deletions, expired, read, compared, snapshots, .. } = sum;
    let counts = [acknowledged, rejected, failures, kills, power_cuts, flushes, merges, deletions];
    assert!(
        counts
            .iter()
            .chain(&[expired, read, compared, duplicates, snapshots])
            .all(|count| *count > 0),
        "{sum:?}"
    );
}

fn add(sum: &mut Report, report: &Report) {
    sum.acknowledged += report.acknowledged;
    sum.rejected += report.rejected;
    sum.failures += report.failures;
    sum.kills += report.kills;
    sum.power_cuts += report.power_cuts;
    sum.flushes += report.flushes;
    sum.merges += report.merges;
    sum.deletions += report.deletions;
    sum.expired += report.expired;
    sum.read += report.read;
    sum.duplicates += report.duplicates;
    sum.snapshots += report.snapshots;
    sum.compared += report.compared;
}
