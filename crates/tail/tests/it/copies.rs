//! Files that are copied and emptied in place, as logrotate's `copytruncate` does, when what was read
//! of them cannot tell: nothing was, or copies begin alike, or are written over one another.

use std::{collections::BTreeMap, time::Duration};

use masthead_sysio::{Fs as _, Random};

use crate::harness::Node;

const LOG: &str = "/log/app.log";

/// A collector that has seen the file empty.
fn seen_empty() -> Node {
    let mut node = Node::plain();
    node.write(LOG, "");
    node.run_seconds(2);
    node
}

/// Numbers the copies up and makes the next, which leaves the file as it is.
fn copy(node: &Node) {
    let name = |number: u32| format!("{LOG}.{number}");
    let last = (1..1_000).find(|number| node.fs.metadata(name(*number).as_str().into()).is_err());
    for number in (1..last.unwrap()).rev() {
        node.rename(&name(number), &name(number + 1));
    }
    node.copy(LOG, &name(1));
}

fn copy_and_empty(node: &Node) {
    copy(node);
    node.empty(LOG);
}

fn assert_each_once(node: &Node, want: &[&str]) {
    let counts = node.counts();
    let got: Vec<_> = counts.iter().map(|(line, count)| (line.as_str(), *count)).collect();
    let want: Vec<_> = want.iter().map(|line| (*line, 1)).collect();
    assert_eq!(got, want);
}

#[test]
fn emptied_before_anything_was_read() {
    for is_away in [false, true] {
        let mut node = seen_empty();
        if is_away {
            node.kill();
        }
        node.write(LOG, "1\n2\n3\n");
        copy_and_empty(&node);
        node.write(LOG, "4\n");
        node.run_seconds(3);
        assert_eq!(node.lines(), ["1", "2", "3", "4"], "away: {is_away}");
        node.write(LOG, "5\n");
        node.kill();
        node.run_seconds(3);
        assert_each_once(&node, &["1", "2", "3", "4", "5"]);
    }
}

#[test]
fn emptied_several_times_before_anything_was_read() {
    let mut node = seen_empty();
    for line in ["1\n", "2\n", "3\n"] {
        node.write(LOG, line);
        copy_and_empty(&node);
    }
    node.run_seconds(3);
    node.write(LOG, "4\n");
    node.run_seconds(3);
    assert_eq!(node.lines(), ["1", "2", "3", "4"]);
}

#[test]
fn emptied_again_before_anything_was_read_again() {
    let mut node = seen_empty();
    node.write(LOG, "1\n");
    node.run_seconds(2);
    copy_and_empty(&node);
    node.run_seconds(2);
    node.write(LOG, "2\n");
    copy_and_empty(&node);
    node.write(LOG, "3\n");
    node.run_seconds(3);
    assert_eq!(node.lines(), ["1", "2", "3"]);
}

#[test]
fn a_copy_of_what_is_still_there_is_not_read_beside_it() {
    let mut node = seen_empty();
    node.write(LOG, "1\n2\n3\n");
    // A part of the copy is there, then the whole.
    node.write("/log/app.log.1", "1\n2");
    node.run_seconds(2);
    node.write("/log/app.log.1", "\n3\n");
    node.run_seconds(2);
    node.write(LOG, "4\n");
    node.run_seconds(2);
    node.empty(LOG);
    node.write(LOG, "5\n");
    node.run_seconds(3);
    assert_each_once(&node, &["1", "2", "3", "4", "5"]);
}

#[test]
fn a_copy_that_is_complete_before_the_first_look_is_not_read_beside_it() {
    let mut node = seen_empty();
    node.write(LOG, "1\n");
    copy(&node);
    node.run_seconds(2);
    node.empty(LOG);
    node.run_seconds(2);
    node.write(LOG, "2\n");
    node.run_seconds(2);
    assert_each_once(&node, &["1", "2"]);
}

#[test]
fn what_was_rotated_before_the_first_start_is_not_read() {
    let mut node = Node::plain();
    node.write(LOG, "");
    // Whoever wrote it held it open a little longer.
    node.write("/log/app.log.1", "before\n");
    node.pass(Duration::from_secs(1));
    node.run_seconds(2);
    node.write(LOG, "1\n");
    node.run_seconds(2);
    node.write(LOG, "2\n");
    node.run_seconds(2);
    assert_each_once(&node, &["1", "2"]);
}

#[test]
fn a_copy_that_is_written_over_the_last_one_is_read() {
    let mut node = seen_empty();
    for round in 0..4 {
        node.write(LOG, &format!("{round} a\n"));
        if round % 2 == 0 {
            node.run_seconds(2);
        }
        node.write(LOG, &format!("{round} b\n"));
        node.copy(LOG, "/log/app.log.1");
        node.empty(LOG);
        node.run_seconds(2);
    }
    let want = ["0 a", "0 b", "1 a", "1 b", "2 a", "2 b", "3 a", "3 b"];
    assert_each_once(&node, &want);
}

#[test]
fn of_copies_that_begin_alike_the_oldest_is_read_on() {
    let mut node = Node::plain();
    node.write(LOG, "start\n");
    node.run_seconds(2);
    node.kill();
    for line in ["1\n", "start\n2\n"] {
        node.write(LOG, line);
        copy_and_empty(&node);
    }
    node.run_seconds(3);
    assert_eq!(node.lines(), ["start", "1", "start", "2"]);
}

/// Random days: every line once, whenever the file is copied and emptied and the collector killed.
#[test]
fn copied_and_emptied_and_killed_at_random() {
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let mut node = Node::plain();
        let mut next = 0;
        node.write(LOG, "");
        node.step();
        for _ in 0..120 {
            match random.below(20) {
                0..9 => {
                    node.write(LOG, &format!("line {next}\n"));
                    next += 1;
                }
                9..11 => copy_and_empty(&node),
                11 => {
                    // The collector looks between the two.
                    copy(&node);
                    node.run_seconds(random.below(2));
                    node.empty(LOG);
                }
                12 => node.kill(),
                _ => (0..random.below(6)).for_each(|_| node.step()),
            }
        }
        node.run_seconds(60);
        let want: BTreeMap<_, _> = (0..next).map(|line| (format!("line {line}"), 1)).collect();
        assert_eq!(node.counts(), want, "seed {seed}");
    }
}
