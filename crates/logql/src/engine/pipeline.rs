//! The stages of a query, ready to run.
//!
//! Line filters are moved forward as Loki moves them (`ast.go: reorderStages`): a filter runs
//! before earlier stages that leave the line alone, and on the line that those were given. What
//! changes the line (`line_format`, `unpack`) and what drops lines by labels is passed by none.

use masthead_model::{Labels, Nanos};
use masthead_ports::LogRow;

use super::LineLabels;
use crate::{
    ParseError,
    ast::{
        Comparison, LabelFilterExpr, LabelValueFormat, LineFilterExpr, LineOp, LogExpr,
        NamedMatcher, StageExpr, Unwrap, UnwrapConversion,
    },
    stages::{self, Keep, Line, Needed, Stage, StageError},
};

/// A pipeline that can be run.
#[derive(Debug)]
pub struct Pipeline {
    /// Filters that are asked before anything is known of a line but its text.
    first: Vec<stages::LineFilter>,
    rest: Vec<Box<dyn Stage>>,
    needed: Needed,
    /// Whether a line may cost as much as a template does.
    has_templates: bool,
}

impl Pipeline {
    /// The pipeline of a log query, which shows every label.
    ///
    /// # Errors
    /// A stage that cannot be made, in Loki's words.
    pub fn new(log: &LogExpr) -> Result<Self, ParseError> {
        Self::with_needed(log, Needed::everything())
    }

    /// A pipeline whose result needs no other labels than `needed`.
    pub(super) fn with_needed(log: &LogExpr, mut needed: Needed) -> Result<Self, ParseError> {
        let mut first = Vec::new();
        let mut rest: Vec<Box<dyn Stage>> = Vec::new();
        for run in reordered(&log.stages) {
            let failed = |error: StageError| {
                let written: Vec<String> = run.iter().map(ToString::to_string).collect();
                ParseError::nowhere(format!("stage '{}' : {error}", written.join(" ")))
            };
            for stage in &run {
                if let StageExpr::LineFilter(filter) = stage {
                    let filter = line_filter(filter).map_err(failed)?;
                    if filter.is_always() {
                        continue;
                    }
                    if rest.is_empty() {
                        first.push(filter);
                    } else {
                        rest.push(Box::new(filter));
                    }
                } else {
                    rest.push(make(stage).map_err(|error| match stage {
                        // Upstream looks at these two while it parses.
                        StageExpr::Regexp(_) => {
                            ParseError::nowhere(format!("invalid regexp parser: {error}"))
                        }
                        StageExpr::Pattern(_) => {
                            ParseError::nowhere(format!("invalid pattern parser: {error}"))
                        }
                        _ => failed(error),
                    })?);
                }
            }
        }
        for stage in &rest {
            stage.needs(&mut needed);
        }
        let is_template = |stage: &StageExpr| {
            matches!(stage, StageExpr::LineFormat(_) | StageExpr::LabelFormat(_))
        };
        let has_templates = log.stages.iter().any(is_template);
        Ok(Self { first, rest, needed, has_templates })
    }

    /// Which labels something looks at.
    pub fn needed(&self) -> &Needed {
        &self.needed
    }

    /// Whether every line passes as it is.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty() && self.rest.is_empty()
    }

    /// Whether labels and text stay as they came.
    pub(super) fn only_filters_text(&self) -> bool {
        self.rest.is_empty()
    }

    /// Lines between two questions whether to go on: a filter reads millions in a second, a parser
    /// may take long for a line of thousands of labels, and a template a second for one.
    pub(super) fn lines_per_check(&self) -> usize {
        match (self.has_templates, self.rest.is_empty()) {
            (true, _) => 1,
            (false, false) => 64,
            (false, true) => 8192,
        }
    }

    /// Whether a line passes the filters that stand first. Asked before [`Pipeline::run`], which
    /// does not ask again.
    pub(super) fn wants(&self, text: &[u8]) -> bool {
        self.first.iter().all(|filter| filter.matches(text))
    }

    /// Sends a line that is wanted through the other stages.
    pub(super) fn run(&self, line: &mut Line<'_>) -> Keep {
        for stage in &self.rest {
            if stage.process(line) == Keep::No {
                return Keep::No;
            }
        }
        Keep::Yes
    }

    /// What becomes of one line that was just pushed: its labels and text as an answer shows
    /// them, or nothing if it does not pass. `now` is what templates take for the present.
    pub fn entry(
        &self,
        stream: &Labels,
        row: &LogRow<'_>,
        now: Nanos,
    ) -> Option<(LineLabels, Box<[u8]>)> {
        if !self.wants(&row.line) {
            return None;
        }
        let mut line = Line::new(&self.needed).at(now.0);
        line.reset(stream, Some(&row.structured_metadata), &row.line, row.timestamp.0);
        (self.run(&mut line) == Keep::Yes).then(|| (LineLabels::of(&line), line.text().into()))
    }

    /// Sends a line through all stages.
    pub fn process(&self, line: &mut Line<'_>) -> Keep {
        if self.wants(line.text()) { self.run(line) } else { Keep::No }
    }
}

