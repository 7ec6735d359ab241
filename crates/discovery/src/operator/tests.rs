//! Translations, by resources written here. Resources of a server are `tests/watched.rs`.

use serde_json::{Value, json};

use super::*;

mod watched;

fn meta() -> Meta {
    Meta { name: "api".to_owned(), namespace: "shop".to_owned(), ..Meta::default() }
}

/// A store with one Secret and one ConfigMap.
fn store() -> Store {
    let of = |config_map, name: &str| Reference {
        config_map,
        namespace: "shop".to_owned(),
        name: name.to_owned(),
    };
    let texts = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let secret = texts(&[("user", "u"), ("password", "p"), ("token", "t"), ("tls.key", "KEY")]);
    let map = texts(&[("ca.crt", "CA")]);
    Store([(of(false, "s"), secret), (of(true, "m"), map)].into_iter().collect())
}

fn jobs(kind: Kind, spec: &Value) -> Result<Vec<Value>, String> {
    let jobs = translate(kind, &meta(), spec, &store()).map_err(|error| error.to_string())?;
    Ok(jobs.into_iter().map(Value::Object).collect())
}

/// Each rule in few words: action, sources, regex, target, replacement.
fn rules(job: &Value) -> Vec<String> {
    let text = |rule: &Value, key: &str| rule[key].as_str().unwrap_or("").to_owned();
    let sources = |rule: &Value| {
        let all = rule["source_labels"].as_array().cloned().unwrap_or_default();
        let all = all.iter().filter_map(Value::as_str);
        all.map(|name| name.replace("__meta_kubernetes_", "~")).collect::<Vec<_>>().join(",")
    };
    let all = job["relabel_configs"].as_array().expect("rules");
    let words = |rule: &Value| {
        let parts = [
            text(rule, "action"),
            sources(rule),
            text(rule, "regex"),
            text(rule, "target_label"),
            text(rule, "replacement"),
        ];
        parts.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
    };
    all.iter().map(words).collect()
}

#[test]
fn a_service_monitor_becomes_the_rules_of_the_operator_in_its_order() {
    let jobs = jobs(
        Kind::ServiceMonitor,
        &json!({
            "selector": {
                "matchLabels": {"app.k8s.io/name": "api", "app": "api"},
                "matchExpressions": [
                    {"key": "tier", "operator": "In", "values": ["a", "b"]},
                    {"key": "tier", "operator": "NotIn", "values": ["c"]},
                    {"key": "team", "operator": "Exists"},
                    {"key": "old", "operator": "DoesNotExist"},
                ],
            },
            "jobLabel": "app", "targetLabels": ["app"], "podTargetLabels": ["app.k8s.io/v"],
            "sampleLimit": 7, "attachMetadata": {"node": true},
            "endpoints": [
                {"port": "metrics", "path": "/m", "interval": "15s", "scrapeTimeout": "10s",
                 "scheme": "HTTPS", "params": {"a": ["b"]}, "honorLabels": true,
                 "relabelings": [{"action": "Replace", "targetLabel": "x", "replacement": ""}],
                 "metricRelabelings": [{"action": "LabelDrop", "regex": "y"}]},
                {"targetPort": 8080, "filterRunning": false},
            ],
        }),
    );
    let jobs = jobs.expect("taken");
    assert_eq!(jobs.len(), 2);
    let first = &jobs[0];
    for (key, want) in [
        ("job_name", json!("serviceMonitor/shop/api/0")),
        ("honor_labels", json!(true)),
        ("scrape_interval", json!("15s")),
        ("scrape_timeout", json!("10s")),
        ("metrics_path", json!("/m")),
        ("scheme", json!("https")),
        ("params", json!({"a": ["b"]})),
        ("sample_limit", json!(7)),
        ("metric_relabel_configs", json!([{"action": "labeldrop", "regex": "y"}])),
        (
            "kubernetes_sd_configs",
            json!([{"role": "endpoints", "namespaces": {"names": ["shop"]},
                "attach_metadata": {"node": true}}]),
        ),
    ] {
        assert_eq!(first[key], want, "{key}");
    }
    let want = [
        "job __tmp_prometheus_job_name",
        "keep ~service_label_app,~service_labelpresent_app (api);true",
        "keep ~service_label_app_k8s_io_name,~service_labelpresent_app_k8s_io_name (api);true",
        "keep ~service_label_tier,~service_labelpresent_tier (a|b);true",
        "drop ~service_label_tier,~service_labelpresent_tier (c);true",
        "keep ~service_labelpresent_team true",
        "drop ~service_labelpresent_old true",
        "keep ~endpoint_port_name metrics",
        "~endpoint_address_target_kind,~endpoint_address_target_name Node;(.*) node ${1}",
        "~endpoint_address_target_kind,~endpoint_address_target_name Pod;(.*) pod ${1}",
        "~namespace namespace",
        "~service_name service",
        "~pod_name pod",
        "~pod_container_name container",
        "drop ~pod_phase (Failed|Succeeded)",
        "~service_label_app (.+) app ${1}",
        "~pod_label_app_k8s_io_v (.+) app_k8s_io_v ${1}",
        "~service_name job ${1}",
        "~service_label_app (.+) job ${1}",
        "endpoint metrics",
        "replace x",
        "replace __address__,__tmp_hash (.+); __tmp_hash $1",
        "hashmod __tmp_hash __tmp_hash",
        "keep __tmp_hash,__tmp_disable_sharding 0;|.+;.+",
    ];
    assert_eq!(rules(first), want);
    let second = rules(&jobs[1]);
    assert!(second.contains(&"keep ~pod_container_port_number 8080".to_owned()), "{second:?}");
    assert!(second.contains(&"endpoint 8080".to_owned()), "{second:?}");
    assert!(!second.iter().any(|rule| rule.contains("pod_phase")), "{second:?}");
}

