//! All groups: reloads, restarts, the loop on a real clock.

use std::{sync::Arc, time::Duration};

use masthead_model::{Millis, is_stale};
use masthead_ports::{AlertState, RuleKind, RulesView as _};
use masthead_rules::{Language, Querier as _, SampleRules};
use masthead_sysio::{Clock as _, RealClock, UnixNanos};

use crate::stack::{Stack, eventually};

const DOWN: &str = "groups: [{name: g, rules: [{alert: Down, expr: up == 0, for: 30m}]}]";

fn minutes(count: i64) -> Millis {
    Millis(count * 60_000)
}

fn state(stack: &Stack) -> (AlertState, Option<Millis>) {
    match &stack.rules.groups()[0].rules[0].kind {
        RuleKind::Alerting { state, alerts, .. } => {
            (*state, alerts.first().and_then(|alert| alert.active_at))
        }
        RuleKind::Recording => panic!("no alerting rule"),
    }
}

#[test]
fn a_reload_keeps_what_did_not_change_and_ends_what_is_gone() {
    let (stack, clock) = Stack::simulated();
    stack.put("up{}", minutes(0), 0.0);
    stack.load(DOWN);
    stack.rules.evaluate_all(minutes(0));
    assert_eq!(state(&stack), (AlertState::Pending, Some(minutes(0))));
    // The same text again: not even the counters are new.
    stack.load(DOWN);
    assert_eq!(stack.rules.stats()[0].iterations, 1);
    // A changed group: the alert goes over.
    stack.load("groups: [{name: g, rules: [{alert: Down, expr: up < 1, for: 1h}]}]");
    clock.advance(Duration::from_mins(1));
    stack.rules.evaluate_all(minutes(1));
    assert_eq!(state(&stack), (AlertState::Pending, Some(minutes(0))));
    stack.load("");
    assert!(stack.rules.groups().is_empty());
    assert!(stack.rules.specs(Language::Promql).is_empty());
}

#[test]
fn a_restart_reads_back_since_when_an_alert_holds() {
    let (before, clock) = Stack::simulated();
    for at in 0..200 {
        before.put("up{}", minutes(at), 0.0);
    }
    before.load(DOWN);
    for at in 0..=5 {
        before.rules.evaluate_all(minutes(at));
    }
    // Five of thirty minutes were over when it stopped; ten minutes nobody looked.
    clock.set(UnixNanos(15 * 60_000_000_000));
    let after = Stack::new(Arc::new(clock), Arc::clone(&before.store));
    after.load(DOWN);
    after.rules.evaluate_all(minutes(15));
    assert_eq!(state(&after), (AlertState::Pending, Some(minutes(15))), "not at the first turn");
    after.rules.evaluate_all(minutes(16));
    assert_eq!(state(&after), (AlertState::Pending, Some(minutes(11))));
    after.rules.evaluate_all(minutes(40));
    assert_eq!(state(&after).0, AlertState::Pending);
    after.rules.evaluate_all(minutes(41));
    assert_eq!(state(&after).0, AlertState::Firing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_run_by_themselves_and_removed_ones_leave_no_series() {
    let clock = Arc::new(RealClock::new());
    let stack = Stack::new(clock.clone(), Arc::default());
    stack.load("groups: [{name: g, interval: 50ms, rules: [{record: one, expr: vector(1)}]}]");
    let running = tokio::spawn(stack.rules.clone().run());
    let stats = stack.rules.clone();
    // A turn counts when it begins, its rules when they end.
    eventually("three turns", || async {
        let group = &stats.stats()[0];
        group.iterations >= 3 && group.evaluations >= 3
    })
    .await;
    let group = &stack.rules.stats()[0];
    assert_eq!((&*group.group, group.failures), ("f.yml;g", 0));

    // Removed: two intervals later its series has ended.
    let querier = SampleRules {
        engine: masthead_promql::Engine::default(),
        source: stack.store.clone(),
        clock: clock.clone(),
        limits: masthead_ports::QueryLimits::default(),
        ending: Arc::default(),
    };
    let emptied = stack.rules.clone();
    tokio::task::spawn_blocking(move || {
        emptied.load(Vec::new(), masthead_model::Labels::default(), Duration::ZERO, Duration::ZERO);
    })
    .await
    .expect("loaded");
    eventually("a stale marker", || async {
        let now = masthead_model::Nanos(clock.now().0).to_millis_floor();
        let matchers = [masthead_model::Matcher::metric("one")];
        let range = masthead_model::TimeRange::new(Millis(0), now).expect("a range");
        let last = querier.last(&matchers, range).expect("memory answers");
        last.iter().all(|(_, _, value)| is_stale(*value)) && !last.is_empty()
    })
    .await;
    running.abort();
}
