//! `cri`: lines of container logs in the format of the Kubernetes runtime interface, parts joined.
//!
//! A part (`P`) waits for the line's end (anything else) of the same stream of the same file. The
//! joined line has the time of its last part, as Promtail's. A line whose time cannot be read comes a
//! nanosecond after the one before it of its stream. A line that is not of this format passes as it
//! is.

use std::sync::Arc;

use masthead_model::Nanos;
use masthead_wire::cri::{CriLine, CriStream};
use serde::Deserialize;

use crate::{
    LINE_BYTES_MAX,
    entry::{Entry, LineLabels, Mark, Value},
    pipeline::{
        Cx, Stage, Verdict,
        section::{Context, Made, byte_size},
    },
    position::HELD_RUNS_MAX,
};

/// How parts are joined.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Streams with a line of which the end is missing; one more, and the oldest goes on unfinished.
    pub(crate) partial_lines_max: usize,
    /// Bytes of a joined line; the rest is cut off.
    pub(crate) line_bytes_max: usize,
    /// Whether what was parsed is also extracted, because a later stage may ask.
    pub(crate) extract: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { partial_lines_max: 100, line_bytes_max: LINE_BYTES_MAX, extract: true }
    }
}

#[derive(Debug)]
pub(crate) struct Cri {
    settings: Arc<Settings>,
    names: Names,
    partial: Vec<Entry>,
    /// When the last line of stdout and of stderr was.
    last: [Option<Nanos>; 2],
}

#[derive(Debug, Clone)]
struct Names {
    time: Arc<str>,
    stream: Arc<str>,
    flags: Arc<str>,
    content: Arc<str>,
}

impl Cri {
    pub(crate) fn new(settings: Settings) -> Self {
        let names = Names {
            time: "time".into(),
            stream: "stream".into(),
            flags: "flags".into(),
            content: "content".into(),
        };
        Self { settings: Arc::new(settings), names, partial: Vec::new(), last: [None; 2] }
    }

    /// When a line was: what it says, else right behind the one before, else as it is.
    fn time(&mut self, said: Option<Nanos>, stream: CriStream, entry: &Entry) -> Nanos {
        let [stdout, stderr] = &mut self.last;
        let last = match stream {
            CriStream::Stdout => stdout,
            CriStream::Stderr => stderr,
        };
        *last = said.or_else(|| Some((*last)?.saturating_add(1)));
        last.unwrap_or(entry.timestamp)
    }

    /// Appends `entry` to the parts of its stream. If that makes the group complete, or it cannot be
    /// held any longer, it is in `entry` afterwards.
    fn join(&mut self, cx: &Cx<'_>, entry: &mut Entry, last: bool) -> Verdict {
        let place = self.partial.iter().position(|held| same(&held.labels, &entry.labels));
        let Some(place) = place else {
            if last {
                return Verdict::Next;
            }
            self.partial.push(std::mem::take(entry));
            if self.partial.len() <= self.settings.partial_lines_max {
                return Verdict::Held;
            }
            cx.stats.partial_lines_cut.add(1);
            *entry = self.partial.remove(0);
            entry.cut = true;
            return Verdict::Next;
        };
        let Some(held) = self.partial.get_mut(place) else { return Verdict::Next };
        let room = self.settings.line_bytes_max.saturating_sub(held.line.len());
        if entry.line.len() > room && !held.cut {
            held.cut = true;
            cx.stats.lines_cut.add(1);
        }
        held.line.extend_from_slice(entry.line.get(..room).unwrap_or(&entry.line));
        held.timestamp = entry.timestamp;
        let scattered = held.marks.len() >= HELD_RUNS_MAX;
        join_marks(held, entry);
        if !last && !scattered {
            return Verdict::Held;
        }
        if !last {
            cx.stats.partial_lines_cut.add(1);
            held.cut = true;
        }
        *entry = self.partial.remove(place);
        if self.settings.extract {
            entry.extracted.set(&self.names.content, Value::Text(entry.line.clone()));
        }
        Verdict::Next
    }
}

/// Marks that touch become one, so that a long group stays small.
pub(crate) fn join_marks(held: &mut Entry, entry: &Entry) {
    for mark in &entry.marks {
        match held.marks.last_mut() {
            Some(last) if last.reader == mark.reader && last.run.end == mark.run.start => {
                last.run.end = mark.run.end;
            }
            _ => held.marks.push(*mark),
        }
    }
}

fn same(one: &LineLabels, other: &LineLabels) -> bool {
    one == other
}

