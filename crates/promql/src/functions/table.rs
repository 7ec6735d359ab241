//! What each function computes: the one table that hangs implementations on signatures.
//!
//! Adding a function is a row here, a row in `functions.rs`, and its file. The shapes below are
//! all that functions come in; each says what it is given and what happens around it.

use masthead_model::Histogram;
use masthead_vecmath::StepGrid;

use super::{
    FunctionSignature, absent, changes, date, histogram, histogram_quantile, info, labels, math,
    over_time, rate, regression, scalar, sort, timestamp,
};
use crate::{
    ast::Call,
    engine::{
        Error, Evaluation, QueryTimes, RangeFunction, Row, Value, drop_empty, map_floats, seconds,
    },
};

/// How a function is computed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Implementation {
    /// Each float by itself; histograms are left out.
    Float(fn(f64) -> f64),
    /// Each float with the scalar arguments of its step; histograms are left out. The marker of
    /// absence leaves the float out as well.
    FloatWith(fn(f64, &[f64]) -> f64),
    /// Each histogram by itself; floats are left out.
    Histogram(fn(&Histogram) -> f64),
    /// Each float read as a time in UTC, or the time of evaluation without an argument.
    Date(fn(&date::Civil) -> f64),
    /// A number that depends on the instant and the query alone.
    Scalar(fn(&QueryTimes, i64) -> f64),
    /// A window over each series.
    Range(RangeFunction),
    /// Anything else.
    Special(fn(&Evaluation<'_>, &Call, &StepGrid) -> Result<Value, Error>),
}

use Implementation::{Date, Float, FloatWith, Histogram as OfHistogram, Range, Scalar, Special};

/// Every implementation, sorted by the function's name.
#[rustfmt::skip]
static IMPLEMENTATIONS: &[(&str, Implementation)] = &[
    ("abs", Float(f64::abs)),
    ("absent", Special(absent::absent)),
    ("absent_over_time", Special(absent::absent_over_time)),
    ("acos", Float(f64::acos)),
    ("acosh", Float(f64::acosh)),
    ("asin", Float(f64::asin)),
    ("asinh", Float(f64::asinh)),
    ("atan", Float(f64::atan)),
    ("atanh", Float(f64::atanh)),
    ("avg_over_time", Range(over_time::AVG)),
    ("ceil", Float(f64::ceil)),
    ("changes", Range(changes::CHANGES)),
    ("clamp", FloatWith(math::clamp)),
    ("clamp_max", FloatWith(math::clamp_max)),
    ("clamp_min", FloatWith(math::clamp_min)),
    ("cos", Float(f64::cos)),
    ("cosh", Float(f64::cosh)),
    ("count_over_time", Range(over_time::COUNT)),
    ("day_of_month", Date(|date| f64::from(date.day))),
    ("day_of_week", Date(|date| f64::from(date.weekday))),
    ("day_of_year", Date(|date| f64::from(date.day_of_year))),
    ("days_in_month", Date(date::days_in_month)),
    ("deg", Float(math::degrees)),
    ("delta", Range(rate::DELTA)),
    ("deriv", Range(regression::DERIV)),
    ("double_exponential_smoothing", Range(regression::DOUBLE_EXPONENTIAL_SMOOTHING)),
    ("end", Scalar(|query, _| query.end.as_seconds())),
    ("exp", Float(f64::exp)),
    ("first_over_time", Range(over_time::FIRST)),
    ("floor", Float(f64::floor)),
    ("histogram_avg", OfHistogram(histogram::avg)),
    ("histogram_count", OfHistogram(histogram::count)),
    ("histogram_fraction", Special(histogram_quantile::histogram_fraction)),
    ("histogram_quantile", Special(histogram_quantile::histogram_quantile)),
    ("histogram_quantiles", Special(histogram_quantile::histogram_quantiles)),
    ("histogram_stddev", OfHistogram(histogram::stddev)),
    ("histogram_stdvar", OfHistogram(histogram::stdvar)),
    ("histogram_sum", OfHistogram(histogram::sum)),
    ("hour", Date(|date| f64::from(date.hour))),
    ("idelta", Range(rate::IDELTA)),
    ("increase", Range(rate::INCREASE)),
    ("info", Special(info::info)),
    ("irate", Range(rate::IRATE)),
    ("label_join", Special(labels::label_join)),
    ("label_replace", Special(labels::label_replace)),
    ("last_over_time", Range(over_time::LAST)),
    ("ln", Float(f64::ln)),
    ("log10", Float(f64::log10)),
    ("log2", Float(f64::log2)),
    ("mad_over_time", Range(over_time::MAD)),
    ("max_of", Special(scalar::max_of)),
    ("max_over_time", Range(over_time::MAX)),
    ("min_of", Special(scalar::min_of)),
    ("min_over_time", Range(over_time::MIN)),
    ("minute", Date(|date| f64::from(date.minute))),
    ("month", Date(|date| f64::from(date.month))),
    ("pi", Scalar(|_, _| std::f64::consts::PI)),
    ("predict_linear", Range(regression::PREDICT_LINEAR)),
    ("present_over_time", Range(over_time::PRESENT)),
    ("quantile_over_time", Range(over_time::QUANTILE)),
    ("rad", Float(math::radians)),
    ("range", Scalar(|query, _| seconds(query.durations().range_ms))),
    ("rate", Range(rate::RATE)),
    ("resets", Range(changes::RESETS)),
    ("round", FloatWith(math::round)),
    ("scalar", Special(scalar::scalar)),
    ("sgn", Float(math::sgn)),
    ("sin", Float(f64::sin)),
    ("sinh", Float(f64::sinh)),
    ("sort", Special(sort::sort)),
    ("sort_by_label", Special(sort::sort_by_label)),
    ("sort_by_label_desc", Special(sort::sort_by_label_desc)),
    ("sort_desc", Special(sort::sort_desc)),
    ("sqrt", Float(f64::sqrt)),
    ("start", Scalar(|query, _| query.start.as_seconds())),
    ("start_timestamp", Special(timestamp::start_timestamp)),
    ("stddev_over_time", Range(over_time::STDDEV)),
    ("stdvar_over_time", Range(over_time::STDVAR)),
    ("step", Scalar(|query, _| seconds(query.step_ms))),
    ("sum_over_time", Range(over_time::SUM)),
    ("tan", Float(f64::tan)),
    ("tanh", Float(f64::tanh)),
    ("time", Scalar(|_, at| seconds(at))),
    ("timestamp", Special(timestamp::timestamp)),
    ("ts_of_first_over_time", Range(over_time::TS_OF_FIRST)),
    ("ts_of_last_over_time", Range(over_time::TS_OF_LAST)),
    ("ts_of_max_over_time", Range(over_time::TS_OF_MAX)),
    ("ts_of_min_over_time", Range(over_time::TS_OF_MIN)),
    ("vector", Special(scalar::vector)),
    ("year", Date(date::Civil::year_number)),
];

/// How the function of this signature is computed.
pub(crate) fn implementation(function: &FunctionSignature) -> Option<&'static Implementation> {
    let at = IMPLEMENTATIONS.binary_search_by(|(name, _)| (*name).cmp(function.name)).ok()?;
    IMPLEMENTATIONS.get(at).map(|(_, implementation)| implementation)
}

