//! Reads a script into commands.
//!
//! A command ends at an empty line or a comment, so does the list of what is expected.

use std::collections::BTreeMap;

use masthead_model::{Labels, Millis, PromDuration, Regexp, Value, parse_number, unquote};

use super::{
    Failure, LoadedSample, LoadedSeries,
    classic::native_series,
    hints,
    series::{Described, parse_series, split_labels},
    starts::parse_starts,
};

/// A script that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct ScriptError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

/// A script.
#[derive(Debug)]
pub struct Script {
    /// Its commands, in order.
    pub commands: Vec<Command>,
}

/// One command.
#[derive(Debug)]
pub enum Command {
    /// `clear`
    Clear {
        /// The line, counted from 1.
        line: usize,
    },
    /// `load` or `load_with_nhcb`
    Load(Load),
    /// `eval`
    Eval(Box<Eval>),
}

/// Series to be stored.
#[derive(Debug)]
pub struct Load {
    /// The line, counted from 1.
    pub line: usize,
    /// The series, those made from classic histograms last.
    pub series: Vec<LoadedSeries>,
}

/// When a query is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvalTime {
    /// At one instant.
    Instant(Millis),
    /// From the first to the second, by milliseconds.
    Range(Millis, Millis, i64),
}

/// A query and what must come of it.
#[derive(Debug)]
pub struct Eval {
    /// The line, counted from 1.
    pub line: usize,
    /// The query.
    pub expr: String,
    /// When it is evaluated.
    pub time: EvalTime,
    /// What must come of it.
    pub(super) expect: Expect,
}

/// What must come of a query.
#[derive(Debug, Default)]
pub(super) struct Expect {
    pub(super) fail: Option<Text>,
    pub(super) ordered: bool,
    pub(super) warn: Vec<Text>,
    pub(super) info: Vec<Text>,
    pub(super) no_warn: bool,
    pub(super) no_info: bool,
    /// Series with their place in the list, counted from 1.
    pub(super) series: BTreeMap<Labels, (usize, Vec<Described>)>,
    pub(super) scalar: Option<f64>,
    pub(super) string: Option<String>,
    /// The instants of a range vector that an instant query gives: start, end, step.
    pub(super) range_vector: Option<(Millis, Millis, i64)>,
}

/// What a message must be.
#[derive(Debug)]
pub(super) enum Text {
    Any,
    Exactly(String),
    Matches(String, Regexp),
}

impl Text {
    pub(super) fn accepts(&self, message: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(text) => text == message,
            Self::Matches(_, regexp) => regexp.is_match(message),
        }
    }

    fn matching(pattern: &str) -> Result<Self, String> {
        // Ours match the whole text, those of scripts any part of it.
        let regexp = Regexp::new(&format!(".*(?:{pattern}).*"))
            .map_err(|error| format!("invalid regex {pattern}: {error}"))?;
        Ok(Self::Matches(pattern.to_owned(), regexp))
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => f.write_str("any message"),
            Self::Exactly(text) => write!(f, "message {text:?}"),
            Self::Matches(pattern, _) => write!(f, "a message matching {pattern:?}"),
        }
    }
}

impl From<ScriptError> for Failure {
    fn from(error: ScriptError) -> Self {
        Self {
            line: error.line,
            what: "script".to_owned(),
            expected: "a command".to_owned(),
            got: error.what,
        }
    }
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// The first line that cannot be read.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        Self::parse_from(text, Millis(0))
    }

    /// Reads a script whose loads begin at `start` instead of the epoch.
    ///
    /// # Errors
    /// The first line that cannot be read.
    pub fn parse_from(text: &str, start: Millis) -> Result<Self, ScriptError> {
        let lines = text.lines().map(str::trim).map(|l| if l.starts_with('#') { "" } else { l });
        let mut lines = Lines { lines: lines.collect(), at: 0 };
        let mut commands = Vec::new();
        while let Some(first) = lines.next() {
            if first.is_empty() {
                continue;
            }
            let line = lines.at;
            let word = first.split_ascii_whitespace().next().unwrap_or("").to_ascii_lowercase();
            let command = if word == "clear" {
                Ok(Command::Clear { line })
            } else if word.starts_with("load") {
                load(first, &mut lines, start).map(Command::Load)
            } else if word.starts_with("eval") {
                eval(first, &mut lines).map(|eval| Command::Eval(Box::new(eval)))
            } else {
                Err(format!("invalid command {first:?}"))
            };
            // Errors are of the line that was read last.
            commands.push(command.map_err(|what| ScriptError { line: lines.at, what })?);
        }
        Ok(Self { commands })
    }
}

