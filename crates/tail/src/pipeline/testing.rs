//! Runs stages over lines by hand.

use std::time::Duration;

use masthead_model::{Labels, Nanos};

use super::*;
use crate::position::Run;

/// A pipeline with what came out of it.
#[derive(Debug)]
pub(crate) struct Runner {
    pub(crate) pipeline: Pipeline,
    pub(crate) stats: Stats,
    pub(crate) base: Labels,
    pub(crate) now: Duration,
    pub(crate) out: Vec<Entry>,
    offset: u64,
}

impl Runner {
    pub(crate) fn new(stages: Vec<Box<dyn Stage>>) -> Self {
        Self {
            pipeline: Pipeline::new(stages),
            stats: Stats::default(),
            base: Labels::default(),
            now: Duration::from_secs(1),
            out: Vec::new(),
            offset: 0,
        }
    }

    /// With labels of the file, such as `{app="api"}`.
    pub(crate) fn with_labels(mut self, labels: &[(&str, &str)]) -> Self {
        self.base = labels.iter().copied().collect();
        self
    }

    pub(crate) fn line(&mut self, line: &str) -> Outcome {
        self.bytes(line.as_bytes())
    }

    /// The same line so many times.
    pub(crate) fn lines(&mut self, count: usize) {
        for _ in 0..count {
            self.line("x");
        }
    }

    pub(crate) fn bytes(&mut self, line: &[u8]) -> Outcome {
        let start = self.offset;
        self.offset += line.len() as u64 + 1;
        let run = Run { start, end: self.offset };
        let mut entry = Entry::default();
        entry.reset(Nanos(0), line, &self.base, Some(Mark { reader: 0, run }));
        let outcome = self.pipeline.process(&cx(self.now, &self.stats), &mut entry);
        if outcome == Outcome::Emit {
            self.out.push(entry);
        }
        outcome
    }

    pub(crate) fn resume(&mut self) -> Outcome {
        let mut entry = Entry::default();
        let outcome = self.pipeline.resume(&cx(self.now, &self.stats), &mut entry);
        if outcome == Outcome::Emit {
            self.out.push(entry);
        }
        outcome
    }

    pub(crate) fn tick(&mut self) {
        let mut entry = Entry::default();
        let out = &mut self.out;
        self.pipeline.tick(&cx(self.now, &self.stats), &mut entry, &mut |entry| {
            out.push(std::mem::take(entry));
        });
    }

    /// Lines that are held back.
    pub(crate) fn held(&self) -> usize {
        let mut count = 0;
        self.pipeline.held(&mut |_| count += 1);
        count
    }

    /// What came out: time, labels, line, metadata, tenant.
    pub(crate) fn shown(&self) -> Vec<String> {
        self.out
            .iter()
            .map(|entry| {
                let line = String::from_utf8_lossy(&entry.line);
                let (time, labels) = (entry.timestamp.0, entry.labels.resolve());
                let mut parts = vec![format!("{time} {labels} {line}")];
                for (name, value) in &entry.metadata {
                    parts.push(format!("[{}={value}]", &**name));
                }
                parts.extend(entry.tenant.iter().map(|tenant| format!("for {tenant}")));
                parts.extend(entry.cut.then(|| "(cut)".to_owned()));
                parts.join(" ")
            })
            .collect()
    }

    /// The text extracted under `name` from the last line that came out.
    pub(crate) fn extracted(&self, name: &str) -> Option<String> {
        let text = self.out.last()?.text(name)?.into_owned();
        String::from_utf8(text).ok()
    }
}

fn cx(now: Duration, stats: &Stats) -> Cx<'_> {
    Cx { now: Nanos(i64::try_from(now.as_nanos()).unwrap_or(i64::MAX)), monotonic: now, stats }
}

/// One stage over some lines.
pub(crate) fn run(stage: impl Stage + 'static, lines: &[&str]) -> Runner {
    let mut runner = Runner::new(vec![Box::new(stage)]);
    for line in lines {
        runner.line(line);
    }
    runner
}