impl Stage for Cri {
    fn process(&mut self, cx: &Cx<'_>, entry: &mut Entry) -> Verdict {
        if self.settings.extract {
            entry.extract_labels();
        }
        let Some(line) = CriLine::parse(&entry.line) else {
            cx.stats.unparsed("cri");
            return Verdict::Next;
        };
        if line.timestamp.is_none() {
            cx.stats.unparsed("cri");
        }
        let (partial, said, stream) = (line.partial, line.timestamp, line.stream);
        let start = entry.line.len() - line.content.len();
        entry.timestamp = self.time(said, stream, entry);
        let stream = stream.as_str();
        if self.settings.extract {
            let time = entry.line.iter().position(|byte| *byte == b' ').unwrap_or(0);
            let time = entry.line.get(..time).unwrap_or_default().to_vec();
            let flags = if partial { "P" } else { "F" };
            entry.extracted.set(&self.names.time, Value::Text(time));
            entry.extracted.set(&self.names.stream, Value::Text(stream.into()));
            entry.extracted.set(&self.names.flags, Value::Text(flags.into()));
        }
        entry.line.drain(..start);
        if self.settings.extract {
            entry.extracted.set(&self.names.content, Value::Text(entry.line.clone()));
        }
        entry.labels.set("stream".into(), Some(stream.into()));
        if !partial && self.partial.is_empty() {
            return Verdict::Next;
        }
        self.join(cx, entry, !partial)
    }

    fn held(&self, visit: &mut dyn FnMut(Mark)) {
        self.partial.iter().flat_map(|held| &held.marks).for_each(|mark| visit(*mark));
    }

    fn fresh(&self) -> Box<dyn Stage> {
        Box::new(Self {
            settings: Arc::clone(&self.settings),
            names: self.names.clone(),
            partial: Vec::new(),
            last: [None; 2],
        })
    }
}

/// The section, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the keys, as they are written")]
pub(crate) struct Written {
    max_partial_lines: Option<usize>,
    max_partial_line_size: Option<String>,
    max_partial_line_size_truncate: Option<bool>,
}

/// Checks the section and makes the stage.
pub(crate) fn make(written: Option<Written>, context: &Context<'_>) -> Made {
    let written = written.unwrap_or_default();
    let mut settings = Settings { extract: !context.last, ..Settings::default() };
    if let Some(max) = written.max_partial_lines.filter(|max| *max > 0) {
        settings.partial_lines_max = max;
    }
    if let Some(size) = written.max_partial_line_size.filter(|size| size != "0") {
        // Without `truncate`, Promtail only looks at the size; longer lines are cut in any case.
        let size = byte_size(&size)?;
        if written.max_partial_line_size_truncate == Some(true) {
            settings.line_bytes_max = size.min(LINE_BYTES_MAX);
        }
    }
    Ok(Box::new(Cri::new(settings)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::testing::Runner;

    #[test]
    fn parts_of_each_stream_are_joined_apart() {
        let mut runner = Runner::new(vec![Box::new(Cri::new(Settings::default()))]);
        runner.line("2024-01-01T00:00:01Z stdout P one ");
        runner.line("2024-01-01T00:00:02Z stderr P a");
        runner.line("2024-01-01T00:00:03Z stdout P two ");
        assert_eq!(runner.held(), 3);
        runner.line("2024-01-01T00:00:04Z stderr F b");
        runner.line("2024-01-01T00:00:05Z stdout F:x three");
        runner.line("2024-01-01T00:00:06Z stdout F ");
        runner.line("not of this format");
        assert_eq!(runner.held(), 0);
        assert_eq!(
            runner.shown(),
            [
                r#"1704067204000000000 {stream="stderr"} ab"#,
                r#"1704067205000000000 {stream="stdout"} one two three"#,
                r#"1704067206000000000 {stream="stdout"} "#,
                "0 {} not of this format",
            ]
        );
    }

    #[test]
    fn a_line_whose_time_cannot_be_read_follows_the_one_before() {
        let mut runner = Runner::new(vec![Box::new(Cri::new(Settings::default()))]);
        runner.line("yesterday stdout F first");
        runner.line("2024-01-01T00:00:01Z stdout F two");
        runner.line("2024-01-01T00:00:02Z stderr F other");
        runner.line("yesterday stdout F three");
        runner.line("today stdout F four");
        assert_eq!(
            runner.shown(),
            [
                r#"0 {stream="stdout"} first"#,
                r#"1704067201000000000 {stream="stdout"} two"#,
                r#"1704067202000000000 {stream="stderr"} other"#,
                r#"1704067201000000001 {stream="stdout"} three"#,
                r#"1704067201000000002 {stream="stdout"} four"#,
            ]
        );
        assert_eq!(runner.stats.unparsed_lines(), [("cri", 3)]);
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let settings = Settings { line_bytes_max: 8, ..Settings::default() };
        let mut runner = Runner::new(vec![Box::new(Cri::new(settings))]);
        for part in ["12345", "6789", "xyz"] {
            runner.line(&format!("2024-01-01T00:00:01Z stdout P {part}"));
        }
        runner.line("2024-01-01T00:00:02Z stdout F end");
        assert_eq!(runner.shown(), [r#"1704067202000000000 {stream="stdout"} 12345678 (cut)"#]);
        assert_eq!(runner.stats.lines_cut.get(), 1);
    }

    #[test]
    fn a_group_scattered_too_widely_goes_on_unfinished() {
        let mut runner = Runner::new(vec![Box::new(Cri::new(Settings::default()))]);
        for _ in 0..=HELD_RUNS_MAX {
            runner.line("2024-01-01T00:00:01Z stdout P x");
            runner.line("2024-01-01T00:00:01Z stderr F between");
        }
        assert_eq!(runner.held(), 0);
        assert_eq!(runner.stats.partial_lines_cut.get(), 1);
    }
}
