//! Rotations of every kind, while the collector looks and while it is away.

use masthead_ports::LogSink as _;

use crate::harness::Node;

const LOG: &str = "/log/app.log";

fn follow(text: &str) -> Node {
    let mut node = Node::plain();
    node.write(LOG, text);
    node.run_seconds(1);
    node
}

#[test]
fn lines_come_with_labels_and_only_when_they_are_whole() {
    let mut node = follow("one\ntwo\nthr");
    node.write("/log/sub/other.log", "x\n");
    node.write("/log/sub/other.txt", "no\n");
    node.run_seconds(6);
    assert_eq!(
        node.stored(),
        [
            r#"{filename="/log/app.log", job="files"} one"#,
            r#"{filename="/log/app.log", job="files"} two"#,
            r#"{filename="/log/sub/other.log", job="files"} x"#,
        ]
    );
    node.write(LOG, "ee\n");
    node.run_seconds(2);
    assert_eq!(node.lines(), ["one", "two", "three", "x"]);
}

#[test]
fn equal_lines_are_not_taken_for_one() {
    let mut node = follow("same\nsame\nsame\n");
    node.write(LOG, "same\n");
    node.run_seconds(2);
    assert_eq!(node.counts()["same"], 4);
    assert_eq!(node.stats.lines_duplicate.get(), 0);
}

#[test]
fn a_renamed_file_is_read_to_its_end_and_late_lines_too() {
    let mut node = follow("one\n");
    node.write(LOG, "two\n");
    node.rename(LOG, "/log/app.log.1");
    node.write(LOG, "three\n");
    node.run_seconds(2);
    node.write("/log/app.log.1", "late\n");
    node.write(LOG, "four\n");
    node.run_seconds(2);
    assert_eq!(node.lines(), ["one", "two", "three", "late", "four"]);
    // Long after it was closed.
    node.run_seconds(60);
    node.write("/log/app.log.1", "very late\n");
    node.run_seconds(10);
    assert_eq!(node.counts()["very late"], 1);
    assert_eq!(node.stats.rotations.get(), 1);
}

#[test]
fn rotation_twice_between_two_looks() {
    let mut node = follow("one\n");
    node.write(LOG, "two\n");
    node.rename(LOG, "/log/app.log.1");
    node.write(LOG, "three\n");
    node.rename("/log/app.log.1", "/log/app.log.2");
    node.rename(LOG, "/log/app.log.1");
    node.write(LOG, "four\n");
    node.run_seconds(3);
    assert_eq!(node.lines(), ["one", "two", "three", "four"]);
}

#[test]
fn rotation_as_the_kubelet_does_it() {
    let mut node = follow("one\n");
    for round in 0..5 {
        node.write(LOG, &format!("before {round}\n"));
        node.rename(LOG, &format!("/log/app.log.20260101-12000{round}"));
        node.write(LOG, &format!("after {round}\n"));
        node.run_seconds(2);
        if round > 0 {
            let old = format!("/log/app.log.20260101-12000{}", round - 1);
            node.rename(&old, &format!("{old}.gz"));
        }
    }
    node.run_seconds(5);
    let counts = node.counts();
    assert_eq!(counts.len(), 11, "{counts:?}");
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
}

#[test]
fn a_pattern_that_names_rotated_files_too_reads_each_line_once() {
    let mut node = Node::new(&crate::harness::config("/log/app.log*", ""));
    node.write(LOG, "one\n");
    node.run_seconds(1);
    for round in 0..4 {
        for number in (1..=round).rev() {
            node.rename(&format!("/log/app.log.{number}"), &format!("/log/app.log.{}", number + 1));
        }
        node.write(LOG, &format!("before {round}\n"));
        node.rename(LOG, "/log/app.log.1");
        node.write(LOG, &format!("after {round}\n"));
        if round % 2 == 0 {
            node.run_seconds(8);
        }
        if round == 1 {
            node.kill();
        }
    }
    node.run_seconds(50);
    node.kill();
    node.run_seconds(50);
    let counts = node.counts();
    assert_eq!(counts.len(), 9, "{counts:?}");
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
}

#[test]
fn copy_and_truncate() {
    let mut node = follow("one\ntwo\n");
    node.write(LOG, "three\n");
    node.copy(LOG, "/log/app.log.1");
    node.empty(LOG);
    node.write(LOG, "four\n");
    node.run_seconds(3);
    assert_eq!(node.lines(), ["one", "two", "three", "four"]);
    assert_eq!(node.stats.truncations.get(), 1);
    // And again, when the new file is longer than the old one was.
    node.rename("/log/app.log.1", "/log/app.log.2");
    node.write(LOG, "five\n");
    node.copy(LOG, "/log/app.log.1");
    node.empty(LOG);
    node.write(LOG, "a much longer line than there was before it\n");
    node.run_seconds(3);
    let counts = node.counts();
    assert_eq!(counts.len(), 6, "{counts:?}");
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
}

