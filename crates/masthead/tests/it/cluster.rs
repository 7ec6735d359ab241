//! `serve --kubernetes` and `doctor`, against an API server on loopback that has one of everything.
#![expect(clippy::disallowed_methods, reason = "tests write files")]

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use serde_json::{Value, json};

use crate::{
    api_server::ApiServer,
    process::{masthead, soon},
    serve::Server,
};

/// The body at a path, asked for by the server's own name: others' are for no browser.
fn body(server: &Server, path: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let address = server.address();
    let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap()
}

/// An API server with one of everything.
fn cluster() -> ApiServer {
    let server = ApiServer::start();
    let port = server.port;
    let meta = |name: &str| json!({"name": name, "namespace": "shop", "labels": {"app": "api"}});
    let monitor = |name: &str, port: &str| {
        json!({"metadata": meta(name), "spec": {
            "selector": {"matchLabels": {"app": "api"}},
            "endpoints": [{"port": port, "interval": "250ms", "scrapeTimeout": "250ms"}]}})
    };
    server.set("servicemonitors", monitor("api", "metrics"));
    server.set("servicemonitors", monitor("wrong", "no-such-port"));
    let elsewhere = json!({"metadata": meta("elsewhere"), "spec": {"selector": {},
        "namespaceSelector": {"matchNames": ["nowhere"]}, "podMetricsEndpoints": [{"port": "x"}]}});
    server.set("podmonitors", elsewhere);
    server.set("services", json!({"metadata": meta("api"), "spec": {}}));
    server.set(
        "endpoints",
        json!({"metadata": meta("api"), "subsets": [{
        "addresses": [{"ip": "127.0.0.1",
            "targetRef": {"kind": "Pod", "namespace": "shop", "name": "api-1"}}],
        "ports": [{"name": "metrics", "port": port, "protocol": "TCP"}]}]}),
    );
    server.set(
        "pods",
        json!({"metadata": meta("api-1"),
        "status": {"phase": "Running", "podIP": "127.0.0.1"},
        "spec": {"containers": [{"name": "api", "ports": [{"containerPort": port}]}]}}),
    );
    let map = |name: &str, label: &str, key: &str, text: &str| {
        json!({"metadata": {"name": name, "namespace": "shop", "labels": {label: "1"},
            "annotations": {"grafana_folder": "Shop"}}, "data": {key: text}})
    };
    let board = json!({"uid": "items", "title": "Items of the cluster", "panels": [
        {"type": "stat", "title": "Items", "datasource": "Team numbers",
            "targets": [{"expr": "items"}]}]});
    server.set("configmaps", map("boards", "grafana_dashboard", "items.json", &board.to_string()));
    let sources = "datasources: [{name: Team numbers, uid: tn, type: prometheus}, \
                   {name: Traces, type: tempo}]";
    server.set("configmaps", map("sources", "grafana_datasource", "sources.yaml", sources));
    server.set("prometheusrules", rules("shop-rules", &json!("items * 6")));
    server.set("prometheusrules", rules("broken", &json!("items *")));
    server
}

/// A PrometheusRule that records `items:six`.
fn rules(name: &str, expr: &Value) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop", "uid": "0f3c"}, "spec": {"groups": [
        {"name": "items", "interval": "250ms", "partial_response_strategy": "abort",
            "rules": [{"record": "items:six", "expr": expr}]}]}})
}

/// The server over this cluster.
fn follow(api: &ApiServer, data: &std::path::Path) -> Server {
    follow_with(api, data, &[])
}

fn follow_with(api: &ApiServer, data: &std::path::Path, more: &[&str]) -> Server {
    let url = api.url();
    let mut args = vec!["--kubernetes", "--kubernetes.api-server", &url, "--no-host", "--no-self"];
    args.push("--web.enable-lifecycle");
    args.extend(more);
    Server::start_with(data, &args)
}

fn discovery(server: &Server) -> Value {
    serde_json::from_str(&body(server, "/api/discovery")).unwrap()
}

/// What `/api/discovery` says of the resource of this name.
fn state(found: &Value, name: &str) -> Value {
    let all = found["resources"].as_array().unwrap();
    all.iter().find(|one| one["name"] == name).cloned().unwrap_or_default()
}

