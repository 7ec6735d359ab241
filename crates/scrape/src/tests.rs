//! Loops on a clock that moves only when everything waits, with targets in this process; and one
//! real server on loopback.

use std::{
    collections::VecDeque,
    io::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use masthead_model::{Labels, Millis, TimeRange, is_stale};
use masthead_ports::{
    AppendBatch, AppendError, AppendReport, Columns, LabelQuery, QueryCtx, QueryLimits, SampleSink,
    SampleSource as _, Selection, TargetHealth, testing::MemoryStore,
};
use masthead_sysio::{Clock, RealClock, RealFs, SimClock, UnixNanos};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::{Instant, sleep},
};

use crate::*;

const START_SECONDS: i64 = 1_700_000_000;

fn context() -> QueryCtx {
    let limits = QueryLimits { timeout: Duration::from_mins(1), samples: 1_000_000 };
    QueryCtx::new(Arc::new(SimClock::default()), limits)
}

/// A clock that follows tokio's.
#[derive(Debug)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> UnixNanos {
        UnixNanos(START_SECONDS * 1_000_000_000).saturating_add(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, _: Duration) {
        unreachable!("scraping waits asynchronously");
    }
}

/// Says one text after the other, the last one for ever.
#[derive(Debug, Default)]
struct Script(Mutex<VecDeque<String>>);

impl Script {
    fn new(texts: &[&str]) -> Arc<Self> {
        Arc::new(Self(Mutex::new(texts.iter().map(|&text| text.to_owned()).collect())))
    }
}

impl LocalSource for Script {
    fn expose(&self, out: &mut Vec<u8>) -> Exposition {
        let mut texts = self.0.lock().expect("not poisoned");
        let text = if texts.len() > 1 { texts.pop_front() } else { texts.front().cloned() };
        out.extend_from_slice(text.unwrap_or_default().as_bytes());
        Exposition::Text
    }
}

/// A scraper with one job over a script, and the store it writes to.
struct Bench {
    scraper: Scraper,
    store: Arc<MemoryStore>,
}

fn bench_with(sink: Arc<dyn SampleSink>, store: Arc<MemoryStore>) -> Bench {
    let clock = Arc::new(TokioClock(Instant::now()));
    let parts = Parts { sink, clock, fs: Arc::new(RealFs) };
    Bench { scraper: Scraper::new(parts, Settings::default()), store }
}

fn bench() -> Bench {
    let store = Arc::new(MemoryStore::default());
    bench_with(Arc::clone(&store) as Arc<dyn SampleSink>, store)
}

/// A job that is scraped every ten seconds, with more lines of its section.
fn job(name: &str, more: &str) -> Arc<ScrapeConfig> {
    let text = format!(
        "scrape_configs:\n- job_name: {name}\n  scrape_interval: 10s\n  static_configs:\n  \
         - targets: [here]\n{more}"
    );
    Arc::clone(&PromConfig::parse(&text).expect("valid").scrape_configs[0])
}

impl Bench {
    async fn apply(&self, config: &Arc<ScrapeConfig>, source: &Arc<Script>) {
        let source = Arc::clone(source) as Arc<dyn LocalSource>;
        let local = LocalJob { config: Arc::clone(config), source };
        self.scraper.apply(&[], &[local]).await.expect("applied");
    }

    /// The values of a series in order, `stale` for markers.
    fn values(&self, series: &str) -> Vec<String> {
        self.samples(series).into_iter().map(|(_, value)| value).collect()
    }

    fn samples(&self, series: &str) -> Vec<(i64, String)> {
        let ctx = context();
        let range = TimeRange { start: Millis::MIN, end: Millis::MAX };
        let selection = Selection {
            matchers: Vec::new(),
            range,
            hints: masthead_ports::SelectHints::default(),
        };
        let selected = self.store.select(&ctx, &[selection]).expect("selected");
        let mut columns = Columns::default();
        for (at, labels) in selected[0].labels.iter().enumerate() {
            if labels.to_string() == series {
                selected[0].reader.read(&ctx, at, &mut columns).expect("read");
                let shown =
                    |value: &f64| if is_stale(*value) { "stale".into() } else { value.to_string() };
                return columns
                    .float_times
                    .iter()
                    .copied()
                    .zip(columns.floats.iter().map(shown))
                    .collect();
            }
        }
        Vec::new()
    }

