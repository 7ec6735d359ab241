//! Functions of a range of lines: from parts to rows.
//!
//! Parts are read in runs of a fixed number, one run a thread. Of each line that passes, the group
//! is found (`groups.rs`) and its value taken into what is kept of the lines that the same windows
//! see (`state.rs`, `window.rs`). Runs are put together in their order, so that the answer is the
//! same however many threads there are.

use std::sync::Arc;

use masthead_model::{Labels, LabelsBuilder, MatchOp, quote};
use masthead_ports::{LogColumns, LogSelected, LogSelection};
use masthead_vecmath::{StepGrid, each};

use super::{
    Error, Evaluation,
    groups::{Groups, Wanted},
    memo::Memo,
    pipeline::{Pipeline, Unwrapping},
    plan,
    row::Row,
    search::Search,
    state::{
        Counter, Edge, Extreme, Mean, Spread, State, Sum, Total, Values, Window, coalesce,
        each_window,
    },
    window::WindowGrid,
};
use crate::{
    ParseError,
    ast::{Grouping, RangeAggregation, RangeOp},
    stages::{Keep, Line, Needed, Stage},
};

/// Parts that one thread reads before their groups are put together with those of others.
const PARTS_PER_RUN: usize = 8;

/// What turns lines into samples.
#[derive(Debug)]
pub(super) struct Extractor<'q> {
    node: &'q RangeAggregation,
    pipeline: Pipeline,
    unwrap: Option<Unwrapping>,
    search: Search,
    wanted: Wanted,
    /// What of lines is looked at, if that is members of JSON objects alone.
    members: Option<Arc<[Box<str>]>>,
    /// Whether a stage looks at errors, so that those it lets pass are meant to count.
    keeps_errors: bool,
}

impl<'q> Extractor<'q> {
    /// `outer` is the grouping of a sum around the node, which can take effect here already
    /// (Loki's `canInjectVectorGrouping`): the labels that it drops need not be parsed.
    pub(super) fn new(
        node: &'q RangeAggregation,
        outer: Option<&Grouping>,
    ) -> Result<Self, ParseError> {
        let injects = matches!(
            node.op,
            RangeOp::BytesOverTime
                | RangeOp::BytesRate
                | RangeOp::SumOverTime
                | RangeOp::Rate
                | RangeOp::CountOverTime
        );
        let outer = outer.filter(|_| injects && node.grouping.is_none());
        let grouping = outer.or(node.grouping.as_ref());
        let unwrap = node.range.unwrap.as_ref().map(Unwrapping::new).transpose()?;
        let names = |names: &[String]| {
            let mut names: Vec<Box<str>> = names.iter().map(|name| name.as_str().into()).collect();
            if let Some(unwrap) = &unwrap {
                names.push(unwrap.value.label().into());
            }
            names.sort_unstable();
            names.dedup();
            names
        };
        let mut needed = Needed::nothing();
        let mut wanted = match grouping {
            Some(grouping) if grouping.is_everything() => Wanted::Nothing,
            Some(Grouping { without: false, names }) => {
                let mut sorted: Vec<Box<str>> = names.iter().map(|n| n.as_str().into()).collect();
                sorted.sort_unstable();
                sorted.dedup();
                for name in &sorted {
                    needed.add(name);
                }
                Wanted::Only(sorted)
            }
            Some(Grouping { without: true, names: left_out }) => {
                needed.add_everything();
                Wanted::AllBut(names(left_out))
            }
            None => {
                needed.add_everything();
                Wanted::AllBut(names(&[]))
            }
        };
        if node.op == RangeOp::AbsentOverTime {
            // Lines only have to be there; their labels must be parsed all the same, to fail.
            wanted = Wanted::Nothing;
        }
        // Asked for apart, because a grouping by the error's label does not make it count.
        let mut by_stages = Needed::nothing();
        if let Some(unwrap) = &unwrap {
            unwrap.needs(&mut needed);
            unwrap.needs(&mut by_stages);
        }
        let stages = Pipeline::with_needed(&node.range.log, by_stages)?;
        let keeps_errors = stages.needed().wants_error();
        let pipeline = Pipeline::with_needed(&node.range.log, needed)?;
        let search = Search::new(&node.range.log);
        let members = plan::members(node, pipeline.needed());
        Ok(Self { node, pipeline, unwrap, search, wanted, members, keeps_errors })
    }

