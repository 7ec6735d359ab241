//! Lines and numbers for people and for programs.
//!
//! A pretty line is its time, its level in colour, the line, and its own labels in columns behind
//! it (`columns.rs`); text from outside never moves the cursor or sets a colour.

use std::io;

use anstyle::Style;
use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::json;

use super::{
    answer::{LabelMap, Line, Series},
    columns::{Cell, Columns, LEVELS},
};
use crate::{
    cli::LogsFormat,
    terminal::{self, BLUE, BOLD, DIM, GREEN, Output, RED, YELLOW},
};

/// As wide as `critical`, so that lines begin in one column.
const LEVEL_WIDTH: usize = 8;

/// How it is shown.
#[derive(Debug)]
pub(super) struct Show {
    pub(super) format: LogsFormat,
    pub(super) output: Output,
    pub(super) columns: Columns,
}

impl Show {
    /// Writes one line to stdout.
    ///
    /// # Errors
    /// That of stdout.
    pub(super) fn line(&mut self, line: &Line) -> io::Result<()> {
        self.columns.fit(line);
        terminal::print(&self.rendered(line))
    }

    fn rendered(&self, line: &Line) -> String {
        match self.format {
            LogsFormat::Raw => line.text.clone(),
            LogsFormat::Json => {
                let mut labels = line.stream.clone();
                labels.extend(line.own.clone());
                json!({"timestamp": exact(line.at), "labels": labels, "line": line.text})
                    .to_string()
            }
            LogsFormat::Pretty => self.pretty(line),
        }
    }

    fn pretty(&self, line: &Line) -> String {
        let level = LEVELS.iter().find_map(|name| line.own.get(*name).or(line.stream.get(*name)));
        let level = level.map_or("", String::as_str);
        let padded = format!("{:LEVEL_WIDTH$}", terminal::one_line(level).to_uppercase());
        let text = terminal::one_line(&line.text);
        let mut out = format!(
            "{} {} {text}",
            self.output.paint(DIM, &time(line.at)),
            self.output.paint(style(level), &padded),
        );
        for Cell { gap, name, value } in self.columns.cells(&text, line) {
            out.extend(std::iter::repeat_n(' ', gap));
            out.push_str(&self.output.paint(BLUE, &format!("{name}=")));
            out.push_str(&value);
        }
        out
    }

    /// Writes series to stdout: one line a point, JSON one line a series.
    ///
    /// # Errors
    /// That of stdout.
    pub(super) fn numbers(&self, series: &[Series]) -> anyhow::Result<()> {
        for Series { labels, points } in series {
            if self.format == LogsFormat::Json {
                terminal::print(&json!({"labels": labels, "points": points}).to_string())?;
                continue;
            }
            for (at, value) in points {
                let at = Timestamp::from_microsecond(micros(*at)).context("a time out of range")?;
                let text = match self.format {
                    LogsFormat::Raw => value.clone(),
                    _ => format!(
                        "{} {} {}",
                        self.output.paint(DIM, &format!("{at:.3}")),
                        terminal::one_line(&selector(labels)),
                        self.output.paint(BOLD, value),
                    ),
                };
                terminal::print(&text)?;
            }
        }
        Ok(())
    }
}

fn selector(labels: &LabelMap) -> String {
    let pairs = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    masthead_wire::loki::label_text(pairs)
}

fn style(level: &str) -> Style {
    match level.to_ascii_lowercase().as_str() {
        "critical" | "fatal" | "error" => RED,
        "warn" | "warning" => YELLOW,
        "info" => GREEN,
        "debug" => BLUE,
        _ => DIM,
    }
}

/// RFC 3339 to the millisecond, for people.
fn time(nanos: i64) -> String {
    Timestamp::from_nanosecond(i128::from(nanos))
        .map_or_else(|_| nanos.to_string(), |at| format!("{at:.3}"))
}

/// RFC 3339 to the nanosecond, for programs: lines of one millisecond are told apart.
fn exact(nanos: i64) -> String {
    Timestamp::from_nanosecond(i128::from(nanos))
        .map_or_else(|_| nanos.to_string(), |at| format!("{at:.9}"))
}

#[expect(clippy::cast_possible_truncation, reason = "held at the ends, which no time reaches")]
fn micros(seconds: f64) -> i64 {
    (seconds * 1e6) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_each_form() {
        let map = |pairs: &[(&str, &str)]| -> LabelMap {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let line = Line {
            at: 1_500_000_007,
            stream: map(&[("app", "a")]),
            own: map(&[("detected_level", "warn"), ("user", "x\ty")]),
            text: "it\u{1b}[31m".to_owned(),
        };
        let f = |format, want: &str| {
            let mut show = Show { format, output: Output::plain(), columns: Columns::default() };
            show.columns.fit(&line);
            assert_eq!(show.rendered(&line), want);
        };
        f(LogsFormat::Raw, "it\u{1b}[31m");
        f(LogsFormat::Pretty, "1970-01-01T00:00:01.500Z WARN     it\\u{1b}[31m  user=x\\ty");
        f(
            LogsFormat::Json,
            r#"{"labels":{"app":"a","detected_level":"warn","user":"x\ty"},"line":"it\u001b[31m","timestamp":"1970-01-01T00:00:01.500000007Z"}"#,
        );
    }
}
