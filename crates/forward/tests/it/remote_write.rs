//! Remote write to a receiver that misbehaves in every way that the protocol knows.

use std::{sync::Arc, time::Duration};

use masthead_forward::{
    Options, Tee,
    remote_write::{RemoteWriteConfig, RemoteWriteSink, Sender, Stats, Version},
};
use masthead_model::{Histogram, Labels, Millis, Value};
use masthead_ports::{
    AppendBatch, AppendError, AppendReport, AppendRow, Exemplar, Metadata, MetricType,
    RejectReason, SampleSink, SeriesExemplars, SeriesRef,
};
use masthead_sysio::{Clock, Fs, SimClock, SimFs};

use crate::receiver::{Mood, Receiver, Taken};

/// A disk with the journal of a remote end on it.
struct Disk {
    fs: SimFs,
    clock: Arc<SimClock>,
    stats: Arc<Stats>,
    options: Options,
    config: RemoteWriteConfig,
}

impl Disk {
    fn new(port: u16, more: &str) -> Self {
        let mut options = Options::new("/data/remote".into());
        options.journal.segment_bytes = 2_000;
        let text = format!(
            "remote_write:
- url: http://127.0.0.1:{port}/api/v1/write
  name: test
  remote_timeout: 2s
  {more}
  queue_config:
    {{max_samples_per_send: 10, capacity: 20, max_shards: 4, batch_send_deadline: 10ms,
     min_backoff: 1ms, max_backoff: 10ms, retry_on_http_429: true}}
"
        );
        let mut configs = RemoteWriteConfig::read_section(&text).unwrap();
        let (fs, clock, stats) = (SimFs::new(1), Arc::new(SimClock::default()), Arc::default());
        Self { fs, clock, stats, options, config: configs.remove(0) }
    }

    fn open(&self) -> Arc<RemoteWriteSink> {
        let (fs, clock) = (Arc::new(self.fs.clone()), Arc::clone(&self.clock) as Arc<dyn Clock>);
        let external: Labels = [("cluster", "c1"), ("job", "other")].into_iter().collect();
        let stats = Arc::clone(&self.stats);
        let sink = RemoteWriteSink::open(fs, clock, &self.options, &self.config, external, stats);
        Arc::new(sink.unwrap())
    }

    #[expect(clippy::disallowed_methods, reason = "the sender of the test, which ends with it")]
    fn send(&self, sink: &Arc<RemoteWriteSink>) -> Sending {
        let fs = Arc::new(self.fs.clone()) as Arc<dyn Fs>;
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let sender = Sender::new(Arc::clone(sink), &self.config, fs, clock).unwrap();
        Sending(tokio::spawn(sender.run()))
    }

