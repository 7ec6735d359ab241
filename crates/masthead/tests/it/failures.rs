//! The table of docs/reference/failures.md on the real process: what breaks around a server, and
//! what is left of what it acknowledged. Rows that other files test are named in the table.
#![expect(clippy::disallowed_methods, reason = "tests write files, damage them and wait")]

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustix::process::{Resource, Rlimit, Signal, prlimit};

use crate::{
    forward::{eventually, free_address},
    logs::push_answer,
    process::{Masthead, masthead},
    serve::{Server, now},
};

const ALONE: [&str; 5] = [
    "--no-host",
    "--no-self",
    "--prometheus-listen=off",
    "--loki-listen=off",
    "--storage.sync-interval=0",
];

/// A server below another program, which `words` are: it runs `$0 "$@"`.
fn below(words: &[&str], data: &Path) -> Server {
    let args = ["serve", "--listen=127.0.0.1:0", "--data", data.to_str().unwrap()];
    let plain = Masthead::command(&[&args[..], &ALONE[..]].concat());
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg(plain.get_program()).args(plain.get_args());
    Server::of(Masthead::start(command))
}

fn serve(data: &Path) -> Server {
    let args = [&ALONE[..2], &["--storage.sync-interval=0"]].concat();
    Server::start_with(data, &args)
}

/// Writes until it is refused; gives how many were acknowledged, and the refusal.
fn until_refused(mut write: impl FnMut(u32) -> (u16, String)) -> (u32, String) {
    for at in 0..20_000 {
        let (status, answer) = write(at);
        match status {
            204 => {}
            503 => return (at, answer),
            _ => panic!("neither taken nor refused for now: {answer}"),
        }
    }
    panic!("a full disk takes everything");
}

fn samples(server: &Server) -> String {
    server.number("count(last_over_time(counter[1h])) or vector(0)")
}

fn lines(server: &Server) -> String {
    let query = "query=sum(count_over_time(%7Bapp%3D%22full%22%7D%5B1h%5D))%20or%20vector(0)";
    let (_, answer) = server.get(&format!("/loki/api/v1/query?{query}"));
    let pair = answer.split("\"value\":[").nth(1).unwrap_or_else(|| panic!("{answer}"));
    pair.split('"').nth(1).unwrap().to_owned()
}

/// Fills the disk, looks at both stores while it is full, and makes room again. Gives how many
/// samples and lines there are at the end, which is as many as were acknowledged.
fn fills_up(
    server: &Server,
    fill: impl FnOnce(),
    while_full: impl FnOnce(),
    free: impl FnOnce(),
) -> (String, String) {
    let start = now();
    let sample = |at: u32| server.push_answer(&[(at, start, 1.0)]).unwrap();
    let line = |at: u32| {
        let time = start * 1_000_000 + i64::from(at);
        push_answer(server, "full", &[(time, format!("line {at}"))]).unwrap()
    };
    assert_eq!((sample(20_000).0, line(20_000).0), (204, 204));
    fill();
    let (taken, refusal) = until_refused(sample);
    assert!(refusal.contains("retry-after: "), "{refusal}");
    let (kept, refusal) = until_refused(line);
    assert!(refusal.contains("retry-after: "), "{refusal}");
    // What was refused last may be there without having been acknowledged.
    let is = |found: String, acknowledged: u32| {
        let more = found.parse::<u32>().unwrap().checked_sub(acknowledged);
        assert!(matches!(more, Some(0 | 1)), "{found} of {acknowledged} are there");
    };
    is(samples(server), taken + 1);
    is(lines(server), kept + 1);
    for store in ["tsdb", "logs"] {
        let failures = server.metric(&format!("masthead_{store}_append_failures_total"));
        assert!(failures.is_some_and(|count| count > 0), "{store}: {failures:?}");
    }
    while_full();
    free();
    // As whoever was refused is told to: the same again.
    eventually("samples are taken again", || sample(taken).0 == 204);
    eventually("lines are taken again", || line(kept).0 == 204);
    let all = ((taken + 2).to_string(), (kept + 2).to_string());
    assert_eq!((samples(server), lines(server)), all);
    all
}

