//! Whether the panels of every dashboard have data.
//!
//! Variables are resolved in their order by asking the server, as the browser does; a panel's
//! queries are asked for now. A dashboard of which no panel has data is about something that this
//! server does not see, such as a cluster; one of which some have is worth a look. A query with a
//! text that somebody has yet to fill in is not asked.

use serde_json::Value;

use super::{Check, Server, State, some};
use crate::commands::check::dashboards::{Chosen, Kind, Scope, Sources, call};

/// Values of one variable that are taken for `All`.
const VALUES_MAX: usize = 200;
/// Panels of one dashboard that are asked.
const PANELS_MAX: usize = 300;

pub(super) async fn checks(server: &Server) -> Vec<Check> {
    let list = match server.json("/api/search", &[("type", "dash-db")]).await {
        Ok(list) => list.as_array().cloned().unwrap_or_default(),
        Err(why) => return vec![Check::new("dashboards", State::Broken, why, "ask again")],
    };
    let mut checks = Vec::new();
    for hit in &list {
        let (uid, title) = (hit["uid"].as_str(), hit["title"].as_str());
        let (Some(uid), Some(title)) = (uid, title) else { continue };
        let what = format!("dashboard {title}");
        // A uid is part of a path, so that only what stands for itself is asked.
        let plain = uid.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if !plain {
            continue;
        }
        match server.json(&format!("/api/dashboards/uid/{uid}"), &[]).await {
            Ok(answer) => checks.push(dashboard(server, &what, &answer["dashboard"]).await),
            Err(why) => checks.push(Check::new(&what, State::Broken, why, "ask again")),
        }
    }
    checks
}

/// What the panels of one dashboard said.
#[derive(Debug, Default)]
struct Tally {
    full: usize,
    empty: Vec<String>,
    failed: Vec<String>,
}

async fn dashboard(server: &Server, what: &str, dashboard: &Value) -> Check {
    let sources = Sources::of(dashboard);
    let mut scope = Scope::of(dashboard);
    for variable in array(&dashboard["templating"]["list"]) {
        resolve(server, &sources, variable, &mut scope).await;
    }
    let blanks = blanks(dashboard);
    let mut tally = Tally::default();
    for panel in panels(dashboard).into_iter().take(PANELS_MAX) {
        let title = panel["title"].as_str().unwrap_or("(no title)").to_owned();
        match data(server, &sources, (&scope, &blanks), panel).await {
            Ok(None) => {}
            Ok(Some(true)) => tally.full += 1,
            Ok(Some(false)) => tally.empty.push(title),
            Err(why) => tally.failed.push(format!("{title}: {why}")),
        }
    }
    verdict(what, &tally)
}

fn verdict(what: &str, tally: &Tally) -> Check {
    let Tally { full, empty, failed } = tally;
    let all = full + empty.len() + failed.len();
    if !failed.is_empty() {
        let advice = "`masthead check dashboards` reads its file; mend the query";
        return Check::new(what, State::Broken, some(failed), advice);
    }
    match (full, empty.len()) {
        (0, 0) => Check::ok(what, "asks for nothing"),
        (0, _) => Check::new(what, State::Skipped, "nothing here is about what it shows", ""),
        (_, 0) => Check::ok(what, format!("{all} panels have data")),
        (_, none) => {
            let found = format!("{none} of {all} panels have none: {}", some(empty));
            Check::new(what, State::Warning, found, "nothing of it may have happened yet")
        }
    }
}

/// Whether any query of a panel has an answer; nothing for a panel that asks for nothing.
async fn data(
    server: &Server,
    sources: &Sources,
    (scope, blanks): (&Scope, &[String]),
    panel: &Value,
) -> Result<Option<bool>, String> {
    let mut asked = None;
    for target in array(&panel["targets"]) {
        let source = if target["datasource"].is_null() {
            &panel["datasource"]
        } else {
            &target["datasource"]
        };
        let (kind, expr) = (sources.kind(source), target["expr"].as_str().unwrap_or(""));
        let waits = blanks.iter().any(|blank| expr.contains(blank));
        if expr.trim().is_empty() || target["hide"] == true || waits {
            continue;
        }
        let expr = scope.write(expr, kind);
        let found = match kind {
            Kind::Prometheus => !server.promql(&expr).await?.is_empty(),
            Kind::Loki => lines_or_numbers(server, &expr).await?,
            _ => continue,
        };
        asked = Some(asked.unwrap_or(false) || found);
        if found {
            break;
        }
    }
    Ok(asked)
}