/// The stages in the order in which they run; neighbouring line filters are one run, because an
/// error names them all.
pub(super) fn reordered(stages: &[StageExpr]) -> Vec<Vec<&StageExpr>> {
    let (mut runs, mut filters, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let mut flush = |filters: &mut Vec<_>, others: &mut Vec<_>| {
        if !filters.is_empty() {
            runs.push(std::mem::take(filters));
        }
        runs.extend(std::mem::take(others).into_iter().map(|stage| vec![stage]));
    };
    for stage in stages {
        match stage {
            StageExpr::LineFilter(_) => filters.push(stage),
            StageExpr::LabelFilter(_) => {
                flush(&mut filters, &mut others);
                flush(&mut filters, &mut vec![stage]);
            }
            StageExpr::LineFormat(_) | StageExpr::Unpack => {
                others.push(stage);
                flush(&mut filters, &mut others);
            }
            _ => others.push(stage),
        }
    }
    flush(&mut filters, &mut others);
    runs
}

fn line_filter(filter: &LineFilterExpr) -> Result<stages::LineFilter, StageError> {
    let op = match filter.op {
        LineOp::Contains => stages::LineOp::Contains,
        LineOp::NotContains => stages::LineOp::NotContains,
        LineOp::Matches => stages::LineOp::Matches,
        LineOp::NotMatches => stages::LineOp::NotMatches,
        LineOp::Pattern => stages::LineOp::LooksLike,
        LineOp::NotPattern => stages::LineOp::NotLooksLike,
    };
    // Addresses are ASCII; whatever else stands there is no address.
    let addresses: Vec<_> =
        filter.any.iter().map(|value| String::from_utf8_lossy(&value.text)).collect();
    let operands = filter.any.iter().zip(&addresses).map(|(value, addresses)| {
        if value.ip {
            stages::LineOperand::Ip(addresses)
        } else {
            stages::LineOperand::Bytes(&value.text)
        }
    });
    stages::LineFilter::new(op, operands)
}

fn make(stage: &StageExpr) -> Result<Box<dyn Stage>, StageError> {
    let pairs = |extractions: &[crate::ast::Extraction]| {
        extractions
            .iter()
            .map(|extraction| (extraction.name.clone(), extraction.expression.clone()))
            .collect::<Vec<_>>()
    };
    Ok(match stage {
        StageExpr::LineFilter(filter) => Box::new(line_filter(filter)?),
        StageExpr::Json(extractions) if extractions.is_empty() => Box::new(stages::Json),
        StageExpr::Json(extractions) => {
            let pairs = pairs(extractions);
            let pairs = pairs.iter().map(|(name, path)| (name.as_str(), path.as_str()));
            Box::new(stages::JsonExpressions::new(pairs)?)
        }
        StageExpr::Logfmt { strict, keep_empty, extractions } => {
            let flags = stages::LogfmtFlags { strict: *strict, keep_empty: *keep_empty };
            if extractions.is_empty() {
                return Ok(Box::new(stages::Logfmt::new(flags)));
            }
            let pairs = pairs(extractions);
            let pairs = pairs.iter().map(|(name, key)| (name.as_str(), key.as_str()));
            Box::new(stages::LogfmtExpressions::new(flags, pairs)?)
        }
        StageExpr::Regexp(pattern) => Box::new(stages::RegexpParser::new(pattern)?),
        StageExpr::Pattern(pattern) => Box::new(stages::PatternParser::new(pattern)?),
        StageExpr::Unpack => Box::new(stages::Unpack),
        StageExpr::Decolorize => Box::new(stages::Decolorize),
        StageExpr::LineFormat(template) => Box::new(stages::LineFormat::new(template)?),
        StageExpr::LabelFormat(formats) => {
            Box::new(stages::LabelFormat::new(formats.iter().map(|format| {
                let value = match &format.value {
                    LabelValueFormat::Rename(from) => stages::LabelSource::Rename(from),
                    LabelValueFormat::Template(text) => stages::LabelSource::Template(text),
                };
                (format.name.as_str(), value)
            }))?)
        }
        StageExpr::LabelFilter(filter) => Box::new(label_filter(filter)?),
        StageExpr::Keep(labels) => Box::new(stages::KeepLabels::new(label_refs(labels))),
        StageExpr::Drop(labels) => Box::new(stages::DropLabels::new(label_refs(labels))),
    })
}

fn label_refs(labels: &[NamedMatcher]) -> impl Iterator<Item = stages::LabelRef> + '_ {
    labels.iter().map(|label| match label {
        NamedMatcher::Name(name) => stages::LabelRef::Name(name.as_str().into()),
        NamedMatcher::Matcher(matcher) => stages::LabelRef::Matching(matcher.clone()),
    })
}

