//! One test a target, and one that all of them are known everywhere.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fastrand::Rng;
use masthead_fuzz_targets::{TARGETS, seeds};

use crate::mutate::mutated;

/// Inputs of a target; some seconds for all of them in a build without optimisation.
const ROUNDS: usize = 2000;
/// Of one that opens a whole store.
const SLOW_ROUNDS: usize = 200;
const SLOW: [&str; 5] = ["head", "journal", "logql_query", "metrics_block", "metrics_frame"];

/// So many in place of these, for a longer run: `FUZZ_ROUNDS=1000000`.
fn rounds(name: &str) -> usize {
    #[expect(clippy::disallowed_methods, reason = "a longer run is asked for by hand")]
    let asked = std::env::var("FUZZ_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    asked.unwrap_or(if SLOW.contains(&name) { SLOW_ROUNDS } else { ROUNDS })
}

fn run(name: &str) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target");
    let seeds = seeds::of(name);
    let mut rng = Rng::with_seed(20_260_901);
    let made = std::iter::repeat_with(|| mutated(&mut rng, &seeds)).take(rounds(name));
    for (round, input) in seeds.iter().cloned().chain(made).enumerate() {
        let done = catch_unwind(AssertUnwindSafe(|| target(&input)));
        // What went wrong was printed where it happened.
        assert!(done.is_ok(), "{name}, input {round}: {}", input.escape_ascii());
    }
}

macro_rules! runs {
    ($name:ident) => {
        #[test]
        fn $name() {
            run(stringify!($name));
        }
    };
}

runs!(columns);
runs!(cri);
runs!(exposition);
runs!(forward_frame);
runs!(head);
runs!(http_answer);
runs!(journal);
runs!(journal_entry);
runs!(kubernetes_watch);
runs!(labels);
runs!(log_json);
runs!(log_level);
runs!(log_logfmt);
runs!(log_pattern);
runs!(logql);
runs!(logql_query);
runs!(logs);
runs!(loki_push);
runs!(metrics_block);
runs!(metrics_frame);
runs!(monitors);
runs!(oauth2_token);
runs!(otlp);
runs!(otlp_logs);
runs!(pem);
runs!(prometheus_block);
runs!(prometheus_config);
runs!(promql);
runs!(promtail_config);
runs!(promtail_positions);
runs!(promtail_stages);
runs!(regexp);
runs!(remote_read);
runs!(remote_write);
runs!(remote_write_frame);
runs!(rules);
runs!(target_groups);
runs!(template);

#[test]
fn every_target_has_seeds_a_test_and_a_program() {
    let tests = include_str!("targets.rs");
    let manifest = include_str!("../../../Cargo.toml");
    for (name, _) in TARGETS {
        assert!(!seeds::of(name).is_empty(), "{name} has no seeds");
        assert!(tests.contains(&format!("runs!({name});")), "{name} has no test");
        let program = format!("path = \"fuzz_targets/{name}.rs\"");
        assert!(manifest.contains(&program), "{name} is not in fuzz/Cargo.toml");
    }
    assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
}