/// How queries name the variables whose text nobody has filled in.
fn blanks(dashboard: &Value) -> Vec<String> {
    let variables = array(&dashboard["templating"]["list"]).iter();
    let blank = variables.filter(|variable| {
        let text = variable["current"]["value"].as_str().or(variable["query"].as_str());
        variable["type"] == "textbox" && text.is_none_or(str::is_empty)
    });
    blank.filter_map(|variable| Some(format!("${{{}}}", variable["name"].as_str()?))).collect()
}

async fn lines_or_numbers(server: &Server, expr: &str) -> Result<bool, String> {
    let parameters = [("query", expr), ("since", "1h"), ("limit", "1"), ("step", "60s")];
    let answer = server.json("/loki/api/v1/query_range", &parameters).await?;
    Ok(!array(&answer["data"]["result"]).is_empty())
}

/// Gives a query variable the values that the server knows.
async fn resolve(server: &Server, sources: &Sources, variable: &Value, scope: &mut Scope) {
    let name = variable["name"].as_str().unwrap_or("");
    if variable["type"] != "query" {
        return;
    }
    let asked = variable["query"].as_str().or(variable["query"]["query"].as_str());
    let Some(("label_values", inside)) = asked.and_then(call) else { return };
    let kind = sources.kind(&variable["datasource"]);
    let (selector, label) = match inside.rsplit_once(',') {
        Some((selector, label)) if !label.contains('}') => (selector.trim(), label.trim()),
        _ => ("", inside.trim()),
    };
    let selector = scope.write(selector, kind);
    let (path, parameter) = match kind {
        Kind::Loki => (format!("/loki/api/v1/label/{label}/values"), "query"),
        _ => (format!("/api/v1/label/{label}/values"), "match[]"),
    };
    let plain = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let parameters = [(parameter, selector.as_str())];
    let parameters = if selector.is_empty() { &[][..] } else { &parameters[..] };
    if !plain {
        return;
    }
    let Ok(answer) = server.json(&path, parameters).await else { return };
    let found = array(&answer["data"]).iter().filter_map(Value::as_str).map(str::to_owned);
    let values: Vec<String> = found.take(VALUES_MAX).collect();
    let Some(first) = values.first().cloned() else { return };
    let several = variable["multi"] == true || variable["includeAll"] == true;
    scope.set(name, if several { Chosen::Many(values) } else { Chosen::One(first) });
}

/// All panels, those in rows too.
fn panels(dashboard: &Value) -> Vec<&Value> {
    let rows = array(&dashboard["rows"]).iter().flat_map(|row| array(&row["panels"]));
    let top = array(&dashboard["panels"]).iter().chain(rows);
    top.flat_map(|panel| std::iter::once(panel).chain(array(&panel["panels"]))).collect()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn panels_in_rows_of_either_age_are_found() {
        let dashboard = json!({
            "panels": [{"title": "a"}, {"title": "row", "panels": [{"title": "b"}]}],
            "rows": [{"panels": [{"title": "c"}]}],
        });
        let titles: Vec<&str> =
            panels(&dashboard).iter().filter_map(|panel| panel["title"].as_str()).collect();
        assert_eq!(titles, ["a", "row", "b", "c"]);
    }

    #[test]
    fn texts_that_nobody_has_filled_in_are_told() {
        let dashboard = json!({"templating": {"list": [
            {"type": "textbox", "name": "a", "query": "", "current": {"value": ""}},
            {"type": "textbox", "name": "b", "query": ""},
            {"type": "textbox", "name": "c", "query": "", "current": {"value": "x"}},
            {"type": "textbox", "name": "d", "query": "x"},
            {"type": "query", "name": "e", "query": ""},
        ]}});
        assert_eq!(blanks(&dashboard), ["${a}", "${b}"]);
    }

    #[test]
    fn a_dashboard_is_judged_by_all_its_panels() {
        let names = |count: usize| (0..count).map(|at| format!("p{at}")).collect::<Vec<_>>();
        let f = |full, empty, failed, want: State, words: &str| {
            let tally = Tally { full, empty: names(empty), failed: names(failed) };
            let check = verdict("x", &tally);
            assert_eq!(check.state, want, "{check:?}");
            assert!(check.found.contains(words), "{check:?}");
        };
        f(3, 0, 0, State::Ok, "3 panels");
        f(0, 4, 0, State::Skipped, "nothing here");
        f(1, 5, 0, State::Warning, "5 of 6 panels have none: p0, p1, p2 and 2 more");
        f(1, 1, 1, State::Broken, "p0");
        f(0, 0, 0, State::Ok, "asks for nothing");
    }
}
