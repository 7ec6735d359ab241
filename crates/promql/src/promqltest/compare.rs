//! Compares what came with what was expected; numbers to a relative 1e-6.

use std::{collections::BTreeSet, sync::Arc};

use masthead_model::{Histogram, Labels, Millis, Value, format_shortest};
use masthead_vecmath::nearly_equal;

use super::{
    Answer,
    script::{Eval, EvalTime, Expect, Text},
    series::Described,
};
use crate::{InstantSample, QueryValue, SeriesResult};

/// The relative error that is allowed, as upstream.
const EPSILON: f64 = 1e-6;

/// What was expected, and what came instead.
pub(super) struct Mismatch {
    pub(super) expected: String,
    pub(super) got: String,
}

fn mismatch<T>(expected: impl Into<String>, got: impl Into<String>) -> Result<T, Mismatch> {
    Err(Mismatch { expected: expected.into(), got: got.into() })
}

/// Compares the messages: each expected one must be there, and no other of its kind.
pub(super) fn messages(expect: &Expect, answer: &Answer) -> Result<(), Mismatch> {
    let kinds = [
        ("warning", &expect.warn, expect.no_warn, &answer.warnings),
        ("info", &expect.info, expect.no_info, &answer.infos),
    ];
    for (kind, wanted, none, found) in kinds {
        if none && !found.is_empty() {
            return mismatch(format!("no {kind}"), format!("{found:?}"));
        }
        if let Some(missing) = wanted.iter().find(|text| !found.iter().any(|m| text.accepts(m))) {
            return mismatch(format!("{kind}: {missing}"), format!("{found:?}"));
        }
        let surplus = found.iter().find(|message| !wanted.iter().any(|text| text.accepts(message)));
        if let Some(surplus) = surplus.filter(|_| !wanted.is_empty()) {
            let wanted: Vec<_> = wanted.iter().map(Text::to_string).collect();
            return mismatch(format!("only {kind}s {wanted:?}"), format!("{surplus:?}"));
        }
    }
    Ok(())
}

/// Compares an answer.
pub(super) fn value(eval: &Eval, value: &QueryValue) -> Result<(), Mismatch> {
    let expect = &eval.expect;
    match value {
        QueryValue::Scalar(got, _) => match expect.scalar {
            Some(wanted) if nearly_equal(wanted, *got, EPSILON) => Ok(()),
            Some(wanted) => mismatch(format!("scalar {}", number(wanted)), number(*got)),
            None => mismatch("a vector or matrix", format!("scalar {}", number(*got))),
        },
        QueryValue::String(got, _) => {
            let wanted = expect.string.as_deref().unwrap_or("");
            if wanted == got {
                Ok(())
            } else {
                mismatch(format!("string {wanted:?}"), format!("{got:?}"))
            }
        }
        QueryValue::Vector(got) => vector(expect, got),
        QueryValue::Matrix(got) => matrix(eval, got),
    }
}

/// The vector that a range query gave at `at`; its series must be sorted.
pub(super) fn vector_at(
    matrix: &[SeriesResult],
    at: Millis,
) -> Result<Vec<InstantSample>, Mismatch> {
    sorted(matrix)?;
    let sample = |series: &SeriesResult| {
        let float = series.floats.iter().find(|(time, _)| *time == at.0);
        let histogram = series.histograms.iter().find(|(time, _)| *time == at.0);
        let value = match (float, histogram) {
            (Some((_, float)), _) => Value::Float(*float),
            (None, Some((_, histogram))) => Value::Histogram(Box::new(Histogram::clone(histogram))),
            (None, None) => return None,
        };
        Some(InstantSample { labels: series.labels.clone(), timestamp: at, value })
    };
    Ok(matrix.iter().filter_map(sample).collect())
}

fn vector(expect: &Expect, got: &[InstantSample]) -> Result<(), Mismatch> {
    if let Some(wanted) = expect.scalar {
        return mismatch(
            format!("scalar {}", number(wanted)),
            format!("a vector of {}", got.len()),
        );
    }
    let mut seen = BTreeSet::new();
    for (at, sample) in got.iter().enumerate() {
        let shown = format!("{} {}", sample.labels, show(&sample.value));
        let Some((place, values)) = expect.series.get(&sample.labels) else {
            return mismatch("no such series", shown);
        };
        if expect.ordered && *place != at + 1 {
            return mismatch(
                format!("{} at position {place}", sample.labels),
                format!("at {}", at + 1),
            );
        }
        let same = match (values.first(), &sample.value) {
            (Some(Described::Float(wanted)), Value::Float(got)) => {
                nearly_equal(*wanted, *got, EPSILON)
            }
            (Some(Described::Histogram(wanted, hint)), Value::Histogram(got)) => {
                same_histogram(wanted, got, *hint)
            }
            _ => false,
        };
        if !same {
            return mismatch(format!("{} {}", sample.labels, describe(values)), shown);
        }
        if !seen.insert(&sample.labels) {
            return mismatch("each series once", shown);
        }
    }
    all_seen(expect, &seen)
}