struct Lines<'a> {
    lines: Vec<&'a str>,
    /// How many were read.
    at: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let line = self.lines.get(self.at)?;
        self.at += 1;
        Some(line)
    }

    /// The next line of a block; nothing at its end, which is not read.
    fn next_in_block(&mut self) -> Option<&'a str> {
        self.lines.get(self.at).filter(|line| !line.is_empty())?;
        self.next()
    }
}

fn duration(text: &str) -> Result<i64, String> {
    PromDuration::parse(text)
        .map(PromDuration::as_millis)
        .map_err(|error| format!("{text:?}: {error}"))
}

fn load(first: &str, lines: &mut Lines<'_>, start: Millis) -> Result<Load, String> {
    let line = lines.at;
    let (word, step) = first.split_once([' ', '\t']).unwrap_or((first, ""));
    let native = match word {
        "load" => false,
        "load_with_nhcb" => true,
        _ => return Err("invalid load command. (load[_with_nhcb] <step:duration>)".to_owned()),
    };
    let step = duration(step.trim()).map_err(|error| format!("invalid step definition {error}"))?;
    let mut series: Vec<LoadedSeries> = Vec::new();
    let mut by_default: Vec<Option<i64>> = Vec::new();
    let mut own: Option<(Labels, Vec<Option<i64>>)> = None;
    let unused = "@st line has no following sample line";
    while let Some(text) = lines.next_in_block() {
        if let Some(starts) = parse_starts(text) {
            let (of, offsets) = starts?;
            if own.is_some() {
                return Err(unused.to_owned());
            }
            if of.is_empty() {
                by_default = offsets;
            } else {
                let labels = of
                    .parse()
                    .map_err(|error| format!("invalid @st line metric {of:?}: {error}"))?;
                own = Some((labels, offsets));
            }
            continue;
        }
        let (labels, values) = parse_series(text)?;
        let offsets = match own.take() {
            Some((of, _)) if of != labels => {
                return Err("@st metric does not match the following sample line metric".to_owned());
            }
            Some((_, offsets)) if offsets.len() != values.len() => {
                let (starts, values) = (offsets.len(), values.len());
                return Err(format!("@st line has {starts} values but sample line has {values}"));
            }
            Some((_, offsets)) => offsets,
            None => by_default
                .iter()
                .copied()
                .cycle()
                .take(if by_default.is_empty() { 0 } else { values.len() })
                .collect(),
        };
        let mut samples = Vec::with_capacity(values.len());
        let mut timestamp = start;
        for (at, value) in values.into_iter().enumerate() {
            let value = match value {
                Described::Gap => None,
                Described::Float(value) => Some(Value::Float(value)),
                Described::Histogram(histogram, _) => Some(Value::Histogram(histogram)),
            };
            let offset = offsets.get(at).copied().flatten();
            let start = offset.map(|offset| timestamp.saturating_add(offset));
            samples.extend(value.map(|value| LoadedSample { timestamp, start, value }));
            timestamp = timestamp.saturating_add(step);
        }
        series.retain(|other| other.labels != labels);
        series.push(LoadedSeries { labels, samples });
    }
    if own.is_some() {
        return Err(unused.to_owned());
    }
    if native {
        let made = native_series(&series)?;
        series.extend(made);
    }
    for one in &mut series {
        hints::settle(&mut one.samples);
    }
    Ok(Load { line, series })
}

/// The first word and what follows it.
fn word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
    (word, rest.trim_start())
}

/// `keyword TIME` at the start of `text`: the time in milliseconds, and what follows.
fn keyword_time<'a>(text: &'a str, keyword: &str) -> Result<(i64, &'a str), String> {
    let (found, rest) = word(text);
    if found != keyword {
        return Err(format!("invalid evaluation command: expected {keyword:?}, found {found:?}"));
    }
    let (time, rest) = word(rest);
    Ok((duration(time).map_err(|error| format!("invalid time after {keyword:?}: {error}"))?, rest))
}

