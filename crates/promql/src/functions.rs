//! The one table of functions: what each is called, takes and gives.
//!
//! The parser checks calls against it; completion, documentation and the feature list derive from
//! it. What a function computes is its own file under `functions/`. The signatures are those of
//! upstream's `promql/parser/functions.go`.

use crate::ast::ValueType::{self, Matrix, Scalar, String, Vector};

mod absent;
mod changes;
pub(crate) mod date;
mod histogram;
mod histogram_quantile;
mod info;
mod labels;
mod math;
mod over_time;
mod rate;
mod regression;
mod scalar;
mod sliding;
mod sort;
mod table;
mod timestamp;

pub(crate) use table::{implementation, range_functions};

/// What a function is called, takes and gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionSignature {
    /// As it is written in a query.
    pub name: &'static str,
    /// The types of the arguments; the last one is optional or repeats if `variadic` is not 0.
    pub args: &'static [ValueType],
    /// 0: exactly `args`. N > 0: the last of `args` may be left out, or stand up to N times.
    /// -1: it may be left out or stand any number of times.
    pub variadic: i8,
    /// What it gives.
    pub returns: ValueType,
    /// Whether it is there only with [`crate::Features::experimental_functions`].
    pub experimental: bool,
    /// What it does, in one sentence.
    pub doc: &'static str,
}

