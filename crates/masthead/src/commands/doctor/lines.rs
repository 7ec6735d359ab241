//! Whether lines arrive, and those that look like JSON parse.

use std::time::Duration;

use super::{Check, Server, State};

pub(super) async fn checks(server: &Server, fresh: Duration) -> Vec<Check> {
    const WHAT: &str = "logs";
    let window = format!("{}s", fresh.as_secs().max(1));
    let all = format!(r#"sum(count_over_time({{service_name=~".+"}}[{window}]))"#);
    let count = match server.logql(&all).await {
        Ok(found) => found.iter().map(|(_, count)| count).sum::<f64>(),
        Err(why) => return vec![Check::new(WHAT, State::Broken, why, "ask again")],
    };
    if count <= 0.0 {
        let advice = "name files in `logs.scrape_configs`, push to /loki/api/v1/push, or start the \
                      service with `masthead run`";
        let found = format!("no line came in the last {window}");
        return vec![Check::new(WHAT, State::Warning, found, advice)];
    }
    let mut checks = vec![Check::ok(WHAT, format!("{count:.0} lines in the last {window}"))];
    // A line of JSON begins with a brace; what of these does not parse was cut or mixed.
    let braced = format!(
        r#"sum by (app) (count_over_time({{service_name=~".+"}} |~ `^\s*\{{` | json | __error__="JSONParserErr" [{window}]))"#
    );
    match server.logql(&braced).await {
        Err(why) => checks.push(Check::new(WHAT, State::Broken, why, "ask again")),
        Ok(found) => {
            for (labels, count) in found.iter().filter(|(_, count)| *count > 0.0) {
                let app = labels["app"].as_str().unwrap_or("(no label app)");
                let found = format!("{count:.0} lines of {app} begin like JSON and are none");
                let advice = "two writers to one file, or lines that are cut: one line, one write";
                checks.push(Check::new("log lines", State::Warning, found, advice));
            }
        }
    }
    checks
}
