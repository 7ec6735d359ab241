//! A small server in memory: a store with a few series and one with a few lines, two targets, one
//! rule group, a clock that stands still.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use masthead_http_api::{
    BuildInfo, DeletesInMemory, Evaluator, Limits, LiveTail, LogLimits, LokiApi, LokiParts, Parts,
    PrometheusApi,
};
use masthead_model::{
    ErrorClass, Histogram, Labels, Matcher, Millis, Nanos, Regexp, Schema, Span, TimeRange, Value,
};
use masthead_ports::{
    ActiveTarget, AdminError, Alert, AlertState, Alertmanagers, AppendBatch, AppendRow, BlockInfo,
    Cardinality, DroppedTarget, Exemplar, LineFilter, LogAdmin, LogBatch, LogRow, LogSink as _,
    LogStoreStats, LogStream, Metadata, MetricType, Readiness, RelabelStep, ReloadError,
    ReplayStatus, Rule, RuleGroup, RuleHealth, RuleKind, RuleValue, RulesView, RuntimeInfo,
    SampleSink as _, ServerView, StoreAdmin, StoreStats, TargetHealth, TargetMetadata, TargetsView,
    testing::{MemoryLogStore, MemoryStore},
};
use masthead_promql::{Engine, Features};
use masthead_sysio::{SimClock, UnixNanos};
use masthead_wire::otlp::Config as OtlpConfig;
use tower::ServiceExt as _;

/// What time it is, in seconds.
pub(crate) const NOW: i64 = 120;

pub(crate) fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().copied().collect()
}

/// Everything a test may want to look at or change.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) clock: Arc<SimClock>,
    pub(crate) api: PrometheusApi,
    pub(crate) loki: LokiApi,
    pub(crate) lines: Arc<MemoryLogStore>,
    pub(crate) router: Router,
}

/// What a test may set.
pub(crate) struct Setup {
    pub(crate) limits: Limits,
    pub(crate) admin_enabled: bool,
    pub(crate) evaluator: Arc<dyn Evaluator>,
    pub(crate) sink: Option<Arc<dyn masthead_ports::SampleSink>>,
    pub(crate) line_sink: Option<Arc<dyn masthead_ports::LogSink>>,
    pub(crate) log_limits: LogLimits,
    pub(crate) origin: &'static str,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            admin_enabled: true,
            evaluator: Arc::new(Engine::default()),
            sink: None,
            line_sink: None,
            log_limits: LogLimits::default(),
            origin: ".*",
        }
    }
}

pub(crate) fn server(setup: Setup) -> Server {
    let store = Arc::new(MemoryStore::default());
    fill(&store);
    let clock = Arc::new(SimClock::new(UnixNanos(NOW * 1_000_000_000)));
    let sink = setup.sink.unwrap_or_else(|| Arc::clone(&store) as _);
    let api = PrometheusApi::new(Parts {
        source: Arc::clone(&store) as _,
        sink,
        admin: Arc::new(FakeAdmin),
        targets: Arc::new(FakeTargets),
        rules: Arc::new(FakeRules),
        server: Arc::new(FakeServer::default()),
        clock: Arc::clone(&clock) as _,
        evaluator: setup.evaluator,
        features: Features::STABLE,
        otlp: OtlpConfig::default(),
        lookback_ms: 300_000,
        limits: setup.limits,
        build: BuildInfo {
            version: "0.1.0".into(),
            revision: "abc".into(),
            branch: "main".into(),
            date: "2026-01-02".into(),
            compiler: "rustc 1.95".into(),
        },
        flags: vec![("query.timeout".into(), "2m".into())],
        more_features: BTreeMap::from([(
            "promql".to_owned(),
            BTreeMap::from([("duration_expr".to_owned(), false)]),
        )]),
        admin_enabled: setup.admin_enabled,
        cors_origin: Regexp::new(setup.origin).expect("valid"),
    });
    let lines = Arc::new(MemoryLogStore::default());
    fill_lines(&lines);
    let line_sink = setup.line_sink.unwrap_or_else(|| Arc::clone(&lines) as _);
    let parts = LokiParts {
        source: Arc::clone(&lines) as _,
        sink: Arc::new(LiveTail::new(line_sink)),
        admin: Arc::new(FakeLogAdmin),
        deletes: Arc::new(DeletesInMemory::default()),
        rules: Arc::new(FakeRules),
        server: Arc::new(FakeServer::default()),
        engine: masthead_logql::Engine::default(),
        limits: setup.log_limits,
        build: BuildInfo {
            version: "0.1.0".into(),
            revision: "abc".into(),
            ..BuildInfo::default()
        },
        admin_enabled: setup.admin_enabled,
        log_level: "info".into(),
    };
    let loki = LokiApi::new(parts, &api);
    let router = api.router().merge(loki.router());
    Server { clock, api, loki, lines, router }
}

