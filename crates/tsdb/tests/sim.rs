//! The crash simulation over some hundred seeds; `SIM_SEED=N` runs one, `SIM_SEEDS=N` more.

use masthead_tsdb::simulation::{run_seed, run_seeds};

/// Half of a test run's seconds; more with `SIM_SEEDS`.
const SEEDS: u64 = 160;

#[expect(clippy::disallowed_methods, reason = "a test binary reads its own environment")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn every_acknowledged_sample_is_there_once_whatever_happens() {
    let done = match number("SIM_SEED") {
        Some(seed) => run_seed(seed),
        None => run_seeds(number("SIM_SEEDS").unwrap_or(SEEDS)),
    };
    println!("{:?}", done.unwrap_or_else(|error| panic!("{error}")));
}
