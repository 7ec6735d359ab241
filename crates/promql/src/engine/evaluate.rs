//! One node of the tree at a time, from the leaves up.
//!
//! Recursion is bounded by the parser's limit on the height of trees. Parts that are the same at
//! every step are evaluated at the first and repeated.

use masthead_model::{Histogram, Labels};
use masthead_vecmath::StepGrid;

use super::{
    Error, Evaluation, Row,
    grid::grid,
    row::{Column, drop_empty},
    samples::Series,
    selector::Wanted,
};
use crate::{
    SeriesResult,
    ast::{Call, Expr, Subquery, UnaryOp},
    functions::implementation,
};

/// What a node evaluates to, at every step of a grid.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// One number a step.
    Scalar(Vec<f64>),
    /// One row a series.
    Vector(Vec<Row>),
    /// A text, the same at every step.
    String(String),
}

impl Evaluation<'_> {
    /// The value of `expr` at every step of `grid`; range vectors are the business of the
    /// functions that take them.
    pub(crate) fn evaluate(&self, expr: &Expr, grid: &StepGrid) -> Result<Value, Error> {
        if grid.len() > 1 && self.plan.is_invariant(expr) {
            let instant = StepGrid::instant(grid.start());
            if let Some(counts) = &self.counts {
                counts.enter(1);
            }
            let once = self.evaluate_node(expr, &instant)?;
            if let Some(counts) = &self.counts {
                let inside = counts.leave();
                counts.add(std::iter::repeat_n(inside, grid.len()));
            }
            return self.repeat(once, grid.len());
        }
        self.evaluate_node(expr, grid)
    }

    /// The rows of an instant vector.
    pub(crate) fn vector(&self, expr: &Expr, grid: &StepGrid) -> Result<Vec<Row>, Error> {
        match self.evaluate(expr, grid)? {
            Value::Vector(rows) => Ok(rows),
            Value::Scalar(values) => {
                Ok(vec![Row::of_floats(Labels::default(), false, values.into())])
            }
            Value::String(_) => Ok(Vec::new()),
        }
    }

    /// The numbers of a scalar, one a step.
    pub(crate) fn scalar(&self, expr: &Expr, grid: &StepGrid) -> Result<Vec<f64>, Error> {
        match self.evaluate(expr, grid)? {
            Value::Scalar(values) => Ok(values),
            Value::Vector(_) | Value::String(_) => Ok(vec![f64::NAN; grid.len()]),
        }
    }

    fn evaluate_node(&self, expr: &Expr, grid: &StepGrid) -> Result<Value, Error> {
        self.ctx.check()?;
        let value = self.value_of(expr, grid)?;
        let makes = !matches!(expr, Expr::Paren(_) | Expr::Number(_) | Expr::String(_));
        if let (Value::Vector(rows), true) = (&value, makes) {
            self.charge_histograms(rows)?;
        }
        Ok(value)
    }

    fn value_of(&self, expr: &Expr, grid: &StepGrid) -> Result<Value, Error> {
        match expr {
            Expr::Number(node) => Ok(Value::Scalar(vec![node.value; grid.len()])),
            Expr::String(node) => Ok(Value::String(node.value.clone())),
            Expr::Paren(node) => self.evaluate_node(&node.expr, grid),
            Expr::Vector(node) => self.selector_rows(node, grid, Wanted::Value).map(Value::Vector),
            Expr::Unary(node) => {
                let value = self.evaluate(&node.expr, grid)?;
                match node.op {
                    UnaryOp::Plus => Ok(value),
                    UnaryOp::Minus => self.negate(value),
                }
            }
            Expr::Binary(node) => self.binary(node, grid),
            Expr::Aggregate(node) => {
                let rows = self.vector(&node.expr, grid)?;
                let what = || format!("{} over {} series", node.op, rows.len());
                self.ctx.traced(what, || self.aggregate(node, &rows, grid)).map(Value::Vector)
            }
            Expr::Call(call) => self.call(call, grid),
            // The parser lets range vectors stand only where a function takes one.
            Expr::Matrix(_) | Expr::Subquery(_) => Ok(Value::Vector(Vec::new())),
        }
    }

    fn call(&self, call: &Call, grid: &StepGrid) -> Result<Value, Error> {
        implementation(call.func).map_or_else(
            || Err(Error::execution(format!("function {} is not implemented", call.func.name))),
            |implementation| implementation.call(self, call, grid),
        )
    }

    fn repeat(&self, once: Value, steps: usize) -> Result<Value, Error> {
        Ok(match once {
            Value::Scalar(values) => {
                Value::Scalar(vec![values.first().copied().unwrap_or(f64::NAN); steps])
            }
            Value::Vector(mut rows) => {
                drop_empty(&mut rows);
                self.ctx.charge(rows.len().saturating_mul(steps - 1) as u64)?;
                Value::Vector(rows.iter().map(|row| row.repeated(steps)).collect())
            }
            Value::String(text) => Value::String(text),
        })
    }

    fn negate(&self, value: Value) -> Result<Value, Error> {
        Ok(match value {
            Value::Scalar(values) => Value::Scalar(values.into_iter().map(|v| -v).collect()),
            Value::String(text) => Value::String(text),
            Value::Vector(mut rows) => {
                self.each_row(&mut rows, |row| {
                    map_floats(&mut row.floats, |value| -value);
                    map_histograms(row, |histogram| histogram.mul(-1.0));
                });
                Value::Vector(self.drop_names(rows)?)
            }
        })
    }

    /// The samples of a range vector that is the whole query, at one instant.
    pub(super) fn matrix(&self, expr: &Expr, grid: &StepGrid) -> Result<Vec<SeriesResult>, Error> {
        let mut found = match expr.unparen() {
            Expr::Subquery(node) => self.subquery_series(node, grid)?,
            Expr::Matrix(node) => self.matrix_series(node, grid)?,
            _ => Vec::new(),
        };
        found.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(found)
    }

    fn subquery_series(
        &self,
        node: &Subquery,
        grid: &StepGrid,
    ) -> Result<Vec<SeriesResult>, Error> {
        match self.subquery(node, grid)? {
            Series::Evaluated { rows, grid: Some(grid) } => {
                let rows = self.finish(rows)?;
                Ok(rows.iter().map(|row| super::series(row, &grid)).collect())
            }
            Series::Evaluated { .. } | Series::Stored { .. } => Ok(Vec::new()),
        }
    }

    /// The steps of a subquery: multiples of its step that lie in its range.
    pub(super) fn subquery(
        &self,
        node: &Subquery,
        outer: &StepGrid,
    ) -> Result<Series<'static>, Error> {
        let Some(planned) = self.plan.subquery(node) else {
            return Ok(Series::Evaluated { rows: Vec::new(), grid: None });
        };
        let after = planned.shift.apply(outer.start()).saturating_sub(planned.range_ms);
        let start =
            after.div_euclid(planned.step_ms).saturating_add(1).saturating_mul(planned.step_ms);
        let inner = grid(start, planned.shift.apply(outer.end()), planned.step_ms)?;
        let rows = match &inner {
            Some(inner) => {
                self.ctx.charge(inner.len() as u64)?;
                if let Some(counts) = &self.counts {
                    counts.enter(inner.len());
                }
                let rows = self.vector(&node.expr, inner)?;
                if let Some(counts) = &self.counts {
                    let inside = counts.leave();
                    counts.add_last(inside);
                }
                rows
            }
            None => Vec::new(),
        };
        Ok(Series::Evaluated { rows, grid: inner })
    }
}

/// Replaces every float by what `f` makes of it.
#[inline]
pub(crate) fn map_floats(floats: &mut Column, f: impl Fn(f64) -> f64) {
    for value in floats.iter_mut() {
        if !super::is_absent(*value) {
            *value = f(*value);
        }
    }
}

/// Replaces every histogram by a changed copy.
pub(crate) fn map_histograms(row: &mut Row, change: impl Fn(&mut Histogram)) {
    for place in row.histograms.iter_mut().flat_map(|column| column.iter_mut()).flatten() {
        change(std::sync::Arc::make_mut(place));
    }
}
