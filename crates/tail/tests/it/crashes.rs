//! The collector is killed, the store is away, or both, while files grow and rotate.

use std::sync::atomic::Ordering;

use masthead_model::Nanos;

use crate::harness::{Node, config};

const LOG: &str = "/log/app.log";

#[test]
fn while_the_store_is_away_nothing_is_read_and_then_everything_is_there_once() {
    let mut node = Node::plain();
    node.write(LOG, "0\n");
    node.run_seconds(1);
    node.store.away.store(true, Ordering::Relaxed);
    for number in 1..2000 {
        node.write(LOG, &format!("{number} {}\n", "x".repeat(1000)));
        if number % 500 == 0 {
            node.rename(LOG, &format!("/log/app.log.{number}"));
            node.run_seconds(3);
        }
    }
    let read = node.stats.bytes_read.get();
    assert!(read < 1_300_000, "{read} bytes were read ahead of the store");
    node.store.away.store(false, Ordering::Relaxed);
    node.run_seconds(30);
    let counts = node.counts();
    assert_eq!(counts.len(), 2000);
    assert!(counts.values().all(|count| *count == 1));
}

#[test]
fn a_lost_answer_does_not_double_lines() {
    let mut node = Node::plain();
    for number in 0..5 {
        node.write(LOG, &format!("{number}\n"));
        node.store.lose_answer_in.store(1, Ordering::Relaxed);
        node.run_seconds(1);
        if number == 3 {
            node.store.lose_answer_in.store(1, Ordering::Relaxed);
            node.write(LOG, "killed\n");
            node.step();
            node.kill();
        }
    }
    node.run_seconds(3);
    assert_eq!(node.lines(), ["0", "1", "2", "3", "killed", "4"]);
}