#[test]
fn copy_and_truncate_while_away() {
    let mut node = follow("one\ntwo\n");
    node.kill();
    node.write(LOG, "three\n");
    node.copy(LOG, "/log/app.log.1");
    node.empty(LOG);
    node.write(LOG, "four\n");
    node.rename("/log/app.log.1", "/log/app.log.2");
    node.copy(LOG, "/log/app.log.1");
    node.empty(LOG);
    node.write(LOG, "five\n");
    node.run_seconds(3);
    assert_eq!(node.lines(), ["one", "two", "three", "four", "five"]);
    node.kill();
    node.run_seconds(3);
    assert_eq!(node.lines().len(), 5);
}

#[test]
fn a_copy_that_is_shorter_than_what_was_read_is_not_read_again() {
    let mut node = follow("one\n");
    node.copy(LOG, "/log/app.log.1");
    node.write(LOG, "two\n");
    node.run_seconds(1);
    node.empty(LOG);
    node.write(LOG, "three\n");
    node.run_seconds(3);
    assert_eq!(node.lines(), ["one", "two", "three"]);
}

#[test]
fn renamed_while_away_with_files_in_between() {
    let mut node = Node::plain();
    node.write("/log/app.log.3", "long before\n");
    node.write(LOG, "one\n");
    node.run_seconds(2);
    node.kill();
    node.write(LOG, "two\n");
    node.rename(LOG, "/log/app.log.1");
    node.write(LOG, "three\n");
    node.rename("/log/app.log.1", "/log/app.log.2");
    node.rename(LOG, "/log/app.log.1");
    node.write(LOG, "four\n");
    node.run_seconds(3);
    assert_eq!(node.lines(), ["one", "two", "three", "four"]);
    for _ in 0..3 {
        node.kill();
        node.run_seconds(40);
    }
    assert_eq!(node.lines(), ["one", "two", "three", "four"]);
}

#[test]
fn renamed_while_away_and_nothing_new_yet() {
    let mut node = follow("one\n");
    node.kill();
    node.write(LOG, "two\n");
    node.rename(LOG, "/log/app.log.1");
    node.run_seconds(3);
    assert_eq!(node.lines(), ["one", "two"]);
    node.write(LOG, "three\n");
    node.run_seconds(6);
    assert_eq!(node.lines(), ["one", "two", "three"]);
}

#[test]
fn deleted_and_made_anew_while_away() {
    let mut node = follow("one\ntwo\n");
    node.kill();
    node.remove(LOG);
    node.write(LOG, "three\n");
    node.run_seconds(3);
    assert_eq!(node.lines(), ["one", "two", "three"]);
    assert_eq!(node.stats.rotated_gone.get(), 1);
}

#[test]
fn a_deleted_file_that_is_open_is_read_to_its_end() {
    let mut node = follow("one\n");
    node.write(LOG, "two\nno end");
    node.remove(LOG);
    node.run_seconds(40);
    assert_eq!(node.lines(), ["one", "two", "no end"]);
    node.run_seconds(70);
    assert_eq!(node.stats.files.get(), 0);
    assert_eq!(node.store.progress("file:").unwrap(), []);
}

#[test]
fn compressed_files_are_skipped_and_counted() {
    let mut node = Node::new(&crate::harness::config("/log/*", ""));
    node.write("/log/app.log.1.gz", "binary\n");
    node.write(LOG, "one\n");
    node.run_seconds(20);
    assert_eq!(node.lines(), ["one"]);
    assert_eq!(node.stats.compressed_skipped.get(), 1);
}

#[test]
fn files_are_closed_when_too_many_are_open_and_nothing_is_lost() {
    let mut node = Node::plain();
    for number in 0..700 {
        node.write(&format!("/log/{number}.log"), "one\n");
    }
    node.run_seconds(6);
    assert!(node.stats.files_open.get() <= 513, "{}", node.stats.files_open.get());
    for number in 0..700 {
        node.write(&format!("/log/{number}.log"), "two\n");
    }
    node.run_seconds(6);
    let counts = node.counts();
    assert_eq!((counts["one"], counts["two"]), (700, 700));
}
