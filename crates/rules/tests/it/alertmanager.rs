//! The real Alertmanager, where it is installed (Debian's `prometheus-alertmanager`).

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, ChildStderr, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use masthead_model::{Millis, Nanos};
use masthead_sysio::{Clock as _, RealClock, RealFs};

use crate::stack::{Stack, eventually};

/// A child that ends with the test. Its log is held open: without a reader it would die of it.
struct Killed {
    child: Child,
    log: BufReader<ChildStderr>,
}

impl Drop for Killed {
    fn drop(&mut self) {
        // It may be gone already; either way there is nothing left to end.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Starts it on a port of its own; nothing if it is not installed.
fn start(dir: &std::path::Path) -> Option<(Killed, String)> {
    std::fs::write(dir.join("am.yml"), "route: {receiver: r}\nreceivers: [{name: r}]\n").ok()?;
    let mut child = Command::new("prometheus-alertmanager")
        .arg(format!("--config.file={}", dir.join("am.yml").display()))
        .arg(format!("--storage.path={}", dir.display()))
        .args(["--web.listen-address=127.0.0.1:0", "--cluster.listen-address="])
        .arg("--log.format=json")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let log = BufReader::new(child.stderr.take()?);
    let mut child = Killed { child, log };
    let mut line = String::new();
    while child.log.read_line(&mut line).is_ok_and(|len| len > 0) {
        let read = std::mem::take(&mut line);
        let Ok(entry) = serde_json::from_str::<serde_json::Value>(&read) else { continue };
        let listens = entry["msg"].as_str().is_some_and(|text| text.starts_with("Listening"));
        if let Some(address) = entry["address"].as_str().filter(|_| listens) {
            return Some((child, address.to_owned()));
        }
    }
    panic!("prometheus-alertmanager ended before it listened");
}

async fn alerts(address: &str) -> serde_json::Value {
    let client = masthead_http_client::Client::new(
        &masthead_http_client::HttpClientConfig::default(),
        Arc::new(RealFs),
    )
    .expect("defaults are fine");
    let url = format!("http://{address}/api/v2/alerts").parse().expect("a URL");
    let headers = http::HeaderMap::new();
    let request =
        masthead_http_client::Request { url: &url, headers: &headers, body_limit: 1 << 20 };
    let Ok(response) = client.session().get(request).await else { return serde_json::Value::Null };
    let mut body = Vec::new();
    response.read_body(1 << 20, &mut body).expect("a short answer");
    serde_json::from_slice(&body).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_alertmanager_takes_our_alerts() {
    let dir = tempfile::tempdir().expect("a directory");
    let Some((_child, address)) = start(dir.path()) else {
        return;
    };
    let clock = Arc::new(RealClock::new());
    let stack = Stack::new(clock.clone(), Arc::default());
    stack.load(
        "groups: [{name: g, rules: [{alert: Down, expr: up == 0, annotations: {a: '{{ $value }}'}}]}]",
    );
    stack.tell(&format!(
        "alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{address}']}}]}}]}}"
    ));
    let running = tokio::spawn(stack.notifier.clone().run());
    let now = || Nanos(clock.now().0).to_millis_floor();
    let began: Millis = now();
    stack.put(r#"up{job="a \"quoted\" name"}"#, began, 0.0);
    stack.rules.evaluate_all(began);
    eventually("it fires", || async {
        let found = alerts(&address).await;
        found[0]["labels"]["job"] == "a \"quoted\" name"
            && found[0]["annotations"]["a"] == "0"
            && found[0]["status"]["state"] == "active"
    })
    .await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    stack.put(r#"up{job="a \"quoted\" name"}"#, now(), 1.0);
    stack.rules.evaluate_all(now());
    eventually("it is over", || async { alerts(&address).await == serde_json::json!([]) }).await;
    assert_eq!(stack.notifier.stats().receivers[0].errors, 0);
    running.abort();
}