/// An answer with its whole body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

pub(crate) async fn call(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.expect("infallible");
    let (head, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 1 << 30).await.expect("a whole body");
    Answer { status: head.status, headers: head.headers, body: body.to_vec() }
}

pub(crate) async fn get(router: &Router, uri: &str) -> Answer {
    call(router, Request::get(uri).body(Body::empty()).expect("valid")).await
}

fn fill(store: &MemoryStore) {
    let mut rows = Vec::new();
    for (job, factor) in [("api", 1.0), ("db", 2.5)] {
        for step in 0..10_i32 {
            let of = |name| labels(&[("__name__", name), ("job", job), ("instance", "a:1")]);
            let at = Millis(i64::from(step) * 10_000);
            rows.push(AppendRow::float(of("up"), at, 1.0));
            rows.push(AppendRow::float(of("requests_total"), at, f64::from(step) * factor));
        }
    }
    rows.push(AppendRow::float(
        labels(&[("__name__", "my.metric"), ("la bel", "x\"<y>")]),
        Millis(90_500),
        -0.000_000_25,
    ));
    let histogram = Histogram {
        schema: Schema::new(0).expect("valid"),
        count: 4.0,
        sum: 7.5,
        zero_threshold: 0.001,
        zero_count: 1.0,
        positive_spans: vec![Span { offset: 0, length: 2 }],
        positive_buckets: vec![1.0, 2.0],
        ..Histogram::default()
    };
    let mut row = AppendRow::float(labels(&[("__name__", "latency")]), Millis(90_000), 0.0);
    row.value = Value::Histogram(Box::new(histogram));
    row.exemplars = vec![Exemplar {
        labels: labels(&[("trace_id", "t1")]),
        value: 0.5,
        timestamp: Some(Millis(89_250)),
    }];
    rows.push(row);
    let metadata = vec![family("requests_total", "Requests <served>."), family("old", "Stored.")];
    store
        .append(&mut AppendBatch { group: 0, rows, metadata, ..AppendBatch::default() })
        .expect("appends");
}

/// Three lines a second of three streams, from 100 s on.
fn fill_lines(store: &MemoryLogStore) {
    let mut streams = Vec::new();
    for (app, host) in [("api", "h1"), ("api", "h2"), ("db", "h1")] {
        let rows = (0..5_i64).map(|at| {
            let status = if at == 3 { 500 } else { 200 };
            let line = if app == "db" {
                format!("checkpoint {at} took {}ms", at * 7)
            } else {
                format!("{{\"method\":\"GET\",\"status\":{status},\"took\":\"{at}ms\",\"by\":{{\"user\":\"u{at}\"}}}}")
            };
            let level = if status == 500 { "error" } else { "info" };
            LogRow {
                timestamp: Nanos((100 + 2 * at) * 1_000_000_000 + i64::from(host == "h2")),
                line: line.into_bytes().into(),
                structured_metadata: labels(&[("detected_level", level)]),
            }
        });
        let labels = labels(&[("app", app), ("host", host)]);
        streams.push(LogStream { labels, rows: rows.collect() });
    }
    store.append(&LogBatch { streams, progress: Vec::new() }).expect("appends");
}

#[derive(Debug)]
struct FakeLogAdmin;

impl LogAdmin for FakeLogAdmin {
    fn delete(
        &self,
        matchers: &[Matcher],
        filters: &[LineFilter],
        range: TimeRange<Nanos>,
    ) -> Result<(), AdminError> {
        assert_eq!((matchers.len(), filters.len()), (1, 1), "as the script asks");
        assert_eq!((range.start.0, range.end.0), (90_000_000_000, 110_000_000_000));
        Ok(())
    }

    fn flush(&self) -> Result<(), AdminError> {
        Ok(())
    }

    fn snapshot(&self) -> Result<String, AdminError> {
        Ok("19700101T000200Z-0000001bf08eb000".to_owned())
    }

    fn stats(&self) -> Result<LogStoreStats, AdminError> {
        Ok(LogStoreStats::default())
    }
}

