//! `multiline`: lines up to the next first line are one.
//!
//! A group ends at the next first line of the same labels, at `max_lines`, after `max_wait` without
//! a line, or at the limit on bytes. What comes before the first first line passes as it is.

use std::{sync::Arc, time::Duration};

use masthead_model::RegexpSearch;
use serde::Deserialize;

use crate::{
    LINE_BYTES_MAX,
    config::go_duration_or_zero,
    entry::{Entry, Mark},
    pipeline::{
        Cx, Stage, Verdict,
        cri::join_marks,
        section::{Context, Made},
        selector::regex,
    },
    position::HELD_RUNS_MAX,
};

/// Groups of different labels that one file may have open; one more closes the oldest.
const OPEN_GROUPS_MAX: usize = 64;

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) firstline: RegexpSearch,
    pub(crate) max_wait: Duration,
    pub(crate) max_lines: usize,
}

#[derive(Debug)]
pub(crate) struct Multiline {
    settings: Arc<Settings>,
    groups: Vec<Group>,
}

/// Lines of the same labels. It stays after its lines went on, because what follows without a first
/// line belongs to a group too.
#[derive(Debug)]
struct Group {
    /// The first line, with the others appended; its labels are the key.
    entry: Entry,
    lines: usize,
    last: Duration,
}

impl Multiline {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings: Arc::new(settings), groups: Vec::new() }
    }
}

impl Group {
    /// What the group holds, leaving it open without lines.
    fn take(&mut self) -> Entry {
        self.lines = 0;
        let mut kept = Entry { labels: self.entry.labels.clone(), ..Entry::default() };
        kept.timestamp = self.entry.timestamp;
        kept.extracted = self.entry.extracted.clone();
        std::mem::replace(&mut self.entry, kept)
    }

    /// Appends a line; `true` if the group is full then.
    fn push(&mut self, cx: &Cx<'_>, entry: &Entry, settings: &Settings) -> bool {
        if self.lines > 0 {
            self.entry.line.push(b'\n');
        }
        let room = LINE_BYTES_MAX.saturating_sub(self.entry.line.len());
        if entry.line.len() > room && !self.entry.cut {
            self.entry.cut = true;
            cx.stats.lines_cut.add(1);
        }
        self.entry.line.extend_from_slice(entry.line.get(..room).unwrap_or(&entry.line));
        join_marks(&mut self.entry, entry);
        self.lines += 1;
        self.last = cx.monotonic;
        self.lines >= settings.max_lines || self.entry.marks.len() >= HELD_RUNS_MAX
    }
}

impl Stage for Multiline {
    fn process(&mut self, cx: &Cx<'_>, entry: &mut Entry) -> Verdict {
        let settings = Arc::clone(&self.settings);
        let first = settings.firstline.is_match(&entry.line);
        let place = self.groups.iter().position(|group| group.entry.labels == entry.labels);
        let Some(place) = place else {
            if !first || settings.max_lines <= 1 {
                return Verdict::Next;
            }
            let new = Group { entry: std::mem::take(entry), lines: 1, last: cx.monotonic };
            self.groups.push(new);
            if self.groups.len() <= OPEN_GROUPS_MAX {
                return Verdict::Held;
            }
            let oldest = self.groups.remove(0);
            if oldest.lines == 0 {
                return Verdict::Held;
            }
            *entry = oldest.entry;
            return Verdict::Next;
        };
        let Some(group) = self.groups.get_mut(place) else { return Verdict::Next };
        if first {
            let new = std::mem::take(entry);
            let before = std::mem::replace(&mut group.entry, new);
            let had_lines = std::mem::replace(&mut group.lines, 1) > 0;
            group.last = cx.monotonic;
            if had_lines {
                *entry = before;
                return Verdict::Next;
            }
            return Verdict::Held;
        }
        if group.push(cx, entry, &settings) {
            *entry = group.take();
            return Verdict::Next;
        }
        Verdict::Held
    }

