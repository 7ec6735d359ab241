//! Stages as the fuzzer chooses them, over lines of any bytes.
//!
//! An input is the number of stages, a byte for each, the text that stands for every `%` in their
//! sections, and the lines.

use std::time::Duration;

use masthead_model::{Labels, Nanos};

use super::{Cx, Outcome, Pipeline, metrics::CustomMetrics};
use crate::{
    Stats,
    config::stages_for_fuzzing,
    entry::{Entry, Mark},
    position::Run,
};

/// Each stage, with a section that it takes.
const STAGES: &[&str] = &[
    "cri: {}",
    "cri: {max_partial_lines: 1, max_partial_line_size: 8b, max_partial_line_size_truncate: true}",
    "docker: {}",
    "decolorize: {}",
    "json: {expressions: {a: , b: c.d, x: %}}",
    "json: {expressions: {y: 'a[*].b | [0]'}, source: a, drop_malformed: true}",
    "logfmt: {mapping: {a: , b: level, x: %}}",
    "regex: {expression: '(?P<a>\\S+) (?P<b>\\w+)?(?P<x>.*)'}",
    "regex: {expression: %, source: a}",
    "replace: {expression: '(?P<x>a+)(.)', replace: %}",
    "replace: {expression: %, source: b, replace: '<{{ .Value | Hash `s` }}>'}",
    "template: {source: a, template: %}",
    "template: {source: x, template: '{{ .Entry | splitList ` ` | join `-` }}{{ .b }}'}",
    "timestamp: {source: a, format: RFC3339Nano, fallback_formats: [Unix, UnixMs, '2006-01-02']}",
    "timestamp: {source: x, format: 'Jan _2 15:04:05', location: Europe/Berlin}",
    "timestamp: {source: b, format: %, action_on_failure: skip}",
    "output: {source: a}",
    "labels: {a: , lb: b, job: x}",
    "structured_metadata: {a: , b: x}",
    "labeldrop: [app, a]",
    "labelallow: [app, lb]",
    "static_labels: {env: prod, s: %}",
    "match: {selector: '{app=\"api\"} |= \"a\" !~ \"b+\"', stages: [{static_labels: {m: '1'}}, {template: {source: a, template: %}}]}",
    "match: {selector: %, stages: [{pack: {labels: [app]}}]}",
    "match: {selector: '{a!=\"\"}', action: drop}",
    "multiline: {firstline: '^\\S', max_wait_time: 1s, max_lines: 3}",
    "multiline: {firstline: %}",
    "drop: {source: [a, b], separator: ';', expression: '^x.*;'}",
    "drop: {expression: %, older_than: 24h, longer_than: 64b}",
    "drop: {source: a, value: %}",
    "limit: {rate: 1, burst: 2}",
    "limit: {rate: 1, burst: 2, drop: true, by_label_name: a}",
    "pack: {labels: [a, app, env]}",
    "tenant: {source: a}",
    "tenant: {value: %}",
    "metrics: {lines: {type: Counter, config: {match_all: true, action: inc}}, took: {type: Histogram, source: a, config: {buckets: [0.1, 1]}}, seen: {type: Gauge, source: b, config: {action: set}}}",
    "sampling: {rate: 0.5}",
];

/// Stages in one pipeline.
const STAGES_MAX: u8 = 8;

pub(crate) fn run(bytes: &[u8]) {
    let Some((count, rest)) = bytes.split_first() else { return };
    let Some((chosen, rest)) = rest.split_at_checked(usize::from(count % STAGES_MAX)) else {
        return;
    };
    let mut lines = rest.split(|byte| *byte == b'\n');
    let text = String::from_utf8_lossy(lines.next().unwrap_or_default());
    let metrics = CustomMetrics::default();
    let Some(mut pipeline) = pipeline(chosen, &text, &metrics) else { return };
    let base: Labels = [("app", "api"), ("filename", "/f"), ("job", "j")].into_iter().collect();
    let mut world = World::default();
    for line in lines {
        let run = Run { start: world.read, end: world.read + line.len() as u64 + 1 };
        world.read = run.end;
        let mut entry = Entry::default();
        entry.reset(world.time(), line, &base, Some(Mark { reader: 0, run }));
        let mut outcome = pipeline.process(&world.cx(), &mut entry);
        while outcome == Outcome::Parked {
            world.now = pipeline.parked_until().expect("BUG: parked without a time");
            outcome = pipeline.resume(&world.cx(), &mut entry);
        }
        if outcome == Outcome::Emit {
            world.take(&entry);
        }
        world.now += Duration::from_millis(100);
    }
    world.now += Duration::from_hours(1);
    let mut out = Vec::new();
    pipeline.tick(&world.cx(), &mut Entry::default(), &mut |entry| out.push(entry.clone()));
    for entry in &out {
        world.take(entry);
    }
    pipeline.held(&mut |mark| world.left += mark.run.end - mark.run.start);
    assert!(world.left <= world.read, "{} bytes of {} read", world.left, world.read);
    drop(metrics.collect(world.now));
}

fn pipeline(chosen: &[u8], text: &str, metrics: &CustomMetrics) -> Option<Pipeline> {
    let text = serde_json::Value::from(text).to_string();
    let sections = chosen.iter().filter_map(|choice| {
        let section = STAGES.get(usize::from(*choice) % STAGES.len())?;
        Some(format!("- {}\n", section.replace('%', &text)))
    });
    stages_for_fuzzing(&sections.collect::<String>(), metrics).map(Pipeline::new)
}

#[derive(Debug, Default)]
struct World {
    stats: Stats,
    now: Duration,
    /// Bytes of the lines that came in.
    read: u64,
    /// Bytes of the lines that came out or are held.
    left: u64,
}

impl World {
    fn cx(&self) -> Cx<'_> {
        Cx { now: self.time(), monotonic: self.now, stats: &self.stats }
    }

    fn time(&self) -> Nanos {
        Nanos(1_700_000_000_000_000_000 + i64::try_from(self.now.as_nanos()).unwrap_or(0))
    }

    fn take(&mut self, entry: &Entry) {
        assert!(!entry.marks.is_empty(), "a line from nowhere");
        self.left += entry.marks.iter().map(|mark| mark.run.end - mark.run.start).sum::<u64>();
        drop(entry.labels.resolve());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_is_among_them_and_is_made() {
        let page = include_str!("../../../../docs/reference/promtail.md");
        let (_, stages) = page.split_once("## Stages\n\n").unwrap();
        for name in stages.lines().next().unwrap().split(", ") {
            let name = name.trim_matches(['`', '.']);
            assert!(STAGES.iter().any(|s| s.starts_with(&format!("{name}: "))), "{name}");
        }
        for (at, section) in STAGES.iter().enumerate() {
            let at = u8::try_from(at).unwrap();
            let text = match section.split_once(':').unwrap().0 {
                "match" => "{}",
                "regex" => "(?P<x>x)",
                _ => "x",
            };
            let made = pipeline(&[at], text, &CustomMetrics::default());
            assert!(made.is_some(), "{section}");
        }
    }
}
