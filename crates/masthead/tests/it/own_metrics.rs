//! What a live server exposes at `/metrics` is what `docs/reference/masthead-metrics.md` describes,
//! both ways, with its type. The server has one of everything that is counted by name: a rule, an
//! Alertmanager, an end of remote write, a client of logs.
#![expect(clippy::disallowed_methods, reason = "tests read documents and write files")]

use std::{collections::BTreeMap, path::Path};

use crate::{forward::free_address, process::soon, serve::Server};

/// Families of the layer that both services use; `docs/reference/api-metrics.md` has them.
const OF_THE_LAYER: [&str; 4] = ["http_", "process_", "build_info", "log_lines_dropped_total"];

/// Type by name, of the rows of the page. A counter is called as its samples are.
fn documented() -> BTreeMap<String, String> {
    let page =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/masthead-metrics.md");
    let text = std::fs::read_to_string(page).unwrap();
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let name = cells.next()?.trim_end_matches('`').to_owned();
        Some((name, cells.next()?.to_owned()))
    };
    text.lines().filter_map(row).collect()
}

/// Type by name, as exposed.
fn exposed(server: &Server) -> BTreeMap<String, String> {
    let (status, text) = server.get("/metrics");
    assert_eq!(status, 200);
    let of = |line: &str| {
        let (name, kind) = line.strip_prefix("# TYPE ")?.split_once(' ')?;
        Some((name.to_owned(), kind.trim().to_owned()))
    };
    let all = text.lines().filter_map(of);
    all.filter(|(name, _)| !OF_THE_LAYER.iter().any(|start| name.starts_with(start))).collect()
}

#[test]
fn the_page_of_metrics_is_what_a_live_server_exposes() {
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
    let documented = documented();
    assert!(documented.len() > 100, "the page has {} rows", documented.len());
    let mut last = BTreeMap::new();
    // Some are there once what they count has begun.
    let same = soon(|| {
        last = exposed(&server);
        last == documented
    });
    let names = |map: &BTreeMap<String, String>, other: &BTreeMap<String, String>| {
        let differs = map.iter().filter(|(name, kind)| other.get(*name) != Some(kind));
        differs.map(|(name, kind)| format!("{name} {kind}")).collect::<Vec<_>>()
    };
    assert!(
        same,
        "exposed and not so documented: {:?}; documented and not so exposed: {:?}",
        names(&last, &documented),
        names(&documented, &last)
    );
}
