//! Alerts on the wire, to an Alertmanager in this process.

use std::time::Duration;

use masthead_model::Millis;
use serde_json::json;

use crate::{
    receiver::Receiver,
    stack::{Stack, eventually},
};

const RULES: &str = "
groups:
- name: g
  rules:
  - alert: Down
    expr: up == 0
    labels: {severity: page, replica: a}
    annotations: {summary: '{{ $labels.job }} is down'}
";

fn down(stack: &Stack, at: i64, up: f64) {
    stack.put(r#"up{job="api"}"#, Millis(at * 60_000), up);
    stack.rules.evaluate_all(Millis(at * 60_000));
}

#[tokio::test]
async fn a_firing_and_a_resolved_alert_arrive_as_the_api_wants_them() {
    let receiver = Receiver::start().await;
    let (stack, _clock) = Stack::simulated();
    stack.load(RULES);
    stack.tell(&format!(
        "alerting:\n  alert_relabel_configs: [{{action: labeldrop, regex: replica}}]\n  \
         alertmanagers:\n  - path_prefix: /am/\n    basic_auth: {{username: u, password: p}}\n    \
         static_configs: [{{targets: ['{}']}}]\n",
        receiver.address
    ));
    let running = tokio::spawn(stack.notifier.clone().run());
    down(&stack, 0, 0.0);
    eventually("one message", || async { receiver.requests().len() == 1 }).await;
    let (head, body) = receiver.requests().remove(0);
    assert!(head.starts_with("POST /am/api/v2/alerts HTTP/1.1\r\n"), "{head}");
    assert!(head.to_lowercase().contains("authorization: basic dtpw"), "{head}");
    assert!(head.to_lowercase().contains("content-type: application/json"), "{head}");
    assert_eq!(
        body,
        json!([{
            "labels": {"alertname": "Down", "job": "api", "severity": "page", "zone": "eu"},
            "annotations": {"summary": "api is down"},
            "startsAt": "1970-01-01T00:00:00.000Z",
            "endsAt": "1970-01-01T00:04:00.000Z",
            "generatorURL": "http://me:3000/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
        }])
    );
    down(&stack, 1, 1.0);
    eventually("the end", || async { receiver.alerts().len() == 2 }).await;
    assert_eq!(receiver.alerts()[1]["endsAt"], "1970-01-01T00:01:00.000Z");
    let stats = stack.notifier.stats();
    assert_eq!((stats.dropped, stats.receivers[0].sent), (0, 2));
    let url = format!("http://{}/am/api/v2/alerts", receiver.address);
    assert_eq!(stack.notifier.alertmanagers().active, [url]);
    running.abort();
}

#[tokio::test]
async fn relabelling_picks_receivers_and_alerts_and_failures_are_counted() {
    let (kept, other) = (Receiver::start().await, Receiver::start().await);
    other.answer_with(500);
    let (stack, _clock) = Stack::simulated();
    stack.load(RULES);
    let (a, b) = (&kept.address, &other.address);
    stack.tell(&format!(
        "alerting:\n  alertmanagers:\n  - static_configs: [{{targets: ['{a}', 'gone:1']}}]\n    \
         relabel_configs: [{{source_labels: [__address__], regex: 'gone.*', action: drop}}]\n  \
         - static_configs: [{{targets: ['{b}']}}]\n    alert_relabel_configs: [{{target_label: \
         to, replacement: other}}]\n"
    ));
    assert_eq!(stack.notifier.alertmanagers().dropped, ["http://gone:1/api/v2/alerts"]);
    let running = tokio::spawn(stack.notifier.clone().run());
    down(&stack, 0, 0.0);
    eventually("both heard", || async {
        let stats = stack.notifier.stats();
        stats.receivers.iter().all(|one| one.sent + one.errors == 1)
    })
    .await;
    assert_eq!(kept.alerts()[0]["labels"]["to"], json!(null));
    assert_eq!(other.alerts()[0]["labels"]["to"], "other");
    let stats = stack.notifier.stats();
    assert_eq!((stats.dropped, stats.receivers[0].sent, stats.receivers[1].errors), (1, 1, 1));
    running.abort();
}

#[tokio::test]
async fn what_waits_survives_a_reload_and_a_full_queue_drops_the_oldest() {
    let receiver = Receiver::start().await;
    let (stack, _clock) = Stack::simulated();
    stack.load("groups: [{name: g, rules: [{alert: Many, expr: up}]}]");
    let alerting = format!(
        "alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{}']}}]}}]}}",
        receiver.address
    );
    stack.tell(&alerting);
    let count = masthead_rules::QUEUE_MAX + 5;
    for n in 0..count {
        stack.put(&format!("up{{n=\"{n:05}\"}}"), Millis(0), 1.0);
    }
    stack.rules.evaluate_all(Millis(0));
    assert_eq!(stack.notifier.stats().dropped, 5);
    stack.tell(&alerting);
    assert_eq!(stack.notifier.stats().queue_length, masthead_rules::QUEUE_MAX as u64);
    // What waits is sent even when the process ends.
    let drained = tokio::time::timeout(Duration::from_mins(1), stack.notifier.drain()).await;
    assert!(drained.is_ok());
    let heard = receiver.alerts();
    assert_eq!(heard.len(), masthead_rules::QUEUE_MAX);
    assert_eq!(heard[0]["labels"]["n"], "00005");
}
