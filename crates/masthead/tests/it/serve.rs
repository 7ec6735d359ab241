//! `masthead serve`: what is pushed is answered, survives its process, and nothing bad gets in.
#![expect(clippy::disallowed_methods, reason = "tests read the clock")]

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    time::{Duration, SystemTime},
};

use masthead_model::{Labels, Millis};
use masthead_wire::remote_write::{EncoderV1, FloatPoint, compress};
use rustix::process::{Signal, kill_process};

use crate::process::{Masthead, masthead};

/// The server on any port, storing below `data`.
pub(crate) struct Server {
    pub(crate) process: Masthead,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    pub(crate) fn start_with(data: &Path, extra: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", data, extra)
    }

    pub(crate) fn start_at(listen: &str, data: &Path, extra: &[&str]) -> Self {
        let data = data.to_str().unwrap();
        let mut args = vec!["serve", "--data", data, "--listen", listen];
        args.extend(["--prometheus-listen", "off", "--loki-listen", "off"]);
        args.extend(extra);
        Self::launch(&args)
    }

    /// Any command that says where it listens and when it is ready.
    pub(crate) fn launch(args: &[&str]) -> Self {
        Self::of(masthead(args))
    }

    pub(crate) fn of(mut process: Masthead) -> Self {
        let line = process.line_with("\"Listening.\"");
        process.line_with("\"Ready.\"");
        let address = line.split("\"address\":\"").nth(1).unwrap().split('"').next().unwrap();
        Self { address: address.parse().unwrap(), process }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// One request on a connection of its own; `None` when the server went away under it.
    pub(crate) fn ask(&self, head: &str, body: &[u8]) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
        let head = format!(
            "{head}\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).ok()?;
        // A server that refuses early may close before it has read everything.
        drop(stream.write_all(body));
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let answer = String::from_utf8(answer).ok()?;
        let status = answer.split(' ').nth(1)?.parse().ok()?;
        Some((status, answer))
    }

    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        self.ask(&format!("GET {path} HTTP/1.1"), b"").unwrap()
    }

    /// Pushes samples of `counter{n="…"}`; whether they were acknowledged.
    pub(crate) fn push(&self, samples: &[(u32, i64, f64)]) -> bool {
        self.push_answer(samples).is_some_and(|(status, _)| status == 204)
    }

    /// The same, with the whole answer.
    pub(crate) fn push_answer(&self, samples: &[(u32, i64, f64)]) -> Option<(u16, String)> {
        let mut encoder = EncoderV1::default();
        for (series, at, value) in samples {
            let labels: Labels = [("__name__", "counter".to_owned()), ("n", series.to_string())]
                .into_iter()
                .collect();
            let point = FloatPoint { timestamp: Millis(*at), value: *value, start: None };
            encoder.series(&labels, &[point], &[], &[]);
        }
        self.write_answer(&encoder.finish())
    }

    /// Pushes a request of remote write 1.0; whether it was acknowledged.
    pub(crate) fn write(&self, request: &[u8]) -> bool {
        self.write_answer(request).is_some_and(|(status, _)| status == 204)
    }

    fn write_answer(&self, request: &[u8]) -> Option<(u16, String)> {
        let body = compress(request).unwrap();
        let head = "POST /api/v1/write HTTP/1.1\r\ncontent-type: application/x-protobuf\r\ncontent-encoding: snappy";
        self.ask(head, &body)
    }

    /// The number of this name at `/metrics`; none where it is not shown.
    pub(crate) fn metric(&self, name: &str) -> Option<u64> {
        let (_, metrics) = self.get("/metrics");
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map(|value| value.trim().parse().unwrap())
    }

    pub(crate) fn stop(self, signal: Signal) -> Option<i32> {
        kill_process(self.process.id(), signal).unwrap();
        self.process.finish().0
    }

