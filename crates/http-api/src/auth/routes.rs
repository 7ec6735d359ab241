//! Which scope each route needs: the one table.
//!
//! A route that is not in it needs admin, so that a forgotten row closes a door instead of opening
//! one. What no route answers is the browser application, whose files are for everybody: the page
//! that asks for the password must be had without one.

use axum::http::Method;

use super::scope::Scope;

/// What a request must come with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing.
    Open,
    /// This scope.
    Scope(Scope),
}

/// What a request to a route needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) need: Need,
    /// Whether it changes something, so that another site's page must not be able to send it.
    pub(super) changes: bool,
}

const OPEN: Need = Need::Open;
const READ: Need = Need::Scope(Scope::Read);
const WRITE: Need = Need::Scope(Scope::Write);
const ADMIN: Need = Need::Scope(Scope::Admin);

/// Route as the router has it, methods (`*` for any other), need.
pub(super) type Row = (&'static str, &'static str, Need);

#[rustfmt::skip]
pub(super) const ROUTES: &[Row] = &[
    ("/-/healthy", "*", OPEN),
    ("/-/quit", "*", ADMIN),
    ("/-/ready", "*", OPEN),
    ("/-/reload", "*", ADMIN),
    ("/api/dashboards/db", "*", ADMIN),
    ("/api/dashboards/uid/{uid}", "DELETE", ADMIN),
    ("/api/dashboards/uid/{uid}", "*", READ),
    ("/api/discovery", "*", READ),
    ("/api/login", "*", OPEN),
    ("/api/logout", "*", OPEN),
    ("/api/prom/label", "*", READ),
    ("/api/prom/label/{name}/values", "*", READ),
    ("/api/prom/push", "*", WRITE),
    ("/api/prom/query", "*", READ),
    ("/api/prom/rules", "*", READ),
    ("/api/prom/series", "*", READ),
    ("/api/prom/tail", "*", READ),
    ("/api/queries", "*", READ),
    ("/api/queries/{id}", "*", ADMIN),
    ("/api/search", "*", READ),
    ("/api/user", "*", OPEN),
    ("/api/v1/admin/logs/snapshot", "*", ADMIN),
    ("/api/v1/admin/tsdb/clean_tombstones", "*", ADMIN),
    ("/api/v1/admin/tsdb/delete_series", "*", ADMIN),
    ("/api/v1/admin/tsdb/snapshot", "*", ADMIN),
    ("/api/v1/alertmanagers", "*", READ),
    ("/api/v1/alerts", "*", READ),
    ("/api/v1/features", "*", READ),
    ("/api/v1/format_query", "*", READ),
    ("/api/v1/label/{name}/values", "*", READ),
    ("/api/v1/labels", "*", READ),
    ("/api/v1/metadata", "*", READ),
    ("/api/v1/notifications", "*", READ),
    ("/api/v1/notifications/live", "*", READ),
    ("/api/v1/openapi.yaml", "*", READ),
    ("/api/v1/otlp/v1/metrics", "*", WRITE),
    ("/api/v1/parse_query", "*", READ),
    ("/api/v1/query", "*", READ),
    ("/api/v1/query_exemplars", "*", READ),
    ("/api/v1/query_range", "*", READ),
    ("/api/v1/read", "*", READ),
    ("/api/v1/rules", "*", READ),
    ("/api/v1/scrape_pools", "*", READ),
    ("/api/v1/scrape_pools/config", "*", READ),
    ("/api/v1/search/label_names", "*", READ),
    ("/api/v1/search/label_values", "*", READ),
    ("/api/v1/search/metric_names", "*", READ),
    ("/api/v1/series", "*", READ),
    ("/api/v1/status/buildinfo", "*", READ),
    ("/api/v1/status/config", "*", READ),
    ("/api/v1/status/flags", "*", READ),
    ("/api/v1/status/runtimeinfo", "*", READ),
    ("/api/v1/status/self_metrics", "*", READ),
    ("/api/v1/status/tsdb", "*", READ),
    ("/api/v1/status/tsdb/blocks", "*", READ),
    ("/api/v1/status/walreplay", "*", READ),
    ("/api/v1/targets", "*", READ),
    ("/api/v1/targets/metadata", "*", READ),
    ("/api/v1/targets/relabel_steps", "*", READ),
    ("/api/v1/write", "*", WRITE),
    ("/config", "*", READ),
    ("/federate", "*", READ),
    ("/flush", "*", ADMIN),
    ("/log_level", "*", READ),
    ("/loki/api/v1/delete", "*", ADMIN),
    ("/loki/api/v1/detected_field/{name}/values", "*", READ),
    ("/loki/api/v1/detected_fields", "*", READ),
    ("/loki/api/v1/detected_labels", "*", READ),
    ("/loki/api/v1/drilldown-limits", "*", READ),
    ("/loki/api/v1/format_query", "*", READ),
    ("/loki/api/v1/index/shards", "*", READ),
    ("/loki/api/v1/index/stats", "*", READ),
    ("/loki/api/v1/index/volume", "*", READ),
    ("/loki/api/v1/index/volume_range", "*", READ),
    ("/loki/api/v1/label", "*", READ),
    ("/loki/api/v1/label/{name}/values", "*", READ),
    ("/loki/api/v1/labels", "*", READ),
    ("/loki/api/v1/otlp/v1/logs", "*", WRITE),
    ("/loki/api/v1/patterns", "*", READ),
    ("/loki/api/v1/push", "*", WRITE),
    ("/loki/api/v1/query", "*", READ),
    ("/loki/api/v1/query_range", "*", READ),
    ("/loki/api/v1/rules", "*", READ),
    ("/loki/api/v1/series", "*", READ),
    ("/loki/api/v1/status/buildinfo", "*", READ),
    ("/loki/api/v1/tail", "*", READ),
    ("/metrics", "*", READ),
    ("/otlp/v1/logs", "*", WRITE),
    ("/prometheus/api/v1/alerts", "*", READ),
    ("/prometheus/api/v1/rules", "*", READ),
    ("/ready", "*", OPEN),
    ("/services", "*", READ),
    ("/version", "*", READ),
];