pub(super) fn label_filter(filter: &LabelFilterExpr) -> Result<stages::LabelFilter, StageError> {
    let op = |comparison: &Comparison| match comparison {
        Comparison::Equal => stages::CompareOp::Equal,
        Comparison::NotEqual => stages::CompareOp::NotEqual,
        Comparison::Greater => stages::CompareOp::Greater,
        Comparison::GreaterOrEqual => stages::CompareOp::GreaterOrEqual,
        Comparison::Less => stages::CompareOp::Less,
        Comparison::LessOrEqual => stages::CompareOp::LessOrEqual,
    };
    Ok(match filter {
        LabelFilterExpr::And(left, right) => label_filter(left)?.and(label_filter(right)?),
        LabelFilterExpr::Or(left, right) => label_filter(left)?.or(label_filter(right)?),
        LabelFilterExpr::Text(matcher) => stages::LabelFilter::text(matcher.clone()),
        LabelFilterExpr::Number { name, comparison, value } => {
            stages::LabelFilter::number(name, op(comparison), *value)
        }
        LabelFilterExpr::Duration { name, comparison, nanos } => {
            stages::LabelFilter::duration(name, op(comparison), *nanos)
        }
        LabelFilterExpr::Size { name, comparison, bytes } => {
            stages::LabelFilter::bytes(name, op(comparison), *bytes)
        }
        LabelFilterExpr::Ip { name, negated, addresses } => {
            stages::LabelFilter::ip(name, *negated, addresses)?
        }
    })
}

/// What is unwrapped, with the conditions that are checked behind it.
#[derive(Debug)]
pub(super) struct Unwrapping {
    pub(super) value: stages::Unwrap,
    pub(super) filters: Vec<stages::LabelFilter>,
}

impl Unwrapping {
    pub(super) fn new(unwrap: &Unwrap) -> Result<Self, ParseError> {
        let conversion = match unwrap.conversion {
            UnwrapConversion::Number => stages::Conversion::Number,
            UnwrapConversion::Bytes => stages::Conversion::Bytes,
            UnwrapConversion::Duration | UnwrapConversion::DurationSeconds => {
                stages::Conversion::Duration
            }
        };
        let made = |filter: &LabelFilterExpr| {
            label_filter(filter)
                .map_err(|error| ParseError::nowhere(format!("stage '| {filter}' : {error}")))
        };
        Ok(Self {
            value: stages::Unwrap::new(&unwrap.label, conversion),
            filters: unwrap.filters.iter().map(made).collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn needs(&self, needed: &mut Needed) {
        self.value.needs(needed);
        for filter in &self.filters {
            filter.needs(needed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ast::Expr, parse};

    #[test]
    fn the_more_a_line_may_cost_the_sooner_it_is_asked_whether_to_go_on() {
        let f = |query: &str, want: usize| {
            let Ok(Expr::Log(log)) = parse(query) else { panic!("{query}") };
            assert_eq!(Pipeline::new(&log).expect("stages").lines_per_check(), want, "{query}");
        };
        f(r#"{a="b"} |= "c""#, 8192);
        f(r#"{a="b"} | json"#, 64);
        f(r#"{a="b"} | json | line_format "{{.c}}""#, 1);
        f(r#"{a="b"} | label_format c="{{.d}}""#, 1);
    }
}
