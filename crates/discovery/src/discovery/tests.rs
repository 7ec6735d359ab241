//! Sources that change, fail and come back, on a clock that only moves when nothing else can.

use std::{sync::Arc, time::Duration};

use camino::Utf8Path;
use masthead_sysio::{Fs, SimClock, SimFs, atomic_write};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;
use crate::yaml;

fn configs(kind: &str, text: &str) -> Configs {
    let mut configs = Configs::default();
    match kind {
        "static" => configs.static_configs = yaml::parse(text).expect("well formed"),
        "file" => configs.file_sd_configs = yaml::parse(text).expect("well formed"),
        _ => configs.http_sd_configs = yaml::parse(text).expect("well formed"),
    }
    configs.validate().expect("valid");
    configs
}

/// What was found, one line for each group.
fn shown(groups: &[TargetGroup]) -> Vec<String> {
    groups
        .iter()
        .map(|group| {
            let targets: Vec<_> = group.target_labels().map(|labels| labels.to_string()).collect();
            format!("{} {}", group.source, targets.join(" "))
        })
        .collect()
}

async fn next(discovery: &mut Discovery) -> Vec<String> {
    tokio::time::timeout(Duration::from_mins(10), discovery.changed()).await.expect("a change");
    shown(&discovery.groups())
}

#[tokio::test]
async fn lists_are_there_at_once() {
    let configs =
        configs("static", "- targets: ['a:1', 'b:2']\n  labels: {zone: x}\n- targets: []\n");
    let parts = Parts::new(Arc::new(SimFs::new(1)));
    let mut discovery = discover(&configs, &parts).expect("started");
    assert_eq!(
        next(&mut discovery).await,
        [r#"0 {__address__="a:1", zone="x"} {__address__="b:2", zone="x"}"#, "1 "]
    );
}

#[tokio::test(start_paused = true)]
async fn files_are_followed_and_a_bad_one_keeps_what_it_said() {
    let clock = SimClock::default();
    let fs = SimFs::with_clock(1, Arc::new(clock.clone()));
    fs.create_dir_all("/sd".into()).expect("made");
    let write = |name: &str, text: &str| {
        clock.advance(Duration::from_secs(1));
        atomic_write(&fs, &Utf8Path::new("/sd").join(name), text.as_bytes()).expect("written");
    };
    write("a.json", r#"[{"targets": ["a:1"], "labels": {"k": "v"}}]"#);
    write("ignored.txt", "nonsense");
    let configs = configs("file", "- files: ['/sd/*.json', '/sd/b.yml']\n  refresh_interval: 1m\n");
    let parts = Parts::new(Arc::new(fs.clone()));
    let mut discovery = discover(&configs, &parts).expect("started");
    let a = r#"/sd/a.json:0 {__address__="a:1", __meta_filepath="/sd/a.json", k="v"}"#;
    assert_eq!(next(&mut discovery).await, [a]);

    write("b.yml", "- targets:\n  - b:1\n- targets: [b:2]\n");
    let b = [
        r#"/sd/b.yml:0 {__address__="b:1", __meta_filepath="/sd/b.yml"}"#,
        r#"/sd/b.yml:1 {__address__="b:2", __meta_filepath="/sd/b.yml"}"#,
    ];
    assert_eq!(next(&mut discovery).await, [a, b[0], b[1]]);

    write("a.json", r#"[{"target": []}]"#);
    write("b.yml", "- targets: [b:3]\n");
    let b3 = r#"/sd/b.yml:0 {__address__="b:3", __meta_filepath="/sd/b.yml"}"#;
    assert_eq!(next(&mut discovery).await, [a, b3]);
    let stats = discovery.stats();
    // The groups of the good file came after the failure was told, and cleared it.
    assert!(stats[0].failures >= 1, "{stats:?}");

    fs.remove_file("/sd/b.yml".into()).expect("removed");
    assert_eq!(next(&mut discovery).await, [a]);
}

/// Answers each request with the next of `answers`: status line, content type, body.
async fn serve(answers: Vec<(&'static str, &'static str, &'static str)>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        for (status, content_type, body) in answers {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            let mut head = [0; 2048];
            let count = stream.read(&mut head).await.unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..count]).into_owned();
            assert!(head.contains("x-prometheus-refresh-interval-seconds: 0.2\r\n"), "{head}");
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nConnection: close\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
            drop(stream.write_all(answer.as_bytes()).await);
        }
    });
    tasks.detach_all();
    port
}

#[tokio::test]
async fn a_server_is_asked_again_and_its_failures_change_nothing() {
    let json = "application/json";
    let port = serve(vec![
        ("500 Oops", json, ""),
        ("200 OK", json, r#"[{"targets":["a:1"]}]"#),
        ("200 OK", "text/html", "[]"),
        ("200 OK", json, "[null]"),
        ("200 OK", json, "[]"),
    ])
    .await;
    let text = format!("- url: http://127.0.0.1:{port}/sd\n  refresh_interval: 200ms\n");
    let parts = Parts::new(Arc::new(SimFs::new(1)));
    let mut discovery = discover(&configs("http", &text), &parts).expect("started");
    let url = format!("http://127.0.0.1:{port}/sd");
    let want = format!(r#"{url}:0 {{__address__="a:1", __meta_url="{url}"}}"#);
    assert_eq!(next(&mut discovery).await, [want]);
    // Two refused answers lie between the group and its end.
    assert_eq!(next(&mut discovery).await, Vec::<String>::new());
    let stats = discovery.stats();
    assert_eq!((stats[0].mechanism, stats[0].failures), ("http_sd_configs", 3), "{stats:?}");
}
