//! `changes` and `resets`: how often something happens from one sample to the next, floats and
//! histograms taken together in the order of time.

use std::{ops::Range, sync::Arc};

use masthead_model::Histogram;
use masthead_vecmath::{CounterResets, starts_anew};

use super::sliding::PrefixCounts;
use crate::{
    ast::RangeEdges,
    engine::{Made, RangeFunction, Window},
};

pub(super) const CHANGES: RangeFunction = RangeFunction {
    window: |window, _| Ok(count(window, changed)),
    column: Some(|floats| {
        let counts = PrefixCounts::new(floats.values, differs);
        floats.each_range(|range, _| counts.within(&range).map(f64::from))
    }),
    rates: None,
    keeps_name: false,
    counter: false,
    edges: &[RangeEdges::Anchored],
};

pub(super) const RESETS: RangeFunction = RangeFunction {
    window: |window, _| Ok(count(window, reset)),
    column: Some(|floats| {
        let resets = CounterResets::find(floats.times, floats.values, &[]);
        floats.each_range(|range, _| {
            (!range.is_empty()).then(|| number(resets.count(range.start, range.end)))
        })
    }),
    ..CHANGES
};

/// A sample with its time and the start time of its counter.
struct Sample<'a> {
    time: i64,
    start: i64,
    value: SampleValue<'a>,
}

enum SampleValue<'a> {
    Float(f64),
    Histogram(&'a Arc<Histogram>),
}

#[expect(clippy::float_cmp, reason = "any difference is a change")]
fn differs(before: f64, now: f64) -> bool {
    before != now && !(before.is_nan() && now.is_nan())
}

fn changed(before: &Sample<'_>, now: &Sample<'_>) -> bool {
    match (&before.value, &now.value) {
        (SampleValue::Float(before), SampleValue::Float(now)) => differs(*before, *now),
        (SampleValue::Histogram(before), SampleValue::Histogram(now)) => !now.same_data(before),
        _ => true,
    }
}

fn reset(before: &Sample<'_>, now: &Sample<'_>) -> bool {
    let started = starts_anew(before.start, before.time, now.start, now.time);
    match (&before.value, &now.value) {
        (SampleValue::Float(before), SampleValue::Float(now)) => now < before || started,
        (SampleValue::Histogram(before), SampleValue::Histogram(now)) => {
            started || now.detect_reset(before)
        }
        _ => true,
    }
}

fn count(window: &Window<'_>, happened: impl Fn(&Sample<'_>, &Sample<'_>) -> bool) -> Option<Made> {
    let (floats, histograms) = considered(window)?;
    let start = |starts: &[i64], at: usize| starts.get(at).copied().unwrap_or(0);
    let mut floats = floats
        .filter_map(|at| {
            Some(Sample {
                time: *window.times.get(at)?,
                start: start(window.starts, at),
                value: SampleValue::Float(*window.floats.get(at)?),
            })
        })
        .peekable();
    let mut histograms = histograms
        .filter_map(|at| {
            Some(Sample {
                time: *window.histogram_times.get(at)?,
                start: start(window.histogram_starts, at),
                value: SampleValue::Histogram(window.histograms.get(at)?),
            })
        })
        .peekable();
    let mut before: Option<Sample<'_>> = None;
    let mut times = 0;
    loop {
        let float_is_next = match (floats.peek(), histograms.peek()) {
            (Some(float), Some(histogram)) => float.time < histogram.time,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => break,
        };
        let now = if float_is_next { floats.next() } else { histograms.next() };
        if let (Some(before), Some(now)) = (&before, &now)
            && happened(before, now)
        {
            times += 1;
        }
        before = now;
    }
    Some(Made::Float(number(times)))
}

/// The samples that count. In an anchored window these are the newest one at or before its start,
/// and all after it; without any after it there is nothing to measure
/// (`promql/functions.go: pickFirstSampleIndices`).
fn considered(window: &Window<'_>) -> Option<(Range<usize>, Range<usize>)> {
    let all = (0..window.floats.len(), 0..window.histograms.len());
    if window.edges != RangeEdges::Anchored {
        return (!window.floats.is_empty() || !window.histograms.is_empty()).then_some(all);
    }
    let start = window.bounds.start;
    let floats_before = window.times.partition_point(|time| *time <= start);
    let histograms_before = window.histogram_times.partition_point(|time| *time <= start);
    if floats_before == window.floats.len() && histograms_before == window.histograms.len() {
        return None;
    }
    let last = |times: &[i64], before: usize| times.get(before.checked_sub(1)?).copied();
    let last_float = last(window.times, floats_before);
    let last_histogram = last(window.histogram_times, histograms_before);
    let (mut first_float, mut first_histogram) = (floats_before, histograms_before);
    match (last_float, last_histogram) {
        (None, None) => {}
        (float, histogram) if float >= histogram => first_float -= 1,
        _ => first_histogram -= 1,
    }
    Some((first_float..window.floats.len(), first_histogram..window.histograms.len()))
}

#[expect(clippy::cast_precision_loss, reason = "far fewer samples than 2^53")]
fn number(times: usize) -> f64 {
    times as f64
}