fn family(name: &str, help: &str) -> Metadata {
    Metadata {
        family: name.into(),
        metric_type: MetricType::Counter,
        help: help.into(),
        unit: "".into(),
    }
}

#[derive(Debug)]
struct FakeAdmin;

impl StoreAdmin for FakeAdmin {
    fn delete_series(&self, m: &[Matcher], range: TimeRange<Millis>) -> Result<(), AdminError> {
        let message = format!("asked to delete {m:?} from {} to {}", range.start.0, range.end.0);
        // One name is told back as an error, so that scripts can see what arrived here.
        if m.iter().any(|m| m.value() == "tell") {
            return Err(AdminError { class: ErrorClass::Internal, message });
        }
        Ok(())
    }

    fn clean_tombstones(&self) -> Result<(), AdminError> {
        Ok(())
    }

    fn snapshot(&self, with_head: bool) -> Result<String, AdminError> {
        Ok(format!("19700101T000200Z-head-{with_head}"))
    }

    fn stats(&self, limit: usize) -> Result<StoreStats, AdminError> {
        let all = ["up", "requests_total"].map(|name| Cardinality { name: name.into(), count: 2 });
        Ok(StoreStats {
            series: 6,
            label_pairs: 9,
            chunks: 6,
            range: Some(TimeRange { start: Millis(0), end: Millis(90_500) }),
            series_by_metric: all.into_iter().take(limit).collect(),
            ..StoreStats::default()
        })
    }

    fn blocks(&self) -> Result<Vec<BlockInfo>, AdminError> {
        Ok(vec![BlockInfo {
            id: "01ARZ3NDEKTSV4RRFFQ69G5FAV".into(),
            range: TimeRange { start: Millis(0), end: Millis(7_199_999) },
            samples: 10,
            series: 2,
            chunks: 2,
            bytes: 999,
            level: 1,
            sources: vec!["01ARZ3NDEKTSV4RRFFQ69G5FAV".into()],
        }])
    }

    fn replay(&self) -> ReplayStatus {
        ReplayStatus { first: 2, last: 5, current: 4 }
    }
}

#[derive(Debug)]
struct FakeTargets;

impl TargetsView for FakeTargets {
    fn pools(&self) -> Vec<String> {
        vec!["api".into(), "db".into()]
    }

    fn active(&self) -> Vec<ActiveTarget> {
        let target = |pool: &str, health, error: &str, scraped| ActiveTarget {
            discovered: labels(&[("__address__", "a:1"), ("job", pool)]),
            labels: labels(&[("instance", "a:1"), ("job", pool)]),
            pool: pool.into(),
            url: "http://a:1/metrics".into(),
            global_url: "http://a:1/metrics".into(),
            last_error: error.into(),
            last_scrape: scraped,
            last_duration: Duration::from_millis(250),
            health,
            interval: Duration::from_secs(15),
            timeout: Duration::from_secs(10),
        };
        vec![
            target("api", TargetHealth::Up, "", Some(Millis(90_500))),
            target("db", TargetHealth::Down, "connection refused", None),
        ]
    }

    fn dropped(&self) -> Vec<DroppedTarget> {
        vec![DroppedTarget { discovered: labels(&[("__address__", "b:1")]), pool: "api".into() }]
    }

    fn dropped_counts(&self) -> BTreeMap<String, u64> {
        BTreeMap::from([("api".into(), 7)])
    }

    fn metadata(&self, metric: Option<&str>) -> Vec<TargetMetadata> {
        let all = [("api", "requests_total", "Requests <served>."), ("db", "up", "Is it up?")];
        all.into_iter()
            .filter(|(_, name, _)| metric.is_none_or(|wanted| wanted == *name))
            .map(|(job, name, help)| TargetMetadata {
                target: labels(&[("job", job)]),
                families: vec![family(name, help)],
            })
            .collect()
    }

    fn relabel_steps(&self, pool: &str, labels: &Labels) -> Result<Vec<RelabelStep>, AdminError> {
        if pool != "api" {
            let message = format!("scrape pool {pool:?} not found");
            return Err(AdminError { class: ErrorClass::BadInput, message });
        }
        let rule = vec![
            ("source_labels".to_owned(), RuleValue::List(vec!["job".into()])),
            ("modulus".to_owned(), RuleValue::Number(2)),
            ("action".to_owned(), RuleValue::Text("keep".into())),
        ];
        let step = |output, keep| RelabelStep { rule: rule.clone(), output, keep };
        Ok(vec![step(labels.clone(), true), step(Labels::default(), false)])
    }
}

