//! Whether every target is up, and its samples are fresh.

use std::time::Duration;

use serde_json::Value;

use super::{Check, Server, State};

pub(super) async fn checks(server: &Server, fresh: Duration) -> Vec<Check> {
    const WHAT: &str = "targets";
    let answer = match server.json("/api/v1/targets", &[("state", "active")]).await {
        Ok(answer) => answer,
        Err(why) => return vec![Check::new(WHAT, State::Broken, why, "ask again")],
    };
    let all = answer["data"]["activeTargets"].as_array().cloned().unwrap_or_default();
    if all.is_empty() {
        let advice = "name what to scrape in `metrics.scrape_configs`, or let the cluster say it";
        return vec![Check::new(WHAT, State::Warning, "nothing is scraped", advice)];
    }
    let mut checks: Vec<Check> = all.iter().filter_map(down).collect();
    let (up, count) = (all.len() - checks.len(), all.len());
    checks.insert(0, Check::ok(WHAT, format!("{up} of {count} are up")));
    if up > 0 {
        checks.push(freshness(server, fresh).await);
    }
    checks
}

/// A target that is not up; one that was not scraped yet says nothing.
fn down(target: &Value) -> Option<Check> {
    if target["health"] != "down" {
        return None;
    }
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let (url, error) = (text(&target["scrapeUrl"]), text(&target["lastError"]));
    let advice = match error.as_str() {
        e if e.contains("connection refused") => {
            "nothing listens there: is it started, and is the port that of its metrics?"
        }
        e if e.contains("no such host") || e.contains("lookup") => {
            "the name is not known: compare it with the configuration"
        }
        e if e.contains("401") || e.contains("403") => {
            "it wants credentials: `authorization` or `basic_auth` of the job"
        }
        e if e.contains("404") => "it has no metrics at that path: `metrics_path` of the job",
        e if e.contains("deadline") => "it answers too slowly: `scrape_timeout`, or look at it",
        e if e.contains("certificate") || e.contains("tls") => {
            "its certificate is not trusted: `tls_config.ca_file` of the job"
        }
        _ => "open the address and compare with what the error says",
    };
    let job = text(&target["labels"]["job"]);
    Some(Check::new(&format!("target {job}"), State::Broken, format!("{url}: {error}"), advice))
}

/// How old the newest sample of `up` is.
async fn freshness(server: &Server, fresh: Duration) -> Check {
    const WHAT: &str = "samples";
    match server.promql("time() - max(timestamp(up))").await {
        Err(why) => Check::new(WHAT, State::Broken, why, "the log of the server says more"),
        Ok(found) => match found.first() {
            None => {
                let advice = "wait for the first scrape, then look at the server's log";
                Check::new(WHAT, State::Broken, "no sample of `up` is there", advice)
            }
            Some((_, age)) if *age > fresh.as_secs_f64() => {
                let advice = "nothing was written since: disk full, or a clock that jumped?";
                Check::new(WHAT, State::Broken, format!("the newest is {age:.0} s old"), advice)
            }
            Some((_, age)) => Check::ok(WHAT, format!("the newest is {age:.0} s old")),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_target_that_is_down_has_an_advice_for_its_error() {
        let f = |error: &str, want: &str| {
            let target = json!({"health": "down", "scrapeUrl": "http://x/metrics",
                "lastError": error, "labels": {"job": "shop"}});
            let check = down(&target).unwrap();
            assert_eq!((check.what.as_str(), check.state), ("target shop", State::Broken));
            assert!(check.advice.contains(want), "{check:?}");
        };
        f("dial tcp 127.0.0.1:1: connect: connection refused", "nothing listens");
        f("server returned HTTP status 401 Unauthorized", "credentials");
        f("server returned HTTP status 404 Not Found", "metrics_path");
        f("context deadline exceeded", "scrape_timeout");
        f("tls: unknown authority", "ca_file");
        f("something else", "compare");
        assert_eq!(down(&json!({"health": "up"})), None);
        assert_eq!(down(&json!({"health": "unknown"})), None);
    }
}
