//! The crash simulation over some hundred seeds; `SIM_SEED=N` runs one, `SIM_SEEDS=N` more.

use masthead_tsdb::simulation::{Report, run_seed};

/// Half of a test run's seconds; more with `SIM_SEEDS`.
const SEEDS: u64 = 160;
const THREADS: usize = 2;

#[expect(clippy::disallowed_methods, reason = "a test binary reads its own environment")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn every_acknowledged_sample_is_there_once_whatever_happens() {
    if let Some(seed) = number("SIM_SEED") {
        println!("{:?}", run_seed(seed).unwrap_or_else(|error| panic!("{error}")));
        return;
    }
    let seeds = number("SIM_SEEDS").unwrap_or(SEEDS);
    let (mut sum, mut failures) = (Report::default(), Vec::new());
    // Each seed is a world of its own.
    let parts: Vec<_> = std::thread::scope(|scope| {
        let work = |first| move || (first..seeds).step_by(THREADS).map(run_seed).collect();
        let threads: Vec<_> = (0..THREADS as u64).map(|first| scope.spawn(work(first))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    for run in parts.into_iter().flat_map(|part: Vec<Result<Report, String>>| part) {
        match run {
            Ok(report) => add(&mut sum, &report),
            Err(error) => failures.push(error),
        }
    }
    assert!(failures.is_empty(), "{} seeds failed:\n{}", failures.len(), failures.join("\n"));
    println!("{sum:?}");
    // A run in which something never happens shows nothing.
    let Report { acknowledged, rejected, failures, kills, power_cuts, .. } = sum;
    let Report { flushes, merges, deletions, expired, snapshots, compared, .. } = sum;
    let Report { checkpoints, quick_starts, early, .. } = sum;
    assert!([checkpoints, quick_starts, early].iter().all(|count| *count > 0), "{sum:?}");
    let counts = [acknowledged, rejected, failures, kills, power_cuts, flushes, merges, deletions];
    assert!(
        counts.iter().chain(&[expired, snapshots, compared]).all(|count| *count > 0),
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
    sum.checkpoints += report.checkpoints;
    sum.quick_starts += report.quick_starts;
    sum.early += report.early;
    sum.snapshots += report.snapshots;
    sum.compared += report.compared;
}