    pub(super) fn node(&self) -> &'q RangeAggregation {
        self.node
    }

    /// What is read for all steps.
    pub(super) fn selection(&self, grid: &StepGrid) -> Option<LogSelection> {
        let mut selection = plan::of_range(self.node, grid.start(), grid.end(), true)?;
        selection.hints.members.clone_from(&self.members);
        Some(selection)
    }

    fn windows(&self, grid: &StepGrid) -> WindowGrid {
        WindowGrid::new(grid, self.node.range.range, self.node.range.offset)
    }

    /// Reads one part into `groups`.
    fn part<S: State>(
        &self,
        evaluation: &Evaluation<'_>,
        stream: &Labels,
        columns: &LogColumns,
        groups: &mut Groups<'_, S>,
    ) -> Result<(), Error> {
        let mut cursor = self.windows(&evaluation.grid).cursor();
        let mut line = Line::new(self.pipeline.needed()).at(evaluation.ctx.now().0);
        let by_length = matches!(self.node.op, RangeOp::BytesOverTime | RangeOp::BytesRate);
        // The groups of lines whose labels stay as they came, by the place of their metadata.
        let mut plain: Vec<Option<usize>> = vec![None; columns.metadata_sets.len() + 1];
        let is_plain = self.unwrap.is_none() && self.pipeline.only_filters_text();
        let mut memo = self.members.is_some().then(Memo::default);
        let per_check = self.pipeline.lines_per_check();
        for (looked_at, row) in self.search.candidates(columns, stream).enumerate() {
            if looked_at % per_check == per_check - 1 {
                evaluation.ctx.check()?;
            }
            let at = columns.times.get(row).copied().unwrap_or(0);
            let span = cursor.span(at);
            if !span.is_seen() {
                continue;
            }
            let text = columns.line(row);
            if !self.pipeline.wants(text) {
                continue;
            }
            let length = if by_length { columns.line_len(row) } else { 1 };
            let known = if is_plain {
                let place = columns.metadata.get(row).map_or(0, |set| *set as usize + 1);
                plain.get_mut(place)
            } else {
                None
            };
            if let Some(Some(group)) = known {
                groups.add(*group, span, at, as_value(length));
                continue;
            }
            let metadata = columns.metadata.get(row).copied().unwrap_or(u32::MAX);
            if let Some(outcome) = memo.as_mut().and_then(|memo| memo.get(metadata, text)) {
                if let Some((group, value)) = outcome {
                    groups.add(group, span, at, value);
                }
                continue;
            }
            line.reset(stream, columns.metadata(row), text, at);
            let Some(value) = self.value(&mut line, length) else {
                if let Some(memo) = &mut memo {
                    memo.put(text, None);
                }
                continue;
            };
            if let Some(what) = line.error().filter(|_| !self.keeps_errors) {
                return Err(pipeline_error(what, &line));
            }
            let group = groups.of(&line, &self.wanted)?;
            if let Some(known) = known {
                *known = Some(group);
            }
            if let Some(memo) = &mut memo {
                memo.put(text, Some((group, value)));
            }
            groups.add(group, span, at, value);
        }
        Ok(())
    }

    /// The sample of a line that is wanted, if it passes and has one.
    fn value(&self, line: &mut Line<'_>, length: usize) -> Option<f64> {
        if self.pipeline.run(line) == Keep::No {
            return None;
        }
        let Some(unwrap) = &self.unwrap else {
            let by_length = matches!(self.node.op, RangeOp::BytesOverTime | RangeOp::BytesRate);
            let rewritten = by_length && !self.pipeline.only_filters_text();
            return Some(as_value(if rewritten { line.text().len() } else { length }));
        };
        let value = unwrap.value.value(line)?;
        let passes = unwrap.filters.iter().all(|filter| filter.process(line) == Keep::Yes);
        passes.then_some(value)
    }
}

#[expect(clippy::cast_precision_loss, reason = "lines are far shorter than 2^53 bytes")]
fn as_value(length: usize) -> f64 {
    length as f64
}

fn pipeline_error(what: &str, line: &Line<'_>) -> Error {
    let mut labels: Vec<(&str, String)> = line
        .labels()
        .map(|label| (label.name, String::from_utf8_lossy(label.value).into_owned()))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    labels.sort_unstable();
    let labels: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}={}", quote(value))).collect();
    Error::Pipeline { what: what.to_owned(), series: format!("{{{}}}", labels.join(", ")) }
}