#[test]
fn a_monitor_may_ask_for_slices_and_let_the_server_select() {
    let jobs = jobs(
        Kind::ServiceMonitor,
        &json!({
            "serviceDiscoveryRole": "EndpointSlice", "selectorMechanism": "RoleSelector",
            "namespaceSelector": {"any": true},
            "selector": {"matchLabels": {"b": "2", "a": "1"},
                "matchExpressions": [{"key": "c", "operator": "In", "values": ["y", "x"]}]},
            "endpoints": [{"port": "m"}],
        }),
    );
    let job = &jobs.expect("taken")[0];
    let label = "a=1,b=2,c in (x,y)";
    let want = json!([{"role": "endpointslice", "selectors": [
        {"role": "endpointslice", "label": label}, {"role": "service", "label": label}]}]);
    assert_eq!(job["kubernetes_sd_configs"], want);
    assert_eq!(rules(job)[1], "keep ~endpointslice_port_name m");
}

#[test]
fn a_pod_monitor_becomes_the_rules_of_the_operator_in_its_order() {
    let jobs = jobs(
        Kind::PodMonitor,
        &json!({
            "selector": {"matchLabels": {"app": "api"}}, "jobLabel": "app",
            "namespaceSelector": {"matchNames": ["a", "b"]},
            "podMetricsEndpoints": [{"port": "metrics"}, {"portNumber": 9}],
        }),
    );
    let jobs = jobs.expect("taken");
    assert_eq!(jobs[0]["job_name"], "podMonitor/shop/api/0");
    assert_eq!(
        jobs[0]["kubernetes_sd_configs"],
        json!([{"role": "pod", "namespaces": {"names": ["a", "b"]}}])
    );
    let want = [
        "job __tmp_prometheus_job_name",
        "drop ~pod_phase (Failed|Succeeded)",
        "keep ~pod_label_app,~pod_labelpresent_app (api);true",
        "keep ~pod_container_port_name metrics",
        "~namespace namespace",
        "~pod_container_name container",
        "~pod_name pod",
        "job shop/api",
        "~pod_label_app (.+) job ${1}",
        "endpoint metrics",
    ];
    assert_eq!(rules(&jobs[0])[..want.len()], want);
    assert!(rules(&jobs[1]).contains(&"keep ~pod_container_port_number 9".to_owned()));
}

#[test]
fn a_probe_asks_its_prober() {
    let spec = json!({
        "jobName": "web", "module": "http_2xx", "interval": "1m",
        "prober": {"url": "blackbox:9115"},
        "targets": {"staticConfig": {"static": ["https://a.example"], "labels": {"env": "x"}}},
    });
    let job = &jobs(Kind::Probe, &spec).expect("taken")[0];
    assert_eq!((&job["metrics_path"], &job["honor_timestamps"]), (&json!("/probe"), &json!(true)));
    assert_eq!(job["params"], json!({"module": ["http_2xx"]}));
    let labels = json!({"env": "x", "namespace": "shop"});
    assert_eq!(
        job["static_configs"],
        json!([{"targets": ["https://a.example"], "labels": labels}])
    );
    let want = [
        "job __tmp_prometheus_job_name",
        "job web",
        "__address__ __param_target",
        "__param_target instance",
        "__address__ blackbox:9115",
        "hashmod __param_target __tmp_hash",
        "keep __tmp_hash,__tmp_disable_sharding 0;|.+;.+",
    ];
    assert_eq!(rules(job), want);
    let spec = json!({
        "prober": {"url": "blackbox:9115", "path": "/p"},
        "targets": {"ingress": {"selector": {"matchLabels": {"probe": "yes"}}}},
    });
    let job = &jobs(Kind::Probe, &spec).expect("taken")[0];
    assert_eq!(job["kubernetes_sd_configs"][0]["role"], "ingress");
    let want = [
        "job __tmp_prometheus_job_name",
        "keep ~ingress_label_probe,~ingress_labelpresent_probe (yes);true",
        "replace ~ingress_scheme,__address__,~ingress_path (.+);(.+);(.+) __param_target ${1}://${2}${3}",
        "~namespace namespace",
        "~ingress_name ingress",
        "replace __address__ (.*) __tmp_ingress_address $1",
        "__param_target instance",
        "__address__ blackbox:9115",
    ];
    assert_eq!(rules(job)[..want.len()], want);
    let error = jobs(Kind::Probe, &json!({"prober": {"url": "x"}})).expect_err("no targets");
    assert_eq!(error, "targets names neither staticConfig nor ingress");
}

