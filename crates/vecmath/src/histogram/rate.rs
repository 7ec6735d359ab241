//! `rate`, `increase`, `delta`, `irate` and `idelta` of native histograms.
//!
//! Upstream: `promql/functions.go: histogramRate`, `extendedHistogramRate`, `instantValue`. Results
//! are gauges and compact. Warnings come back as [`HistogramNotes`].

use std::borrow::Borrow;

use masthead_model::{CounterResetHint, Histogram};

use crate::{
    Bounds, Edge, RateKind, extended::extent, extrapolation_factor, rate::seconds,
    rate::start_is_inside, start_overlaps, starts_anew,
};

/// What a reader should be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one warning; they are independent")]
pub struct HistogramNotes {
    /// Exponential and custom buckets met; there is no result.
    pub mixed_schemas: bool,
    /// A counter function met a gauge.
    pub not_counter: bool,
    /// A gauge function met a counter.
    pub not_gauge: bool,
    /// Custom bounds were reconciled in an addition.
    pub reconciled_in_addition: bool,
    /// Custom bounds were reconciled in a subtraction.
    pub reconciled_in_subtraction: bool,
    /// Start times overlap with samples before.
    pub start_overlap: bool,
}

/// A result, if there is one, with what should be told about it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HistogramRate {
    /// The result.
    pub value: Option<Histogram>,
    /// What should be told, also when there is none.
    pub notes: HistogramNotes,
}

/// There is no result; the notes say why.
struct Mixed;

impl HistogramNotes {
    fn add(&mut self, to: &mut Histogram, other: &Histogram) -> Result<(), Mixed> {
        match to.add(other) {
            Ok(combined) => {
                self.reconciled_in_addition |= combined.bounds_reconciled;
                Ok(())
            }
            Err(_) => Err(self.mixed()),
        }
    }

    fn sub(&mut self, from: &mut Histogram, other: &Histogram) -> Result<(), Mixed> {
        match from.sub(other) {
            Ok(combined) => {
                self.reconciled_in_subtraction |= combined.bounds_reconciled;
                Ok(())
            }
            Err(_) => Err(self.mixed()),
        }
    }

    fn mixed(&mut self) -> Mixed {
        self.mixed_schemas = true;
        Mixed
    }
}

fn is_gauge(histogram: &Histogram) -> bool {
    histogram.counter_reset_hint == CounterResetHint::Gauge
}

fn answer(
    compute: impl FnOnce(&mut HistogramNotes) -> Result<Option<Histogram>, Mixed>,
) -> HistogramRate {
    let mut notes = HistogramNotes::default();
    let value = compute(&mut notes).unwrap_or(None).map(|mut histogram| {
        histogram.counter_reset_hint = CounterResetHint::Gauge;
        histogram.compact(0);
        histogram
    });
    HistogramRate { value, notes }
}

/// The rate, increase or delta of the histograms in one window, extrapolated to its edges.
///
/// `starts` is empty where start times aren't used. One histogram is enough if it starts inside the
/// window, else it takes two.
pub fn histogram_rate<H: Borrow<Histogram>>(
    times: &[i64],
    histograms: &[H],
    starts: &[i64],
    bounds: Bounds,
    kind: RateKind,
) -> HistogramRate {
    answer(|notes| {
        let (Some(first), Some(first_time)) =
            (histograms.first().map(Borrow::borrow), times.first())
        else {
            return Ok(None);
        };
        let start = starts.first().copied().unwrap_or(0);
        let starts_inside = kind.is_counter() && start_is_inside(start, *first_time, bounds);
        let mut growth = match histograms {
            [_] if starts_inside => None,
            [_] => return Ok(None),
            _ => Some(grown(times, histograms, starts, kind.is_counter(), notes)?),
        };
        let count = growth.as_ref().map_or(0.0, |growth| growth.count);
        let Some(factor) = extrapolation_factor(times, start, bounds, kind, first.count, count)
        else {
            return Ok(None);
        };
        if starts_inside {
            match &mut growth {
                Some(growth) => notes.add(growth, first)?,
                None => growth = Some(first.clone()),
            }
        }
        Ok(growth.map(|mut growth| {
            growth.mul(factor);
            growth
        }))
    })
}

/// The last minus the first of at least two, plus what resets in between lost.
fn grown<H: Borrow<Histogram>>(
    times: &[i64],
    histograms: &[H],
    starts: &[i64],
    is_counter: bool,
    notes: &mut HistogramNotes,
) -> Result<Histogram, Mixed> {
    let get = |at: usize| histograms.get(at).map(Borrow::borrow);
    let (Some(first), Some(second), Some(last)) = (get(0), get(1), get(histograms.len() - 1))
    else {
        return Err(Mixed);
    };
    let started = |at: usize| match (starts.get(at - 1..=at), times.get(at - 1..=at)) {
        (Some([start_before, start]), Some([before, now])) => {
            starts_anew(*start_before, *before, *start, *now)
        }
        _ => false,
    };
    if !is_counter {
        let mut growth = last.copy_to_schema(first.schema.min(last.schema));
        notes.sub(&mut growth, first)?;
        notes.not_gauge = !is_gauge(first) || !is_gauge(last);
        return Ok(growth);
    }
    notes.not_counter = histograms.iter().any(|h| is_gauge(h.borrow()));
    // When the second one starts anew, the layout of the first doesn't matter.
    let blank;
    let mut before = first;
    if started(1) || second.detect_reset(first) {
        blank = Histogram {
            schema: second.schema,
            custom_values: second.custom_values.clone(),
            ..Histogram::default()
        };
        before = &blank;
    }
    let custom = before.uses_custom_buckets();
    let rest = || histograms.iter().skip(1).map(Borrow::borrow);
    if rest().any(|h| h.uses_custom_buckets() != custom) {
        return Err(notes.mixed());
    }
    let schema = rest().map(|h| h.schema).fold(before.schema, Ord::min);
    let mut growth = last.copy_to_schema(schema);
    notes.sub(&mut growth, before)?;
    for (at, now) in histograms.iter().enumerate().skip(1) {
        let now = now.borrow();
        if let (Some([start_before, start]), Some(time)) =
            (starts.get(at - 1..=at), times.get(at - 1))
        {
            notes.start_overlap |= start_overlaps(*start_before, *time, *start);
        }
        if started(at) || now.detect_reset(before) {
            notes.add(&mut growth, before)?;
        }
        before = now;
    }
    Ok(growth)
}