#[test]
fn parts_of_a_line_survive_a_kill_and_do_not_double_what_came_between() {
    let mut node = Node::cri();
    let line = |second: u32, stream: &str, flag: &str, text: &str| {
        format!("2024-01-01T00:00:{second:02}Z {stream} {flag} {text}\n")
    };
    node.write(LOG, &line(1, "stdout", "P", "one "));
    node.write(LOG, &line(2, "stderr", "F", "between 1"));
    node.write(LOG, &line(3, "stdout", "P", "two "));
    node.write(LOG, &line(4, "stderr", "F", "between 2"));
    node.run_seconds(2);
    assert_eq!(node.lines(), ["between 1", "between 2"]);
    node.kill();
    node.run_seconds(2);
    // The end comes in the next file.
    node.write(LOG, &line(5, "stderr", "F", "between 3"));
    node.rename(LOG, "/log/app.log.20260101-120000");
    node.write(LOG, &line(6, "stderr", "F", "between 4"));
    node.run_seconds(2);
    node.kill();
    node.write(LOG, &line(7, "stdout", "F", "three"));
    node.run_seconds(2);
    node.kill();
    node.run_seconds(50);
    let labels = r#"filename="/log/app.log", job="files""#;
    assert_eq!(
        node.stored(),
        [
            format!(r#"{{{labels}, stream="stderr"}} between 1"#),
            format!(r#"{{{labels}, stream="stderr"}} between 2"#),
            format!(r#"{{{labels}, stream="stderr"}} between 3"#),
            format!(r#"{{{labels}, stream="stderr"}} between 4"#),
            format!(r#"{{{labels}, stream="stdout"}} one two three"#),
        ]
    );
    assert_eq!(node.stats.lines_duplicate.get(), 0);
}

#[test]
fn an_open_group_of_lines_survives_a_kill() {
    let stages = "- multiline: {firstline: '^START', max_wait_time: 5s}";
    let mut node = Node::new(&config("/log/*.log", stages));
    node.write(LOG, "START 1\n a\n");
    node.run_seconds(1);
    assert!(node.lines().is_empty());
    node.kill();
    node.run_seconds(1);
    node.write(LOG, " b\nSTART 2\n");
    node.run_seconds(1);
    assert_eq!(node.lines(), ["START 1\n a\n b"]);
    node.kill();
    node.run_seconds(7);
    assert_eq!(node.lines(), ["START 1\n a\n b", "START 2"]);
    node.kill();
    node.run_seconds(10);
    assert_eq!(node.lines().len(), 2);
}

#[test]
fn a_line_that_is_cut_is_marked_and_its_rest_passed_over_across_a_kill() {
    let mut node = Node::plain();
    let limit = masthead_tail::LINE_BYTES_MAX;
    node.write(LOG, &"x".repeat(limit + 5));
    node.run_seconds(1);
    node.kill();
    node.write(LOG, &"y".repeat(limit * 2));
    node.run_seconds(1);
    node.kill();
    node.write(LOG, "end\nnext\n");
    node.run_seconds(2);
    let entries = node.store.inner.entries();
    let shown: Vec<_> = entries
        .iter()
        .flat_map(|(_, lines)| lines)
        .map(|line| (line.line.len(), line.structured_metadata.to_string()))
        .collect();
    let marked = r#"{truncated="true"}"#.to_owned();
    assert_eq!(shown, [(limit, marked), (4, "{}".to_owned())]);
    assert_eq!(node.stats.lines_cut.get(), 1);
}

#[test]
fn a_limit_slows_reading_down_and_loses_nothing() {
    let stages = "- limit: {rate: 10, burst: 10}";
    let mut node = Node::new(&config("/log/*.log", stages));
    for number in 0..100 {
        node.write(LOG, &format!("{number:03}\n"));
    }
    node.run_seconds(3);
    let early = node.lines().len();
    assert!((20..60).contains(&early), "{early}");
    node.kill();
    node.run_seconds(15);
    let want: Vec<_> = (0..100).map(|number| format!("{number:03}")).collect();
    assert_eq!(node.lines(), want);
}

#[test]
fn times_of_lines_without_one_rise_even_when_the_clock_steps_back() {
    let mut node = Node::plain();
    node.write(LOG, "a\nb\n");
    node.run_seconds(1);
    node.clock.set(masthead_sysio::UnixNanos(1_000_000_000));
    node.write(LOG, "c\n");
    node.run_seconds(1);
    let entries = node.store.inner.entries();
    let times: Vec<Nanos> = entries[0].1.iter().map(|line| line.timestamp).collect();
    assert!(times.is_sorted() && times.len() == 3, "{times:?}");
    assert_eq!(node.lines(), ["a", "b", "c"]);
}

#[test]
fn promtails_positions_are_taken_over_and_kept() {
    let text =
        config("/log/*.log", "") + "positions: {filename: /run/positions.yaml, sync_period: 1s}\n";
    let mut node = Node::new(&text);
    node.write(LOG, "read by promtail\nnew\n");
    node.write("/run/positions.yaml", "positions:\n  /log/app.log: \"17\"\n");
    node.run_seconds(3);
    assert_eq!(node.lines(), ["new"]);
    let kept = masthead_sysio::read_to_vec(&node.fs, "/run/positions.yaml".into(), 1000).unwrap();
    assert_eq!(String::from_utf8(kept).unwrap(), "positions:\n  \"/log/app.log\": \"21\"\n");
    // From now on the store's own positions count.
    node.kill();
    node.write("/run/positions.yaml", "  /log/app.log: \"0\"\n");
    node.run_seconds(3);
    assert_eq!(node.lines(), ["new"]);
}

#[tokio::test]
async fn lines_of_a_child_process_pass_the_stages_and_wait_for_the_store() {
    let mut node = Node::new(&config("/log/*.log", "- drop: {expression: debug}"));
    node.start();
    let labels = [("job", "run"), ("stream", "stdout")].into_iter().collect();
    let source = node.collector().line_source("j", labels);
    for line in ["one", "debug", "two"] {
        source.send(line.as_bytes()).await.unwrap();
    }
    node.step();
    assert_eq!(
        node.stored(),
        [r#"{job="run", stream="stdout"} one"#, r#"{job="run", stream="stdout"} two"#]
    );
    // With the store away the queue fills up, and then whoever writes waits.
    node.store.away.store(true, Ordering::Relaxed);
    let line = vec![b'x'; 200_000];
    let mut sent = 0;
    while tokio::time::timeout(std::time::Duration::from_millis(20), source.send(&line))
        .await
        .is_ok()
    {
        sent += 1;
        node.step();
        assert!(sent < 100);
    }
    node.store.away.store(false, Ordering::Relaxed);
    for _ in 0..20 {
        node.run_seconds(1);
    }
    assert_eq!(node.lines().len(), 2 + sent);
    node.kill();
    assert!(source.send(b"x").await.is_err());
}