#[test]
fn a_scrape_config_is_taken_as_it_is_and_other_discovery_is_refused_by_name() {
    let spec = json!({
        "jobName": "vm", "metricsPath": "/m", "scheme": "HTTPS",
        "staticConfigs": [{"targets": ["a:1"], "labels": {"x": "y"}}],
        "kubernetesSDConfigs": [{"role": "Node"}],
        "httpSDConfigs": [{"url": "http://x", "refreshInterval": "30s"}],
        "relabelings": [{"sourceLabels": ["a"], "targetLabel": "b"}],
    });
    let job = &jobs(Kind::ScrapeConfig, &spec).expect("taken")[0];
    assert_eq!(job["job_name"], "scrapeConfig/shop/api");
    assert_eq!(job["static_configs"], json!([{"targets": ["a:1"], "labels": {"x": "y"}}]));
    assert_eq!(job["kubernetes_sd_configs"], json!([{"role": "node"}]));
    assert_eq!(job["http_sd_configs"], json!([{"url": "http://x", "refresh_interval": "30s"}]));
    assert_eq!(rules(job)[..3], ["job __tmp_prometheus_job_name", "replace job vm", "a b"]);
    let error = jobs(Kind::ScrapeConfig, &json!({"consulSDConfigs": [{"server": "x"}]}));
    assert_eq!(error.expect_err("refused"), "consulSDConfigs is not supported");
}

#[test]
fn secrets_are_looked_up_and_what_excludes_each_other_is_refused() {
    let endpoint = |client: Value| {
        let mut endpoint = json!({"port": "m"});
        let own = endpoint.as_object_mut().expect("an object");
        own.extend(client.as_object().expect("an object").clone());
        let jobs = jobs(Kind::ServiceMonitor, &json!({"endpoints": [endpoint]}));
        jobs.map(|jobs| jobs[0].clone())
    };
    let secret = |key: &str| json!({"name": "s", "key": key});
    let basic = json!({"username": secret("user"), "password": secret("password")});
    let job = endpoint(json!({"basicAuth": basic})).expect("taken");
    assert_eq!(job["basic_auth"], json!({"username": "u", "password": "p"}));
    let job = endpoint(json!({"bearerTokenSecret": secret("token")})).expect("taken");
    assert_eq!(job["authorization"], json!({"type": "Bearer", "credentials": "t"}));
    let job = endpoint(json!({"authorization": {"credentials": secret("token")}})).expect("taken");
    assert_eq!(job["authorization"], json!({"type": "Bearer", "credentials": "t"}));
    let tls = json!({
        "ca": {"configMap": {"name": "m", "key": "ca.crt"}}, "keySecret": secret("tls.key"),
        "serverName": "x", "insecureSkipVerify": false, "minVersion": "TLS12",
    });
    let job = endpoint(json!({"tlsConfig": tls})).expect("taken");
    let want = json!({"ca": "CA", "key": "KEY", "server_name": "x",
        "insecure_skip_verify": false, "min_version": "TLS12"});
    assert_eq!(job["tls_config"], want);
    let account = "/var/run/secrets/kubernetes.io/serviceaccount/token";
    let job = endpoint(json!({"bearerTokenFile": account})).expect("taken");
    assert_eq!(job["authorization"]["credentials_file"], account);
    let refused = |client: Value, want: &str| {
        assert_eq!(endpoint(client).expect_err("refused"), format!("endpoints[0]: {want}"));
    };
    refused(json!({"bearerTokenSecret": secret("none")}), r#"Secret shop/s has no key "none""#);
    refused(
        json!({"basicAuth": basic, "authorization": {}}),
        "authorization and basicAuth exclude each other",
    );
    refused(
        json!({"tlsConfig": {"caFile": "/etc/passwd"}}),
        "tlsConfig.caFile /etc/passwd: a resource may name files below \
         /var/run/secrets/kubernetes.io/serviceaccount/ only",
    );
    let oauth2 = json!({
        "clientId": {"secret": secret("user")}, "clientSecret": secret("password"),
        "tokenUrl": "http://t/", "scopes": ["a"], "endpointParams": {"b": "c"},
        "tlsConfig": {"serverName": "x"}, "proxyUrl": "http://p",
    });
    let job = endpoint(json!({"oauth2": oauth2})).expect("taken");
    let want = json!({
        "client_id": "u", "client_secret": "p", "token_url": "http://t/", "scopes": ["a"],
        "endpoint_params": {"b": "c"}, "tls_config": {"server_name": "x"}, "proxy_url": "http://p",
    });
    assert_eq!(job["oauth2"], want);
    refused(
        json!({"oauth2": oauth2, "basicAuth": basic}),
        "basicAuth and oauth2 exclude each other",
    );
    let jobs = jobs(Kind::ServiceMonitor, &json!({"endpoints": [{"port": 7}]}));
    assert!(jobs.expect_err("refused").starts_with("spec."), "the field is named");
}
