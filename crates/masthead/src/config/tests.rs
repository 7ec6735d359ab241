//! Files of ours: what they come to, what is preferred, and what is wrong with them.

use super::*;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    for (name, text) in files {
        masthead_sysio::atomic_write(&RealFs, &path.join(name), text.as_bytes()).unwrap();
    }
    (folder, path)
}

fn with(text: &str, more: &[&str]) -> anyhow::Result<ServeArgs> {
    let (_folder, path) = folder(&[("m.yaml", text)]);
    let file = path.join("m.yaml");
    let mut words = vec!["masthead", "serve", "--config", file.as_str()];
    words.extend(more);
    let args = resolve(&words.iter().map(OsString::from).collect::<Vec<_>>())?;
    check_sections(&args)?;
    Ok(args)
}

const EVERYTHING: &str = "
data: store
listen: {address: '127.0.0.1:4000', prometheus: off, insecure: true}
metrics:
  global: {scrape_interval: 5s}
  scrape_configs:
  - job_name: shop
    static_configs: [{targets: ['127.0.0.1:1']}]
  storage: {retention_time: 30d, retention_size: 1GB}
logs:
  scrape_configs:
  - job_name: shop
    static_configs: [{targets: [localhost], labels: {__path__: /none/*.log}}]
  limits: {max_tails: 3, discover_levels: false, discover_service_name: [a, b]}
observe: {host: false, self: true}
query:
  features: [promql-duration-expr]
dashboards:
";

#[test]
fn a_file_is_as_good_as_flags() {
    let args = with(EVERYTHING, &[]).unwrap();
    assert!(args.data.ends_with("store") && args.data.is_absolute(), "{}", args.data);
    assert_eq!(args.listen.to_string(), "127.0.0.1:4000");
    assert_eq!(args.prometheus_listen, Some(crate::cli::Listen::Off));
    assert!(args.insecure && args.no_host && !args.no_self);
    assert_eq!(args.retention_time.as_secs(), 30 * 86_400);
    assert_eq!((args.retention_size, args.logs.max_tails), (Some(1 << 30), 3));
    assert!(!args.logs.discover_levels);
    assert_eq!(args.logs.discover_service_name.unwrap(), ["a", "b"]);
    assert_eq!(args.enable_feature.len(), 1);
    assert_eq!(args.dashboards, None);
}

#[test]
fn the_command_line_is_preferred() {
    let args = with(EVERYTHING, &["--listen=127.0.0.1:5000", "--logs.max-tails=4"]).unwrap();
    assert_eq!((args.listen.port(), args.logs.max_tails), (5000, 4));
    assert_eq!(args.retention_size, Some(1 << 30));
}

#[test]
fn sections_are_read_by_their_own_types() {
    let (_folder, path) = folder(&[("m.yaml", EVERYTHING)]);
    let file = path.join("m.yaml");
    let words = ["masthead", "serve", "--config", file.as_str()].map(OsString::from);
    let args = resolve(&words).unwrap();
    let (scraping, more) = metrics(&args).unwrap().unwrap().prometheus().unwrap();
    assert_eq!(scraping.scrape_configs.len(), 1);
    assert_eq!((scraping.warnings, more), (Vec::<String>::new(), Vec::new()));
    let collecting = logs(&args).unwrap().unwrap().promtail().unwrap();
    assert!(collecting.has_jobs());
    assert_eq!(collecting.warnings, Vec::<String>::new());
}

#[test]
fn variables_of_a_promtail_file_are_replaced_when_a_flag_says_so() {
    let text =
        "clients: [{name: 'a${MASTHEAD_NONE:b}', url: http://h/p, tenant_id: '${1}-${PATH}'}]";
    let (_folder, path) = folder(&[("p.yaml", text)]);
    let file = path.join("p.yaml");
    let f = |flags: &[&str], name: &str, tenant: &str, warnings: &[&str]| {
        let words = ["masthead", "serve", "--promtail-config", file.as_str()];
        let args = resolve(&words.iter().chain(flags).map(OsString::from).collect::<Vec<_>>());
        let config = logs(&args.unwrap()).unwrap().unwrap().promtail().unwrap();
        let client = &config.clients[0];
        assert_eq!(client.name, name);
        assert!(client.tenant.starts_with(tenant), "{}", client.tenant);
        assert_eq!(config.warnings, warnings);
    };
    let warning = "not in force: ${PATH} (see --promtail-config.expand-env)";
    f(&[], "a${MASTHEAD_NONE:b}", "${1}-${PATH}", &[warning]);
    f(&["--promtail-config.expand-env"], "ab", "-", &[]);
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_key() {
    let f = |text: &str, words: &[&str]| {
        let error = format!("{:#}", with(text, &[]).unwrap_err());
        for word in words {
            assert!(error.contains(word), "{word:?} in {error}");
        }
        assert!(error.contains("m.yaml"), "{error}");
    };
    f("dta: x\n", &["unknown key `dta`", "line 1", "listen"]);
    f("listen:\n  adress: x\n", &["unknown key `adress`", "listen", "line 2", "address"]);
    f("\nlisten:\n  address: nowhere\n", &["line 3", "listen.address", "nowhere"]);
    f("metrics:\n  storage:\n    retention_time: soon\n", &["line 3", "retention_time", "soon"]);
    f("metrics:\n  scrape_configs:\n  - job_nam: x\n", &["line 3", "job_nam", "metrics"]);
    f("metrics:\n  scrape_configs:\n  - job_name: ''\n", &["line 3", "metrics.scrape_configs[0]"]);
    f("metrics:\n  storge: 1\n", &["line 2", "storge"]);
    f(
        "metrics:\n  scrape_configs:\n  - job_nam: a\n",
        &["metrics.scrape_configs[0].job_nam: unknown field"],
    );
    f(
        "metrics:\n  global: {scrape_interval: soon}\n",
        &["line 2", ": metrics.global.scrape_interval: not a valid duration"],
    );
    f("logs:\n  scrape_configs:\n  - job_name: ''\n", &["line 3", "logs.scrape_configs[0]"]);
    f("logs:\n  scrape_confgs: []\n", &["line 2", "scrape_confgs"]);
    f("data: {a: b}\n", &["line 1", "data"]);
    f("data: a\ndata: b\n", &["data"]);
    f("data: [\n", &["line"]);
    f("- a\n", &["line 1", "listen"]);
    f("data: a\nlisten: here\n", &["line 2", "listen: expected keys", "address"]);
    f("query: 7\n", &["line 1", "query: expected keys"]);
}

#[test]
fn an_empty_file_is_no_configuration_at_all() {
    for text in ["", "metrics:\nlogs:\n", "# nothing\n"] {
        let args = with(text, &[]).unwrap();
        assert_eq!(args.data, "data", "{text:?}");
        assert!(metrics(&ServeArgs { config: None, ..args }).unwrap().is_none());
    }
}

#[test]
fn two_files_for_one_thing_are_refused() {
    let (_folder, path) =
        folder(&[("m.yaml", EVERYTHING), ("p.yml", ""), ("t.yaml", "scrape_configs: []")]);
    let f = |flag: &str, file: &str, section: &str| {
        let (ours, theirs) = (path.join("m.yaml"), path.join(file));
        let words = ["masthead", "serve", "--config", ours.as_str(), flag, theirs.as_str()];
        let args = resolve(&words.map(OsString::from)).unwrap();
        let error = format!("{:#}", check_sections(&args).unwrap_err());
        assert!(error.contains(flag) && error.contains(section), "{error}");
    };
    f("--prometheus-config", "p.yml", "section metrics");
    f("--promtail-config", "t.yaml", "section logs");
}

#[test]
fn what_changed_is_known_by_its_key() {
    let of = |text: &str| {
        let (_folder, path) = folder(&[("m.yaml", text)]);
        settings(&path.join("m.yaml")).unwrap()
    };
    let before = of("data: a\nlog: {level: info}\nweb: {max_form_size: 1MB}\n");
    let now = of("\n\ndata: a\nlog: {level: debug}\nlisten: {loki: off}\n");
    assert_eq!(changed(&before, &now), ["listen.loki", "log.level", "web.max_form_size"]);
    assert_eq!(changed(&now, &now), [""; 0]);
}
