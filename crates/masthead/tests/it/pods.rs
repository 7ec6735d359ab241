//! `--pods-log-dir` with `--kubernetes`: lines of containers with the labels that the API server tells,
//! over a tree like `/var/log/pods`, while that server comes and goes.
#![expect(clippy::disallowed_methods, reason = "tests write files")]

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
};

use serde_json::{Value, json};

use crate::{
    api_server::ApiServer,
    process::{Masthead, masthead, soon},
    serve::Server,
};

/// Appends a line as the container runtime does.
fn write(tree: &Path, container: &str, file: &str, line: &str) {
    let directory = tree.join(container);
    fs::create_dir_all(&directory).unwrap();
    let mut file = OpenOptions::new().create(true).append(true).open(directory.join(file)).unwrap();
    writeln!(file, "{} stdout F {line}", jiff::Timestamp::now()).unwrap();
}

fn pod(namespace: &str, name: &str, uid: &str, node: &str, labels: &Value) -> Value {
    json!({
        "metadata": {"name": name, "namespace": namespace, "uid": uid, "labels": labels,
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web-7d9c5b7f6d", "controller": true}]},
        "spec": {"nodeName": node, "containers": [
            {"name": "main", "ports": [{"containerPort": 80}, {"containerPort": 90}]}]},
        "status": {"phase": "Running", "podIP": "10.0.0.7"},
    })
}

/// Every line that is there, with the labels that say where it is from.
fn lines(server: &Server) -> BTreeMap<String, String> {
    let url = format!("http://{}", server.address());
    let query = r#"{filename=~".+"}"#;
    let (code, said, wrong) =
        masthead(&["logs", query, "--url", &url, "--format", "json"]).finish();
    assert_eq!(code, Some(0), "{wrong}");
    let one = |text: &str| {
        let line: Value = serde_json::from_str(text).unwrap();
        let of = |name: &str| line["labels"][name].as_str().unwrap_or("-").to_owned();
        let names = ["namespace", "pod", "container", "app", "job", "node_name", "stream"];
        (line["line"].as_str().unwrap().to_owned(), names.map(of).join(" "))
    };
    said.lines().map(one).collect()
}

fn node(data: &Path, args: &[&str]) -> Server {
    let data = data.to_str().unwrap();
    let mut all =
        vec!["serve", "--data", data, "--listen", "127.0.0.1:0", "--no-host", "--no-self"];
    all.extend(["--prometheus-listen", "off", "--loki-listen", "off"]);
    all.extend(args);
    let mut command = Masthead::command(&all);
    // As the chart gives it, by the downward API.
    command.env("HOSTNAME", "node-1");
    Server::of(Masthead::start(command))
}

#[test]
fn lines_have_the_labels_of_their_pods_also_while_the_api_server_is_away() {
    let directory = tempfile::tempdir().unwrap();
    let (data, tree) = (directory.path().join("data"), directory.path().join("pods"));
    let api = ApiServer::start();
    let name = "web-7d9c5b7f6d-x2v4k";
    let labels = json!({"app.kubernetes.io/name": "shop"});
    api.set("pods", pod("devops", name, "u1", "node-1", &labels));
    let mut etcd = pod("kube-system", "etcd-node-1", "mirror", "node-1", &json!({"app": "etcd"}));
    etcd["metadata"]["annotations"] = json!({"kubernetes.io/config.hash": "c0ff"});
    api.set("pods", etcd);
    let web = format!("devops_{name}_u1/main");
    write(&tree, &web, "0.log", "first");
    write(&tree, "kube-system_etcd-node-1_c0ff/main", "0.log", "static");

    let url = api.url();
    let tree_text = tree.to_str().unwrap();
    let args = ["--kubernetes", "--kubernetes.api-server", &url, "--pods-log-dir", tree_text];
    let server = node(&data, &args);
    let want = |line: &str, labels: &str| {
        let is_there = soon(|| lines(&server).get(line).is_some_and(|found| found == labels));
        assert!(is_there, "{line}: {:?}", lines(&server));
    };
    let shop = format!("devops {name} main shop devops/shop node-1 stdout");
    want("first", &shop);
    want("static", "kube-system etcd-node-1 main etcd kube-system/etcd node-1 stdout");

    // A server that is away delays nothing: what is known stays, what is not is guessed.
    api.away(true);
    write(&tree, &web, "0.log", "second");
    want("second", &shop);
    fs::rename(tree.join(&web).join("0.log"), tree.join(&web).join("0.log.20260101-000000"))
        .unwrap();
    write(&tree, &web, "0.log", "rotated");
    write(&tree, &web, "1.log", "restarted");
    want("rotated", &shop);
    want("restarted", &shop);
    write(&tree, "devops_late-7d9c5b7f6d-8wxzk_u2/main", "0.log", "guessed");
    let late =
        |app: &str| format!("devops late-7d9c5b7f6d-8wxzk main {app} devops/{app} node-1 stdout");
    want("guessed", &late("late"));

    // It comes back and knows the other one; the first was deleted meanwhile, its file was not.
    api.delete("pods", "devops", name);
    let labels = json!({"app": "known", "app.kubernetes.io/name": "other"});
    api.set("pods", pod("devops", "late-7d9c5b7f6d-8wxzk", "u2", "node-1", &labels));
    api.away(false);
    let mut count = 0;
    let is_known = || {
        count += 1;
        let line = format!("told {count}");
        write(&tree, "devops_late-7d9c5b7f6d-8wxzk_u2/main", "0.log", &line);
        lines(&server).values().any(|labels| *labels == late("known"))
    };
    assert!(soon(is_known), "{:?}", lines(&server));
    write(&tree, &web, "1.log", "last");
    want("last", &shop);
}

#[test]
fn a_promtail_yaml_asks_the_api_server_for_the_pods_of_its_node() {
    let directory = tempfile::tempdir().unwrap();
    let (data, tree) = (directory.path().join("data"), directory.path().join("elsewhere"));
    let api = ApiServer::start();
    let labels = json!({"app.kubernetes.io/name": "shop", "team": "a"});
    api.set("pods", pod("devops", "web-1", "u1", "node-1", &labels));
    api.set("pods", pod("devops", "web-2", "u2", "node-2", &labels));
    write(&tree, "devops_web-1_u1/main", "0.log", "ours");
    write(&tree, "devops_web-2_u2/main", "0.log", "not of this node");
    let config = directory.path().join("promtail.yaml");
    let text = format!(
        r"
clients: [{{url: 'http://127.0.0.1:9/loki/api/v1/push'}}, {{url: 'http://127.0.0.1:9/other'}}]
scrape_configs:
- job_name: nothing
  kubernetes_sd_configs: [{{role: pod, api_server: '{0}'}}]
  relabel_configs: [{{action: drop}}]
- job_name: kubernetes-pods
  pipeline_stages: [cri: {{}}]
  kubernetes_sd_configs: [{{role: pod, api_server: '{0}'}}]
  relabel_configs:
  - {{source_labels: [__meta_kubernetes_pod_label_app_kubernetes_io_name], target_label: app}}
  - {{source_labels: [__meta_kubernetes_pod_label_team], target_label: job}}
  - {{source_labels: [__meta_kubernetes_namespace], target_label: namespace}}
  - {{source_labels: [__meta_kubernetes_pod_name], target_label: pod}}
  - {{source_labels: [__meta_kubernetes_pod_node_name], target_label: node_name}}
  - source_labels: [__meta_kubernetes_pod_uid, __meta_kubernetes_pod_container_name]
    separator: /
    target_label: __path__
    replacement: {1}/*$1/*.log
",
        api.url(),
        tree.display()
    );
    fs::write(&config, text).unwrap();
    let args = ["--promtail-config", config.to_str().unwrap(), "--promtail-clients"];
    let server = node(&data, &args);
    assert!(soon(|| lines(&server).contains_key("ours")));
    let found = lines(&server);
    assert_eq!(found["ours"], "devops web-1 - shop a node-1 stdout");
    assert_eq!(found.len(), 1, "{found:?}");
    // The store and two clients, two jobs for each, and one watch for all.
    assert_eq!(api.asked("/pods?limit="), 1);
}

/// What Promtail's chart writes with the values of the Helmfile, but for where the API server and the
/// files are: its own rules as recorded, and those that our values add.
fn promtail_of_the_chart(api: &ApiServer, directory: &Path, tree: &Path) -> String {
    let infra = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra");
    let read = |path: &str| fs::read_to_string(infra.join(path)).unwrap();
    // Those of the values are as deep as the file wants them, the recorded ones are not.
    let indented = |text: &str, by: &str| {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        lines.map(|line| by.to_owned() + line).collect::<Vec<_>>().join("\n") + "\n"
    };
    let recorded = read("tests/recorded/promtail-relabel.yaml");
    let recorded = recorded.split_once("relabel_configs:\n").unwrap().1;
    let values = read("values/promtail.yaml");
    let added = values.split_once("extraRelabelConfigs:\n").unwrap().1;
    let added = added.split_once("\ndaemonset:").unwrap().0;
    let rules = indented(recorded, "    ") + &indented(added, "");
    let rules = rules.replace("/var/log/pods", tree.to_str().unwrap());
    format!(
        r"server:
  log_level: info
  log_format: logfmt
  http_listen_port: 3101

clients:
  - url: http://loki.monitoring.svc.cluster.local:3100/loki/api/v1/push

positions:
  filename: {}/positions.yaml

scrape_configs:
  - job_name: kubernetes-pods
    pipeline_stages:
      - cri: {{}}
    kubernetes_sd_configs:
      - role: pod
        api_server: {}
    relabel_configs:
{rules}
limits_config:

tracing:
  enabled: false
",
        directory.display(),
        api.url()
    )
}

#[test]
fn the_file_of_promtails_chart_gives_the_labels_that_promtail_gives() {
    let directory = tempfile::tempdir().unwrap();
    let (data, tree) = (directory.path().join("data"), directory.path().join("pods"));
    let api = ApiServer::start();
    let name = |app: &str| format!("{app}-7d9c5b7f6d-x2v4k");
    // Which label is `app`: as the table of infra/values/promtail.yaml's comment has it.
    for (app, labels) in [
        ("none", json!({})),
        ("plain", json!({"app": "api"})),
        ("named", json!({"app.kubernetes.io/name": "shop", "app.kubernetes.io/instance": "x"})),
        ("both", json!({"app.kubernetes.io/name": "shop", "app": "api", "component": "y"})),
    ] {
        api.set("pods", pod("devops", &name(app), app, "node-1", &labels));
        write(&tree, &format!("devops_{}_{app}/main", name(app)), "0.log", app);
    }
    let mut etcd = pod("kube-system", "etcd-node-1", "mirror", "node-1", &json!({"app": "etcd"}));
    etcd["metadata"]["annotations"] = json!({"kubernetes.io/config.hash": "c0ff"});
    api.set("pods", etcd);
    write(&tree, "kube-system_etcd-node-1_c0ff/main", "0.log", "static");
    let config = directory.path().join("promtail.yaml");
    fs::write(&config, promtail_of_the_chart(&api, directory.path(), &tree)).unwrap();
    let server = node(&data, &["--promtail-config", config.to_str().unwrap()]);
    assert!(soon(|| lines(&server).len() == 5), "{:?}", lines(&server));
    let found = lines(&server);
    for (line, app) in [("none", "web"), ("plain", "api"), ("named", "shop"), ("both", "api")] {
        let want = format!("devops {} main {app} devops/{app} node-1 stdout", name(line));
        assert_eq!(found[line], want);
    }
    assert_eq!(found["static"], "kube-system etcd-node-1 main etcd kube-system/etcd node-1 stdout");
    let labels = server.get("/loki/api/v1/labels").1;
    assert!(labels.contains("\"app\"") && !labels.contains("\"instance\""), "{labels}");
    assert!(!labels.contains("\"component\""), "{labels}");
}