    /// The value of an instant query that answers one number, as it is printed.
    pub(crate) fn number(&self, query: &str) -> String {
        let url = format!("http://{}", self.address);
        let (code, stdout, stderr) = masthead(&["query", query, "--url", &url]).finish();
        assert_eq!(code, Some(0), "{stderr}");
        stdout.split_whitespace().next().unwrap().to_owned()
    }
}

#[test]
fn a_signal_ends_queries_that_would_go_on_for_minutes() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let slow = "/api/v1/query_range?query=quantile_over_time(0.5,vector(time())[300000s:1s])&start=10000000&end=10010999&step=1";
    let answer = std::thread::scope(|scope| {
        let asking = scope.spawn(|| server.get(slow));
        let running = || server.get("/api/queries").1.contains("\"waits\":false");
        while !running() {
            assert!(!asking.is_finished(), "it was quicker than anybody could look");
            std::thread::sleep(Duration::from_millis(10));
        }
        kill_process(server.process.id(), Signal::TERM).unwrap();
        asking.join().unwrap()
    });
    assert!(answer.0 == 499 && answer.1.contains("query was canceled"), "{answer:?}");
    assert_eq!(server.process.finish().0, Some(0));
}

pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

#[test]
fn what_is_pushed_is_answered_also_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let end = now();
    let sample = |at: i32| (7, end - 1000 * i64::from(19 - at), 10.0 * f64::from(at));
    let samples: Vec<_> = (0..20).map(sample).collect();
    assert!(server.push(&samples));
    let asks = |server: &Server| {
        assert_eq!(server.number("counter"), "190");
        // As of the last sample, however long the answer took to be asked for.
        let rate = format!("round(rate(counter[20s] @ {}.{:03}))", end / 1000, end % 1000);
        assert_eq!(server.number(&rate), "10");
    };
    asks(&server);
    assert_eq!(server.stop(Signal::TERM), Some(0));
    let server = Server::start(data.path());
    asks(&server);
    assert_eq!(server.stop(Signal::INT), Some(0));
}

#[test]
fn every_acknowledged_sample_survives_sigkill_once() {
    let data = tempfile::tempdir().unwrap();
    let mut acknowledged = 0_u32;
    for round in 0..5_u32 {
        let server = Server::start(data.path());
        let id = server.process.id();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(150 + u64::from(round) * 70));
            kill_process(id, Signal::KILL).unwrap();
        });
        // One series a sample, so that counting series counts samples. The last one may be there
        // without having been acknowledged.
        while server.push(&[(acknowledged, now(), 1.0)]) {
            acknowledged += 1;
        }
        killer.join().unwrap();
        assert_eq!(server.process.finish().0, None);
        let server = Server::start(data.path());
        let found: u32 =
            server.number("count(last_over_time(counter[1h])) or vector(0)").parse().unwrap();
        let in_flight = found.checked_sub(acknowledged);
        assert!(matches!(in_flight, Some(0 | 1)), "{found} of {acknowledged} are there");
        // What was in flight is in the store and its series is not used again.
        acknowledged = found;
        let most = server.number("max(count_over_time(counter[1h])) or vector(1)");
        assert_eq!(most, "1");
        server.stop(Signal::TERM);
    }
    assert!(acknowledged > 20, "only {acknowledged} samples were written");
}