/// Every function, sorted by name.
#[rustfmt::skip]
pub static FUNCTIONS: &[FunctionSignature] = &[
    f("abs", &[Vector], Vector, "The absolute value of each sample."),
    f("absent", &[Vector], Vector, "One sample of value 1 if the vector is empty, with the labels that the selector fixes."),
    f("absent_over_time", &[Matrix], Vector, "One sample of value 1 if the range has no samples, with the labels that the selector fixes."),
    f("acos", &[Vector], Vector, "The arccosine of each sample."),
    f("acosh", &[Vector], Vector, "The inverse hyperbolic cosine of each sample."),
    f("asin", &[Vector], Vector, "The arcsine of each sample."),
    f("asinh", &[Vector], Vector, "The inverse hyperbolic sine of each sample."),
    f("atan", &[Vector], Vector, "The arctangent of each sample."),
    f("atanh", &[Vector], Vector, "The inverse hyperbolic tangent of each sample."),
    f("avg_over_time", &[Matrix], Vector, "The mean of the samples in the range."),
    f("ceil", &[Vector], Vector, "Each sample rounded up to a whole number."),
    f("changes", &[Matrix], Vector, "How often the value changes in the range."),
    f("clamp", &[Vector, Scalar, Scalar], Vector, "Each sample held between a minimum and a maximum."),
    f("clamp_max", &[Vector, Scalar], Vector, "Each sample held below a maximum."),
    f("clamp_min", &[Vector, Scalar], Vector, "Each sample held above a minimum."),
    f("cos", &[Vector], Vector, "The cosine of each sample."),
    f("cosh", &[Vector], Vector, "The hyperbolic cosine of each sample."),
    f("count_over_time", &[Matrix], Vector, "The number of samples in the range."),
    f("day_of_month", &[Vector], Vector, "The day of the month of each sample read as a time in UTC, from 1.").variadic(1),
    f("day_of_week", &[Vector], Vector, "The day of the week of each sample read as a time in UTC, from 0 for Sunday.").variadic(1),
    f("day_of_year", &[Vector], Vector, "The day of the year of each sample read as a time in UTC, from 1.").variadic(1),
    f("days_in_month", &[Vector], Vector, "The number of days in the month of each sample read as a time in UTC.").variadic(1),
    f("deg", &[Vector], Vector, "Each sample converted from radians to degrees."),
    f("delta", &[Matrix], Vector, "The difference of the last and the first value in the range, extrapolated to its edges; for gauges."),
    f("deriv", &[Matrix], Vector, "The slope of a gauge per second, by linear regression."),
    f("double_exponential_smoothing", &[Matrix, Scalar, Scalar], Vector, "A smoothed value of a gauge, with a smoothing and a trend factor.").experimental(),
    f("end", &[], Scalar, "The last instant of the query, in seconds.").experimental(),
    f("exp", &[Vector], Vector, "e to the power of each sample."),
    f("first_over_time", &[Matrix], Vector, "The first sample in the range.").experimental(),
    f("floor", &[Vector], Vector, "Each sample rounded down to a whole number."),
    f("histogram_avg", &[Vector], Vector, "The mean of the observations in each native histogram."),
    f("histogram_count", &[Vector], Vector, "The number of observations in each native histogram."),
    f("histogram_fraction", &[Scalar, Scalar, Vector], Vector, "The estimated share of observations between two values."),
    f("histogram_quantile", &[Scalar, Vector], Vector, "The estimated quantile of the observations in each histogram."),
    f("histogram_quantiles", &[Vector, String, Scalar, Scalar], Vector, "Several estimated quantiles of each histogram, told apart by a label.").variadic(9).experimental(),
    f("histogram_stddev", &[Vector], Vector, "The estimated standard deviation of the observations in each native histogram."),
    f("histogram_stdvar", &[Vector], Vector, "The estimated variance of the observations in each native histogram."),
    f("histogram_sum", &[Vector], Vector, "The sum of the observations in each native histogram."),
    f("hour", &[Vector], Vector, "The hour of the day of each sample read as a time in UTC.").variadic(1),
    f("idelta", &[Matrix], Vector, "The difference of the last two samples in the range; for gauges."),
    f("increase", &[Matrix], Vector, "By how much a counter grew in the range, extrapolated to its edges."),
    f("info", &[Vector, Vector], Vector, "Each series with the labels of the info metrics that describe it.").variadic(1).experimental(),
    f("irate", &[Matrix], Vector, "How fast a counter grew per second between the last two samples in the range."),
    f("label_join", &[Vector, String, String, String], Vector, "Each series with a label joined from the values of others.").variadic(-1),
    f("label_replace", &[Vector, String, String, String, String], Vector, "Each series with a label made from another by a regular expression."),
    f("last_over_time", &[Matrix], Vector, "The last sample in the range."),
    f("ln", &[Vector], Vector, "The natural logarithm of each sample."),
    f("log10", &[Vector], Vector, "The decimal logarithm of each sample."),
    f("log2", &[Vector], Vector, "The binary logarithm of each sample."),
    f("mad_over_time", &[Matrix], Vector, "The median absolute deviation of the samples in the range.").experimental(),
    f("max_of", &[Scalar, Scalar], Scalar, "The larger of two numbers, NaN if either is NaN.").experimental(),
    f("max_over_time", &[Matrix], Vector, "The largest sample in the range."),
    f("min_of", &[Scalar, Scalar], Scalar, "The smaller of two numbers, NaN if either is NaN.").experimental(),
    f("min_over_time", &[Matrix], Vector, "The smallest sample in the range."),
    f("minute", &[Vector], Vector, "The minute of the hour of each sample read as a time in UTC.").variadic(1),
    f("month", &[Vector], Vector, "The month of the year of each sample read as a time in UTC, from 1.").variadic(1),
    f("pi", &[], Scalar, "The number pi."),
    f("predict_linear", &[Matrix, Scalar], Vector, "The value of a gauge some seconds from now, by linear regression."),
    f("present_over_time", &[Matrix], Vector, "1 for each series with a sample in the range."),
    f("quantile_over_time", &[Scalar, Matrix], Vector, "The quantile of the samples in the range."),
    f("rad", &[Vector], Vector, "Each sample converted from degrees to radians."),
    f("range", &[], Scalar, "From the first to the last instant of the query, in seconds.").experimental(),
    f("rate", &[Matrix], Vector, "How fast a counter grew per second on average in the range."),
    f("resets", &[Matrix], Vector, "How often a counter was reset in the range."),
    f("round", &[Vector, Scalar], Vector, "Each sample rounded to the nearest multiple of a number, by default 1.").variadic(1),
    f("scalar", &[Vector], Scalar, "The value of a vector of one series, NaN for any other vector."),
    f("sgn", &[Vector], Vector, "The sign of each sample: 1, 0 or -1."),
    f("sin", &[Vector], Vector, "The sine of each sample."),
    f("sinh", &[Vector], Vector, "The hyperbolic sine of each sample."),
    f("sort", &[Vector], Vector, "The series by rising value; in instant queries alone."),
    f("sort_by_label", &[Vector, String], Vector, "The series by the natural order of labels; in instant queries alone.").variadic(-1).experimental(),
    f("sort_by_label_desc", &[Vector, String], Vector, "The series by the reverse natural order of labels; in instant queries alone.").variadic(-1).experimental(),
    f("sort_desc", &[Vector], Vector, "The series by falling value; in instant queries alone."),
    f("sqrt", &[Vector], Vector, "The square root of each sample."),
    f("start", &[], Scalar, "The first instant of the query, in seconds.").experimental(),
    f("start_timestamp", &[Vector], Vector, "The time at which each sample began to count, in seconds since 1970.").experimental(),
    f("stddev_over_time", &[Matrix], Vector, "The population standard deviation of the samples in the range."),
    f("stdvar_over_time", &[Matrix], Vector, "The population variance of the samples in the range."),
    f("step", &[], Scalar, "The distance of the instants of the query, in seconds.").experimental(),
    f("sum_over_time", &[Matrix], Vector, "The sum of the samples in the range."),
    f("tan", &[Vector], Vector, "The tangent of each sample."),
    f("tanh", &[Vector], Vector, "The hyperbolic tangent of each sample."),
    f("time", &[], Scalar, "The instant that is evaluated, in seconds since 1970."),
    f("timestamp", &[Vector], Vector, "The time of each sample, in seconds since 1970."),
    f("ts_of_first_over_time", &[Matrix], Vector, "The time of the first sample in the range, in seconds.").experimental(),
    f("ts_of_last_over_time", &[Matrix], Vector, "The time of the last sample in the range, in seconds.").experimental(),
    f("ts_of_max_over_time", &[Matrix], Vector, "The time of the last largest sample in the range, in seconds.").experimental(),
    f("ts_of_min_over_time", &[Matrix], Vector, "The time of the last smallest sample in the range, in seconds.").experimental(),
    f("vector", &[Scalar], Vector, "The scalar as a vector of one series without labels."),
    f("year", &[Vector], Vector, "The year of each sample read as a time in UTC.").variadic(1),
];