#[test]
fn monitors_are_scraped_dashboards_shown_and_what_matches_nothing_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let api = cluster();
    let folder = directory.path().join("boards");
    std::fs::create_dir(&folder).unwrap();
    let board = json!({"uid": "filed", "title": "Of a folder", "panels": [
        {"type": "stat", "title": "Items", "datasource": {"uid": "tn"}, "targets": [{"expr": "items"}]}]});
    std::fs::write(folder.join("filed.json"), board.to_string()).unwrap();
    let more = ["--dashboards", folder.to_str().unwrap()];
    let server = follow_with(&api, &directory.path().join("data"), &more);
    let labels = r#"job="api",namespace="shop",service="api",pod="api-1",container="api",endpoint="metrics""#;
    let count = format!("count(up{{{labels}}} == 1) or vector(0)");
    assert!(soon(|| server.number(&count) == "1"));
    assert_eq!(server.number(&format!("items{{{labels}}}")), "7");

    assert!(soon(|| state(&discovery(&server), "wrong")["state"] == "empty"));
    let found = discovery(&server);
    let wrong = state(&found, "wrong");
    let reason = wrong["reason"].as_str().unwrap();
    assert!(reason.contains("endpoint_port_name =~ \"no-such-port\""), "{reason}");
    assert_eq!(state(&found, "api")["state"], "scraped");
    assert_eq!(state(&found, "shop-rules")["state"], "taken");
    let want = "nothing was found to scrape: there are no pods in namespace nowhere";
    assert_eq!(state(&found, "elsewhere")["reason"], want);
    let want = "data source \"Traces\": type \"tempo\" is not supported";
    assert_eq!(state(&found, "sources")["reason"], want);

    assert!(soon(|| body(&server, "/api/search").contains("Items of the cluster")));
    let found = body(&server, "/api/dashboards/uid/items");
    assert!(found.contains("\"folderTitle\":\"Shop\""), "{found}");
    assert!(
        found.contains(r#""datasource":{"type":"prometheus","uid":"Team numbers"}"#),
        "{found}"
    );
    // What a ConfigMap says of a data source counts for a file too.
    let want = r#""datasource":{"type":"prometheus","uid":"tn"}"#;
    assert!(soon(|| body(&server, "/api/dashboards/uid/filed").contains(want)));

    let url = format!("http://{}", server.address());
    let (code, stdout, stderr) = masthead(&["doctor", &url, "--kubernetes"]).finish();
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    let line = |start: &str| stdout.lines().find(|line| line.starts_with(start)).unwrap_or("");
    assert!(line("broken ServiceMonitor shop/wrong").contains("no-such-port"), "{stdout}");
    assert!(line("broken PrometheusRule shop/broken").contains("could not parse"), "{stdout}");
    assert!(line("broken PodMonitor shop/elsewhere").contains("there are no pods"), "{stdout}");
    assert!(line("ok     targets").contains("1 of 1 are up"), "{stdout}");
    assert!(line("ok     dashboard Items of the cluster").contains("1 panels"), "{stdout}");
    assert!(stderr.contains("4 things are broken"), "{stderr}");
    let (code, stdout, _) = masthead(&["doctor", &url, "--json"]).finish();
    let answer: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, answer["checks"][0]["state"].as_str()), (Some(1), Some("ok")));
}

