//! The counter reset hints that a store gives to histograms as they are read again.
//!
//! Scripts are written against a store that keeps runs of histograms together: those that go on
//! after another are known not to be resets. Of the first of a run nothing is known, even if it was
//! said to be a reset: what comes before it may have gone, or come later. Upstream:
//! `tsdb/chunkenc/histogram_meta.go: counterResetHint`.

use masthead_model::{CounterResetHint, Histogram, Value, is_stale};

use super::LoadedSample;

/// Sets the hints as they will be read.
pub(super) fn settle(samples: &mut [LoadedSample]) {
    let mut before: Option<&Histogram> = None;
    for sample in samples {
        let Value::Histogram(histogram) = &mut sample.value else {
            before = None;
            continue;
        };
        histogram.counter_reset_hint = match histogram.counter_reset_hint {
            CounterResetHint::Gauge => CounterResetHint::Gauge,
            CounterResetHint::CounterReset => CounterResetHint::Unknown,
            CounterResetHint::Unknown | CounterResetHint::NotCounterReset => {
                histogram.counter_reset_hint = CounterResetHint::Unknown;
                match before {
                    Some(before) if goes_on(before, histogram) => CounterResetHint::NotCounterReset,
                    _ => CounterResetHint::Unknown,
                }
            }
        };
        before = Some(histogram);
    }
}

/// Whether `now`, of which nothing is known, is kept in one run with `before`.
fn goes_on(before: &Histogram, now: &Histogram) -> bool {
    if before.counter_reset_hint == CounterResetHint::Gauge || is_stale(before.sum) {
        return false;
    }
    let same_zero = now.zero_threshold.to_bits() == before.zero_threshold.to_bits();
    let same_bounds = now.schema == before.schema && now.custom_values == before.custom_values;
    is_stale(now.sum) || (same_bounds && same_zero && !now.detect_reset(before))
}