impl Evaluation<'_> {
    /// The rows of a range function.
    pub(super) fn range(
        &self,
        extractor: &Extractor<'_>,
        selected: Option<&LogSelected>,
    ) -> Result<Vec<Row>, Error> {
        let node = extractor.node;
        match (node.op, &node.range.unwrap) {
            (RangeOp::CountOverTime | RangeOp::BytesOverTime | RangeOp::BytesRate, _)
            | (RangeOp::Rate, None) => self.rows::<Total>(extractor, selected),
            (RangeOp::Rate | RangeOp::SumOverTime, _) => self.rows::<Sum>(extractor, selected),
            (RangeOp::AvgOverTime, _) => self.rows::<Mean>(extractor, selected),
            (RangeOp::MinOverTime, _) => self.rows::<Extreme<true>>(extractor, selected),
            (RangeOp::MaxOverTime, _) => self.rows::<Extreme<false>>(extractor, selected),
            (RangeOp::StdvarOverTime, _) => self.rows::<Spread<false>>(extractor, selected),
            (RangeOp::StddevOverTime, _) => self.rows::<Spread<true>>(extractor, selected),
            (RangeOp::FirstOverTime, _) => self.rows::<Edge<false>>(extractor, selected),
            (RangeOp::LastOverTime, _) => self.rows::<Edge<true>>(extractor, selected),
            (RangeOp::QuantileOverTime, _) => self.rows::<Values>(extractor, selected),
            (RangeOp::RateCounter, _) => self.rows::<Counter>(extractor, selected),
            (RangeOp::AbsentOverTime, _) => {
                Ok(absent(node, &self.rows::<Total>(extractor, selected)?, self.grid.len()))
            }
        }
    }

    fn rows<S: State>(
        &self,
        extractor: &Extractor<'_>,
        selected: Option<&LogSelected>,
    ) -> Result<Vec<Row>, Error> {
        let Some(selected) = selected else { return Ok(Vec::new()) };
        let parts = selected.parts.len();
        let nameless = Labels::default();
        let run = |number: usize| -> Result<Groups<'_, S>, Error> {
            let mut groups = Groups::new(&self.budget);
            let mut columns = LogColumns::default();
            let start = number * PARTS_PER_RUN;
            for at in start..(start + PARTS_PER_RUN).min(parts) {
                let Some(part) = selected.parts.get(at) else { break };
                let stream = selected.streams.get(part.stream).unwrap_or(&nameless);
                selected.reader.read(self.ctx, at, &mut columns)?;
                extractor.part(self, stream, &columns, &mut groups)?;
            }
            Ok(groups)
        };
        let runs = each(self.options.pool.as_deref(), parts.div_ceil(PARTS_PER_RUN), run);
        let mut all: Groups<'_, S> = Groups::new(&self.budget);
        for run in runs {
            all.merge(run?)?;
        }
        let node = extractor.node;
        let per_second = matches!(node.op, RangeOp::Rate | RangeOp::BytesRate);
        #[expect(clippy::cast_precision_loss, reason = "ranges are far below 2^53 ns")]
        let seconds = node.range.range as f64 / 1e9;
        let mut rows = Vec::new();
        for (labels, mut elements) in all.finish() {
            self.ctx.check()?;
            coalesce(&mut elements);
            self.budget.take(self.grid.len().saturating_mul(size_of::<f64>()))?;
            let mut row = Row::new(labels, self.grid.len());
            each_window(&elements, self.grid.len(), |step, mut state: S| {
                // A window that is looked at anew each step can take long.
                if !S::CHEAP {
                    self.ctx.check()?;
                }
                let end = self.grid.at(step).saturating_sub(node.range.offset);
                let parameter = node.parameter.unwrap_or(f64::NAN);
                let window = Window { end, range: node.range.range, parameter };
                if let Some(value) = state.result(&window) {
                    row.set(step, if per_second { value / seconds } else { value });
                }
                Ok::<(), Error>(())
            })?;
            rows.push(row);
        }
        rows.retain(|row| !row.is_empty());
        Ok(rows)
    }
}

/// 1 at steps without a line; labels are those that the selector says for sure.
fn absent(node: &RangeAggregation, rows: &[Row], steps: usize) -> Vec<Row> {
    let mut labels = LabelsBuilder::default();
    let matchers = &node.range.log.matchers;
    for matcher in matchers.iter().filter(|matcher| matcher.op() == MatchOp::Equal) {
        let same = matchers.iter().filter(|other| other.name() == matcher.name()).count();
        if same == 1 {
            labels.set(matcher.name(), matcher.value());
        }
    }
    let mut row = Row::new(labels.build(), steps);
    for step in 0..steps {
        if rows.iter().all(|row| row.at(step).is_none()) {
            row.set(step, 1.0);
        }
    }
    if row.is_empty() { Vec::new() } else { vec![row] }
}
