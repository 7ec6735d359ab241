//! `serve --kubernetes` and `doctor`, against an API server on loopback that has one of everything.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

use serde_json::{Value, json};

use crate::{
    process::{masthead, soon},
    serve::Server,
};

/// An API server that lists what there is, never changes, and has metrics itself; its port.
fn cluster() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // Ends with the process of the test.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(stream, port));
        }
    });
    port
}

fn serve(mut stream: TcpStream, port: u16) {
    let Ok(copy) = stream.try_clone() else { return };
    let mut lines = BufReader::new(copy).lines();
    loop {
        let Some(Ok(first)) = lines.next() else { return };
        while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
        let target = first.split_whitespace().nth(1).unwrap_or("").to_owned();
        let path = target.split('?').next().unwrap_or("");
        let (kind, body) = if target.contains("watch=1") {
            // Nothing ever happens, until the other end hangs up.
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"));
            drop(stream.read(&mut [0]));
            return;
        } else if path == "/metrics" {
            ("text/plain; version=0.0.4", "items 7\n".to_owned())
        } else {
            let items = objects(path.rsplit('/').next().unwrap_or(""), port);
            let list = json!({"metadata": {"resourceVersion": "1"}, "items": items});
            ("application/json", list.to_string())
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if stream.write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

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

fn objects(plural: &str, port: u16) -> Vec<Value> {
    let meta = |name: &str| json!({"name": name, "namespace": "shop", "labels": {"app": "api"}});
    let monitor = |name: &str, port: &str| {
        json!({"metadata": meta(name), "spec": {
            "selector": {"matchLabels": {"app": "api"}},
            "endpoints": [{"port": port, "interval": "250ms", "scrapeTimeout": "250ms"}]}})
    };
    match plural {
        "servicemonitors" => vec![monitor("api", "metrics"), monitor("wrong", "no-such-port")],
        "services" => vec![json!({"metadata": meta("api"), "spec": {}})],
        "endpoints" => vec![json!({"metadata": meta("api"), "subsets": [{
            "addresses": [{"ip": "127.0.0.1",
                "targetRef": {"kind": "Pod", "namespace": "shop", "name": "api-1"}}],
            "ports": [{"name": "metrics", "port": port, "protocol": "TCP"}]}]})],
        "pods" => vec![json!({"metadata": meta("api-1"),
            "status": {"phase": "Running", "podIP": "127.0.0.1"},
            "spec": {"containers": [{"name": "api", "ports": [{"containerPort": port}]}]}})],
        "configmaps" => vec![json!({
            "metadata": {"name": "boards", "namespace": "shop",
                "annotations": {"grafana_folder": "Shop"}},
            "data": {"items.json": json!({"uid": "items", "title": "Items of the cluster",
                "panels": [{"type": "stat", "title": "Items", "targets": [{"expr": "items"}]}],
            }).to_string()}})],
        _ => Vec::new(),
    }
}

#[test]
fn monitors_are_scraped_dashboards_shown_and_what_matches_nothing_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let api = format!("http://127.0.0.1:{}", cluster());
    let server = Server::start_with(
        &directory.path().join("data"),
        &["--kubernetes", "--kubernetes.api-server", &api, "--no-host", "--no-self"],
    );
    let labels = r#"job="api",namespace="shop",service="api",pod="api-1",container="api",endpoint="metrics""#;
    let count = format!("count(up{{{labels}}} == 1) or vector(0)");
    assert!(soon(|| server.number(&count) == "1"));
    assert_eq!(server.number(&format!("items{{{labels}}}")), "7");

    let discovery = || -> Value { serde_json::from_str(&body(&server, "/api/discovery")).unwrap() };
    let state = |found: &Value, name: &str| {
        let all = found["resources"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).cloned().unwrap_or_default()
    };
    assert!(soon(|| state(&discovery(), "wrong")["state"] == "empty"), "{}", discovery());
    let wrong = state(&discovery(), "wrong");
    let reason = wrong["reason"].as_str().unwrap();
    assert!(reason.contains("endpoint_port_name =~ \"no-such-port\""), "{reason}");
    assert_eq!(state(&discovery(), "api")["state"], "scraped");

    assert!(soon(|| body(&server, "/api/search").contains("Items of the cluster")));
    let found = body(&server, "/api/dashboards/uid/items");
    assert!(found.contains("\"folderTitle\":\"Shop\""), "{found}");

    let url = format!("http://{}", server.address());
    let (code, stdout, stderr) = masthead(&["doctor", &url, "--kubernetes"]).finish();
    assert_eq!(code, Some(1), "{stdout}{stderr}");
    let line = |start: &str| stdout.lines().find(|line| line.starts_with(start)).unwrap_or("");
    assert!(line("broken ServiceMonitor shop/wrong").contains("no-such-port"), "{stdout}");
    assert!(line("ok     targets").contains("1 of 1 are up"), "{stdout}");
    assert!(line("ok     dashboard Items of the cluster").contains("1 panels"), "{stdout}");
    assert!(stderr.contains("1 thing is broken"), "{stderr}");
    let (code, stdout, _) = masthead(&["doctor", &url, "--json"]).finish();
    let answer: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, answer["checks"][0]["state"].as_str()), (Some(1), Some("ok")));
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
