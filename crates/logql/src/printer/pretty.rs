//! Expressions over several lines where one would be too long: what `format_query` answers.
//!
//! A part that fits on a line stays on one, so most of the work is to know what to break.
//! Upstream: `pkg/logql/syntax/prettier.go`; where that one loses a part of the query (`or` in
//! long line filters, `on ()`), this one keeps it.

use std::fmt::Display;

use super::{arguments, grouped, literal, operator};
use crate::ast::{
    Expr, Grouping, LineFilterExpr, LogExpr, LogRange, MetricExpr, RangeAggregation, StageExpr,
    Unwrap, VectorAggregation,
};
use masthead_model::PromDuration;

/// A part of this many bytes stays on one line.
const LINE_BYTES_MAX: usize = 100;

/// The expression over as many lines as it needs.
pub fn pretty(expr: &Expr) -> String {
    match expr {
        Expr::Log(log) => log_at(log, 0),
        Expr::Metric(metric) => metric_at(metric, 0),
    }
}

fn indent(level: usize) -> String {
    "  ".repeat(level)
}

/// The part on one line, if it fits.
fn one_line(part: &impl Display, level: usize) -> Option<String> {
    let text = part.to_string();
    (text.len() <= LINE_BYTES_MAX).then(|| format!("{}{text}", indent(level)))
}

fn log_at(log: &LogExpr, level: usize) -> String {
    if let Some(line) = one_line(log, level) {
        return line;
    }
    let selector = LogExpr { matchers: log.matchers.clone(), stages: Vec::new() };
    let mut lines = vec![format!("{}{selector}", indent(level))];
    let mut stages = log.stages.as_slice();
    while let Some((first, rest)) = stages.split_first() {
        stages = rest;
        let StageExpr::LineFilter(filter) = first else {
            // Upstream forgets to indent this one.
            let by = if *first == StageExpr::Decolorize { 0 } else { level + 1 };
            lines.push(format!("{}{first}", indent(by)));
            continue;
        };
        // Neighbouring line filters are one stage there and share a line while they fit.
        let mut run = vec![filter];
        while let Some((StageExpr::LineFilter(filter), rest)) = stages.split_first() {
            run.push(filter);
            stages = rest;
        }
        line_filters(&run, level + 1, &mut lines);
    }
    lines.join("\n")
}

fn line_filters(run: &[&LineFilterExpr], level: usize, lines: &mut Vec<String>) {
    let texts: Vec<String> = run.iter().map(ToString::to_string).collect();
    // The filters but the last are a part of their own, which is broken only if it does not fit.
    let mut together = run.len();
    let length = |count: usize| texts.iter().take(count).map(|text| text.len() + 1).sum::<usize>();
    while together > 1 && length(together) - 1 > LINE_BYTES_MAX {
        together -= 1;
    }
    let first = texts.get(..together).unwrap_or(&[]).join(" ");
    lines.push(format!("{}{first}", indent(level)));
    let rest = texts.get(together..).unwrap_or(&[]);
    lines.extend(rest.iter().map(|text| format!("{}{text}", indent(level))));
}

fn metric_at(metric: &MetricExpr, level: usize) -> String {
    if let Some(line) = one_line(metric, level) {
        return line;
    }
    match metric {
        MetricExpr::Literal(_) | MetricExpr::Vector(_) => format!("{}{metric}", indent(level)),
        MetricExpr::Range(node) => range_aggregation(node, level),
        MetricExpr::Aggregate(node) => vector_aggregation(node, level),
        MetricExpr::Binary(node) => {
            let binds = node.op.precedence();
            let (left, right) = if node.op.is_right_associative() {
                (binds, binds - 1)
            } else {
                (binds - 1, binds)
            };
            let left = side(&node.left, left, level + 1);
            let right = side(&node.right, right, level + 1);
            format!("{left}\n{}{}\n{right}", indent(level), operator(node))
        }
        MetricExpr::LabelReplace(node) => {
            let mut parts = vec![metric_at(&node.of, level + 1)];
            parts.extend(arguments(node).map(|text| format!("{}{text}", indent(level + 1))));
            format!("{0}label_replace(\n{1}\n{0})", indent(level), parts.join(",\n"))
        }
    }
}

/// One side of an operator. A side that is broken loses the parentheses that it has on one line;
/// upstream never puts them back, here it gets them where the meaning would change.
fn side(metric: &MetricExpr, above: u8, level: usize) -> String {
    match metric {
        MetricExpr::Binary(node)
            if node.op.precedence() <= above && one_line(metric, level).is_none() =>
        {
            format!("{0}(\n{1}\n{0})", indent(level), metric_at(metric, level + 1))
        }
        _ => metric_at(metric, level),
    }
}

fn range_aggregation(node: &RangeAggregation, level: usize) -> String {
    let mut text = format!("{}{}(\n", indent(level), node.op.as_str());
    if let Some(parameter) = node.parameter {
        text = format!("{text}{}{},\n", indent(level + 1), literal(parameter));
    }
    let range = log_range(&node.range, level + 1);
    text = format!("{text}{range}\n{})", indent(level));
    if let Some(grouping) = &node.grouping {
        text.push_str(&grouping_text(grouping));
    }
    text
}

fn log_range(range: &LogRange, level: usize) -> String {
    let mut text = log_at(&range.log, level);
    if let Some(unwrap) = &range.unwrap {
        text = format!("{text}\n{}", unwrap_at(unwrap, level + 1));
    }
    let duration =
        |nanos: i64| PromDuration::from_millis(nanos / 1_000_000).unwrap_or_default().to_string();
    text = format!("{text} [{}]", duration(range.range));
    match range.offset {
        0 => text,
        back if back > 0 => format!("{text} offset {}", duration(back)),
        ahead => format!("{text} offset -{}", duration(ahead.saturating_neg())),
    }
}

fn unwrap_at(unwrap: &Unwrap, level: usize) -> String {
    let bare = Unwrap { filters: Vec::new(), ..unwrap.clone() };
    let mut text = format!("{}{bare}", indent(level));
    for filter in &unwrap.filters {
        text = format!("{text}\n{}| {filter}", indent(level));
    }
    text
}

fn vector_aggregation(node: &VectorAggregation, level: usize) -> String {
    let mut text = format!("{}{}", indent(level), node.op.as_str());
    if !node.grouping.is_everything() {
        text.push_str(&grouping_text(&node.grouping));
    }
    text.push_str("(\n");
    if node.op.takes_parameter() {
        text = format!("{text}{}{},\n", indent(level + 1), node.parameter);
    }
    format!("{text}{}\n{})", metric_at(&node.of, level + 1), indent(level))
}

fn grouping_text(grouping: &Grouping) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    grouped(&mut text, grouping, ", ").unwrap_or_default();
    text
}