#[test]
fn garbage_gets_an_error_and_the_server_lives() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let write = "POST /api/v1/write HTTP/1.1\r\ncontent-type: application/x-protobuf\r\ncontent-encoding: snappy";
    let f = |head: &str, body: &[u8], want: u16| {
        let (status, answer) = server.ask(head, body).unwrap();
        assert_eq!(status, want, "{answer}");
    };
    f(write, b"\xff\xff\xff\xff\xff not snappy", 400);
    // A snappy header that promises 4 GiB.
    f(write, b"\xff\xff\xff\xff\x0f\x00", 413);
    f(write, &compress(b"\x0a\xff").unwrap(), 400);
    f("POST /api/v1/write HTTP/1.1\r\ncontent-type: text/plain", b"x", 415);
    f("GET /api/v1/query?query=%28 HTTP/1.1", b"", 400);
    f("GET /api/v1/query?query=up&time=x HTTP/1.1", b"", 400);
    f("GET /api/v1/query_range?query=up&start=0&end=1e9&step=1 HTTP/1.1", b"", 400);
    f("GET /api/v1/nowhere HTTP/1.1", b"", 404);
    // Elsewhere is the business of the browser application.
    f("POST /nowhere HTTP/1.1", b"", 404);
    assert_eq!(server.number("1 + 1"), "2");
    let (status, metrics) = server.get("/metrics");
    assert_eq!(status, 200);
    assert!(metrics.contains("masthead_tsdb_samples_appended_total 0\n"), "{metrics}");
    assert_eq!(server.get("/-/ready").0, 200);
}

#[test]
fn flags_are_shown_and_obeyed() {
    let data = tempfile::tempdir().unwrap();
    let server =
        Server::start_with(data.path(), &["--query.max-samples=3", "--storage.max-series=1"]);
    let (_, flags) = server.get("/api/v1/status/flags");
    assert!(flags.contains("\"query.max-samples\":\"3\""), "{flags}");
    let end = now();
    assert!(server.push(&[(1, end - 3, 1.0), (1, end - 2, 1.0), (1, end - 1, 1.0), (1, end, 1.0)]));
    let (status, answer) = server.get("/api/v1/query?query=sum_over_time(counter[1m])");
    assert_eq!(status, 422, "{answer}");
    assert!(answer.contains("--query.max-samples"), "{answer}");
    assert!(!server.push(&[(2, end, 1.0)]), "a second series was taken");
    // Off unless switched on.
    let (status, _) = server.ask("POST /api/v1/admin/tsdb/snapshot HTTP/1.1", b"").unwrap();
    assert_eq!(status, 503);
}

#[test]
fn what_cannot_be_served_is_refused_at_the_start() {
    let data = tempfile::tempdir().unwrap();
    let dir = data.path().to_str().unwrap();
    let f = |extra: &[&str], want: i32, word: &str| {
        let mut args = vec!["serve", "--data", dir, "--prometheus-listen", "off"];
        args.extend(extra);
        let (code, _, stderr) = masthead(&args).finish();
        assert_eq!(code, Some(want), "{stderr}");
        assert!(stderr.contains(word), "{stderr}");
    };
    f(&["--listen", "0.0.0.0:0"], 2, "--insecure");
    f(&["--listen", "nowhere"], 2, "--listen");
    f(&["--listen", "127.0.0.1:0", "--log.level", "loud"], 2, "--log.level");
    f(&["--listen", "127.0.0.1:0", "--enable-feature", "magic"], 2, "promql-duration-expr");
    f(&["--storage.retention.time", "soon"], 2, "--storage.retention.time");
    let server = Server::start(data.path());
    let taken = server.address.to_string();
    f(&["--listen", &taken], 1, "taken?");
    // The directory is another process's.
    f(&["--listen", "127.0.0.1:0"], 1, "--data");
}