/// Every route as the router has it, with methods (`*` for any other) and the scope it needs; no
/// scope for one that is open.
pub fn routes() -> impl Iterator<Item = (&'static str, &'static str, Option<Scope>)> {
    ROUTES.iter().map(|(path, methods, need)| match need {
        Need::Open => (*path, *methods, None),
        Need::Scope(scope) => (*path, *methods, Some(*scope)),
    })
}

/// What a request to this route needs; `route` is nothing where none answers.
pub(super) fn rule(route: Option<&str>, method: &Method) -> Rule {
    let Some(route) = route else { return Rule { need: OPEN, changes: false } };
    let start = ROUTES.partition_point(|(path, ..)| *path < route);
    let rows = ROUTES.iter().skip(start).take_while(|(path, ..)| *path == route);
    let fits = |methods: &str| methods == "*" || methods == method.as_str();
    let need = rows.into_iter().find(|row| fits(row.1)).map_or(ADMIN, |row| row.2);
    // The one address that changes something when it is only looked at; Loki has it so.
    let acts = !matches!(*method, Method::GET | Method::HEAD) || route == "/flush";
    Rule { need, changes: acts && need != READ }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_it_can_be_searched() {
        // `*` comes last among the rows of one route, because it takes all.
        let key = |row: &Row| (row.0, row.1 == "*", row.1);
        for pair in ROUTES.windows(2) {
            assert!(key(&pair[0]) < key(&pair[1]), "{pair:?}");
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test reads documents of the repository")]
    fn the_reference_names_no_route_that_is_not_there() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference");
        let page = |name: &str| {
            std::fs::read_to_string(format!("{folder}/{name}")).expect("a page of the reference")
        };
        let pages = ["http-prometheus.md", "http-loki.md", "http-masthead.md"].map(page).join("\n");
        // `/label/{name}` here is `/label/NAME` there.
        let shape = |path: &str| -> String {
            let is_name = |part: &str| {
                part.starts_with('{') || part.chars().all(|c| c.is_ascii_uppercase() || c == '_')
            };
            let parts = path.split('/').map(|p| if !p.is_empty() && is_name(p) { "*" } else { p });
            parts.collect::<Vec<_>>().join("/")
        };
        let documented: Vec<String> = pages
            .lines()
            .flat_map(|line| line.split('`').skip(1).step_by(2))
            .filter_map(|code| code.split(' ').next_back()?.split('?').next())
            .filter(|path| path.starts_with('/'))
            .map(shape)
            .collect();
        let routes: Vec<String> = ROUTES.iter().map(|row| shape(row.0)).collect();
        let ours = ["/api/", "/loki/", "/prometheus/", "/otlp/", "/-/"];
        for path in documented.iter().filter(|path| !path.contains('…') && *path != "/api/v1") {
            let is_ours = ours.iter().any(|start| path.starts_with(start));
            assert!(!is_ours || routes.contains(path), "{path} of the reference is no route");
        }
    }

    #[test]
    fn a_rule_is_found_by_route_and_method() {
        let f = |route: Option<&str>, method: Method, need, changes| {
            assert_eq!(rule(route, &method), Rule { need, changes }, "{route:?} {method}");
        };
        f(None, Method::POST, OPEN, false);
        f(Some("/api/v1/query"), Method::POST, READ, false);
        f(Some("/api/v1/write"), Method::POST, WRITE, true);
        f(Some("/api/dashboards/uid/{uid}"), Method::GET, READ, false);
        f(Some("/api/dashboards/uid/{uid}"), Method::DELETE, ADMIN, true);
        f(Some("/flush"), Method::GET, ADMIN, true);
        f(Some("/loki/api/v1/delete"), Method::GET, ADMIN, false);
        f(Some("/api/login"), Method::POST, OPEN, true);
        f(Some("/api/of/tomorrow"), Method::GET, ADMIN, false);
    }
}