    fn overdue(&mut self, cx: &Cx<'_>, entry: &mut Entry) -> bool {
        let wait = self.settings.max_wait;
        let late =
            |group: &&mut Group| group.lines > 0 && cx.monotonic.saturating_sub(group.last) >= wait;
        match self.groups.iter_mut().find(late) {
            Some(group) => {
                *entry = group.take();
                true
            }
            None => false,
        }
    }

    fn held(&self, visit: &mut dyn FnMut(Mark)) {
        self.groups.iter().flat_map(|group| &group.entry.marks).for_each(|mark| visit(*mark));
    }

    fn fresh(&self) -> Box<dyn Stage> {
        Box::new(Self { settings: Arc::clone(&self.settings), groups: Vec::new() })
    }
}

/// The section, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    firstline: Option<String>,
    max_wait_time: Option<String>,
    max_lines: Option<usize>,
}

/// Checks the section and makes the stage.
pub(crate) fn make(written: Option<Written>, _: &Context<'_>) -> Made {
    let written = written.unwrap_or_default();
    let first = written
        .firstline
        .ok_or("multiline stage config must define `firstline` regular expression")?;
    let max_wait = match written.max_wait_time {
        Some(text) => go_duration_or_zero(&text)
            .map_err(|error| format!("multiline stage `max_wait_time` parse error: {error}"))?,
        None => Duration::from_secs(3),
    };
    let max_lines = written.max_lines.filter(|max| *max > 0).unwrap_or(128);
    // An empty one fits every line, so that each is a group.
    let firstline = regex(&first)
        .map_err(|error| format!("multiline stage first line regex compilation error: {error}"))?;
    Ok(Box::new(Multiline::new(Settings { firstline, max_wait, max_lines })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::testing::Runner;

    fn runner(max_lines: usize) -> Runner {
        let settings = Settings {
            firstline: RegexpSearch::new("^START").unwrap(),
            max_wait: Duration::from_secs(3),
            max_lines,
        };
        Runner::new(vec![Box::new(Multiline::new(settings))])
    }

    #[test]
    fn groups_end_at_the_next_first_line_and_after_a_wait() {
        let mut runner = runner(128);
        for line in ["before", "START 1", "  a", "", "START 2", "  b"] {
            runner.line(line);
        }
        assert_eq!(runner.shown(), ["0 {} before", "0 {} START 1\n  a\n"]);
        assert!(runner.held() > 0);
        runner.now += Duration::from_secs(2);
        runner.tick();
        assert_eq!(runner.out.len(), 2);
        runner.now += Duration::from_secs(1);
        runner.tick();
        assert_eq!(runner.shown()[2..], ["0 {} START 2\n  b"]);
        assert_eq!(runner.held(), 0);
        // What comes now has lost its first line, and still is a group.
        runner.line("  c");
        runner.line("  d");
        runner.line("START 3");
        assert_eq!(runner.shown()[3..], ["0 {}   c\n  d"]);
    }

    #[test]
    fn a_full_group_goes_on() {
        let mut two = runner(2);
        for line in ["START 1", "a", "b", "c", "START 2"] {
            two.line(line);
        }
        assert_eq!(two.shown(), ["0 {} START 1\na", "0 {} b\nc"]);
        let mut one = runner(1);
        one.line("START 1");
        one.line("a");
        assert_eq!(one.shown(), ["0 {} START 1", "0 {} a"]);
    }

    #[test]
    fn bytes_are_limited() {
        let mut runner = runner(1_000_000);
        runner.line("START");
        for _ in 0..3 {
            runner.line(&"x".repeat(LINE_BYTES_MAX / 2));
        }
        runner.line("START");
        assert_eq!(runner.out.len(), 1);
        assert!(runner.out[0].cut && runner.out[0].line.len() <= LINE_BYTES_MAX + 3);
    }
}
