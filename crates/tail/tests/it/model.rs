//! Random days on a node, against what must be in the store: every line that was written, once.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use masthead_sysio::{Fs as _, Random};

use crate::harness::Node;

/// One container: what it wrote, and its files.
struct Container {
    path: String,
    next: u64,
    rotated: Vec<String>,
    rotations: u64,
    /// The rest of a line of which parts are in the file.
    open: Option<(u64, u64)>,
}

const PARTS: u64 = 3;

impl Container {
    fn write(&mut self, node: &Node, random: &mut Random, time: &mut u64, late: Option<&str>) {
        let path = late.unwrap_or(&self.path);
        *time += 1;
        let stamp = format!("2024-01-01T00:00:00.{:09}Z", *time);
        if late.is_none()
            && let Some((number, part)) = self.open.take()
        {
            let last = part == PARTS - 1;
            let flag = if last { "F" } else { "P" };
            node.write(path, &format!("{stamp} stdout {flag} [{number}.{part}]\n"));
            if !last {
                self.open = Some((number, part + 1));
            }
            return;
        }
        let number = self.next;
        self.next += 1;
        if late.is_none() && random.below(8) == 0 {
            node.write(path, &format!("{stamp} stdout P [{number}.0]\n"));
            self.open = Some((number, 1));
        } else {
            let stream = if random.coin() { "stdout" } else { "stderr" };
            // While a line of stdout is open, others are of stderr, and so are late ones: a runtime
            // does not go back to an older file within a stream.
            let stream = if self.open.is_some() || late.is_some() { "stderr" } else { stream };
            node.write(path, &format!("{stamp} {stream} F {number}\n"));
        }
    }

    fn rotate(&mut self, node: &Node) {
        if node.fs.metadata(self.path.as_str().into()).is_err() {
            return;
        }
        self.rotations += 1;
        let name = format!("{}.20260101-{:06}", self.path, self.rotations);
        node.rename(&self.path, &name);
        self.rotated.push(name);
    }

    fn want(&self) -> BTreeMap<String, usize> {
        let open = self.open.map(|(number, _)| number);
        (0..self.next).filter(|n| Some(*n) != open).map(|n| (n.to_string(), 1)).collect()
    }
}

/// `12` of `12` and of `[12.0][12.1][12.2]`; anything else is a broken line.
fn number(line: &str) -> String {
    let Some(first) = line.strip_prefix('[') else { return line.to_owned() };
    let number = first.split('.').next().unwrap();
    let parts: Vec<String> = (0..PARTS).map(|part| format!("[{number}.{part}]")).collect();
    let want = parts.concat();
    if line == want { number.to_owned() } else { format!("broken {line}") }
}

fn day(seed: u64, kills: bool, outages: bool, late_lines: bool) {
    let mut random = Random::new(seed);
    let mut node = Node::cri();
    let mut time = 0;
    let mut containers: Vec<Container> = (0..3)
        .map(|number| Container {
            path: format!("/log/pod{number}/0.log"),
            next: 0,
            rotated: Vec::new(),
            rotations: 0,
            open: None,
        })
        .collect();
    node.step();
    for _ in 0..300 {
        let at = random.index(containers.len());
        match random.below(100) {
            0..60 => containers[at].write(&node, &mut random, &mut time, None),
            60..66 => containers[at].rotate(&node),
            66..70 if late_lines => {
                let late = containers[at].rotated.last().cloned();
                // The line that is open goes on in the newest file.
                if let Some(late) = late.filter(|_| containers[at].open.is_none()) {
                    containers[at].write(&node, &mut random, &mut time, Some(&late));
                }
            }
            70..73 if kills => node.kill(),
            73..75 if kills => {
                node.store.lose_answer_in.store(1, Ordering::Relaxed);
                node.step();
                node.kill();
            }
            75..78 if outages => {
                node.store.away.store(random.coin(), Ordering::Relaxed);
            }
            _ => {
                for _ in 0..random.below(6) {
                    node.step();
                }
            }
        }
    }
    node.store.away.store(false, Ordering::Relaxed);
    node.store.lose_answer_in.store(0, Ordering::Relaxed);
    node.run_seconds(60);
    let entries = node.store.inner.entries();
    for container in &containers {
        let mut got = BTreeMap::new();
        for (labels, lines) in &entries {
            if labels.get("filename") == Some(&container.path) {
                for line in lines {
                    let line = number(&String::from_utf8_lossy(&line.line));
                    *got.entry(line).or_insert(0) += 1;
                }
            }
        }
        assert_eq!(got, container.want(), "seed {seed}, {}", container.path);
    }
}

#[test]
fn steady() {
    (0..3).for_each(|seed| day(seed, false, false, false));
}

#[test]
fn rotation_with_late_lines() {
    (0..10).for_each(|seed| day(100 + seed, false, false, true));
}

#[test]
fn killed_again_and_again() {
    (0..16).for_each(|seed| day(200 + seed, true, false, false));
}

#[test]
fn store_away() {
    (0..10).for_each(|seed| day(300 + seed, false, true, false));
}

#[test]
fn everything_at_once() {
    (0..30).for_each(|seed| day(400 + seed, true, true, true));
}