impl FunctionSignature {
    /// The function of that name; names are case-sensitive.
    pub fn find(name: &str) -> Option<&'static Self> {
        let at = FUNCTIONS.binary_search_by(|function| function.name.cmp(name)).ok()?;
        FUNCTIONS.get(at)
    }

    /// The fewest arguments that a call may have.
    pub fn args_min(&self) -> usize {
        if self.variadic == 0 { self.args.len() } else { self.args.len().saturating_sub(1) }
    }

    /// The most arguments that a call may have, if there is a bound.
    pub fn args_max(&self) -> Option<usize> {
        let more = usize::try_from(self.variadic).ok()?;
        Some(self.args_min() + more)
    }

    const fn variadic(self, variadic: i8) -> Self {
        Self { variadic, ..self }
    }

    const fn experimental(self) -> Self {
        Self { experimental: true, ..self }
    }
}

const fn f(
    name: &'static str,
    args: &'static [ValueType],
    returns: ValueType,
    doc: &'static str,
) -> FunctionSignature {
    FunctionSignature { name, args, variadic: 0, returns, experimental: false, doc }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_every_function_is_found() {
        assert!(FUNCTIONS.is_sorted_by(|a, b| a.name < b.name));
        for function in FUNCTIONS {
            assert_eq!(FunctionSignature::find(function.name), Some(function));
            assert!(function.doc.ends_with('.'), "{}", function.name);
        }
        assert_eq!(FunctionSignature::find("Rate"), None);
    }

    #[test]
    fn argument_counts_follow_from_the_signature() {
        let f = |name, min, max| {
            let function = FunctionSignature::find(name).expect("known");
            assert_eq!((function.args_min(), function.args_max()), (min, max), "{name}");
        };
        f("pi", 0, Some(0));
        f("rate", 1, Some(1));
        f("round", 1, Some(2));
        f("day_of_week", 0, Some(1));
        f("label_join", 3, None);
        f("histogram_quantiles", 3, Some(12));
    }
}
