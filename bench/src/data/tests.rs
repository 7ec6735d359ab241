//! That the data are what they are said to be.

use std::collections::HashSet;

use super::*;

fn plan(jitter_percent: u32) -> Plan {
    let end = Millis(1_800_000_000_000);
    Plan { hosts: 4, series: 625, rounds: 60, jitter_percent, seed: 7, end }
}

/// Times and values of a host, scrape by scrape.
fn scrapes(plan: &Plan, number: u32) -> Vec<(i64, Vec<f64>)> {
    let fleet = plan.fleet();
    let mut host = Host::new(plan, &fleet, number);
    let scrape = |_| (host.scrape(plan, &fleet).0, host.values().to_vec());
    (0..plan.rounds).map(scrape).collect()
}

#[test]
fn shares_of_constant_series_and_of_changing_samples_are_those_of_a_recording() {
    for series in [625, 2_000] {
        let plan = Plan { series, rounds: 240, ..plan(0) };
        let all = scrapes(&plan, 1);
        let (mut constant, mut changes) = (0, 0);
        for number in 0..series as usize {
            let moved = all
                .windows(2)
                .filter(|w| w[0].1[number].to_bits() != w[1].1[number].to_bits())
                .count();
            constant += usize::from(moved == 0);
            changes += moved;
        }
        let constant = constant as f64 / f64::from(series);
        let changes = changes as f64 / (f64::from(series) * f64::from(plan.rounds - 1));
        assert!((constant - CONSTANT_SHARE).abs() < 0.03, "{series}: {constant}");
        assert!((changes - CHANGING_SHARE).abs() < 0.02, "{series}: {changes}");
    }
}

#[test]
fn same_plan_gives_the_same_samples_and_another_seed_others() {
    assert_eq!(scrapes(&plan(5), 2), scrapes(&plan(5), 2));
    assert_ne!(scrapes(&plan(5), 2), scrapes(&Plan { seed: 8, ..plan(5) }, 2));
    assert_ne!(scrapes(&plan(5), 2), scrapes(&plan(5), 1));
}

#[test]
fn jitter_moves_the_wanted_share_of_times_and_no_value() {
    let f = |percent: u32, low: usize, high: usize| {
        let plan = Plan { rounds: 1_000, series: SERIES_MIN, ..plan(percent) };
        let (on, off) =
            (scrapes(&Plan { jitter_percent: 0, ..plan.clone() }, 0), scrapes(&plan, 0));
        let moved = on.iter().zip(&off).filter(|(on, off)| on.0 != off.0).count();
        assert!((low..=high).contains(&moved), "{percent} %: {moved} of 1000");
        assert!(on.iter().zip(&off).all(|(on, off)| on.1 == off.1));
        assert!(off.windows(2).all(|w| (w[1].0 - w[0].0 - INTERVAL_MS).abs() <= 18));
        assert!(off.iter().all(|(at, _)| *at >= plan.start().0 && *at < plan.end.0));
    };
    f(0, 0, 0);
    f(5, 25, 80);
    f(100, 1_000, 1_000);
}

#[test]
fn label_sets_of_the_fleet_are_all_different_and_as_many_as_planned() {
    let plan = plan(0);
    let fleet = plan.fleet();
    let hosts: Vec<Host> = (0..plan.hosts).map(|n| Host::new(&plan, &fleet, n)).collect();
    let sets: HashSet<&Labels> = hosts.iter().flat_map(Host::labels).collect();
    assert_eq!(sets.len(), 4 * 625);
    assert_eq!(plan.samples(), 4 * 625 * 60);
}

#[test]
fn the_fewest_series_hold_all_that_queries_ask_for() {
    let fleet = Plan { series: SERIES_MIN, ..plan(0) }.fleet();
    let last = fleet.templates.iter().rposition(|t| t.name.starts_with("http_"));
    let filler = fleet.templates.iter().position(|t| t.name == "node_systemd_unit_state");
    assert!(last.is_some() && last < filler, "{last:?} {filler:?}");
}

#[test]
fn buckets_grow_with_le_and_counters_never_fall_but_at_the_one_restart() {
    let f = |number: u32, falls_at: Option<usize>| {
        let plan = plan(0);
        let fleet = plan.fleet();
        let all = scrapes(&plan, number);
        let name = |i: usize| fleet.templates[i].name;
        for (round, pair) in all.windows(2).enumerate() {
            for i in 0..625 {
                let counter = name(i).ends_with("_total") || name(i).ends_with("_bucket");
                if counter && falls_at != Some(round + 1) {
                    assert!(pair[1].1[i] >= pair[0].1[i], "{} at {round}", name(i));
                }
                let bucket = |i: usize| matches!(fleet.templates[i].kind, Kind::Within { le, .. } if le.is_finite());
                if bucket(i) {
                    assert!(pair[1].1[i] <= pair[1].1[i + 1], "{}", name(i));
                }
            }
        }
        let first = &all[29].1;
        let fell = (0..625).any(|i| all[30].1[i] < first[i] && name(i) == "node_cpu_seconds_total");
        assert_eq!(fell, falls_at.is_some());
    };
    f(1, None);
    f(3, Some(30));
}
