//! What stands around ranges of lines: numbers, aggregations, operators, new labels.

use std::collections::HashMap;

use masthead_model::{Labels, Nanos};

use super::{
    Answer, Error, Evaluation, Sample, Series,
    range::Extractor,
    row::{ABSENT, Row, is_absent},
};
use crate::{
    ParseError,
    ast::{Grouping, LabelReplace, MetricExpr, VectorOp},
};

/// The value of an expression at every step.
#[derive(Debug)]
pub(super) enum Value {
    /// A literal: one number whatever the step, which belongs to no series.
    Number(f64),
    Rows(Vec<Row>),
}

/// What extracts samples for each range of the expression, from left to right.
pub(super) fn extractors<'q>(
    metric: &'q MetricExpr,
    outer: Option<&'q Grouping>,
    into: &mut Vec<Extractor<'q>>,
) -> Result<(), ParseError> {
    match metric {
        MetricExpr::Literal(_) | MetricExpr::Vector(_) => Ok(()),
        MetricExpr::Range(node) => {
            into.push(Extractor::new(node, outer)?);
            Ok(())
        }
        MetricExpr::Aggregate(node) => {
            let outer = (node.op == VectorOp::Sum).then_some(&node.grouping);
            extractors(&node.of, outer, into)
        }
        MetricExpr::Binary(node) => {
            extractors(&node.left, None, into)?;
            extractors(&node.right, None, into)
        }
        MetricExpr::LabelReplace(node) => extractors(&node.of, None, into),
    }
}

impl Evaluation<'_> {
    /// The answer, of the rows of each range from left to right.
    pub(super) fn answer(
        &self,
        metric: &MetricExpr,
        ranges: Vec<Vec<Row>>,
    ) -> Result<Answer, Error> {
        let value = self.value(metric, &mut ranges.into_iter())?;
        let instant = self.params.is_instant();
        let mut rows = match value {
            Value::Number(value) if instant => {
                return Ok(Answer::Scalar(value, Nanos(self.grid.start())));
            }
            Value::Number(value) => vec![self.constant(value)],
            Value::Rows(rows) => rows,
        };
        rows.retain(|row| !row.is_empty());
        if instant {
            self.limit(rows.len())?;
            let at = Nanos(self.grid.start());
            let sample =
                |row: Row| row.at(0).map(|value| Sample { labels: row.labels.clone(), at, value });
            return Ok(Answer::Vector(rows.into_iter().filter_map(sample).collect()));
        }
        let mut rows = joined(rows);
        self.limit(rows.len())?;
        rows.sort_by(|a, b| a.labels.cmp(&b.labels));
        let series = |row: Row| {
            let points = row.values.iter().zip(self.grid.iter());
            let points = points.filter(|(value, _)| !is_absent(**value));
            let points = points.map(|(value, at)| (Nanos(at), *value)).collect();
            Series { labels: row.labels, points }
        };
        Ok(Answer::Matrix(rows.into_iter().map(series).collect()))
    }

    fn limit(&self, series: usize) -> Result<(), Error> {
        let limit = self.options.series_max;
        if series > limit { Err(Error::SeriesLimit { limit }) } else { Ok(()) }
    }

    fn constant(&self, value: f64) -> Row {
        Row { labels: Labels::default(), values: vec![value; self.grid.len()] }
    }

    fn value(
        &self,
        metric: &MetricExpr,
        ranges: &mut impl Iterator<Item = Vec<Row>>,
    ) -> Result<Value, Error> {
        self.ctx.check()?;
        Ok(match metric {
            MetricExpr::Literal(value) => Value::Number(*value),
            MetricExpr::Vector(value) => Value::Rows(vec![self.constant(*value)]),
            MetricExpr::Range(_) => Value::Rows(ranges.next().unwrap_or_default()),
            MetricExpr::Aggregate(node) => {
                let rows = self.rows_of(&node.of, ranges)?;
                Value::Rows(self.aggregate(node, rows)?)
            }
            MetricExpr::LabelReplace(node) => {
                Value::Rows(self.label_replace(node, self.rows_of(&node.of, ranges)?)?)
            }
            MetricExpr::Binary(node) => {
                let left = self.value(&node.left, ranges)?;
                let right = self.value(&node.right, ranges)?;
                self.binary(node, left, right)?
            }
        })
    }

    fn rows_of(
        &self,
        metric: &MetricExpr,
        ranges: &mut impl Iterator<Item = Vec<Row>>,
    ) -> Result<Vec<Row>, Error> {
        Ok(match self.value(metric, ranges)? {
            Value::Number(value) => vec![self.constant(value)],
            Value::Rows(rows) => rows,
        })
    }

    /// `label_replace`: where the pattern matches the whole value, the new label is made of it.
    fn label_replace(&self, node: &LabelReplace, mut rows: Vec<Row>) -> Result<Vec<Row>, Error> {
        let references = node.replacement.bytes().filter(|byte| *byte == b'$').count();
        for row in &mut rows {
            self.ctx.check()?;
            let value = row.labels.get(&node.from).unwrap_or("");
            let text = node.regex.read(value.as_bytes());
            let Some(groups) = node.regex.captures(&text) else { continue };
            // No group is longer than the whole; around another, a label may be doubled each time.
            let most = references.saturating_mul(value.len());
            self.budget.take(most.saturating_add(node.replacement.len()))?;
            let mut made = Vec::new();
            groups.expand(node.replacement.as_bytes(), &mut made);
            // Pieces of text are text.
            let made = String::from_utf8(made).unwrap_or_default();
            let mut labels = row.labels.to_builder();
            if node.to.is_empty() {
                labels.set_nameless(&made);
            } else {
                labels.set(&node.to, &made);
            }
            row.labels = labels.build();
        }
        Ok(rows)
    }
}

/// Rows with the same labels become one where no step has two numbers, as Loki joins the vectors
/// of steps by labels.
fn joined(rows: Vec<Row>) -> Vec<Row> {
    let mut known: HashMap<Labels, usize> = HashMap::with_capacity(rows.len());
    let mut joined: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows {
        let into = known.get(&row.labels).and_then(|at| joined.get_mut(*at));
        match into {
            Some(into)
                if into
                    .values
                    .iter()
                    .zip(&row.values)
                    .all(|(a, b)| is_absent(*a) || is_absent(*b)) =>
            {
                for (to, from) in into.values.iter_mut().zip(&row.values) {
                    if is_absent(*to) {
                        *to = *from;
                    }
                }
            }
            _ => {
                known.entry(row.labels.clone()).or_insert(joined.len());
                joined.push(row);
            }
        }
    }
    joined
}

/// A row without any number.
pub(super) fn empty_like(row: &Row) -> Vec<f64> {
    vec![ABSENT; row.values.len()]
}
