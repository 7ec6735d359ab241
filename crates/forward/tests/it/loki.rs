//! Pushing to a Loki that is slow, away, or of another opinion.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, AtomicUsize, Ordering},
    },
    time::Duration,
};

use masthead_forward::{LokiSink, Options, Sender, Stats, Target};
use masthead_http_client::HttpClientConfig;
use masthead_model::Nanos;
use masthead_ports::{LogBatch, LogRow, LogSink as _, LogStream, Progress};
use masthead_sysio::{Clock, Fs, SimClock, SimFs};
use masthead_wire::{Limits, loki, remote_write};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// A Loki that remembers what was pushed, and answers with one status.
struct Loki {
    port: u16,
    status: Arc<AtomicU16>,
    attempts: Arc<AtomicUsize>,
    /// Tenant, labels and line of everything that was taken.
    taken: Arc<Mutex<Vec<String>>>,
}

impl Loki {
    #[expect(clippy::disallowed_methods, reason = "a server of the test, which ends with it")]
    async fn start(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let loki = Self {
            port: listener.local_addr().unwrap().port(),
            status: Arc::new(AtomicU16::new(status)),
            attempts: Arc::default(),
            taken: Arc::default(),
        };
        let (status, attempts) = (Arc::clone(&loki.status), Arc::clone(&loki.attempts));
        let taken = Arc::clone(&loki.taken);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (status, attempts) = (Arc::clone(&status), Arc::clone(&attempts));
                tokio::spawn(serve(stream, status, attempts, Arc::clone(&taken)));
            }
        });
        loki
    }

    async fn wait_for(&self, lines: usize) -> Vec<String> {
        for _ in 0..1000 {
            let taken = self.taken.lock().unwrap().clone();
            if taken.len() >= lines {
                return taken;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("only {:?}", self.taken.lock().unwrap());
    }

    async fn wait_for_attempts(&self, attempts: usize) {
        for _ in 0..1000 {
            if self.attempts.load(Ordering::SeqCst) >= attempts {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("only {} attempts", self.attempts.load(Ordering::SeqCst));
    }
}

async fn serve(
    mut stream: TcpStream,
    status: Arc<AtomicU16>,
    attempts: Arc<AtomicUsize>,
    taken: Arc<Mutex<Vec<String>>>,
) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            head.push(byte);
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let value = |name: &str| {
            head.lines().find_map(|line| line.strip_prefix(name)).map(|text| text.trim().to_owned())
        };
        assert_eq!(value("content-type:").as_deref(), Some("application/x-protobuf"));
        let len = value("content-length:").unwrap().parse().unwrap();
        let mut body = vec![0; len];
        stream.read_exact(&mut body).await.unwrap();
        let status = status.load(Ordering::SeqCst);
        attempts.fetch_add(1, Ordering::SeqCst);
        if status == 204 {
            let mut raw = Vec::new();
            remote_write::decompress(&body, &Limits::default(), &mut raw).unwrap();
            let push = loki::decode_protobuf(&raw, &Limits::default()).unwrap();
            let tenant = value("x-scope-orgid:").unwrap_or_default();
            for stream in &push.streams {
                let labels = match stream.labels {
                    loki::StreamLabels::Text(text) => text.to_owned(),
                    loki::StreamLabels::Pairs(ref pairs) => format!("{pairs:?}"),
                };
                for entry in &stream.entries {
                    let line = String::from_utf8_lossy(&entry.line).into_owned();
                    taken.lock().unwrap().push(format!("{tenant} {labels} {line}"));
                }
            }
        }
        let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 3\r\n\r\nwhy");
        let answer =
            if status == 204 { "HTTP/1.1 204 No Content\r\n\r\n".to_owned() } else { answer };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// A disk with the journal of a client on it.
struct Disk {
    fs: SimFs,
    clock: Arc<SimClock>,
    stats: Arc<Stats>,
    options: Options,
    drop_rate_limited: bool,
}

impl Disk {
    fn new() -> Self {
        let mut options = Options::new("/data/client".into());
        options.journal.segment_bytes = 500;
        Self {
            fs: SimFs::new(1),
            clock: Arc::new(SimClock::default()),
            stats: Arc::default(),
            options,
            drop_rate_limited: false,
        }
    }

    fn open(&self) -> Arc<LokiSink> {
        let (fs, clock) = (Arc::new(self.fs.clone()), Arc::clone(&self.clock) as Arc<dyn Clock>);
        Arc::new(LokiSink::open(fs, clock, &self.options, Arc::clone(&self.stats)).unwrap())
    }

    #[expect(clippy::disallowed_methods, reason = "the sender of the test, which ends with it")]
    fn send(&self, sink: &Arc<LokiSink>, port: u16) -> tokio::task::JoinHandle<()> {
        let target = Target {
            url: format!("http://127.0.0.1:{port}/loki/api/v1/push").parse().unwrap(),
            client: HttpClientConfig::default(),
            batch_wait: Duration::from_millis(1),
            batch_bytes: 1 << 20,
            backoff_min: Duration::from_millis(1),
            backoff_max: Duration::from_millis(5),
            timeout: Duration::from_secs(5),
            external_labels: [("cluster", "c1"), ("app", "other")].into_iter().collect(),
            tenant: "t0".into(),
            headers: [("X-Extra".to_owned(), "1".to_owned())].into(),
            drop_rate_limited: self.drop_rate_limited,
        };
        let fs = Arc::new(self.fs.clone()) as Arc<dyn Fs>;
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let sender = Sender::new(Arc::clone(sink), target, fs, clock).unwrap();
        tokio::spawn(sender.run())
    }
}

fn append(sink: &LokiSink, number: i64, tenant: Option<&str>) {
    let mut labels = vec![("app", "api")];
    labels.extend(tenant.map(|tenant| ("__tenant_id__", tenant)));
    let line = format!("line {number}");
    let row = LogRow {
        timestamp: Nanos(number),
        line: line.as_bytes().into(),
        structured_metadata: [("id", "1")].into_iter().collect(),
    };
    let stream = LogStream { labels: labels.into_iter().collect(), rows: vec![row] };
    let key = "file:x".into();
    let progress = vec![Progress { key, value: Some(number.to_string().into()) }];
    let report = sink.append(&LogBatch { streams: vec![stream], progress }).unwrap();
    assert_eq!(report.appended, 1);
}

fn progress(sink: &LokiSink) -> Option<String> {
    sink.progress("file:").unwrap().first().and_then(|p| p.value.as_deref().map(str::to_owned))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_are_pushed_with_labels_and_tenants() {
    let (disk, loki) = (Disk::new(), Loki::start(204).await);
    let sink = disk.open();
    let sender = disk.send(&sink, loki.port);
    append(&sink, 1, None);
    append(&sink, 2, Some("red"));
    let mut taken = loki.wait_for(2).await;
    taken.sort();
    assert_eq!(
        taken,
        [r#"red {app="api", cluster="c1"} line 2"#, r#"t0 {app="api", cluster="c1"} line 1"#,]
    );
    assert_eq!(progress(&sink).as_deref(), Some("2"));
    sender.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_while_the_other_end_was_away_is_pushed_after_a_restart() {
    let (disk, loki) = (Disk::new(), Loki::start(503).await);
    let sink = disk.open();
    let sender = disk.send(&sink, loki.port);
    for number in 0..50 {
        append(&sink, number, None);
    }
    loki.wait_for_attempts(3).await;
    sender.abort();
    drop(sender.await);
    drop(sink);
    // As after a kill: only what was written is there.
    let sink = disk.open();
    assert_eq!(progress(&sink).as_deref(), Some("49"));
    loki.status.store(204, Ordering::SeqCst);
    let sender = disk.send(&sink, loki.port);
    let taken = loki.wait_for(50).await;
    let want: Vec<_> =
        (0..50).map(|n| format!(r#"t0 {{app="api", cluster="c1"}} line {n}"#)).collect();
    assert_eq!(taken, want);
    append(&sink, 50, None);
    loki.wait_for(51).await;
    for _ in 0..1000 {
        // What was pushed is removed, and what is known of progress is not.
        if disk.stats.journal_bytes.get() < 1500 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(disk.stats.journal_bytes.get() < 1500, "{}", disk.stats.journal_bytes.get());
    sender.abort();
    drop(sender.await);
    drop(sink);
    let sink = disk.open();
    assert_eq!(progress(&sink).as_deref(), Some("50"));
    assert!(disk.stats.pushes_failed.get() >= 3);
    assert_eq!(disk.stats.dropped_lines(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_for_good_is_dropped_and_counted() {
    let (disk, loki) = (Disk::new(), Loki::start(400).await);
    let sink = disk.open();
    append(&sink, 1, None);
    let sender = disk.send(&sink, loki.port);
    loki.wait_for_attempts(1).await;
    loki.status.store(204, Ordering::SeqCst);
    append(&sink, 2, None);
    assert_eq!(loki.wait_for(1).await, [r#"t0 {app="api", cluster="c1"} line 2"#]);
    assert_eq!(disk.stats.dropped_lines(), [("refused", 1)]);
    sender.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_limited_in_rate_is_sent_again_unless_it_is_to_be_dropped() {
    for drops in [false, true] {
        let (mut disk, loki) = (Disk::new(), Loki::start(429).await);
        disk.drop_rate_limited = drops;
        let sink = disk.open();
        append(&sink, 1, None);
        let sender = disk.send(&sink, loki.port);
        loki.wait_for_attempts(1).await;
        loki.status.store(204, Ordering::SeqCst);
        append(&sink, 2, None);
        let [one, two] = [1, 2].map(|n| format!(r#"t0 {{app="api", cluster="c1"}} line {n}"#));
        if drops {
            assert_eq!(loki.wait_for(1).await, [two]);
            assert_eq!(disk.stats.dropped_lines(), [("rate_limited", 1)]);
        } else {
            assert_eq!(loki.wait_for(2).await, [one, two]);
            assert_eq!(disk.stats.dropped_lines(), []);
        }
        sender.abort();
    }
}

#[tokio::test]
async fn a_full_journal_drops_the_oldest_lines_and_keeps_progress() {
    let mut disk = Disk::new();
    disk.options.journal_bytes_max = 3_000;
    let sink = disk.open();
    for number in 0..200 {
        append(&sink, number, None);
        assert!(disk.stats.journal_bytes.get() < 4_000);
    }
    let dropped: u64 = disk.stats.dropped_lines().iter().map(|(_, lines)| lines).sum();
    assert!(dropped > 100 && dropped < 200, "{dropped}");
    drop(sink);
    let sink = disk.open();
    assert_eq!(progress(&sink).as_deref(), Some("199"));
    let loki = Loki::start(204).await;
    let sender = disk.send(&sink, loki.port);
    let left = 200 - usize::try_from(dropped).unwrap();
    let taken = loki.wait_for(left).await;
    assert_eq!(taken.len(), left);
    assert!(taken.last().unwrap().ends_with("line 199"), "{taken:?}");
    sender.abort();
}
