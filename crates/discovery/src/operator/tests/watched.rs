//! Resources of an API server on loopback, and the Secrets that they name: both change, go, and stay
//! while the server is away.

use std::{sync::Arc, time::Duration};

use masthead_http_client::HttpClientConfig;
use masthead_sysio::{Fs, RealFs};

use super::*;
use crate::kubernetes::{Clusters, Timing, fake::Fake};

const PATIENCE: Duration = Duration::from_mins(1);

fn follow(fake: &Fake) -> Operator {
    let timing = Timing {
        backoff_min: Duration::from_millis(5),
        backoff_max: Duration::from_millis(20),
        answer: Duration::from_millis(500),
        settle: Duration::from_millis(1),
        secrets: Duration::from_millis(20),
    };
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let clusters = Clusters::new(timing);
    let api = clusters.api(&fake.url(), &HttpClientConfig::default(), &fs).expect("a URL");
    Operator::new(&clusters, &api, &Selection::default())
}

/// Waits until what is found is so.
async fn until(operator: &mut Operator, mut holds: impl FnMut(&Found) -> bool) -> Found {
    let wait = async {
        loop {
            let found = operator.next().await;
            if holds(&found) {
                return found;
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("in time")
}

fn monitor(name: &str, secret: &str) -> Value {
    let key = json!({"name": secret, "key": "token"});
    json!({
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"endpoints": [{"port": "m", "bearerTokenSecret": key}]},
    })
}

/// A Secret with a token, in base64.
fn secret(token: &str) -> Value {
    json!({"metadata": {"name": "s", "namespace": "shop"}, "data": {"token": token}})
}

fn tokens(found: &Found) -> Vec<&str> {
    let token =
        |job| -> Option<&str> { Value::as_str(&Map::get(job, "authorization")?["credentials"]) };
    found.jobs.iter().filter_map(token).collect()
}

fn refused(found: &Found) -> Vec<&str> {
    found.statuses.iter().filter_map(|status| status.rejected.as_deref()).collect()
}

#[tokio::test]
async fn resources_are_watched_and_each_has_its_status() {
    let fake = Fake::start().await;
    fake.set("servicemonitors", monitor("good", "s"));
    fake.set("servicemonitors", monitor("bad", "gone"));
    // "t".
    fake.set("secrets", secret("dA=="));
    fake.set(
        "prometheusrules",
        json!({"metadata": {"name": "r", "namespace": "shop", "uid": "u7"}, "spec": {"groups": [
            {"name": "g", "partial_response_strategy": "warn", "rules": []}]}}),
    );
    let mut operator = follow(&fake);
    let found =
        until(&mut operator, |found| found.jobs.len() == 1 && !found.rules.is_empty()).await;
    assert_eq!(found.jobs[0]["authorization"]["credentials"], "t");
    assert_eq!(found.rules[0].file, "shop-r-u7.yaml");
    assert_eq!(found.rules[0].text, r#"{"groups":[{"name":"g","rules":[]}]}"#);
    let shown: Vec<String> = found
        .statuses
        .iter()
        .map(|status| {
            let rejected = status.rejected.as_deref().unwrap_or("taken");
            format!("{} {}: {rejected} {}", status.kind, status.name, status.jobs.join(" "))
        })
        .collect();
    let want = [
        "PrometheusRule r: taken ",
        r#"ServiceMonitor bad: endpoints[0]: Secret shop/gone has no key "token" "#,
        "ServiceMonitor good: taken serviceMonitor/shop/good/0",
    ];
    assert_eq!(shown, want);
    fake.delete("servicemonitors", "shop", "good");
    until(&mut operator, |found| found.jobs.is_empty() && found.statuses.len() == 2).await;
}

#[tokio::test]
async fn a_secret_that_changes_is_read_again_and_one_that_goes_is_gone() {
    let fake = Fake::start().await;
    fake.set("servicemonitors", monitor("api", "s"));
    fake.set("secrets", secret("dA=="));
    let mut operator = follow(&fake);
    until(&mut operator, |found| tokens(found) == ["t"]).await;
    fake.set("secrets", secret("dTE="));
    until(&mut operator, |found| tokens(found) == ["u1"]).await;
    fake.delete("secrets", "shop", "s");
    let found = until(&mut operator, |found| found.jobs.is_empty()).await;
    assert_eq!(refused(&found), [r#"endpoints[0]: Secret shop/s has no key "token""#]);
    fake.set("secrets", secret("dA=="));
    until(&mut operator, |found| tokens(found) == ["t"]).await;
}

#[tokio::test]
async fn while_the_server_is_away_monitors_with_secrets_stay_as_they_are() {
    let fake = Fake::start().await;
    fake.set("servicemonitors", monitor("a", "s"));
    fake.set("servicemonitors", monitor("b", "z"));
    fake.set("secrets", secret("dA=="));
    let mut other = secret("dA==");
    other["metadata"]["name"] = "z".into();
    fake.set("secrets", other);
    let mut operator = follow(&fake);
    let all = |found: &Found| tokens(found) == ["t", "t"] && refused(found).is_empty();
    until(&mut operator, all).await;
    for status in [503, 403, 401] {
        fake.refuse(Some(status));
        let told = |found: &Found| {
            assert_eq!(found.jobs.len(), 2, "{found:?}");
            found.problems.iter().any(|what| what.contains("/secrets/s"))
        };
        let found = until(&mut operator, told).await;
        assert!(all(&found), "{status}: {found:?}");
        fake.refuse(None);
        until(&mut operator, |found| found.problems.is_empty()).await;
    }
    // One that does not answer at all is asked for one Secret, not for each.
    fake.be_silent(true);
    let told =
        |found: &Found| found.problems.iter().any(|what| what.contains("/secrets/s: no answer"));
    let found = until(&mut operator, told).await;
    assert!(all(&found), "{found:?}");
    let asked = |name: &str| fake.requests(&format!("/secrets/{name}")).len();
    let (first, second) = (asked("s"), asked("z"));
    let again = async {
        while asked("s") < first + 2 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let follow = async {
        loop {
            operator.next().await;
        }
    };
    tokio::select! {
        () = follow => {}
        again = tokio::time::timeout(PATIENCE, again) => again.expect("in time"),
    }
    assert_eq!(asked("z"), second);
    fake.be_silent(false);
    fake.set("secrets", secret("dTE="));
    until(&mut operator, |found| tokens(found) == ["u1", "t"]).await;
}

#[tokio::test]
async fn a_secret_that_may_not_be_read_is_told_as_that() {
    let fake = Fake::start().await;
    fake.set("servicemonitors", monitor("api", "s"));
    fake.set("secrets", secret("dA=="));
    fake.refuse_at("/secrets/s", Some(403));
    let mut operator = follow(&fake);
    let found = until(&mut operator, |found| !found.statuses.is_empty()).await;
    let want = "endpoints[0]: Secret shop/s cannot be read: /api/v1/namespaces/shop/secrets/s: 403 \
                Forbidden: not now; the service account needs get on it";
    assert_eq!(refused(&found), [want]);
    fake.refuse_at("/secrets/s", None);
    until(&mut operator, |found| tokens(found) == ["t"]).await;
}

#[tokio::test]
async fn kinds_that_are_not_installed_or_forbidden_cost_the_others_nothing_and_may_come_later() {
    let fake = Fake::start().await;
    fake.refuse_at("/podmonitors", Some(404));
    fake.refuse_at("/probes", Some(403));
    fake.set("servicemonitors", monitor("api", "s"));
    fake.set("secrets", secret("dA=="));
    let mut operator = follow(&fake);
    let found =
        until(&mut operator, |found| tokens(found) == ["t"] && found.problems.len() == 2).await;
    let path = "/apis/monitoring.coreos.com/v1";
    let want = [
        format!(
            "{path}/podmonitors: 404 Not Found; the cluster has no such kind: are its CRDs installed?"
        ),
        format!(
            "{path}/probes: 403 Forbidden: not now; the service account needs get, list and watch on it"
        ),
    ];
    assert_eq!(found.problems, want);
    fake.refuse_at("/podmonitors", None);
    fake.refuse_at("/probes", None);
    let pods = json!({"metadata": {"name": "pods", "namespace": "shop"},
        "spec": {"podMetricsEndpoints": [{"port": "m"}]}});
    fake.set("podmonitors", pods);
    until(&mut operator, |found| found.jobs.len() == 2 && found.problems.is_empty()).await;
}