fn matrix(eval: &Eval, got: &[SeriesResult]) -> Result<(), Mismatch> {
    let expect = &eval.expect;
    if expect.ordered {
        return mismatch("an ordered result", "a matrix");
    }
    if let Some(wanted) = expect.scalar {
        return mismatch(
            format!("scalar {}", number(wanted)),
            format!("a matrix of {}", got.len()),
        );
    }
    let (start, end, step) = match (expect.range_vector, eval.time) {
        (Some(range), _) => range,
        (None, EvalTime::Range(start, end, step)) => (start, end, step),
        (None, EvalTime::Instant(at)) => (at, at, 0),
    };
    sorted(got)?;
    let mut seen = BTreeSet::new();
    for series in got {
        let Some((_, values)) = expect.series.get(&series.labels) else {
            return mismatch(
                "no such series",
                format!("{} {}", series.labels, show_series(series)),
            );
        };
        let (mut floats, mut histograms) = (Vec::new(), Vec::new());
        let mut at = start;
        for value in values {
            if at > end {
                let points = values.len();
                return mismatch(
                    format!("{points} points for {}", series.labels),
                    "a range of fewer",
                );
            }
            match value {
                Described::Gap => {}
                Described::Float(value) => floats.push((at.0, *value)),
                Described::Histogram(value, hint) => histograms.push((at.0, value, *hint)),
            }
            at = at.saturating_add(step);
        }
        let same_floats = floats.len() == series.floats.len()
            && floats
                .iter()
                .zip(&series.floats)
                .all(|(wanted, got)| wanted.0 == got.0 && nearly_equal(wanted.1, got.1, EPSILON));
        let same_histograms = histograms.len() == series.histograms.len()
            && histograms.iter().zip(&series.histograms).all(|(wanted, got)| {
                wanted.0 == got.0 && same_histogram(wanted.1, &got.1, wanted.2)
            });
        if !(same_floats && same_histograms) {
            let wanted = format!("{} {}", series.labels, describe(values));
            return mismatch(wanted, show_series(series));
        }
        seen.insert(&series.labels);
    }
    all_seen(expect, &seen)
}

fn all_seen(expect: &Expect, seen: &BTreeSet<&Labels>) -> Result<(), Mismatch> {
    match expect.series.iter().find(|(labels, _)| !seen.contains(labels)) {
        Some((labels, (_, values))) => {
            mismatch(format!("{labels} {}", describe(values)), "nothing")
        }
        None => Ok(()),
    }
}

fn sorted(matrix: &[SeriesResult]) -> Result<(), Mismatch> {
    for two in matrix.windows(2) {
        if let [a, b] = two
            && a.labels > b.labels
        {
            return mismatch(
                "series sorted by labels",
                format!("{} before {}", a.labels, b.labels),
            );
        }
    }
    Ok(())
}

fn same_histogram(wanted: &Histogram, got: &Histogram, hint_given: bool) -> bool {
    wanted.nearly_equals(got, EPSILON)
        && (!hint_given || wanted.counter_reset_hint == got.counter_reset_hint)
}

fn number(value: f64) -> String {
    format_shortest(value, 21)
}

fn show(value: &Value) -> String {
    match value {
        Value::Float(value) => number(*value),
        Value::Histogram(histogram) => histogram.to_test_expression(),
    }
}

fn show_series(series: &SeriesResult) -> String {
    let floats = series.floats.iter().map(|(at, value)| (*at, number(*value)));
    let show = |histogram: &Arc<Histogram>| histogram.to_test_expression();
    let histograms = series.histograms.iter().map(|(at, value)| (*at, show(value)));
    let mut points: Vec<_> = floats.chain(histograms).collect();
    points.sort_by_key(|(at, _)| *at);
    let points: Vec<_> = points.into_iter().map(|(at, value)| format!("{value}@{at}")).collect();
    points.join(" ")
}

fn describe(values: &[Described]) -> String {
    let one = |value: &Described| match value {
        Described::Gap => "_".to_owned(),
        Described::Float(value) => number(*value),
        Described::Histogram(histogram, _) => histogram.to_test_expression(),
    };
    values.iter().map(one).collect::<Vec<_>>().join(" ")
}
