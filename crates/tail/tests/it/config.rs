//! What loads, what is refused, and with which words.

use masthead_tail::PromtailConfig;

fn load(text: &str) -> PromtailConfig {
    PromtailConfig::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

/// The shape of the example that Promtail's packages install, and of its documentation's for a
/// system's logs.
#[test]
fn promtails_example_loads_as_it_is() {
    let config = load(
        r"
server:
  http_listen_port: 9080
  grpc_listen_port: 0
positions:
  filename: /tmp/positions.yaml
clients:
  - url: http://ip_or_hostname_where_loki_run:3100/loki/api/v1/push
    tenant_id: t
    batchwait: 2s
    external_labels: {cluster: c1}
    basic_auth: {username: u, password: p}
    backoff_config: {min_period: 100ms, max_period: 10s, max_retries: 20}
scrape_configs:
 - job_name: system
   pipeline_stages:
   static_configs:
   - targets:
      - localhost
     labels:
      job: varlogs  # A `job` label is fairly standard in prometheus.
      host: yourhost
      __path__: /var/log/*.log  # The path matching uses a third party library.
      __path_exclude__: /var/log/private.log
",
    );
    assert_eq!(config.clients.len(), 1);
    let client = &config.clients[0];
    assert_eq!((client.tenant.as_str(), client.batch_wait.as_secs()), ("t", 2));
    assert_eq!(client.batch_bytes, 1 << 20);
    assert_eq!(config.warnings, ["not in force: server (the collector has no server of its own)"]);
    assert!(config.has_jobs());
}

/// What Promtail's chart renders, in its essentials.
#[test]
fn the_charts_configuration_for_pods_loads_and_says_what_is_not_known() {
    let config = load(
        r"
scrape_configs:
  - job_name: kubernetes-pods
    pipeline_stages:
      - cri: {}
    kubernetes_sd_configs:
      - role: pod
    relabel_configs:
      - source_labels: [__meta_kubernetes_pod_controller_name]
        regex: ([0-9a-z-.]+?)(-[0-9a-f]{8,10})?
        action: replace
        target_label: __tmp_controller_name
      - source_labels:
          - __meta_kubernetes_pod_label_app_kubernetes_io_name
          - __meta_kubernetes_pod_label_app
          - __tmp_controller_name
          - __meta_kubernetes_pod_name
        regex: ^;*([^;]+)(;.*)?$
        action: replace
        target_label: app
      - action: replace
        replacement: /var/log/pods/*$1/*.log
        separator: /
        source_labels: [__meta_kubernetes_pod_uid, __meta_kubernetes_pod_container_name]
        target_label: __path__
",
    );
    assert_eq!(config.warnings, Vec::<String>::new());
}

/// One stage of each kind, as the documentation of stages writes them.
#[test]
fn every_stage_loads() {
    load(
        r#"
scrape_configs:
- job_name: all
  pipeline_stages:
  - docker: {}
  - cri: {max_partial_lines: 100, max_partial_line_size: 1mb, max_partial_line_size_truncate: true}
  - json: {expressions: {output: log, stream: , "inner.id": '"inner-id"'}, source: x, drop_malformed: true}
  - logfmt: {mapping: {timestamp: time, app: }}
  - regex: {expression: '^(?s)(?P<time>\S+?) (?P<content>.*)$', source: output}
  - replace: {expression: 'password (\S+)', replace: '****'}
  - template: {source: app, template: '{{ ToUpper .Value }}'}
  - timestamp: {source: time, format: RFC3339Nano, fallback_formats: [Unix], location: America/New_York, action_on_failure: skip}
  - output: {source: content}
  - labels: {level: , status: code}
  - structured_metadata: {trace_id: }
  - labeldrop: [filename]
  - labelallow: [job, level]
  - static_labels: {custom: "1", empty: }
  - match:
      selector: '{app="loki"} |= "panic" !~ `debug.*`'
      stages:
      - json: {expressions: {msg: message}}
      - match: {selector: '{app="x"}', action: drop, drop_counter_reason: why}
  - multiline: {firstline: '^\x{200B}?\[', max_wait_time: 3s, max_lines: 10}
  - drop: {source: [level, msg], separator: '-', expression: 'a-b', older_than: 24h, longer_than: 8kb, drop_counter_reason: r}
  - limit: {rate: 10, burst: 20, drop: true, by_label_name: app}
  - pack: {labels: [pod, container], ingest_timestamp: false}
  - decolorize:
  - tenant: {source: customer_id}
  - sampling: {rate: 0.5}
  - metrics:
      log_lines_total: {type: Counter, description: d, prefix: my_, max_idle_duration: 24h, config: {match_all: true, action: inc}}
      size: {type: Gauge, source: n, config: {action: set}}
      duration: {type: Histogram, source: d, config: {buckets: [0.001, 0.1, 1]}}
"#,
    );
}

/// Values that mean little and that Promtail takes all the same.
#[test]
fn values_that_promtail_takes_are_taken() {
    let config = load("clients: [{url: 'http://x/push', drop_rate_limited_batches: true}]");
    assert!(config.clients[0].drop_rate_limited);
    for stage in [
        "regex: {expression: '([0-9]+)'}",
        "drop: {older_than: 0s}",
        "multiline: {firstline: ''}",
        "multiline: {firstline: '^x', max_wait_time: 0s}",
        "timestamp: {source: t, format: '2006', location: ''}",
        "timestamp: {source: t, format: '2006', location: Local}",
    ] {
        load(&format!("scrape_configs: [{{job_name: j, pipeline_stages: [{stage}]}}]"));
    }
}

#[test]
fn mistakes_are_refused_with_their_place() {
    let f = |text: &str, want: &[&str]| {
        let error = PromtailConfig::parse(text).expect_err(text).to_string();
        for part in want {
            assert!(error.contains(part), "{error}\nlacks {part:?}");
        }
    };
    let stage =
        |stage: &str| format!("scrape_configs:\n- job_name: j\n  pipeline_stages:\n  - {stage}\n");
    f("scrape_config: []", &["line 1", "unknown field `scrape_config`"]);
    f(
        "scrape_configs:\n- static_configs: []\n",
        &["line 2", "scrape_configs[0].job_name: job_name is empty"],
    );
    f(&stage("jsn: {}"), &["unknown field `jsn`"]);
    f(
        &stage("{cri: {}, docker: {}}"),
        &["pipeline_stages[0]", "only one key, and has cri, docker"],
    );
    f(&stage("{}"), &["only one key, and has none"]);
    f(&stage("regex: {expression: '('}"), &["pipeline_stages[0].regex", "could not compile"]);
    f(&stage("json: {expressions: {a: 'x['}}"), &["could not compile JMES expression"]);
    f(&stage("match: {selector: '{a=b}', stages: [cri: {}]}"), &["match.selector", "at byte 3"]);
    f(&stage("match: {selector: '{}', stages: [output: {}]}"), &["match.stages[0].output"]);
    f(&stage("template: {source: a, template: '{{ .x'}"), &["template: pipeline_template:1"]);
    f(&stage("timestamp: {source: a, format: Unix, location: Mars}"), &["unknown time zone Mars"]);
    f(&stage("drop: {older_than: -1s}"), &["must not be below zero"]);
    f(&stage("drop: {value: x, longer_than: 1kb}"), &["must contain `source` if `value`"]);
    f(
        "scrape_configs: [{job_name: j, encoding: utf-16}]",
        &["scrape_configs[0].encoding", "not supported: encoding \"utf-16\""],
    );
    f(&stage("geoip: {}"), &["not supported yet: geoip"]);
    f("clients:\n- tenant_id: x\n", &["line 2", "clients[0].url: a client needs an url"]);
    f("clients:\n- {url: 'http://x', oauth2: {}}\n", &["oauth2 client_id must be configured"]);
    f("clients:\n- {url: 'http://x', bearer_tokn: x}\n", &["line 2", "clients[0].bearer_tokn"]);
}

#[test]
fn variables_are_replaced_where_they_are_asked_for() {
    let text = "clients: [{url: 'http://${HOST}:${PORT:3100}/push'}]";
    let config = PromtailConfig::parse_with(text, &|name| (name == "HOST").then(|| "h".to_owned()));
    assert_eq!(config.unwrap().clients[0].url.as_str(), "http://h:3100/push");
}