#[test]
fn this_machine_the_server_and_a_configured_target_are_scraped() {
    let directory = tempfile::tempdir().unwrap();
    let other = Server::start_with(&directory.path().join("other"), &["--no-host", "--no-self"]);
    let config = directory.path().join("prometheus.yml");
    let text = |job: &str| {
        format!(
            "global: {{scrape_interval: 250ms, scrape_timeout: 250ms}}\nscrape_configs:\n- job_name: {job}\n  basic_auth: {{username: me, password: hunter2}}\n  static_configs: [{{targets: ['{}']}}]\n",
            other.address
        )
    };
    std::fs::write(&config, text("other")).unwrap();
    let data = directory.path().join("data");
    let server = Server::start_with(&data, &["--prometheus-config", config.to_str().unwrap()]);
    let up = |job: &str| {
        let query = format!("sum(up{{job=\"{job}\"}}) or vector(0)");
        crate::process::soon(|| server.number(&query) == "1")
    };
    assert!(up("other") && up("masthead") && up("node"));
    assert_eq!(server.number("count(node_boot_time_seconds{job=\"node\"})"), "1");
    assert_eq!(server.number("count(masthead_tsdb_head_series)"), "2");
    assert!(other.get("/api/v1/targets").1.contains("\"activeTargets\":[]"));
    // A target is shown as up after its samples are there.
    let targets = || server.get("/api/v1/targets?state=active").1;
    assert!(crate::process::soon(|| targets().contains("\"health\":\"up\"")), "{}", targets());
    let (_, shown) = server.get("/api/v1/status/config");
    assert!(shown.contains("job_name: other") && !shown.contains("hunter2"), "{shown}");

    // A reload takes a good file and leaves a bad one alone.
    std::fs::write(&config, text("renamed")).unwrap();
    kill_process(server.process.id(), Signal::HUP).unwrap();
    assert!(up("renamed"));
    std::fs::write(&config, "scrape_configs: 7").unwrap();
    kill_process(server.process.id(), Signal::HUP).unwrap();
    assert!(crate::process::soon(|| {
        server.get("/api/v1/status/runtimeinfo").1.contains("\"reloadConfigSuccess\":false")
    }));
    assert!(up("renamed"));
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

#[test]
fn a_client_may_end_it_where_that_is_allowed() {
    let data = tempfile::tempdir().unwrap();
    let quit = |server: &Server| server.ask("POST /-/quit HTTP/1.1", b"").unwrap();
    let server = Server::start(data.path());
    assert_eq!(quit(&server).0, 403);
    assert_eq!(server.stop(Signal::TERM), Some(0));
    let server = Server::start_with(data.path(), &["--web.enable-lifecycle"]);
    assert!(server.push(&[(1, now(), 1.0)]));
    let (status, answer) = quit(&server);
    assert!(status == 200 && answer.ends_with("Requesting termination... Goodbye!"), "{answer}");
    assert_eq!(server.process.finish().0, Some(0));
    let server = Server::start(data.path());
    assert_eq!(server.number("counter"), "1");
    let (_, own) =
        server.get("/api/v1/status/self_metrics?metric_name_pattern=masthead_tsdb_head_.*");
    assert!(own.contains(r#""name":"masthead_tsdb_head_series""#), "{own}");
    let (_, pool) = server.get("/api/v1/scrape_pools/config?scrapePool=node");
    assert!(pool.contains(r"job_name: node\nscrape_interval: 15s\n"), "{pool}");
}

#[cfg(target_env = "gnu")]
#[test]
fn the_allocator_has_no_more_arenas_than_there_are_processors() {
    const HEAP: usize = 64 << 20;
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    // Threads that answer have allocated by now, each in an arena of its own if it may.
    assert_eq!(server.get("/api/v1/query?query=1").0, 200);
    let maps = format!("/proc/{}/maps", server.process.id().as_raw_nonzero());
    let maps = std::fs::read_to_string(maps).unwrap();
    let ranges: Vec<(usize, usize, &str)> = maps
        .lines()
        .filter_map(|line| {
            let (range, rest) = line.split_once(' ')?;
            let (from, to) = range.split_once('-')?;
            let number = |text| usize::from_str_radix(text, 16).ok();
            Some((number(from)?, number(to)?, rest.get(..4)?))
        })
        .collect();
    // All arenas but the first are pieces of so many bytes, used up to somewhere.
    let heaps = ranges.windows(2).filter(|pair| {
        let [(from, used, "rw-p"), (rest, to, "---p")] = pair else { return false };
        from % HEAP == 0 && used == rest && to - from == HEAP
    });
    let processors = std::thread::available_parallelism().unwrap().get();
    assert!(heaps.count() < processors, "{maps}");
}
