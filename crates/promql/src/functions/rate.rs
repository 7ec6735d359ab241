//! `rate`, `increase`, `delta`, `irate` and `idelta`.
//!
//! The arithmetic is in `masthead-vecmath`; here is what applies to which samples and what is said
//! about them (`promql/functions.go: extrapolatedRate`, `instantValue`).

use std::sync::Arc;

use masthead_model::Histogram;
use masthead_vecmath::{
    CounterResets, RateKind, extended_rate, extrapolated_rate,
    histogram::{
        HistogramNotes, HistogramRate, extended_histogram_rate, histogram_rate,
        instant_histogram_rate,
    },
    instant_rate,
};

use crate::{
    annotations::{HistogramOperation, Note},
    ast::RangeEdges,
    engine::{Column, Floats, Made, RangeFunction, RangeNotes, Window, edge_of},
};

const BASE: RangeFunction = RangeFunction {
    window: |_, _| Ok(None),
    column: None,
    rates: None,
    keeps_name: false,
    counter: false,
    edges: &[RangeEdges::Anchored, RangeEdges::Smoothed],
};

pub(super) const RATE: RangeFunction = RangeFunction {
    window: |window, says| Ok(extrapolated(window, says, RateKind::Rate)),
    rates: Some(RateKind::Rate),
    counter: true,
    ..BASE
};

pub(super) const INCREASE: RangeFunction = RangeFunction {
    window: |window, says| Ok(extrapolated(window, says, RateKind::Increase)),
    rates: Some(RateKind::Increase),
    counter: true,
    ..BASE
};

pub(super) const DELTA: RangeFunction = RangeFunction {
    window: |window, says| Ok(extrapolated(window, says, RateKind::Delta)),
    rates: Some(RateKind::Delta),
    ..BASE
};

pub(super) const IRATE: RangeFunction = RangeFunction {
    window: |window, says| Ok(instant(window, says, true)),
    column: Some(|floats| instant_column(floats, true)),
    edges: &[],
    ..BASE
};

pub(super) const IDELTA: RangeFunction = RangeFunction {
    window: |window, says| Ok(instant(window, says, false)),
    column: Some(|floats| instant_column(floats, false)),
    edges: &[],
    ..BASE
};

fn instant_column(floats: &Floats<'_>, is_rate: bool) -> Column {
    floats.each(|times, values, _| match (times, values) {
        ([.., t1, t2], [.., v1, v2]) => instant_rate((*t1, *v1, 0), (*t2, *v2, 0), is_rate),
        _ => None,
    })
}

fn extrapolated(window: &Window<'_>, says: &mut RangeNotes<'_>, kind: RateKind) -> Option<Made> {
    if !window.floats.is_empty() && !window.histograms.is_empty() {
        says.notes.add(Note::mixed_floats_histograms(says.metric, says.pos));
        return None;
    }
    let edge = edge_of(window.edges);
    if !window.histograms.is_empty() {
        let (times, histograms) = (window.histogram_times, window.histograms);
        return told(
            says,
            match edge {
                None => {
                    histogram_rate(times, histograms, window.histogram_starts, window.bounds, kind)
                }
                Some(edge) => extended_histogram_rate(times, histograms, window.bounds, edge, kind),
            },
        );
    }
    if let Some(edge) = edge {
        return extended_rate(window.times, window.floats, window.bounds, edge, kind)
            .map(Made::Float);
    }
    let mut correction = 0.0;
    if kind.is_counter() {
        let resets = CounterResets::find(window.times, window.floats, window.starts);
        correction = resets.correction(window.floats, 0, window.floats.len());
        if resets.overlap(0, window.floats.len()) {
            says.notes.add(Note::start_time_overlap(says.metric, says.pos));
        }
    }
    let start = window.starts.first().copied().unwrap_or(0);
    extrapolated_rate(window.times, window.floats, start, window.bounds, kind, correction)
        .map(Made::Float)
}

/// A sample with its time and the start time of its counter.
enum Last<'a> {
    Float(i64, f64, i64),
    Histogram(i64, &'a Arc<Histogram>, i64),
}

impl Last<'_> {
    fn time(&self) -> i64 {
        match self {
            Self::Float(time, ..) | Self::Histogram(time, ..) => *time,
        }
    }
}

fn instant(window: &Window<'_>, says: &mut RangeNotes<'_>, is_rate: bool) -> Option<Made> {
    let start = |starts: &[i64], at: usize| starts.get(at).copied().unwrap_or(0);
    let floats = window.times.iter().zip(window.floats).enumerate().rev().take(2);
    let floats =
        floats.map(|(at, (time, value))| Last::Float(*time, *value, start(window.starts, at)));
    let histograms = window.histogram_times.iter().zip(window.histograms).enumerate().rev().take(2);
    let histograms = histograms.map(|(at, (time, histogram))| {
        Last::Histogram(*time, histogram, start(window.histogram_starts, at))
    });
    let mut last: Vec<Last<'_>> = floats.chain(histograms).collect();
    last.sort_by_key(|sample| std::cmp::Reverse(sample.time()));
    match &last[..] {
        [Last::Float(t2, v2, s2), Last::Float(t1, v1, s1), ..] => {
            instant_rate((*t1, *v1, *s1), (*t2, *v2, *s2), is_rate).map(Made::Float)
        }
        [Last::Histogram(t2, h2, s2), Last::Histogram(t1, h1, s1), ..] => {
            told(says, instant_histogram_rate((*t1, h1, *s1), (*t2, h2, *s2), is_rate))
        }
        [_, _, ..] => {
            says.notes.add(Note::mixed_floats_histograms(says.metric, says.pos));
            None
        }
        _ => None,
    }
}

/// Says what there is to say about a histogram's rate, and hands on its value.
fn told(says: &mut RangeNotes<'_>, rate: HistogramRate) -> Option<Made> {
    let HistogramNotes {
        mixed_schemas,
        not_counter,
        not_gauge,
        reconciled_in_addition,
        reconciled_in_subtraction,
        start_overlap,
    } = rate.notes;
    let (metric, pos) = (says.metric, says.pos);
    let mut note = |applies: bool, note: fn(&str, crate::ast::PosRange) -> Note| {
        if applies {
            says.notes.add(note(metric, pos));
        }
    };
    note(mixed_schemas, Note::mixed_schemas);
    note(not_counter, Note::not_a_counter);
    note(not_gauge, Note::not_a_gauge);
    note(start_overlap, Note::start_time_overlap);
    note(reconciled_in_subtraction, |_, pos| {
        Note::bounds_reconciled(HistogramOperation::Subtraction, pos)
    });
    note(reconciled_in_addition, |_, pos| {
        Note::bounds_reconciled(HistogramOperation::Addition, pos)
    });
    Some(Made::Histogram(Arc::new(rate.value?)))
}