#[derive(Debug)]
struct FakeRules;

impl RulesView for FakeRules {
    fn groups(&self) -> Vec<RuleGroup> {
        let rule = |name: &str, kind| Rule {
            name: name.into(),
            query: "sum(up) < 1".into(),
            labels: labels(&[("severity", "page")]),
            health: RuleHealth::Ok,
            last_error: String::new(),
            evaluation_time: Duration::from_millis(1),
            last_evaluation: Some(Millis(60_000)),
            kind,
        };
        let alert = Alert {
            labels: labels(&[("alertname", "Down")]),
            annotations: Labels::default(),
            state: AlertState::Firing,
            active_at: Some(Millis(30_000)),
            keep_firing_since: None,
            value: 0.5,
        };
        let alerting = RuleKind::Alerting {
            hold: Duration::from_mins(5),
            keep_firing: Duration::ZERO,
            annotations: labels(&[("summary", "It is down.")]),
            state: AlertState::Firing,
            alerts: vec![alert],
        };
        let group = |name: &str, rules| RuleGroup {
            name: name.into(),
            file: "rules.yml".into(),
            rules,
            interval: Duration::from_mins(1),
            limit: 0,
            evaluation_time: Duration::from_millis(2),
            last_evaluation: Some(Millis(60_000)),
        };
        vec![
            group("one", vec![rule("job:up", RuleKind::Recording), rule("Down", alerting)]),
            group("two", vec![rule("job:down", RuleKind::Recording)]),
        ]
    }

    fn alertmanagers(&self) -> Alertmanagers {
        Alertmanagers { active: vec!["http://am:9093/api/v2/alerts".into()], dropped: Vec::new() }
    }
}

/// Its readiness goes round: ready, degraded, starting, stopping; its reload fails every other
/// time.
#[derive(Debug, Default)]
struct FakeServer {
    asked: AtomicUsize,
    reloads: AtomicUsize,
}

impl ServerView for FakeServer {
    fn readiness(&self) -> Readiness {
        match self.asked.fetch_add(1, Ordering::Relaxed) % 4 {
            0 => Readiness::Ready,
            1 => Readiness::Degraded(vec!["block 01ABC is set aside: bad checksum".into()]),
            2 => Readiness::Starting,
            _ => Readiness::Stopping,
        }
    }

    fn config_text(&self) -> String {
        "global:\n  scrape_interval: 15s\n  password: <secret>\n".into()
    }

    fn external_labels(&self) -> Labels {
        labels(&[("cluster", "lab"), ("job", "never")])
    }

    fn runtime(&self) -> RuntimeInfo {
        RuntimeInfo {
            started: Millis(1000),
            directory: "/data".into(),
            hostname: "host".into(),
            reload_ok: true,
            config_loaded: Some(Millis(2000)),
            corruptions: 0,
            threads: 4,
            cores: 2,
            retention: "15d".into(),
        }
    }

    fn reload(&self) -> Result<(), ReloadError> {
        match self.reloads.fetch_add(1, Ordering::Relaxed) % 3 {
            0 => Ok(()),
            1 => Err(ReloadError::Failed("masthead.yaml:3: unknown key \"foo\"".into())),
            _ => Err(ReloadError::Disabled),
        }
    }

    fn pool_config_text(&self, pool: &str) -> Option<String> {
        (pool == "api").then(|| "job_name: api\n".to_owned())
    }

    fn self_metrics(&self) -> String {
        "# HELP a_total How <many>.\n# TYPE a_total counter\na_total{x=\"y\"} 3\n\
         # TYPE h histogram\n\
         h_bucket{r=\"1\",le=\"0.5\"} 1\nh_bucket{r=\"1\",le=\"+Inf\"} 4\nh_sum{r=\"1\"} 2.5\n\
         h_count{r=\"1\"} 4\nh_sum{r=\"2\"} NaN\nh_count{r=\"2\"} 0\n\
         # TYPE g gauge\ng +Inf\nbare 1\n"
            .to_owned()
    }

    fn quit(&self) -> Result<(), ReloadError> {
        match self.reloads.fetch_add(1, Ordering::Relaxed) % 2 {
            0 => Ok(()),
            _ => Err(ReloadError::Disabled),
        }
    }
}
