//! Files that load unchanged, and what is said about those that do not.

use std::time::Duration;

use masthead_wire::exposition::ScrapeProtocol;

use super::*;

/// A file with something of every section, as people have them.
const WHOLE: &str = r"
global:
  scrape_interval: 15s
  evaluation_interval: 30s
  external_labels:
    cluster: demo
    zone: ${ZONE}
rule_files:
  - rules/*.yml
alerting:
  alertmanagers:
    - static_configs:
        - targets: ['alertmanager:9093']
remote_write:
  - url: http://elsewhere/api/v1/write
scrape_configs:
  - job_name: prometheus
    static_configs:
      - targets: ['localhost:9090']
  - job_name: node
    scrape_interval: 5s
    sample_limit: 5000
    body_size_limit: 10MB
    bearer_token: secret
    scheme: https
    tls_config:
      insecure_skip_verify: true
      ca_file: ca.pem
    file_sd_configs:
      - files: ['targets/*.json']
    kubernetes_sd_configs:
      - role: pod
    dns_sd_configs:
      - names: [a.example]
    relabel_configs:
      - source_labels: [__meta_filepath]
        target_label: file
";

#[test]
fn a_whole_file_loads_and_what_is_not_read_is_named() {
    let environment = |name: &str| (name == "ZONE").then(|| "eu".to_owned());
    let mut config = PromConfig::parse_with(WHOLE, &environment).expect("valid");
    assert_eq!(
        config.warnings,
        ["not supported yet: scrape_configs[1].dns_sd_configs (job \"node\")",]
    );
    assert_eq!(config.global.external_labels.to_string(), r#"{cluster="demo", zone="eu"}"#);
    let [first, second] = &config.scrape_configs[..] else { panic!("two jobs") };
    assert_eq!(first.scrape_interval, Duration::from_secs(15));
    assert_eq!(first.scrape_timeout, Duration::from_secs(10));
    assert_eq!(first.scrape_protocols, ScrapeProtocol::DEFAULT);
    assert_eq!((first.metrics_path.as_str(), first.honor_timestamps), ("/metrics", true));
    assert_eq!(second.scrape_timeout, Duration::from_secs(5));
    assert_eq!((second.sample_limit, second.body_size_limit), (5000, 10 << 20));
    let authorization = second.client.authorization.as_ref().expect("a token");
    assert_eq!(
        (authorization.kind.as_str(), authorization.credentials.expose()),
        ("Bearer", "secret")
    );
    config.set_directory("/etc/prometheus".into());
    let second = &config.scrape_configs[1];
    assert_eq!(second.client.tls_config.ca_file, "/etc/prometheus/ca.pem");
    assert_eq!(second.discovery.file_sd_configs[0].files, ["/etc/prometheus/targets/*.json"]);
    assert_eq!(second.discovery.kubernetes_sd_configs.len(), 1);
}

#[test]
fn an_empty_file_is_a_configuration_without_jobs() {
    for text in ["", "# Nothing.\n", "global:\n", "scrape_configs: []\n"] {
        let config = PromConfig::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert!(config.scrape_configs.is_empty());
        assert_eq!(config.global.scrape_interval, Duration::from_mins(1));
    }
}

#[test]
fn native_histograms_put_protobuf_first() {
    let text = "scrape_configs: [{job_name: j, scrape_native_histograms: true}]";
    let config = PromConfig::parse(text).expect("valid");
    assert_eq!(config.scrape_configs[0].scrape_protocols, ScrapeProtocol::PROTO_FIRST);
}

#[test]
fn mistakes_are_told_with_line_key_and_upstream_text() {
    let f = |text: &str, line: u64, key: &str, want: &str| {
        let error = PromConfig::parse(text).expect_err(text);
        assert_eq!((error.line, error.key.as_str()), (line, key), "{error}");
        assert!(error.what.starts_with(want), "{error}");
    };
    let job = |more: &str| format!("scrape_configs:\n- job_name: j\n  {more}\n");
    f("scrape_config: []\n", 1, "scrape_config", "unknown field `scrape_config`");
    f(&job("intervall: 5s"), 3, "scrape_configs[0].intervall", "unknown field `intervall`");
    f(
        &job("scrape_interval: 5x"),
        3,
        "scrape_configs[0].scrape_interval",
        "unknown unit \"x\" in duration \"5x\"",
    );
    f(
        "scrape_configs:\n- honor_labels: true\n",
        2,
        "scrape_configs[0].job_name",
        "job_name is empty",
    );
    f(
        &job("scrape_timeout: 2m"),
        2,
        "scrape_configs[0].scrape_timeout",
        "scrape timeout greater than scrape interval for scrape config with job name \"j\"",
    );
    f(
        "scrape_configs:\n- job_name: j\n- job_name: j\n",
        3,
        "scrape_configs[1].job_name",
        "found multiple scrape configs with job name \"j\"",
    );
    f(
        &job("scrape_protocols: []"),
        2,
        "scrape_configs[0].scrape_protocols",
        "scrape_protocols cannot be empty for scrape config with job name \"j\"",
    );
    f(
        &job("static_configs: [{targets: ['http://x']}]"),
        2,
        "scrape_configs[0].static_configs",
        "\"http://x\" is not a valid hostname",
    );
    f(
        &job("relabel_configs: [{action: hashmod, target_label: x}]"),
        2,
        "scrape_configs[0].relabel_configs[0]",
        "relabel configuration for hashmod requires non-zero modulus",
    );
    f(
        &job("oauth2: {client_id: x}"),
        2,
        "scrape_configs[0].oauth2.token_url",
        "oauth2 token_url must be configured",
    );
    f(
        &job("file_sd_configs: [{files: [a.txt]}]"),
        2,
        "scrape_configs[0].file_sd_configs[0].files",
        "path name \"a.txt\" is not valid for file discovery",
    );
    f(
        &job("basic_auth: {username: a, username_file: b}"),
        2,
        "scrape_configs[0].basic_auth",
        "at most one of basic_auth username, username_file & username_ref must be configured",
    );
    f(
        "global: {scrape_interval: 5s, scrape_timeout: 6s}\n",
        1,
        "global.scrape_timeout",
        "global scrape timeout greater than scrape interval",
    );
    f(
        &job("metric_name_validation_scheme: latin"),
        2,
        "scrape_configs[0].metric_name_validation_scheme",
        "unknown scrape config name validation method specified",
    );
}

#[test]
fn configurations_are_compared_by_what_they_do() {
    let parse = |more: &str| {
        let text = format!("scrape_configs:\n- job_name: j\n  {more}\n");
        (*PromConfig::parse(&text).expect("valid").scrape_configs[0]).clone()
    };
    let plain = parse("");
    let f = |more: &str, same: bool, cache_fits: bool| {
        let other = parse(more);
        assert_eq!(plain == other, same, "{more}");
        assert_eq!(plain.differs_only_outside_the_cache(&other), cache_fits, "{more}");
    };
    f("scheme: http", true, true);
    f("scrape_interval: 5s", false, true);
    f("sample_limit: 5", false, true);
    f("honor_labels: true", false, false);
    f("metric_relabel_configs: [{regex: x, action: labeldrop}]", false, false);
    f("static_configs: [{targets: [x]}]", false, true);
}

#[test]
fn jobs_of_further_files_stand_beside_those_of_the_first() {
    let text = "global: {scrape_interval: 5s, scrape_timeout: 5s}\nscrape_config_files: ['jobs/*.yml']\nscrape_configs: [{job_name: one}]\n";
    let mut config = PromConfig::parse(text).expect("valid");
    assert_eq!(config.scrape_config_files, ["jobs/*.yml"]);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let more = "scrape_configs:\n- job_name: two\n  tls_config: {ca_file: ca.pem}\n";
    config.add_jobs(more, Some("/etc/jobs".into())).expect("valid");
    config.add_jobs("", None).expect("an empty file");
    let [_, two] = &config.scrape_configs[..] else { panic!("two jobs") };
    assert_eq!(two.scrape_interval, Duration::from_secs(5));
    assert_eq!(two.client.tls_config.ca_file, "/etc/jobs/ca.pem");
    let f = |more: &str, want: &str| {
        let error = config.clone().add_jobs(more, None).expect_err(want).to_string();
        assert!(error.contains(want), "{error}");
    };
    f(more, "found multiple scrape configs with job name \"two\"");
    f("global: {}\n", "unknown field `global`");
    let error = PromConfig::parse("scrape_config_files: ['*/jobs.yml']\n").expect_err("a star");
    assert!(error.to_string().contains("invalid scrape config file path"), "{error}");
}

#[test]
fn the_detail_of_native_histograms_can_be_limited() {
    let text = "scrape_configs: [{job_name: j, native_histogram_bucket_limit: 9, native_histogram_min_bucket_factor: 1.1}]";
    let config = PromConfig::parse(text).expect("valid");
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let resolution = config.scrape_configs[0].resolution;
    assert_eq!((resolution.buckets, resolution.factor.to_bits()), (9, 1.1_f64.to_bits()));
}
