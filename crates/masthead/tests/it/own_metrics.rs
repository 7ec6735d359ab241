//! `docs/reference/masthead-metrics.md` is made of what a live server exposes. The server has one of everything that is counted by name: a rule, an
//! Alertmanager, an end of remote write, a client of logs.
#![expect(clippy::disallowed_methods, reason = "tests read documents and write files")]

use std::collections::BTreeMap;

use crate::{forward::free_address, serve::Server, table};

const PAGE: &str = "docs/reference/masthead-metrics.md";
const HEAD: &str = "| metric | type | meaning |\n| --- | --- | --- |\n";

/// Families of the layer that both services use; `docs/reference/api-metrics.md` has them.
const OF_THE_LAYER: [&str; 4] = ["http_", "process_", "build_info", "log_lines_dropped_total"];

/// Name, type and meaning of each family, as rows of the page.
fn exposed(server: &Server) -> Vec<String> {
    let (status, text) = server.get("/metrics");
    assert_eq!(status, 200);
    let after = |word: &str| -> BTreeMap<String, String> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(word)?.split_once(' '));
        lines.map(|(name, rest)| (name.to_owned(), rest.trim().to_owned())).collect()
    };
    let (types, helps) = (after("# TYPE "), after("# HELP "));
    let ours = |name: &str| !OF_THE_LAYER.iter().any(|start| name.starts_with(start));
    let rows = types.iter().filter(|(name, _)| ours(name));
    rows.map(|(name, kind)| format!("| `{name}` | {kind} | {} |", helps[name])).collect()
}

#[test]
fn the_reference_of_metrics_is_what_a_live_server_exposes() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let nobody = free_address();
    write("rules.yml", "groups: [{name: g, rules: [{alert: A, expr: vector(1)}]}]".to_owned());
    let prometheus = write(
        "prometheus.yml",
        format!(
            "rule_files: [rules.yml]\nalerting: {{alertmanagers: [{{static_configs: [{{targets: ['{nobody}']}}]}}]}}\nremote_write: [{{url: 'http://{nobody}/api/v1/write'}}]\n"
        ),
    );
    let promtail = write(
        "promtail.yaml",
        format!("clients: [{{url: 'http://{nobody}/loki/api/v1/push'}}]\nscrape_configs: []\n"),
    );
    let args = ["--prometheus-config", &prometheus, "--promtail-config", &promtail];
    let args = [&args[..], &["--promtail-clients"]].concat();
    let server = Server::start_with(&directory.path().join("data"), &args);
    // Some are there once what they count has begun.
    table::compare(PAGE, HEAD, || exposed(&server));
}
