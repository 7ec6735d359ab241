//! `masthead import` and `masthead export` as a user runs them.

#![expect(clippy::disallowed_methods, reason = "tests prepare and look at files")]

use std::io::Write as _;

use masthead_model::{Histogram, Labels, Millis, Schema, Span};
use masthead_wire::remote_write::{EncoderV1, HistogramPoint};
use rustix::process::Signal;

use crate::{
    process::{Masthead, masthead},
    serve::{Server, now},
};

const TEXT: &str = "# TYPE hits counter\nhits_total{code=\"200\"} 1.0 1700000000\n\
                    hits_total{code=\"200\"} 3.0 1700000015.5\n# EOF\n";

#[test]
fn what_goes_in_comes_out_and_a_second_time_nothing_happens() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let data = data.to_str().unwrap();
    let file = dir.path().join("in.om");
    let file = file.to_str().unwrap();
    std::fs::File::create(file).unwrap().write_all(TEXT.as_bytes()).unwrap();

    let (code, stdout, stderr) =
        masthead(&["import", "openmetrics", file, "--data", data]).finish();
    assert_eq!(code, Some(0), "{stderr}");
    let want = "imported 2 samples of 1 series in 1 blocks, from 2023-11-14T22:13:20Z to \
                2023-11-14T22:13:35.5Z\n";
    assert_eq!(stdout, want);
    assert!(stderr.contains("--storage.retention.time"), "{stderr}");
    let (code, stdout, _) = masthead(&["import", "openmetrics", file, "--data", data]).finish();
    assert_eq!((code, stdout.lines().last()), (Some(0), Some("skipped 2: already in the store")));

    let (code, stdout, stderr) = masthead(&["export", "openmetrics", "--data", data]).finish();
    assert_eq!((code, stdout.as_str()), (Some(0), TEXT), "{stderr}");
    assert_eq!(stderr, "exported 2 samples of 1 series\n");
    let out = dir.path().join("out.parquet");
    let out = out.to_str().unwrap();
    let from = "--from=2023-11-14T22:13:30Z";
    let (code, stdout, stderr) =
        masthead(&["export", "parquet", "--data", data, from, "-o", out]).finish();
    assert_eq!((code, stdout.as_str()), (Some(0), ""), "{stderr}");
    assert_eq!(stderr, "exported 1 samples of 1 series\n");
    let mut names: Vec<_> =
        std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["data", "in.om", "out.parquet"]);
}

#[test]
fn what_cannot_be_is_refused_with_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let f = |args: &[&str], code: i32, want: &str| {
        let (got, stdout, stderr) = masthead(args).finish();
        assert_eq!((got, stdout.as_str()), (Some(code), ""), "{args:?}: {stderr}");
        assert!(stderr.contains(want), "{args:?}: {stderr}");
    };
    f(&["import", "openmetrics", "/nowhere/x", "--data", data], 2, "/nowhere/x");
    f(&["import", "prometheus", data, "--data", data], 1, "it holds no block of Prometheus");
    f(&["import", "csv", "x", "--data", data], 2, "possible values: openmetrics, prometheus");
    f(&["export", "openmetrics", "--data", data], 2, "there is no store");
    f(&["export", "openmetrics", "--url", "http://127.0.0.1:1"], 2, "--from");
    f(
        &["export", "openmetrics", "--url", "http://127.0.0.1:1", "--from", "1"],
        1,
        "http://127.0.0.1:1/api/v1/label/__name__/values",
    );
    f(&["export", "openmetrics", "--data", data, "--match", "up{"], 2, "--match");
    let both = ["export", "openmetrics", "--data", data, "--url", "http://x", "--from", "1"];
    f(&both, 2, "--data <DIR> and --url <URL> are two sources");
    let nothing = ["--data", data, "--from", "100", "--to", "50"];
    for command in [["export", "openmetrics"].as_slice(), &["import", "openmetrics", "-"]] {
        f(&[command, &nothing].concat(), 2, "--from is later than --to");
    }
}

