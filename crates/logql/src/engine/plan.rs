//! What a query will read: a selector for each range of lines, with its times and hints.

use std::sync::Arc;

use masthead_model::{Nanos, TimeRange};
use masthead_ports::{Direction, LineColumn, LineFilter, LinePattern, LogHints, LogSelection};

use super::pipeline::reordered;
use crate::{
    ast::{
        LabelValueFormat, LineFilterExpr, LineOp, LogExpr, RangeAggregation, RangeOp, StageExpr,
    },
    stages::{JsonExpressions, Needed},
};

mod members;

/// The selection of a log query, of which the end is not part.
pub(super) fn of_lines(
    log: &LogExpr,
    start: Nanos,
    end: Nanos,
    direction: Direction,
) -> Option<LogSelection> {
    (start < end).then(|| LogSelection {
        matchers: log.matchers.clone(),
        range: TimeRange { start, end: end.saturating_sub(1) },
        hints: LogHints {
            filters: filters(log),
            direction,
            lines: LineColumn::Text,
            metadata: true,
            members: None,
            tests: members::tests(log),
        },
    })
}

/// The selection of a range of lines whose first window ends at `first` and whose last at `last`.
/// Windows are open on the left.
pub(super) fn of_range(
    node: &RangeAggregation,
    first: i64,
    last: i64,
    metadata: bool,
) -> Option<LogSelection> {
    let range = &node.range;
    let start = first.saturating_sub(range.offset).saturating_sub(range.range).saturating_add(1);
    let end = last.saturating_sub(range.offset);
    let lines = if !range.log.stages.is_empty() {
        LineColumn::Text
    } else if matches!(node.op, RangeOp::BytesOverTime | RangeOp::BytesRate) {
        LineColumn::Length
    } else {
        LineColumn::Count
    };
    (start <= end).then(|| LogSelection {
        matchers: range.log.matchers.clone(),
        range: TimeRange { start: Nanos(start), end: Nanos(end) },
        hints: LogHints {
            filters: filters(&range.log),
            direction: Direction::Forward,
            lines,
            metadata,
            members: None,
            tests: members::tests(&range.log),
        },
    })
}

/// The filters that a line must pass as it was pushed.
fn filters(log: &LogExpr) -> Vec<LineFilter> {
    let mut found = Vec::new();
    for run in reordered(&log.stages) {
        for stage in run {
            match stage {
                StageExpr::LineFilter(filter) => found.extend(pushed_down(filter)),
                StageExpr::LineFormat(_) | StageExpr::Unpack | StageExpr::Decolorize => {
                    return found;
                }
                _ => {}
            }
        }
    }
    found
}

/// What the store can check of a line filter; it may pass more lines than the filter does.
fn pushed_down(filter: &LineFilterExpr) -> Vec<LineFilter> {
    let text = |bytes: &Arc<[u8]>| String::from_utf8(bytes.to_vec()).ok();
    if filter.any.iter().any(|value| value.ip || value.text.is_empty()) {
        return Vec::new();
    }
    let all = |pattern: &dyn Fn(&Arc<[u8]>) -> Option<LinePattern>| -> Vec<LineFilter> {
        let any: Option<Vec<_>> = filter.any.iter().map(|value| pattern(&value.text)).collect();
        any.map(|any| LineFilter { negated: filter.op.is_negated(), any }).into_iter().collect()
    };
    match filter.op {
        LineOp::Contains | LineOp::NotContains => {
            all(&|bytes| Some(LinePattern::Literal(Arc::clone(bytes))))
        }
        LineOp::Matches | LineOp::NotMatches => {
            all(&|bytes| Some(LinePattern::Regexp(text(bytes)?.into())))
        }
        // Every literal of the pattern must be in the line, in whatever order.
        LineOp::Pattern => match filter.any.as_slice() {
            [one] => text(&one.text)
                .unwrap_or_default()
                .split("<_>")
                .filter(|literal| !literal.is_empty())
                .map(|literal| LineFilter {
                    negated: false,
                    any: vec![LinePattern::Literal(literal.as_bytes().into())],
                })
                .collect(),
            _ => Vec::new(),
        },
        LineOp::NotPattern => Vec::new(),
    }
}

/// What of a line is read by a range of lines for which nothing else is `needed`, if that is
/// members of JSON objects alone; see [`LogHints::members`].
pub(super) fn members(node: &RangeAggregation, needed: &Needed) -> Option<Arc<[Box<str>]>> {
    let mut stages = node.range.log.stages.iter();
    let Some(StageExpr::Json(expressions)) = stages.next() else { return None };
    let only_labels = stages.all(|stage| match stage {
        StageExpr::LabelFilter(_) | StageExpr::Keep(_) | StageExpr::Drop(_) => true,
        StageExpr::LabelFormat(formats) => {
            formats.iter().all(|format| matches!(format.value, LabelValueFormat::Rename(_)))
        }
        _ => false,
    });
    let counts_bytes = matches!(node.op, RangeOp::BytesOverTime | RangeOp::BytesRate);
    if !only_labels || counts_bytes {
        return None;
    }
    if !expressions.is_empty() {
        // Whatever is needed, no other labels are made.
        let paths = expressions.iter().map(|one| one.expression.as_str());
        return Some(paths.filter_map(JsonExpressions::outermost).collect());
    }
    (!needed.is_everything()).then(|| needed.names().map(Into::into).collect())
}