/// Without any privilege: no file may grow, which the stores meet where a full disk would meet them.
#[test]
fn a_file_system_that_takes_nothing_refuses_appends_and_loses_nothing() {
    let data = tempfile::tempdir().unwrap();
    // Ignored signals stay so in the program that is executed.
    let server = below(&["sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""], data.path());
    let id = server.process.id();
    let limit = |bytes| {
        let new = Rlimit { current: bytes, maximum: None };
        prlimit(Some(id), Resource::Fsize, new).unwrap();
    };
    let all = fills_up(&server, || limit(Some(1)), || {}, || limit(None));
    assert_eq!(server.stop(Signal::KILL), None);
    let server = serve(data.path());
    assert_eq!((samples(&server), lines(&server)), all);
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

/// Whether this user may mount a file system that only its own processes see.
fn may_mount() -> bool {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// On a file system of its own, filled to its last byte. The test above needs no such right.
#[test]
fn a_full_disk_refuses_appends_and_loses_nothing() {
    if !may_mount() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let script = format!(
        "mount -t tmpfs -o size=80m tmpfs '{}' && exec \"$0\" \"$@\"",
        place.path().display()
    );
    let words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", &script];
    let server = below(&words, &place.path().join("data"));
    // As the server sees it; it is gone with the server.
    let inside = PathBuf::from(format!("/proc/{}/root", server.process.id().as_raw_nonzero()));
    let filler = inside.join(place.path().strip_prefix("/").unwrap()).join("filler");
    let fill = || {
        let mut file = fs::File::create(&filler).unwrap();
        let piece = vec![0_u8; 4096];
        while file.write_all(&piece).is_ok() {}
    };
    let while_full = || {
        // Said once the server has looked, which it does on a clock or when lines come.
        eventually("ready tells of the disk", || {
            let (status, ready) = server.get("/-/ready");
            status == 200 && ready.contains("the file system is nearly full")
        });
        assert_eq!(server.metric("masthead_logs_out_of_space"), Some(1));
    };
    fills_up(&server, fill, while_full, || fs::remove_file(&filler).unwrap());
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

/// The blocks below `data/STORE/blocks`, oldest first.
fn blocks(data: &Path, store: &str) -> Vec<PathBuf> {
    let directory = data.join(store).join("blocks");
    let mut found: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

/// Cuts the largest file of a block in the middle.
fn rot(block: &Path) {
    let files = fs::read_dir(block).unwrap().map(|entry| entry.unwrap().path());
    let file = files.max_by_key(|file| fs::metadata(file).unwrap().len()).unwrap();
    let file = fs::OpenOptions::new().write(true).open(file).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
}

/// The answer to a query, which has a warning that names `block`.
fn warned(server: &Server, path: &str, query: &str, block: &str) -> String {
    let form = form_urlencoded::Serializer::new(String::new()).append_pair("query", query).finish();
    let (status, answer) = server.get(&format!("{path}?{form}"));
    assert_eq!(status, 200, "{answer}");
    let (_, warnings) = answer.split_once("\"warnings\":[").unwrap_or_else(|| panic!("{answer}"));
    assert!(warnings.contains(block) && warnings.contains("set aside"), "{answer}");
    answer
}

/// What a server says of a block that it has set aside.
fn tells_of(server: &Server, metric: &str, block: &str) {
    assert_eq!(server.metric(metric), Some(1));
    let (status, ready) = server.get("/-/ready");
    assert!(status == 200 && ready.contains(block), "{block} in {ready}");
    // Its own log has the line that names the block.
    let url = format!("http://{}", server.address());
    let query = "{app=\"masthead\"} |= \"A damaged block was set aside\"";
    eventually("the line in the log", || {
        let (code, stdout, _) = masthead(&["logs", query, "--url", &url]).finish();
        code == Some(0) && stdout.contains(block)
    });
}

#[test]
fn a_rotten_block_of_samples_is_set_aside_and_the_rest_answers() {
    let directory = tempfile::tempdir().unwrap();
    let (data, file) = (directory.path().join("data"), directory.path().join("in.om"));
    let day = 86_400;
    let today = now() / 1000;
    let text = format!(
        "# TYPE kept gauge\nkept 7 {}\n# TYPE rotten gauge\nrotten 7 {}\n# EOF\n",
        today - 2 * day,
        today - 4 * day
    );
    fs::write(&file, text).unwrap();
    let args = ["import", "openmetrics", file.to_str().unwrap(), "--data", data.to_str().unwrap()];
    let (code, stdout, stderr) = masthead(&args).finish();
    assert!(code == Some(0) && stdout.contains("in 2 blocks"), "{stdout}{stderr}");
    let found = blocks(&data, "metrics");
    rot(&found[0]);
    let name = found[0].file_name().unwrap().to_str().unwrap().to_owned();
    let server = Server::start_with(&data, &["--no-host"]);
    tells_of(&server, "masthead_tsdb_blocks_corrupt", &name);
    let (path, count) = ("/api/v1/query", |name: &str| format!("sum(count_over_time({name}[5d]))"));
    let kept = [
        warned(&server, path, &count("kept"), &name),
        warned(&server, path, &count("rotten"), &name),
    ];
    assert_eq!(kept.iter().filter(|answer| answer.contains("\"1\"]")).count(), 1, "{kept:?}");
    assert!(found[0].with_extension("corrupt").is_dir(), "nothing is deleted");
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

#[test]
fn a_rotten_block_of_lines_is_set_aside_and_the_rest_answers() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    let start = now() * 1_000_000;
    let server = serve(data);
    let push = |server: &Server, app: &str, text: &str| {
        push_answer(server, app, &[(start, text.to_owned())]).unwrap().0
    };
    assert_eq!(push(&server, "rotten", "in the block"), 204);
    let (status, answer) = server.ask("POST /flush HTTP/1.1", b"").unwrap();
    assert!(status < 300, "{answer}");
    eventually("a block", || server.metric("masthead_logs_blocks") == Some(1));
    assert_eq!(push(&server, "kept", "in the journal"), 204);
    assert_eq!(server.stop(Signal::KILL), None);
    let found = blocks(data, "logs");
    rot(&found[0]);
    let name = found[0].file_name().unwrap().to_str().unwrap().to_owned();
    let server = Server::start_with(data, &["--no-host"]);
    tells_of(&server, "masthead_logs_blocks_corrupt", &name);
    let answer = warned(&server, "/loki/api/v1/query_range", "{app=~\"kept|rotten\"}", &name);
    assert!(answer.contains("in the journal") && !answer.contains("in the block"), "{answer}");
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

/// The data of a server that was killed once it had acknowledged five samples and five lines.
fn killed_with_five_of_each() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    let server = serve(data.path());
    let start = now();
    for at in 0..5_u32 {
        assert!(server.push(&[(at, start, 1.0)]));
        let line = (start * 1_000_000 + i64::from(at), format!("line {at}"));
        assert_eq!(push_answer(&server, "full", &[line]).unwrap().0, 204);
    }
    assert_eq!(server.stop(Signal::KILL), None);
    data
}

/// The newest file of a journal that holds anything beyond its header.
fn newest_segment(journal: &Path) -> PathBuf {
    let files = fs::read_dir(journal).unwrap().map(|entry| entry.unwrap().path());
    let held = |file: &PathBuf| fs::metadata(file).unwrap().len() > 48;
    files.filter(held).max().unwrap()
}

#[test]
fn a_torn_journal_is_cut_and_keeps_what_was_acknowledged() {
    let data = killed_with_five_of_each();
    for store in ["metrics", "logs"] {
        let segment = newest_segment(&data.path().join(store).join("journal"));
        let bytes = fs::read(&segment).unwrap();
        // A write of another frame that was cut short: its beginning, as of the first one.
        let torn = bytes.get(48..48 + 11).unwrap();
        fs::OpenOptions::new().append(true).open(&segment).unwrap().write_all(torn).unwrap();
    }
    let server = serve(data.path());
    assert_eq!((samples(&server).as_str(), lines(&server).as_str()), ("5", "5"));
    for store in ["tsdb", "logs"] {
        let metric = |name: &str| server.metric(&format!("masthead_{store}_journal_{name}"));
        assert_eq!((metric("torn_bytes"), metric("damages")), (Some(11), Some(0)), "{store}");
    }
    assert!(server.push(&[(5, now(), 1.0)]));
    assert_eq!(samples(&server), "6");
    rustix::process::kill_process(server.process.id(), Signal::TERM).unwrap();
    let (code, stdout, _) = server.process.finish();
    assert_eq!(code, Some(0));
    for store in ["metrics", "logs"] {
        let line = format!("The torn tail of the journal of {store} was cut");
        assert!(stdout.contains(&line), "{line} in {stdout}");
    }
}

#[test]
fn a_rotten_journal_is_read_around_and_counted() {
    let data = killed_with_five_of_each();
    for store in ["metrics", "logs"] {
        let segment = newest_segment(&data.path().join(store).join("journal"));
        let mut bytes = fs::read(&segment).unwrap();
        // In the last frame but one or so; those before and behind it are whole.
        let at = bytes.len() * 3 / 4;
        bytes[at] ^= 0x55;
        fs::write(&segment, bytes).unwrap();
    }
    let server = serve(data.path());
    let left = |found: String| found.parse::<u32>().unwrap();
    let found = (left(samples(&server)), left(lines(&server)));
    assert!((1..5).contains(&found.0) && (1..5).contains(&found.1), "{found:?}");
    for store in ["tsdb", "logs"] {
        assert_eq!(server.metric(&format!("masthead_{store}_journal_damages")), Some(1), "{store}");
    }
    let runtime = server.get("/api/v1/status/runtimeinfo").1;
    assert!(runtime.contains("\"corruptionCount\":2"), "{runtime}");
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

#[test]
fn samples_of_a_clock_that_jumped_are_refused_and_counted() {
    let data = tempfile::tempdir().unwrap();
    let server = serve(data.path());
    let hour = 3_600_000;
    assert!(server.push(&[(1, now(), 1.0)]));
    let f = |at: i64, words: &str, refused: u64| {
        let (status, answer) = server.push_answer(&[(1, at, 2.0)]).unwrap();
        assert!(status == 400 && answer.contains(words), "{answer}");
        assert_eq!(server.metric("masthead_http_api_samples_refused_total"), Some(refused));
    };
    f(now() + hour, "out of bounds", 1);
    f(now() - hour, "too old sample", 2);
    // A line of the future is refused too, and the stores go on.
    let line = [((now() + hour) * 1_000_000, "tomorrow".to_owned())];
    let (status, answer) = push_answer(&server, "full", &line).unwrap();
    assert!(status == 400 && answer.contains("too new"), "{answer}");
    assert!(server.push(&[(1, now(), 3.0)]));
    assert_eq!(server.number("counter"), "3");
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

#[test]
fn a_remote_end_that_is_away_for_too_long_costs_the_oldest_and_they_are_counted() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let address = free_address();
    let url = format!("http://{address}/api/v1/write");
    let args = [&ALONE[..2], &["--remote-write", &url, "--forward.journal-size=64KB"]].concat();
    let server = Server::start_with(here.path(), &args);
    let lost = || {
        let (_, metrics) = server.get("/metrics");
        let start = "masthead_remote_write_samples_lost_total{";
        let lost = metrics.lines().filter(|line| line.starts_with(start));
        lost.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum::<u64>()
    };
    let mut pushed = 0_u32;
    eventually("the oldest samples are dropped", || {
        let start = now();
        let batch: Vec<_> = (pushed..pushed + 2000).map(|n| (n, start, 1.0)).collect();
        assert!(server.push(&batch));
        pushed += 2000;
        lost() > 0
    });
    // Here is everything; there comes what is left, the newest among it.
    assert_eq!(samples(&server), pushed.to_string());
    let other = Server::start_at(&address, there.path(), &ALONE[..2]);
    assert!(server.push(&[(pushed, now(), 1.0)]));
    let newest = format!("count(counter{{n=\"{pushed}\"}}) or vector(0)");
    eventually("the newest sample at the other end", || other.number(&newest) == "1");
    let lost = u32::try_from(lost()).unwrap();
    eventually("all that were not dropped", || samples(&other) == (pushed + 1 - lost).to_string());
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

#[test]
fn a_loki_that_is_away_for_too_long_costs_the_oldest_lines_and_they_are_counted() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let address = free_address();
    let log = here.path().join("app.log");
    let config = here.path().join("promtail.yaml");
    let text = format!(
        "clients:
- url: http://{address}/loki/api/v1/push
  batchwait: 50ms
  backoff_config: {{min_period: 100ms, max_period: 200ms, max_retries: 0}}
scrape_configs:
- job_name: files
  static_configs:
  - targets: [localhost]
    labels: {{app: full, __path__: '{}'}}
",
        log.display()
    );
    fs::write(&config, text).unwrap();
    let mut file = fs::File::create(&log).unwrap();
    let args = ["--promtail-config", config.to_str().unwrap(), "--promtail-clients"];
    let args = [&ALONE[..2], &args, &["--forward.journal-size=64KB"]].concat();
    let server = Server::start_with(&here.path().join("data"), &args);
    let lost = || {
        let (_, metrics) = server.get("/metrics");
        let start = "masthead_forward_lines_lost_total{";
        let lost = metrics.lines().filter(|line| line.starts_with(start));
        lost.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum::<u64>()
    };
    let mut written = 0_u32;
    eventually("the oldest lines are dropped", || {
        for _ in 0..500 {
            writeln!(file, "line {written} {}", "x".repeat(100)).unwrap();
            written += 1;
        }
        lost() > 0
    });
    // Here is everything; there comes what is left, the newest among it.
    eventually("all lines in the store here", || lines(&server) == written.to_string());
    let other = Server::start_at(&address, there.path(), &ALONE[..2]);
    writeln!(file, "the newest").unwrap();
    written += 1;
    eventually("all that were not dropped", || {
        let kept = u64::from(written) - lost();
        lines(&other) == kept.to_string()
    });
    let query = "query_range?query=%7Bapp%3D%22full%22%7D%7C%3D%22newest%22";
    let (_, answer) = other.get(&format!("/loki/api/v1/{query}"));
    assert!(answer.contains("the newest"), "{answer}");
    assert_eq!(server.stop(Signal::TERM), Some(0));
}

#[test]
fn a_bad_configuration_is_refused_with_file_line_and_key_and_a_reload_keeps_the_old_one() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let file = directory.path().join("masthead.yaml");
    let good = "observe: {host: false, self: false}\nweb: {enable_lifecycle: true}\nmetrics:\n  global: {scrape_interval: 7s}\n";
    let bad = "observe: {host: false}\nmetrics:\n  global:\n    scrape_intervall: 9s\n";
    let path = file.to_str().unwrap();
    fs::write(&file, bad).unwrap();
    let args =
        ["serve", "--config", path, "--data", data.to_str().unwrap(), "--listen=127.0.0.1:0"];
    let (code, _, stderr) = masthead(&args).finish();
    assert_eq!(code, Some(2), "{stderr}");
    for word in ["masthead.yaml", "line 4", "scrape_intervall"] {
        assert!(stderr.contains(word), "{word} in {stderr}");
    }
    fs::write(&file, good).unwrap();
    let server = Server::start_with(&data, &["--config", path]);
    fs::write(&file, bad).unwrap();
    let (status, answer) = server.ask("POST /-/reload HTTP/1.1", b"").unwrap();
    assert!(status == 500 && answer.contains("scrape_intervall"), "{answer}");
    assert!(server.get("/api/v1/status/config").1.contains("7s"));
    let runtime = server.get("/api/v1/status/runtimeinfo").1;
    assert!(runtime.contains("\"reloadConfigSuccess\":false"), "{runtime}");
    // What is right in a file that is wrong elsewhere is not in force either.
    let half =
        good.replace("7s", "8s") + "auth:\n  tokens: [{name: a, hash: none, scopes: [read]}]\n";
    fs::write(&file, half).unwrap();
    let (status, answer) = server.ask("POST /-/reload HTTP/1.1", b"").unwrap();
    assert!(status == 500 && answer.contains("token"), "{answer}");
    assert!(server.get("/api/v1/status/config").1.contains("7s"));
    fs::write(&file, good.replace("7s", "8s")).unwrap();
    assert_eq!(server.ask("POST /-/reload HTTP/1.1", b"").unwrap().0, 200);
    assert!(server.get("/api/v1/status/config").1.contains("8s"));
    assert_eq!(server.stop(Signal::TERM), Some(0));
}