    fn series(&self) -> Vec<String> {
        let range = TimeRange { start: Millis::MIN, end: Millis::MAX };
        let query = LabelQuery { matchers: Vec::new(), range, limit: 0 };
        let all = self.store.series(&context(), &query).expect("listed");
        all.iter().map(Labels::to_string).collect()
    }
}

fn seconds(count: u64) -> tokio::time::Sleep {
    sleep(Duration::from_secs(count))
}

const HERE: &str = r#"instance="here", job="j""#;

fn of(name: &str) -> String {
    format!(r#"{{__name__="{name}", {HERE}}}"#)
}

#[tokio::test(start_paused = true)]
async fn a_series_that_goes_is_marked_and_may_come_back() {
    let bench = bench();
    let script = Script::new(&["a 1\nb 1\n", "a 2\n", "b 3\na 3\n"]);
    bench.apply(&job("j", ""), &script).await;
    seconds(30).await;
    assert_eq!(bench.values(&of("a"))[..3], ["1", "2", "3"]);
    assert_eq!(bench.values(&of("b"))[..3], ["1", "stale", "3"]);
    assert_eq!(bench.values(&of("up"))[..3], ["1", "1", "1"]);
    assert_eq!(bench.values(&of("scrape_samples_scraped"))[..3], ["2", "1", "2"]);
    assert_eq!(bench.values(&of("scrape_samples_post_metric_relabeling"))[..3], ["2", "1", "2"]);
    assert_eq!(bench.values(&of("scrape_series_added"))[..2], ["2", "0"]);
    // Ten seconds apart to the millisecond, and all series of a scrape at one time.
    let times: Vec<i64> = bench.samples(&of("a")).iter().map(|(time, _)| *time).collect();
    assert_eq!((times[1] - times[0], times[2] - times[1]), (10_000, 10_000));
    assert_eq!(bench.samples(&of("up"))[0].0, times[0]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_scrape_brings_nothing_and_ends_everything() {
    let f = async |options: &str, bad: &str, error: &str, total: &str| {
        let bench = bench();
        let script = Script::new(&["a 1\n", bad, "a 3\n"]);
        bench.apply(&job("j", options), &script).await;
        seconds(30).await;
        assert_eq!(bench.values(&of("a"))[..3], ["1", "stale", "3"], "{bad:?}");
        assert_eq!(bench.values(&of("up"))[..3], ["1", "0", "1"], "{bad:?}");
        assert_eq!(bench.values(&of("scrape_samples_scraped"))[1], total, "{bad:?}");
        assert!(bench.values(&of("c")).is_empty(), "{bad:?}");
        assert_eq!(bench.scraper.stats().scrapes_failed.get(), 1, "{error}");
    };
    f("", "a 2\nc 1\n!bad\n", "parse", "2").await;
    f("  sample_limit: 1\n", "a 2\nc 1\nd 1\n", "limit", "3").await;
    f("  label_value_length_limit: 4\n", "a 2\nc{x=\"12345\"} 1\n", "label", "2").await;
    f("  body_size_limit: 8B\n", "a 2\nc 1\nd 1\n", "body", "0").await;
}

#[tokio::test(start_paused = true)]
async fn a_job_may_allow_more_and_longer_labels_than_are_taken_without_a_word() {
    let many = (0..300).map(|n| format!("l{n}=\"1\"")).collect::<Vec<_>>().join(",");
    let many = format!("a{{{many}}} 1\n");
    let long = format!("a{{x=\"{}\"}} 1\n", "v".repeat(70_000));
    let name = format!("a{{{}=\"1\"}} 1\n", "n".repeat(5_000));
    let f = async |options: &str, body: &str, up: &str| {
        let bench = bench();
        bench.apply(&job("j", options), &Script::new(&[body])).await;
        seconds(10).await;
        assert_eq!(bench.values(&of("up"))[0], up, "{options}");
    };
    f("", &many, "0").await;
    f("  label_limit: 400\n", &many, "1").await;
    f("", &long, "0").await;
    f("  label_value_length_limit: 80000\n", &long, "1").await;
    f("", &name, "0").await;
    f("  label_name_length_limit: 5000\n", &name, "1").await;
}

#[tokio::test(start_paused = true)]
async fn an_empty_answer_is_a_good_scrape_without_samples() {
    let bench = bench();
    bench.apply(&job("j", ""), &Script::new(&["a 1\n", ""])).await;
    seconds(20).await;
    assert_eq!(bench.values(&of("a"))[..2], ["1", "stale"]);
    assert_eq!(bench.values(&of("up"))[..2], ["1", "1"]);
}

#[tokio::test(start_paused = true)]
async fn timestamps_of_the_target_are_kept_and_not_tracked_unless_told() {
    let at = (START_SECONDS + 5) * 1000;
    let with_time = format!("a 1 {at}\n");
    let f = async |options: &str, want: &[(i64, &str)]| {
        let bench = bench();
        bench.apply(&job("j", options), &Script::new(&[&with_time, ""])).await;
        seconds(20).await;
        let got = bench.samples(&of("a"));
        assert_eq!(got.len(), want.len(), "{options}: {got:?}");
        for ((time, value), (want_time, want_value)) in got.iter().zip(want) {
            assert_eq!(value, want_value, "{options}");
            assert!(*want_time == 0 || time == want_time, "{options}: {time}");
        }
    };
    f("", &[(at, "1")]).await;
    f("  track_timestamps_staleness: true\n", &[(at, "1"), (0, "stale")]).await;
    f("  honor_timestamps: false\n", &[(0, "1"), (0, "stale")]).await;
}

#[tokio::test(start_paused = true)]
async fn a_sample_far_ahead_or_given_twice_is_counted_not_stored() {
    let ahead = (START_SECONDS + 3600) * 1000;
    let bench = bench();
    bench.apply(&job("j", ""), &Script::new(&[&format!("a 1 {ahead}\nb 1\nb 2\n")])).await;
    seconds(10).await;
    assert!(bench.values(&of("a")).is_empty());
    assert_eq!(bench.values(&of("b"))[0], "1");
    assert_eq!(bench.values(&of("scrape_samples_post_metric_relabeling"))[0], "3");
    let stats = bench.scraper.stats();
    assert!(stats.out_of_bounds.get() >= 1 && stats.duplicates.get() >= 1, "{stats:?}");
}

#[tokio::test(start_paused = true)]
async fn relabelling_drops_and_renames_samples() {
    let rules =
        "  metric_relabel_configs:\n  - {source_labels: [__name__], regex: go_.*, action: drop}\n";
    let bench = bench();
    let text = "go_x 1\na{job=\"mine\"} 2\n";
    bench.apply(&job("j", rules), &Script::new(&[text])).await;
    seconds(20).await;
    let wanted = r#"{__name__="a", exported_job="mine", instance="here", job="j"}"#;
    assert_eq!(bench.values(wanted)[..2], ["2", "2"]);
    assert!(!bench.series().iter().any(|series| series.contains("go_x")));
    assert_eq!(bench.values(&of("scrape_samples_post_metric_relabeling"))[..2], ["1", "1"]);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_goes_has_its_series_ended_two_intervals_later() {
    let bench = bench();
    bench.apply(&job("j", ""), &Script::new(&["a 1\n"])).await;
    seconds(15).await;
    bench.scraper.apply(&[], &[]).await.expect("applied");
    let scraped = bench.samples(&of("a")).len();
    seconds(11).await;
    assert_eq!(bench.samples(&of("a")).len(), scraped, "too early");
    seconds(12).await;
    let samples = bench.samples(&of("a"));
    assert_eq!(samples.len(), scraped + 1, "{samples:?}");
    let (last, before) = (&samples[scraped], &samples[scraped - 1]);
    // The marker stands where the next scrape would have been.
    assert_eq!((last.1.as_str(), last.0 - before.0), ("stale", 10_000));
    assert_eq!(bench.values(&of("up")).last().map(String::as_str), Some("stale"));
    assert!(bench.scraper.view().pools().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_job_that_comes_back_in_time_loses_no_series() {
    let bench = bench();
    let config = job("j", "");
    bench.apply(&config, &Script::new(&["a 1\nb 1\n"])).await;
    seconds(15).await;
    bench.scraper.apply(&[], &[]).await.expect("applied");
    seconds(1).await;
    bench.apply(&config, &Script::new(&["a 2\n"])).await;
    seconds(60).await;
    let a = bench.values(&of("a"));
    assert!(!a.contains(&"stale".to_owned()), "{a:?}");
    // What went while it was away is known to have gone.
    assert_eq!(bench.values(&of("b")).last().map(String::as_str), Some("stale"));
}

#[tokio::test(start_paused = true)]
async fn a_changed_job_goes_on_and_ends_what_it_no_longer_has() {
    let bench = bench();
    let script = Script::new(&["a 1\nb 1\n"]);
    bench.apply(&job("j", ""), &script).await;
    seconds(15).await;
    let rules =
        "  metric_relabel_configs:\n  - {source_labels: [__name__], regex: b, action: drop}\n";
    bench.apply(&job("j", rules), &script).await;
    seconds(25).await;
    let (a, b) = (bench.values(&of("a")), bench.values(&of("b")));
    assert!(a.len() >= 3 && !a.contains(&"stale".to_owned()), "{a:?}");
    assert_eq!(b.last().map(String::as_str), Some("stale"), "{b:?}");
    assert_eq!(b.iter().filter(|value| *value == "stale").count(), 1, "{b:?}");
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_job_is_not_disturbed() {
    let bench = bench();
    let script = Script::new(&["a 1\n"]);
    bench.apply(&job("j", ""), &script).await;
    for _ in 0..8 {
        seconds(7).await;
        bench.apply(&job("j", ""), &script).await;
    }
    let times: Vec<i64> = bench.samples(&of("a")).iter().map(|(time, _)| *time).collect();
    assert!(times.len() >= 5, "{times:?}");
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 10_000), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_no_series() {
    let bench = bench();
    bench.apply(&job("j", ""), &Script::new(&["a 1\n"])).await;
    seconds(15).await;
    bench.scraper.shutdown().await;
    let before = bench.values(&of("a"));
    seconds(60).await;
    assert_eq!(bench.values(&of("a")), before);
    assert!(!before.is_empty() && !before.contains(&"stale".to_owned()), "{before:?}");
    assert!(matches!(bench.scraper.apply(&[], &[]).await, Err(ScrapeError::ShutDown)));
}

#[tokio::test(start_paused = true)]
async fn too_many_targets_fail_them_all_and_extra_metrics_are_there_when_asked_for() {
    let bench = bench();
    let more = "  - targets: [there]\n  target_limit: 1\n  sample_limit: 7\n  extra_scrape_metrics: true\n";
    bench.apply(&job("j", more), &Script::new(&["a 1\n"])).await;
    seconds(20).await;
    assert_eq!(bench.values(&of("up"))[0], "0");
    assert!(bench.values(&of("a")).is_empty());
    let active = bench.scraper.view().active();
    assert_eq!(active.len(), 2);
    let want = "target_limit exceeded (number of targets: 2, limit: 1)";
    assert!(active.iter().all(|target| target.last_error == want), "{active:?}");
    assert_eq!(bench.values(&of("scrape_timeout_seconds"))[0], "10");
    assert_eq!(bench.values(&of("scrape_sample_limit"))[0], "7");
    assert_eq!(bench.values(&of("scrape_body_size_bytes"))[0], "0");
}

#[tokio::test(start_paused = true)]
async fn the_view_shows_targets_dropped_ones_and_what_families_mean() {
    let bench = bench();
    let more = "  - targets: [gone]\n  relabel_configs:\n  - {source_labels: [__address__], regex: gone, action: drop}\n";
    let text = "# HELP a What a is.\n# TYPE a counter\na 1\n";
    bench.apply(&job("j", more), &Script::new(&[text])).await;
    let view = bench.scraper.view();
    seconds(1).await;
    assert_eq!(view.active()[0].health, TargetHealth::Unknown);
    seconds(20).await;
    assert_eq!(view.pools(), ["j"]);
    let active = view.active();
    assert_eq!((active.len(), active[0].health), (1, TargetHealth::Up));
    assert_eq!(active[0].url, "http://here/metrics");
    assert_eq!(active[0].interval, Duration::from_secs(10));
    assert!(active[0].last_scrape.is_some());
    assert_eq!(active[0].discovered.get("__scrape_interval__"), Some("10s"));
    let dropped = view.dropped();
    assert_eq!(dropped[0].discovered.get("__address__"), Some("gone"));
    assert_eq!(view.dropped_counts().get("j"), Some(&1));
    let told = view.metadata(Some("a"));
    assert_eq!((&*told[0].families[0].help, told.len()), ("What a is.", 1));
    assert!(view.metadata(Some("b")).is_empty());
    let stored = bench.store.metadata(&context(), None).expect("listed");
    assert_eq!(&*stored[0].help, "What a is.");
    let steps = view.relabel_steps("j", &dropped[0].discovered).expect("a pool");
    assert!(!steps[0].keep);
    assert!(view.relabel_steps("k", &Labels::default()).is_err());
}

/// Refuses everything while it is told to.
#[derive(Debug)]
struct Full {
    store: Arc<MemoryStore>,
    full: Mutex<bool>,
}

impl SampleSink for Full {
    fn append(&self, batch: &mut AppendBatch) -> Result<AppendReport, AppendError> {
        if *self.full.lock().expect("not poisoned") {
            let class = masthead_model::ErrorClass::Unavailable;
            return Err(AppendError { class, message: "no space left".into() });
        }
        self.store.append(batch)
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_is_told_and_what_ended_meanwhile_is_marked_after_it() {
    let store = Arc::new(MemoryStore::default());
    let sink = Arc::new(Full { store: Arc::clone(&store), full: Mutex::new(false) });
    let bench = bench_with(Arc::clone(&sink) as Arc<dyn SampleSink>, store);
    bench.apply(&job("j", ""), &Script::new(&["a 1\nb 1\n", "a 2\n", "a 3\n"])).await;
    for _ in 0..20 {
        if bench.values(&of("a")).is_empty() {
            seconds(1).await;
        }
    }
    *sink.full.lock().expect("not poisoned") = true;
    seconds(10).await;
    let active = bench.scraper.view().active();
    assert_eq!(
        (active[0].health, active[0].last_error.as_str()),
        (TargetHealth::Down, "no space left")
    );
    *sink.full.lock().expect("not poisoned") = false;
    seconds(10).await;
    assert_eq!(bench.values(&of("a")), ["1", "3"]);
    assert_eq!(bench.values(&of("b")), ["1", "stale"]);
}

#[tokio::test]
async fn a_real_server_is_asked_with_headers_and_answers_gzip() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let (sender, mut heads) = tokio::sync::mpsc::channel(4);
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let text = "# TYPE a counter\na_total 5 # {trace_id=\"x\"} 1\n# EOF\n";
        encoder.write_all(text.as_bytes()).expect("compressed");
        let body = encoder.finish().expect("compressed");
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let count = stream.read(&mut head).await.unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..count]).into_owned();
            if sender.send(head).await.is_err() {
                return;
            }
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0\r\n\
                 Content-Encoding: gzip\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            drop(stream.write_all(answer.as_bytes()).await);
            drop(stream.write_all(&body).await);
        }
    });
    let text = format!(
        "scrape_configs:\n- job_name: j\n  scrape_interval: 200ms\n  params: {{x: [y]}}\n  \
         static_configs:\n  - targets: ['{address}']\n"
    );
    let config = PromConfig::parse(&text).expect("valid");
    let store = Arc::new(MemoryStore::default());
    let sink = Arc::clone(&store) as Arc<dyn SampleSink>;
    let parts = Parts { sink, clock: Arc::new(RealClock::new()), fs: Arc::new(RealFs) };
    let scraper = Scraper::new(parts, Settings::default());
    scraper.apply(&config.scrape_configs, &[]).await.expect("applied");
    let head = tokio::time::timeout(Duration::from_secs(5), heads.recv()).await;
    let head = head.expect("in time").expect("a request");
    assert!(head.starts_with("GET /metrics?x=y HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("accept: application/openmetrics-text;version=1.0.0"), "{head}");
    assert!(head.contains("accept-encoding: gzip\r\n"), "{head}");
    assert!(head.contains("x-prometheus-scrape-timeout-seconds: 0.2\r\n"), "{head}");
    assert!(head.contains("user-agent: Masthead/"), "{head}");
    tokio::time::timeout(Duration::from_secs(5), heads.recv()).await.expect("asked again");
    scraper.shutdown().await;
    let bench = Bench { scraper, store };
    let series = format!(r#"{{__name__="a_total", instance="{address}", job="j"}}"#);
    assert_eq!(bench.values(&series)[0], "5");
    let range = TimeRange { start: Millis::MIN, end: Millis::MAX };
    let exemplars = bench.store.exemplars(&context(), &[], range).expect("listed");
    assert_eq!(exemplars[0].1[0].labels.get("trace_id"), Some("x"));
    assert!(exemplars[0].1[0].timestamp.is_some());
    tasks.abort_all();
}