/// The names of the range functions that `wanted` picks, sorted.
pub(crate) fn range_functions(wanted: impl Fn(&RangeFunction) -> bool) -> Vec<&'static str> {
    let name = |(name, implementation): &(&'static str, Implementation)| match implementation {
        Range(function) if wanted(function) => Some(*name),
        _ => None,
    };
    IMPLEMENTATIONS.iter().filter_map(name).collect()
}

impl Implementation {
    /// The value of a call at every step.
    pub(crate) fn call(
        &self,
        evaluation: &Evaluation<'_>,
        call: &Call,
        grid: &StepGrid,
    ) -> Result<Value, Error> {
        match self {
            Float(f) => of_floats(evaluation, call, grid, |row, _| map_floats(&mut row.floats, f)),
            FloatWith(f) => with_scalars(evaluation, call, grid, *f),
            OfHistogram(f) => histogram::of_histograms(evaluation, call, grid, *f),
            Date(f) => date::of_dates(evaluation, call, grid, *f),
            Scalar(f) => {
                Ok(Value::Scalar(grid.iter().map(|at| f(&evaluation.times, at)).collect()))
            }
            Range(function) => evaluation.range_call(call, grid, function).map(Value::Vector),
            Special(f) => f(evaluation, call, grid),
        }
    }
}

/// The rows of the first argument with their floats changed and without histograms.
pub(super) fn of_floats(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
    change: impl Fn(&mut Row, &StepGrid) + Sync + Send,
) -> Result<Value, Error> {
    let Some(arg) = call.args.first() else { return Ok(Value::Vector(Vec::new())) };
    let mut rows = evaluation.vector(arg, grid)?;
    let what = || format!("{} over {} series", call.func.name, rows.len());
    let what = what();
    evaluation.ctx.traced(
        || what,
        || {
            evaluation.each_row(&mut rows, |row| {
                row.histograms = None;
                change(row, grid);
            });
        },
    );
    drop_empty(&mut rows);
    evaluation.drop_names(rows).map(Value::Vector)
}

fn with_scalars(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
    f: fn(f64, &[f64]) -> f64,
) -> Result<Value, Error> {
    let scalars = call.args.iter().skip(1).map(|arg| evaluation.scalar(arg, grid));
    let scalars: Vec<Vec<f64>> = scalars.collect::<Result<_, _>>()?;
    of_floats(evaluation, call, grid, |row, _| {
        let mut args = vec![f64::NAN; scalars.len()];
        for (step, value) in row.floats.iter_mut().enumerate() {
            if crate::engine::is_absent(*value) {
                continue;
            }
            for (arg, values) in args.iter_mut().zip(&scalars) {
                *arg = values.get(step).copied().unwrap_or(f64::NAN);
            }
            *value = f(*value, &args);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FUNCTIONS, ast::RangeEdges};

    #[test]
    fn every_function_is_implemented_and_nothing_else() {
        let names = |signature: &FunctionSignature| signature.name;
        let implemented: Vec<_> = IMPLEMENTATIONS.iter().map(|(name, _)| *name).collect();
        assert_eq!(implemented, FUNCTIONS.iter().map(names).collect::<Vec<_>>());
    }

    #[test]
    fn the_edge_modifiers_name_the_functions_that_understand_them() {
        let with = |edges| range_functions(|function| function.edges.contains(&edges));
        let anchored = with(RangeEdges::Anchored);
        assert_eq!(anchored, ["changes", "delta", "increase", "rate", "resets"]);
        let smoothed = with(RangeEdges::Smoothed);
        assert_eq!(smoothed, ["delta", "increase", "rate"]);
    }
}
