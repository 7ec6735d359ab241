//! The demo's stack: what the API logs and measures is found by the commands and shown by the
//! dashboards that ship, also after a restart.
#![expect(clippy::disallowed_methods, reason = "tests read the dashboards of the repository")]

use std::path::Path;

use masthead_model::Labels;
use rustix::process::Signal;
use serde_json::Value;

use crate::{
    demo::{address, demo},
    process::{masthead, soon},
    serve::Server,
};

fn start(data: &Path, rate: &str) -> Server {
    let data = data.to_str().unwrap();
    let args = ["--rate", rate, "--seed", "5", "--scrape-every", "500ms", "--data", data];
    let mut process = demo(&args);
    let address = address(&mut process, "Dashboards");
    Server { process, address }
}

fn lines(server: &Server, query: &str) -> Vec<Value> {
    let url = format!("http://{}", server.address());
    let args = ["logs", query, "--url", &url, "--format", "json", "--limit", "1000"];
    let (code, stdout, stderr) = masthead(&args).finish();
    assert_eq!(code, Some(0), "{stderr}");
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Every query of a dashboard that ships, with its variables replaced.
fn queries(dashboard: &str) -> Vec<String> {
    fn collect(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("expr").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|member| collect(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/grafana/dashboards");
    let text = std::fs::read_to_string(root.join(dashboard)).unwrap();
    let mut found = Vec::new();
    collect(&serde_json::from_str(&text).unwrap(), &mut found);
    for query in &mut found {
        for (variable, value) in [
            ("$namespace", "devops-demo"),
            ("$service", "api"),
            ("$search", ""),
            ("${request_id}", "demo-5-1"),
            ("$__rate_interval", "1m"),
            ("$__range", "5m"),
        ] {
            *query = query.replace(variable, value);
        }
        assert!(!query.contains('$'), "{query}");
    }
    found
}

/// Whether the query has an answer that is not empty.
fn answers(server: &Server, query: &str) -> bool {
    let form = form_urlencoded::Serializer::new(String::new()).append_pair("query", query).finish();
    let path = if query.trim_start().starts_with('{') || query.contains("count_over_time({") {
        format!("/loki/api/v1/query_range?{form}")
    } else {
        format!("/api/v1/query?{form}")
    };
    let (status, answer) = server.get(&path);
    assert_eq!(status, 200, "{query}: {answer}");
    answer.contains("\"result\":[{")
}

#[test]
fn the_api_is_found_by_the_commands_and_shown_by_the_dashboards() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path(), "50/s");
    let errors = "{app=\"api\"} | json | level=\"ERROR\"";
    assert!(soon(|| !lines(&server, errors).is_empty()));
    let line = lines(&server, errors).remove(0);
    let text: Value = serde_json::from_str(line["line"].as_str().unwrap()).unwrap();
    assert_eq!(text["level"], "ERROR");
    let labels: Labels = line["labels"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    for (name, value) in [
        ("namespace", "devops-demo"),
        ("app", "api"),
        ("pod", "api-0"),
        ("container", "api"),
        ("stream", "stdout"),
        ("job", "devops-demo/api"),
    ] {
        assert_eq!(labels.get(name), Some(value), "{labels}");
    }
    assert!(labels.get("node_name").is_some_and(|node| !node.is_empty()), "{labels}");

    let up = "sum(up{namespace=\"devops-demo\",job=\"api\",service=\"api\",pod=\"api-0\",container=\"api\",endpoint=\"metrics\"})";
    assert!(soon(|| server.number(&format!("{up} or vector(0)")) == "1"));
    for dashboard in ["api-overview.json", "api-logs.json"] {
        let queries = queries(dashboard);
        assert!(queries.len() > 4, "{queries:?}");
        for query in queries {
            // The scrape after the first request of each kind has it.
            assert!(soon(|| answers(&server, &query)), "{dashboard}: nothing for {query}");
        }
    }
    let (_, listed) = server.get("/api/search");
    for uid in ["api-overview", "api-logs", "host", "masthead"] {
        assert!(listed.contains(&format!("\"uid\":\"{uid}\"")), "{uid} in {listed}");
    }
    // This machine is scraped every fifteen seconds.
    let host = || soon(|| server.number("count(node_boot_time_seconds) or vector(0)") == "1");
    assert!(host() || host() || host());
    assert_eq!(server.stop(Signal::INT), Some(0));

    // What was there before is there after a restart, and goes on.
    let server = start(data.path(), "0.1/s");
    assert!(!lines(&server, "{app=\"api\"} | json | request_id=\"demo-5-1\"").is_empty());
    assert!(answers(&server, "count_over_time(http_requests_total[10m])"));
    assert_eq!(server.stop(Signal::TERM), Some(0));
}
