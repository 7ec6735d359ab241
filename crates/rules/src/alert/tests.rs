//! The state machine on a simulated clock.

use super::*;

const MINUTE: Duration = Duration::from_mins(1);

fn minutes(count: i64) -> Millis {
    Millis(count * 60_000)
}

fn found(instance: &str, value: f64) -> Condition {
    Condition {
        labels: [("alertname", "Down"), ("instance", instance)].into_iter().collect(),
        annotations: Labels::default(),
        value,
    }
}

fn patience(hold: u32, keep: u32) -> Patience {
    Patience { hold: MINUTE * hold, keep_firing: MINUTE * keep, limit: 0 }
}

/// `a:firing` and the like, for what the series tell.
fn told(series: &[(Labels, f64)]) -> String {
    let mut words = Vec::new();
    for (labels, value) in series {
        let instance = labels.get("instance").unwrap_or("");
        match labels.metric_name() {
            Some("ALERTS") => {
                words.push(format!("{instance}:{}", labels.get("alertstate").unwrap_or("")));
            }
            _ => words.push(format!("{instance}@{value}")),
        }
    }
    words.join(" ")
}

#[test]
fn an_alert_waits_fires_and_resolves() {
    let mut alerts = Alerts::new(true);
    let mut f = |at: i64, values: &[f64], want: &str| {
        let found = values.iter().map(|value| found("a", *value)).collect();
        let series = alerts.step(found, minutes(at), patience(2, 0)).expect("no clash");
        assert_eq!(told(&series), want, "minute {at}");
    };
    f(0, &[1.0], "a:pending a@0");
    f(1, &[2.0], "a:pending a@0");
    f(2, &[3.0], "a:firing a@0");
    f(3, &[], "");
    // A new episode begins from the start.
    f(4, &[1.0], "a:pending a@240");
    // One that never fired leaves nothing behind.
    f(5, &[], "");
    assert!(alerts.is_empty());
}

#[test]
fn without_for_it_fires_at_once_and_can_be_kept_firing() {
    let mut alerts = Alerts::new(true);
    let mut f = |at: i64, holds: bool, want: &str| {
        let found = holds.then(|| found("a", 1.0)).into_iter().collect();
        let series = alerts.step(found, minutes(at), patience(0, 3)).expect("no clash");
        assert_eq!(told(&series), want, "minute {at}");
    };
    f(0, true, "a:firing a@0");
    f(1, false, "a:firing a@0");
    f(2, false, "a:firing a@0");
    // It holds again, so the time it is kept begins anew.
    f(3, true, "a:firing a@0");
    f(4, false, "a:firing a@0");
    f(6, false, "a:firing a@0");
    f(7, false, "");
    assert_eq!(alerts.state(), AlertState::Inactive);
}

#[test]
fn resolved_alerts_are_told_again_for_a_quarter_of_an_hour() {
    let mut alerts = Alerts::new(true);
    let mut f = |at: i64, holds: bool, want: &str| {
        let found = holds.then(|| found("a", 1.0)).into_iter().collect();
        alerts.step(found, minutes(at), patience(1, 0)).expect("no clash");
        let due = alerts.due(minutes(at), MINUTE, MINUTE);
        let shown: Vec<_> = due
            .iter()
            .map(|(_, alert)| {
                let minute = |at: Option<Millis>| at.map_or(-1, |at| at.0 / 60_000);
                format!(
                    "{:?} fired {} resolved {} valid {}",
                    alert.state,
                    minute(alert.fired_at),
                    minute(alert.resolved_at),
                    minute(alert.valid_until)
                )
            })
            .collect();
        assert_eq!(shown.join(", "), want, "minute {at}");
    };
    f(0, true, "");
    f(1, true, "Firing fired 1 resolved -1 valid 5");
    f(2, true, "");
    f(3, true, "Firing fired 1 resolved -1 valid 7");
    f(4, false, "Inactive fired 1 resolved 4 valid 8");
    f(5, false, "");
    f(6, false, "Inactive fired 1 resolved 4 valid 10");
    f(19, false, "Inactive fired 1 resolved 4 valid 23");
    f(20, false, "");
    assert!(alerts.is_empty());
}

#[test]
fn clashes_and_too_many_are_errors() {
    let mut alerts = Alerts::new(true);
    let clash = alerts.step(vec![found("a", 1.0), found("a", 2.0)], minutes(0), patience(0, 0));
    assert!(clash.expect_err("a clash").contains("same labelset"));
    let some = Patience { limit: 1, ..patience(0, 0) };
    let many = alerts.step(vec![found("a", 1.0), found("b", 2.0)], minutes(0), some);
    assert_eq!(many.expect_err("too many"), "exceeded limit of 1 with 2 alerts");
    assert!(alerts.is_empty());
    assert!(alerts.step(vec![found("a", 1.0)], minutes(0), some).is_ok());
}

#[test]
fn until_it_is_restored_no_series_tell_of_an_alert() {
    let mut alerts = Alerts::new(false);
    let series = alerts.step(vec![found("a", 1.0)], minutes(0), patience(0, 0));
    assert_eq!(told(&series.expect("no clash")), "");
    alerts.restored = true;
    let series = alerts.step(vec![found("a", 1.0)], minutes(1), patience(0, 0));
    assert_eq!(told(&series.expect("no clash")), "a:firing a@0");
}

#[test]
fn the_time_an_alert_has_held_survives_a_restart() {
    let outage = Outage { tolerance: MINUTE * 60, grace: MINUTE * 10 };
    // Held since `since`, last seen at `down`, restored at `at`; `hold` in minutes.
    let f = |hold: u32, since: i32, down: i64, at: i64, want: i64| {
        let mut alerts = Alerts::new(false);
        alerts.step(vec![found("a", 1.0)], minutes(at), patience(hold, 0)).expect("no clash");
        let labels = for_series(&found("a", 1.0).labels);
        let sample = (labels, minutes(down), f64::from(since) * 60.0);
        alerts.restore(&[sample], minutes(at), MINUTE * hold, outage);
        assert!(alerts.restored);
        assert_eq!(alerts.active.values().next().map(|a| a.held_since), Some(minutes(want)));
    };
    // It was firing when the process stopped.
    f(30, 0, 40, 50, 0);
    // Twenty-five of thirty minutes were over: it fires ten minutes after the restart.
    f(30, 0, 25, 50, 30);
    // Ten of thirty were over: the outage does not count.
    f(30, 0, 10, 50, 40);
}

#[test]
fn an_alert_that_had_ended_is_not_restored() {
    let outage = Outage { tolerance: MINUTE * 60, grace: MINUTE * 10 };
    let mut alerts = Alerts::new(false);
    alerts.step(vec![found("a", 1.0)], minutes(9), patience(30, 0)).expect("no clash");
    let labels = for_series(&found("a", 1.0).labels);
    let stale = (labels, minutes(5), masthead_model::stale_nan());
    alerts.restore(&[stale], minutes(9), MINUTE * 30, outage);
    assert_eq!(alerts.active.values().next().map(|a| a.held_since), Some(minutes(9)));
}