#[test]
fn kubelets_are_scraped_through_the_api_server_as_the_page_has_it() {
    let directory = tempfile::tempdir().unwrap();
    let api = ApiServer::start();
    for name in ["node-1", "node-2"] {
        let address = json!([{"type": "InternalIP", "address": "192.0.2.1"}]);
        api.set("nodes", json!({"metadata": {"name": name}, "status": {"addresses": address}}));
    }
    let token = directory.path().join("token");
    std::fs::write(&token, "mine\n").unwrap();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page =
        std::fs::read_to_string(root.join("docs/reference/kubernetes-discovery.md")).unwrap();
    let block = page.split("```yaml prometheus\n").nth(1).and_then(|rest| rest.split("```").next());
    let account = "/var/run/secrets/kubernetes.io/serviceaccount";
    let text = block
        .unwrap()
        .replace("scheme: https", "scheme: http")
        .replace(&format!("    tls_config:\n      ca_file: {account}/ca.crt\n"), "")
        .replace(&format!("{account}/token"), token.to_str().unwrap())
        .replace("- role: node", &format!("- {{role: node, api_server: '{}'}}", api.url()))
        .replace("kubernetes.default.svc:443", &format!("127.0.0.1:{}", api.port));
    let config = directory.path().join("prometheus.yml");
    std::fs::write(&config, format!("global: {{scrape_interval: 250ms}}\n{text}")).unwrap();
    let args = ["--prometheus-config", config.to_str().unwrap(), "--no-host", "--no-self"];
    let server = Server::start_with(&directory.path().join("data"), &args);
    for node in ["node-1", "node-2"] {
        for (path, name) in [("/metrics", "metrics"), ("/metrics/cadvisor", "metrics_cadvisor")] {
            let labels = format!(r#"job="kubelet",node="{node}",metrics_path="{path}""#);
            let query = format!(r#"kubelet_{name}{{{labels},of="{node}"}}"#);
            let count = format!("count({query}) or vector(0)");
            assert!(soon(|| server.number(&count) == "1"), "{query}");
            assert_eq!(server.number(&format!("up{{{labels}}}")), "1");
        }
    }
}

#[test]
fn rules_of_the_cluster_are_evaluated_follow_their_changes_and_go_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let api = cluster();
    let server = follow(&api, &directory.path().join("data"));
    assert!(soon(|| server.number("items:six or vector(0)") == "42"));
    let groups = || body(&server, "/api/v1/rules");
    assert!(groups().contains("\"file\":\"kubernetes/shop-shop-rules-0f3c.yaml\""), "{}", groups());
    assert!(!groups().contains("shop-broken"), "{}", groups());

    // A reload of the files keeps them.
    let (status, answer) = server.ask("POST /-/reload HTTP/1.1", b"").unwrap();
    assert_eq!(status, 200, "{answer}");
    assert!(groups().contains("shop-shop-rules"), "{}", groups());

    // While the API server is away nothing is forgotten.
    api.away(true);
    let problems = || discovery(&server)["problems"].as_array().unwrap().len();
    assert!(soon(|| problems() > 0));
    assert!(groups().contains("shop-shop-rules"), "{}", groups());
    api.away(false);

    // Numbers are expressions too, and what was broken is mended.
    api.set("prometheusrules", rules("shop-rules", &json!(5)));
    api.set("prometheusrules", rules("broken", &json!("items - 7")));
    assert!(soon(|| groups().contains("shop-broken")));
    assert!(soon(|| state(&discovery(&server), "broken")["state"] == "taken"));
    api.delete("prometheusrules", "shop", "broken");
    assert!(soon(|| !groups().contains("shop-broken")));
    assert!(soon(|| server.number("items:six") == "5"));
    api.delete("prometheusrules", "shop", "shop-rules");
    assert!(soon(|| !groups().contains("kubernetes/")));
}

#[test]
fn doctor_tells_a_server_that_is_not_there_and_a_cluster_that_is_not_followed() {
    let (code, stdout, _) = masthead(&["doctor", "http://127.0.0.1:9"]).finish();
    assert_eq!(code, Some(1));
    assert!(stdout.starts_with("broken server") && stdout.contains("masthead serve"), "{stdout}");
    let (code, _, stderr) = masthead(&["doctor", "ftp://x"]).finish();
    assert_eq!((code, stderr.contains("write it like")), (Some(2), true), "{stderr}");

    let directory = tempfile::tempdir().unwrap();
    let server = Server::start_with(directory.path(), &["--no-host"]);
    let url = format!("http://{}", server.address());
    // Its own metrics are there after the first scrape.
    assert!(soon(|| server.number("count(up) or vector(0)") == "1"));
    let (code, stdout, stderr) = masthead(&["doctor", &url]).finish();
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    let (code, stdout, _) = masthead(&["doctor", &url, "--kubernetes"]).finish();
    assert_eq!(code, Some(1));
    assert!(stdout.contains("start the server with --kubernetes"), "{stdout}");
}
