//! Whether the server answers, is ready, and has lost or refused anything.

use super::{Check, Server, State};

/// Counters that stay at 0 where all is well, and what one above it means.
const DROPS: [(&str, &str, &str); 3] = [
    (
        "sum(masthead_tsdb_blocks_corrupt) + sum(masthead_logs_blocks_corrupt)",
        "blocks were set aside as damaged",
        "the log names them; restore them from a backup or delete them",
    ),
    (
        "sum(increase(prometheus_rule_evaluation_failures_total[15m]))",
        "evaluations of rules failed",
        "the page of rules says why",
    ),
    (
        "sum(increase(prometheus_notifications_dropped_total[15m]))",
        "alerts were not told",
        "look at the Alertmanagers of the configuration",
    ),
];

pub(super) async fn checks(server: &Server) -> Vec<Check> {
    const WHAT: &str = "server";
    let (status, body) = match server.get("/-/ready", &[]).await {
        Ok(answer) => answer,
        Err(why) => {
            let advice = "start it with `masthead serve` or `masthead demo`, or name its address";
            return vec![Check::new(WHAT, State::Broken, why, advice)];
        }
    };
    if status != 200 {
        let words = String::from_utf8_lossy(&body).trim().to_owned();
        let advice = "wait until it has read what it keeps; its log says how far it is";
        return vec![Check::new(WHAT, State::Broken, words, advice)];
    }
    match server.json("/api/v1/status/buildinfo", &[]).await {
        Err(why) => {
            let advice = if why.contains("401") || why.contains("403") {
                "give --token-file or --user and --password-file (masthead token new --scope read)"
            } else {
                "is it a Masthead? the address may be that of another program"
            };
            vec![Check::new(WHAT, State::Broken, why, advice)]
        }
        Ok(build) => {
            // `version` is the Prometheus that it answers as, which says nothing of the program.
            let found = match build["data"]["mastheadVersion"].as_str() {
                Some(own) => format!("ready, Masthead {own}"),
                None => "ready, and no Masthead".to_owned(),
            };
            let mut all = vec![Check::ok(WHAT, found)];
            for (expr, means, advice) in DROPS {
                let count: f64 = match server.promql(expr).await {
                    Ok(found) => found.iter().map(|(_, value)| value).sum(),
                    Err(_) => continue,
                };
                if count > 0.0 {
                    let found = format!("{count:.0} {means}");
                    all.push(Check::new("losses", State::Warning, found, advice));
                }
            }
            all
        }
    }
}