/// The same for `anchored` and `smoothed` windows; see [`extended_rate`](crate::extended_rate).
pub fn extended_histogram_rate<H: Borrow<Histogram>>(
    times: &[i64],
    histograms: &[H],
    bounds: Bounds,
    edge: Edge,
    kind: RateKind,
) -> HistogramRate {
    answer(|notes| {
        let Some(extent) = extent(times, bounds, edge) else { return Ok(None) };
        let (Some(times), Some(histograms)) = (times.get(extent.clone()), histograms.get(extent))
        else {
            return Ok(None);
        };
        let custom = histograms.first().is_some_and(|h| h.borrow().uses_custom_buckets());
        for histogram in histograms {
            if histogram.borrow().uses_custom_buckets() != custom {
                return Err(notes.mixed());
            }
            notes.not_counter |= kind.is_counter() && is_gauge(histogram.borrow());
        }
        let smoothed = edge == Edge::Smoothed;
        let last = histograms.len() - 1;
        let point = |at: usize| Some((*times.get(at)?, histograms.get(at)?.borrow()));
        let (Some(first_point), Some(last_point)) = (point(0), point(last)) else {
            return Ok(None);
        };
        let left = match point(1) {
            Some(next) if smoothed && first_point.0 < bounds.start => {
                interpolate(first_point, next, bounds.start, kind, notes)?
            }
            _ => first_point.1.clone(),
        };
        let right = match last.checked_sub(1).and_then(point) {
            Some(before) if smoothed && last_point.0 > bounds.end => {
                interpolate(before, last_point, bounds.end, kind, notes)?
            }
            _ => last_point.1.clone(),
        };
        notes.not_gauge = !kind.is_counter() && (!is_gauge(&left) || !is_gauge(&right));
        let mut growth = right.clone();
        notes.sub(&mut growth, &left)?;
        if kind.is_counter() {
            let interpolated = smoothed && first_point.0 < bounds.start;
            correct(histograms, &left, &right, interpolated, &mut growth, notes)?;
        }
        if kind.is_per_second() {
            growth.div(bounds.seconds());
        }
        Ok(Some(growth))
    })
}

/// Adds what resets between the edges lost. A reset that an edge was interpolated over is in that
/// edge's value already.
fn correct<H: Borrow<Histogram>>(
    histograms: &[H],
    left: &Histogram,
    right: &Histogram,
    left_is_interpolated: bool,
    growth: &mut Histogram,
    notes: &mut HistogramNotes,
) -> Result<(), Mixed> {
    let mut from = 1;
    let mut before = left;
    if let [first, second, ..] = histograms
        && left_is_interpolated
        && second.borrow().detect_reset(first.borrow())
    {
        before = second.borrow();
        from = 2;
    }
    let last = histograms.len() - 1;
    if from > last {
        return Ok(());
    }
    for now in histograms.get(from..last).unwrap_or(&[]).iter().map(Borrow::borrow).chain([right]) {
        if now.detect_reset(before) {
            notes.add(growth, before)?;
        }
        before = now;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "spans of time are far below 2^53 ms")]
fn interpolate(
    from: (i64, &Histogram),
    to: (i64, &Histogram),
    at: i64,
    kind: RateKind,
    notes: &mut HistogramNotes,
) -> Result<Histogram, Mixed> {
    if at == from.0 {
        return Ok(from.1.clone());
    }
    if at == to.0 {
        return Ok(to.1.clone());
    }
    let way = at.saturating_sub(from.0) as f64 / to.0.saturating_sub(from.0) as f64;
    let mut value = to.1.clone();
    if kind.is_counter() && to.1.detect_reset(from.1) {
        value.mul(way);
        return Ok(value);
    }
    notes.sub(&mut value, from.1)?;
    value.mul(way);
    notes.add(&mut value, from.1)?;
    Ok(value)
}

/// `irate` and `idelta` of the last two histograms of a window, as `(time, histogram, start)`.
pub fn instant_histogram_rate(
    before: (i64, &Histogram, i64),
    last: (i64, &Histogram, i64),
    is_rate: bool,
) -> HistogramRate {
    answer(|notes| {
        let gap = seconds(before.0, last.0);
        if gap <= 0.0 {
            return Ok(None);
        }
        notes.not_counter = is_rate && (is_gauge(before.1) || is_gauge(last.1));
        notes.not_gauge = !is_rate && (!is_gauge(before.1) || !is_gauge(last.1));
        let mut growth = last.1.clone();
        let reset = is_rate
            && (starts_anew(before.2, before.0, last.2, last.0) || last.1.detect_reset(before.1));
        if !reset {
            notes.sub(&mut growth, before.1)?;
        }
        if is_rate {
            growth.div(gap);
        }
        Ok(Some(growth))
    })
}