    async fn wait_until(&self, done: impl Fn(&Stats) -> bool) {
        for _ in 0..6000 {
            if done(&self.stats) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("in vain; {:?}", self.stats);
    }
}

/// A sender at work; it ends with this.
struct Sending(tokio::task::JoinHandle<()>);

impl Sending {
    async fn stop(mut self) {
        self.0.abort();
        drop((&mut self.0).await);
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn series(number: i64) -> Labels {
    let instance = number.to_string();
    [("__name__", "up"), ("job", "api"), ("instance", instance.as_str())].into_iter().collect()
}

/// One sample of each of `count` series at `time`.
fn scrape(sink: &dyn SampleSink, count: i64, time: i64) {
    let row = |number| AppendRow::float(series(number), Millis(time), 1.0);
    let mut batch = AppendBatch { rows: (0..count).map(row).collect(), ..AppendBatch::default() };
    let appended = sink.append(&mut batch).unwrap().appended;
    assert_eq!(appended, usize::try_from(count).unwrap());
}

/// Every sample of `count` series and `times` scrapes came, those of one series in their order;
/// `once` if none came twice.
fn check(taken: &[Taken], count: i64, times: i64, once: bool) {
    for number in 0..count {
        let labels = format!("instance=\"{number}\"");
        let mut found: Vec<i64> =
            taken.iter().filter(|t| t.labels.contains(&labels)).map(|t| t.timestamp).collect();
        if !once {
            found.sort_unstable();
            found.dedup();
        }
        assert_eq!(found, (0..times).collect::<Vec<_>>(), "{labels}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_written_while_there_is_nothing_to_send() {
    let receiver = Receiver::start().await;
    let mut disk = Disk::new(receiver.port, "");
    disk.options.journal.segment_bytes = 4 << 20;
    let sink = disk.open();
    let sending = disk.send(&sink);
    scrape(&*sink, 3, 0);
    receiver.wait_for(3).await;
    disk.wait_until(|stats| stats.samples_waiting.get() == 0).await;
    // The mark of what was sent, and no mark of that mark.
    let before = disk.stats.journal_bytes.get();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let more = disk.stats.journal_bytes.get() - before;
    assert!(more < 100, "{more} bytes");
    sending.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sample_arrives_once_and_those_of_a_series_in_order() {
    let receiver = Receiver::start().await;
    let disk = Disk::new(receiver.port, "");
    let sink = disk.open();
    (0..10).for_each(|time| scrape(&*sink, 30, time));
    let sending = disk.send(&sink);
    receiver.wait_for(300).await;
    (10..20).for_each(|time| scrape(&*sink, 30, time));
    let taken = receiver.wait_for(600).await;
    check(&taken, 30, 20, true);
    assert!(taken[0].labels.contains(r#"cluster="c1""#), "{:?}", taken[0]);
    assert!(taken[0].labels.contains(r#"job="api""#), "{:?}", taken[0]);
    let first = &receiver.requests()[0];
    assert!(first.starts_with("post /api/v1/write http/1.1"), "{first}");
    for header in [
        "content-encoding: snappy",
        "content-type: application/x-protobuf\r\n",
        "x-prometheus-remote-write-version: 0.1.0",
        "user-agent: masthead/",
    ] {
        assert!(first.contains(header), "{header} in {first}");
    }
    disk.wait_until(|stats| stats.samples_waiting.get() == 0).await;
    assert_eq!((disk.stats.samples_sent.get(), disk.stats.samples_journaled.get()), (600, 600));
    assert_eq!((disk.stats.newest_sent_ms.get(), disk.stats.lost_samples()), (19, vec![]));
    // What was sent leaves the disk.
    disk.wait_until(|stats| stats.journal_bytes.get() < 4_000).await;
    sending.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_misbehaves_loses_nothing() {
    let receiver = Receiver::start().await;
    receiver.next(&[
        Mood::Answers(500, ""),
        Mood::Answers(429, "Retry-After: 0\r\n"),
        Mood::BreaksOff,
        Mood::Answers(503, "Retry-After: nonsense\r\n"),
        Mood::TakesAndHangsUp,
        Mood::Hangs,
        Mood::Answers(302, "Location: /elsewhere\r\n"),
    ]);
    let disk = Disk::new(receiver.port, "");
    let sink = disk.open();
    (0..10).for_each(|time| scrape(&*sink, 5, time));
    let sending = disk.send(&sink);
    disk.wait_until(|stats| stats.samples_sent.get() == 50).await;
    check(&receiver.taken(), 5, 10, false);
    assert!(disk.stats.requests_failed.get() >= 6, "{:?}", disk.stats);
    assert_eq!(disk.stats.lost_samples(), []);
    sending.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_end_says_how_long_it_wants_to_be_left_alone() {
    let receiver = Receiver::start().await;
    receiver.next(&[Mood::Answers(429, "Retry-After: 1\r\n")]);
    let disk = Disk::new(receiver.port, "");
    let sink = disk.open();
    scrape(&*sink, 1, 0);
    let clock = masthead_sysio::RealClock::new();
    let before = clock.monotonic();
    let sending = disk.send(&sink);
    receiver.wait_for(1).await;
    assert!(clock.monotonic().saturating_sub(before) >= Duration::from_secs(1));
    sending.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_for_good_is_dropped_and_counted() {
    let receiver = Receiver::start().await;
    receiver.next(&[Mood::Answers(400, ""), Mood::Answers(404, "")]);
    let mut disk = Disk::new(receiver.port, "");
    disk.config.queue.retry_on_http_429 = false;
    let sink = disk.open();
    scrape(&*sink, 20, 0);
    let sending = disk.send(&sink);
    disk.wait_until(|stats| stats.lost_samples() == [("refused", 20)]).await;
    receiver.next(&[Mood::Answers(429, "")]);
    scrape(&*sink, 1, 1);
    disk.wait_until(|stats| stats.lost_samples() == [("refused", 21)]).await;
    scrape(&*sink, 1, 2);
    assert_eq!(receiver.wait_for(1).await[0].timestamp, 2);
    sending.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_while_the_other_end_was_away_is_sent_after_a_restart() {
    let receiver = Receiver::start().await;
    receiver.always(Mood::Answers(503, ""));
    let disk = Disk::new(receiver.port, "");
    let sink = disk.open();
    let sending = disk.send(&sink);
    (0..20).for_each(|time| scrape(&*sink, 10, time));
    receiver.wait_for_requests(3).await;
    sending.stop().await;
    drop(sink);
    // As after a kill: only what was written is there.
    let sink = disk.open();
    assert_eq!(disk.stats.samples_waiting.get(), 200);
    receiver.always(Mood::Takes);
    let sending = disk.send(&sink);
    check(&receiver.wait_for(200).await, 10, 20, true);
    sending.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_comes_back_at_its_port_gets_what_it_missed() {
    let port = Receiver::start().await.port;
    // Nobody listens there until later: the first server is gone with its listener's task only at
    // the end of the test, so another port is taken from the system and left.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_ne!(port, free);
    let disk = Disk::new(free, "");
    let sink = disk.open();
    let sending = disk.send(&sink);
    (0..5).for_each(|time| scrape(&*sink, 10, time));
    disk.wait_until(|stats| stats.requests_failed.get() >= 2).await;
    let receiver = Receiver::start_at(free).await;
    check(&receiver.wait_for(50).await, 10, 5, true);
    sending.stop().await;
}

#[tokio::test]
async fn a_full_journal_drops_the_oldest_samples_and_counts_them() {
    let receiver = Receiver::start().await;
    let mut disk = Disk::new(receiver.port, "");
    disk.options.journal_bytes_max = 10_000;
    let sink = disk.open();
    for time in 0..200 {
        scrape(&*sink, 10, time);
        assert!(disk.stats.journal_bytes.get() < 13_000);
    }
    let lost: u64 = disk.stats.lost_samples().iter().map(|(_, count)| count).sum();
    assert!(lost > 100 && lost < 2_000, "{lost}");
    assert_eq!(disk.stats.samples_waiting.get() + lost, 2_000);
    let sending = disk.send(&sink);
    let left = 2_000 - usize::try_from(lost).unwrap();
    let taken = receiver.wait_for(left).await;
    disk.wait_until(|stats| stats.samples_waiting.get() == 0).await;
    assert_eq!((taken.len(), taken.iter().map(|t| t.timestamp).max()), (left, Some(199)));
    assert_eq!(disk.stats.lost_samples(), [("journal_full", lost)]);
    sending.stop().await;
}

/// A batch of everything that a row can bring.
fn rich() -> AppendBatch {
    let histogram = Histogram { sum: 4.5, count: 0.0, ..Histogram::default() };
    let exemplar = Exemplar {
        labels: [("trace_id", "t1")].into_iter().collect(),
        value: 1.0,
        timestamp: Some(Millis(5)),
    };
    let name = |name: &str| [("__name__", name), ("instance", "1")].into_iter().collect();
    let float = AppendRow {
        start: Some(Millis(1)),
        exemplars: vec![exemplar],
        ..AppendRow::float(name("requests_total"), Millis(7), 3.0)
    };
    let native = AppendRow {
        value: Value::Histogram(Box::new(histogram)),
        ..AppendRow::float(name("latency_seconds"), Millis(7), 0.0)
    };
    let family = |family: &str, metric_type, help: &str| Metadata {
        family: family.into(),
        metric_type,
        help: help.into(),
        unit: "".into(),
    };
    AppendBatch {
        group: 0,
        rows: vec![float, native],
        metadata: vec![
            family("requests", MetricType::Counter, "How many."),
            family("latency_seconds", MetricType::Histogram, "How long."),
        ],
        exemplars: Vec::new(),
    }
}

const RICH: &str = "send_exemplars: true\n  send_native_histograms: true";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn version_2_brings_everything_that_a_row_can_bring() {
    let receiver = Receiver::start().await;
    let more = format!("{RICH}\n  protobuf_message: io.prometheus.write.v2.Request");
    let disk = Disk::new(receiver.port, &more);
    let sink = disk.open();
    sink.append(&mut rich()).unwrap();
    drop(sink);
    // What families mean survives too.
    let sink = disk.open();
    let sending = disk.send(&sink);
    let mut taken = receiver.wait_for(2).await;
    taken.sort_by(|a, b| a.labels.cmp(&b.labels));
    let [native, float] = taken.as_slice() else { panic!("{taken:?}") };
    assert_eq!((native.histogram, native.value, native.exemplars), (true, 4.5, 0));
    assert_eq!(native.help.as_deref(), Some("How long."));
    assert_eq!((float.value, float.start, float.exemplars), (3.0, Some(1), 1));
    assert_eq!(float.help.as_deref(), Some("How many."));
    let first = &receiver.requests()[0];
    assert!(first.contains("x-prometheus-remote-write-version: 2.0.0"), "{first}");
    assert_eq!(receiver.families(), Vec::<String>::new());
    sending.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exemplars_that_came_alone_go_with_a_sample_of_their_series() {
    let receiver = Receiver::start().await;
    let disk = Disk::new(receiver.port, RICH);
    let sink = disk.open();
    let mut batch = rich();
    let own = std::mem::take(&mut batch.rows[0].exemplars);
    let of = batch.rows[0].labels.clone();
    let alone = |labels| SeriesExemplars { labels, exemplars: own.clone() };
    let other = [("__name__", "other")].into_iter().collect();
    batch.exemplars = vec![alone(of.clone()), alone(other), alone(of)];
    sink.append(&mut batch).unwrap();
    let sending = disk.send(&sink);
    let mut exemplars: Vec<_> = receiver.wait_for(2).await.iter().map(|t| t.exemplars).collect();
    exemplars.sort_unstable();
    assert_eq!(exemplars, [0, 2]);
    assert_eq!(disk.stats.exemplars_lost.get(), 1);
    sending.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn version_1_describes_families_beside_the_samples() {
    let receiver = Receiver::start().await;
    let disk = Disk::new(receiver.port, "metadata_config: {max_samples_per_send: 1}");
    let sink = disk.open();
    sink.append(&mut rich()).unwrap();
    let sending = disk.send(&sink);
    receiver.wait_for_families(2).await;
    assert_eq!(receiver.families(), ["latency_seconds", "requests"]);
    // Without being asked for, neither native histograms nor exemplars are sent.
    let taken = receiver.wait_for(1).await;
    assert_eq!((taken.len(), taken[0].exemplars, taken[0].histogram), (1, 0, false));
    assert_eq!(disk.stats.metadata_sent.get(), 2);
    sending.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_knows_only_version_1_gets_that() {
    for silent in [false, true] {
        let receiver = Receiver::start().await;
        if silent {
            receiver.is_silent();
        } else {
            receiver.is_old();
        }
        let more = "protobuf_message: io.prometheus.write.v2.Request";
        let disk = Disk::new(receiver.port, more);
        assert_eq!(disk.config.version, Version::V2);
        let sink = disk.open();
        (0..3).for_each(|time| scrape(&*sink, 30, time));
        let sending = disk.send(&sink);
        check(&receiver.wait_for(90).await, 30, 3, true);
        assert_eq!(disk.stats.lost_samples(), []);
        sending.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_are_rewritten_and_samples_dropped_before_they_are_journaled() {
    let receiver = Receiver::start().await;
    let rules = "write_relabel_configs:
    - {source_labels: [instance], regex: '1', action: drop}
    - {source_labels: [instance], regex: '2', target_label: instance, replacement: two}
    - {source_labels: [cluster], target_label: zone}";
    let disk = Disk::new(receiver.port, rules);
    let sink = disk.open();
    scrape(&*sink, 3, 0);
    assert_eq!(disk.stats.samples_journaled.get(), 2);
    let sending = disk.send(&sink);
    let mut labels: Vec<_> = receiver.wait_for(2).await.into_iter().map(|t| t.labels).collect();
    labels.sort();
    assert_eq!(
        labels,
        [
            r#"{__name__="up", cluster="c1", instance="0", job="api", zone="c1"}"#,
            r#"{__name__="up", cluster="c1", instance="two", job="api", zone="c1"}"#,
        ]
    );
    sending.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn samples_that_became_too_old_are_not_sent() {
    let receiver = Receiver::start().await;
    let mut disk = Disk::new(receiver.port, "");
    disk.config.queue.sample_age_limit = Duration::from_secs(10);
    let now = disk.clock.now().0.div_euclid(1_000_000);
    let sink = disk.open();
    scrape(&*sink, 1, now - 60_000);
    scrape(&*sink, 1, now);
    let sending = disk.send(&sink);
    assert_eq!(receiver.wait_for(1).await[0].timestamp, now);
    disk.wait_until(|stats| stats.lost_samples() == [("too_old", 1)]).await;
    sending.stop().await;
}

/// A store that refuses every second row.
#[derive(Debug)]
struct Picky;

impl SampleSink for Picky {
    fn append(&self, batch: &mut AppendBatch) -> Result<AppendReport, AppendError> {
        let rejected =
            (0..batch.rows.len()).step_by(2).map(|at| (at, RejectReason::TooOld)).collect();
        Ok(AppendReport { appended: batch.rows.len() / 2, rejected, ..AppendReport::default() })
    }

    fn numbering(&self) -> Option<u64> {
        Some(1)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_local_store_takes_is_forwarded_and_what_it_refuses_is_not() {
    let receiver = Receiver::start().await;
    let disk = Disk::new(receiver.port, "");
    let sink = disk.open();
    let tee = Tee::new(Some(Arc::new(Picky)));
    assert_eq!(tee.numbering(), Some(1));
    tee.change(|remotes| remotes.push(Arc::clone(&sink)));
    // Nobody elsewhere knows what its numbers mean.
    assert_eq!(tee.numbering(), None);
    let bare =
        AppendRow { series: SeriesRef(1), ..AppendRow::float(Labels::default(), Millis(0), 1.0) };
    let mut batch = AppendBatch { rows: vec![bare], ..AppendBatch::default() };
    assert!(tee.append(&mut batch).unwrap_err().class.is_retryable());
    let row = |number| AppendRow::float(series(number), Millis(0), 1.0);
    let mut batch = AppendBatch { rows: (0..4).map(row).collect(), ..AppendBatch::default() };
    assert_eq!(tee.append(&mut batch).unwrap().appended, 2);
    let sending = disk.send(&sink);
    let taken = receiver.wait_for(2).await;
    assert!(taken.iter().all(|t| t.labels.contains("\"1\"") || t.labels.contains("\"3\"")));
    // A disk that is full fails no append.
    disk.fs.set_capacity(0);
    assert_eq!(tee.append(&mut batch).unwrap().appended, 2);
    disk.wait_until(|stats| stats.lost_samples() == [("journal_failed", 2)]).await;
    sending.stop().await;
}