/// `from A to B step C` at the start of `text`.
fn time_range(text: &str) -> Result<((Millis, Millis, i64), &str), String> {
    let (start, rest) = keyword_time(text, "from")?;
    let (end, rest) = keyword_time(rest, "to")?;
    let (step, rest) = keyword_time(rest, "step")?;
    if end < start {
        return Err("invalid test definition, end timestamp is before start timestamp".to_owned());
    }
    Ok(((Millis(start), Millis(end), step), rest))
}

fn eval(first: &str, lines: &mut Lines<'_>) -> Result<Eval, String> {
    let line = lines.at;
    let (command, rest) = word(first);
    let mut expect = Expect::default();
    match command.strip_prefix("eval").unwrap_or("") {
        "" => {}
        "_fail" => expect.fail = Some(Text::Any),
        "_warn" => expect.warn.push(Text::Any),
        "_info" => expect.info.push(Text::Any),
        "_ordered" => expect.ordered = true,
        _ => return Err(format!("invalid evaluation command {command:?}")),
    }
    let (kind, rest) = word(rest);
    let (time, expr) = match kind {
        "instant" => {
            let (at, expr) = keyword_time(rest, "at")?;
            (EvalTime::Instant(Millis(at)), expr)
        }
        "range" => {
            let ((start, end, step), expr) = time_range(rest)?;
            (EvalTime::Range(start, end, step), expr)
        }
        _ => {
            return Err(format!("invalid evaluation command: neither instant nor range: {kind:?}"));
        }
    };
    if expr.is_empty() {
        return Err("invalid evaluation command: no query".to_owned());
    }
    let mut place = 0;
    while let Some(text) = lines.next_in_block() {
        if let Some(number) = parse_number(text) {
            expect.scalar = Some(number);
            break;
        }
        let (first_word, rest) = word(text);
        match first_word {
            "expected_fail_message" => expect.fail = Some(Text::Exactly(rest.to_owned())),
            "expected_fail_regexp" => expect.fail = Some(Text::matching(rest)?),
            "expect" => read_expect(rest, &mut expect)?,
            _ => {
                let (labels, values) = parse_series(text)?;
                if values.is_empty() {
                    return Err(format!("no values for {}", split_labels(text).0));
                }
                let many = values.len() > 1 && expect.range_vector.is_none();
                if many && matches!(time, EvalTime::Instant(_)) {
                    return Err("expecting multiple values in instant evaluation not allowed. consider using 'expect range vector' directive to enable a range vector result for an instant query".to_owned());
                }
                place += 1;
                expect.series.insert(labels, (place, values));
            }
        }
    }
    if !expect.info.is_empty() && expect.no_info {
        return Err("invalid expect lines, info and no_info cannot be used together".to_owned());
    }
    if !expect.warn.is_empty() && expect.no_warn {
        return Err("invalid expect lines, warn and no_warn cannot be used together".to_owned());
    }
    Ok(Eval { line, expr: expr.to_owned(), time, expect })
}

fn read_expect(text: &str, expect: &mut Expect) -> Result<(), String> {
    let (kind, rest) = word(text);
    match kind {
        "string" => {
            let string = unquote(rest).map_err(|error| {
                format!("expected string literal not valid - check that the string is correctly quoted: {error}")
            })?;
            expect.string = Some(string);
            return Ok(());
        }
        "range" => {
            let range =
                rest.strip_prefix("vector").ok_or("expected `expect range vector from …`")?;
            let (range, after) = time_range(range.trim_start())?;
            if !after.is_empty() {
                return Err(format!("invalid range vector definition {text:?}"));
            }
            expect.range_vector = Some(range);
            return Ok(());
        }
        _ => {}
    }
    let message = if rest.is_empty() {
        Text::Any
    } else if let Some(message) = rest.strip_prefix("msg:") {
        Text::Exactly(message.trim().to_owned())
    } else if let Some(pattern) = rest.strip_prefix("regex:") {
        Text::matching(pattern.trim())?
    } else {
        return Err(format!(
            "invalid expect statement {text:?}: must be `expect <type> <match_type>: <string>`"
        ));
    };
    match kind {
        "fail" if expect.fail.is_some() => {
            return Err(
                "invalid expect lines, multiple expect fail lines are not allowed".to_owned()
            );
        }
        "fail" => expect.fail = Some(message),
        "warn" => expect.warn.push(message),
        "info" => expect.info.push(message),
        "no_warn" => expect.no_warn = true,
        "no_info" => expect.no_info = true,
        "ordered" => expect.ordered = true,
        _ => return Err(format!("invalid expected error/annotation type {kind}")),
    }
    Ok(())
}