#[test]
fn a_typed_directory_wins_over_a_server_of_the_environment() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let f = |args: &[&str], variables: &[(&str, &str)], want: &str| {
        let mut command = Masthead::command(&["export", "openmetrics"]);
        command.args(args).envs(variables.iter().copied());
        let (_, _, stderr) = Masthead::start(command).finish();
        assert!(stderr.contains(want), "{args:?}, {variables:?}: {stderr}");
    };
    let (server, store) = (("MASTHEAD_URL", "http://127.0.0.1:1"), ("MASTHEAD_DATA", data));
    f(&["--data", data], &[server], "there is no store");
    f(&["--data", data, "--from", "1"], &[server], "there is no store");
    f(&["--url", "http://127.0.0.1:1", "--from", "1"], &[store], "http://127.0.0.1:1/api");
    f(&["--from", "1"], &[server, store], "http://127.0.0.1:1/api");
    f(&[], &[server], "--from");
    f(&[], &[], "--data");
}

#[test]
fn a_store_in_use_is_left_alone_and_its_server_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let server = Server::start(dir.path());
    let end = now();
    assert!(server.push(&[(1, end - 1500, 2.0), (1, end - 1000, 3.0), (2, end - 1000, 4.0)]));
    for command in [
        &["import", "prometheus", fixture(), "--data", data][..],
        &["export", "openmetrics", "--data", data],
    ] {
        let (code, _, stderr) = masthead(command).finish();
        assert_eq!(code, Some(1));
        assert!(stderr.contains("no server may have it open"), "{stderr}");
    }
    let url = format!("http://{}", server.address);
    let from = (end / 1000 - 600).to_string();
    let remote =
        ["export", "openmetrics", "--url", &url, "--from", &from, "--match", "{n=~\".+\"}"];
    let (code, stdout, stderr) = masthead(&remote).finish();
    assert_eq!((code, stderr.as_str()), (Some(0), "exported 3 samples of 2 series\n"));
    assert_eq!(server.stop(Signal::TERM), Some(0));
    let local = ["export", "openmetrics", "--data", data, "--match", "counter"];
    let (code, again, stderr) = masthead(&local).finish();
    assert_eq!((code, again.as_str()), (Some(0), stdout.as_str()), "{stderr}");
    assert_eq!(stdout.lines().filter(|line| line.starts_with("counter{n=\"1\"}")).count(), 2);
}

#[test]
fn native_histograms_of_a_server_are_exported_as_those_of_a_store() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data);
    let end = now();
    let point = |(ago, scale): (i64, f64)| HistogramPoint {
        timestamp: Millis(end - ago),
        start: None,
        histogram: Histogram {
            schema: Schema::new(3).unwrap(),
            zero_threshold: 0.125,
            zero_count: scale,
            count: 5.0 * scale,
            sum: 7.25 * scale,
            positive_spans: vec![Span { offset: 1, length: 2 }],
            positive_buckets: vec![scale, 3.0 * scale],
            ..Histogram::default()
        },
    };
    let points = [(2000, 1.0), (1000, 2.0)].map(point);
    let mut encoder = EncoderV1::default();
    let labels: Labels = [("__name__", "native"), ("n", "1")].into_iter().collect();
    encoder.series(&labels, &[], &points, &[]);
    assert!(server.write(&encoder.finish()));
    let url = format!("http://{}", server.address);
    let from = (end / 1000 - 600).to_string();
    let (remote, local) = (dir.path().join("remote"), dir.path().join("local"));
    let select = ["--match", "native", "-o"];
    let args = ["export", "parquet", "--url", &url, "--from", &from];
    let args = [&args[..], &select, &[remote.to_str().unwrap()]].concat();
    let (code, _, stderr) = masthead(&args).finish();
    assert_eq!((code, stderr.as_str()), (Some(0), "exported 2 samples of 1 series\n"));
    assert_eq!(server.stop(Signal::TERM), Some(0));
    let args = ["export", "parquet", "--data", data.to_str().unwrap()];
    let args = [&args[..], &select, &[local.to_str().unwrap()]].concat();
    assert_eq!(masthead(&args).finish().0, Some(0));
    assert_eq!(std::fs::read(remote).unwrap(), std::fs::read(local).unwrap());
}

/// A block that Prometheus wrote.
fn fixture() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../backfill/tests/data/prometheus-2.42-floats")
}

#[test]
fn help_names_formats_variables_and_exit_codes() {
    for (command, words) in [
        ("import", ["MASTHEAD_DATA", "prometheus", "Exit codes:"]),
        ("export", ["MASTHEAD_URL", "parquet", "Exit codes:"]),
    ] {
        let (code, stdout, _) = Masthead::start(Masthead::command(&[command, "--help"])).finish();
        assert_eq!(code, Some(0));
        for word in words {
            assert!(stdout.contains(word), "{word} in {stdout}");
        }
    }
}
