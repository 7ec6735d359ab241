//! Whether a histogram's counts fell since the sample before: a counter reset.
//!
//! Nothing is allocated unless the two layouts differ in their zero bucket. Rules: upstream's
//! `FloatHistogram.DetectReset`. The sum is not looked at, because it may fall on its own.

use super::{
    CounterResetHint, Histogram, Span,
    cells::{shift_between, walk, walk_reduced},
};

impl Histogram {
    /// Whether this sample starts anew after `previous`.
    ///
    /// A hint decides when there is one. Otherwise it is a reset when any count fell, a populated
    /// bucket is gone, the resolution rose, or the zero bucket shrank or cuts a populated bucket.
    pub fn detect_reset(&self, previous: &Self) -> bool {
        match self.counter_reset_hint {
            CounterResetHint::CounterReset => return true,
            CounterResetHint::NotCounterReset => return false,
            // Gauges are given to counter functions too; then they count as counters.
            CounterResetHint::Unknown | CounterResetHint::Gauge => {}
        }
        if self.count < previous.count {
            return true;
        }
        if self.uses_custom_buckets() {
            return !previous.uses_custom_buckets() || self.custom_buckets_fell(previous);
        }
        // The schema of custom buckets is the lowest number, so it counts as one that rose.
        if self.schema > previous.schema || self.zero_threshold < previous.zero_threshold {
            return true;
        }
        let Some(previous_zero) = previous.zero_count_within(self.zero_threshold) else {
            return true;
        };
        if self.zero_count < previous_zero {
            return true;
        }
        let sides = [
            (
                &self.positive_spans,
                &self.positive_buckets,
                &previous.positive_spans,
                &previous.positive_buckets,
            ),
            (
                &self.negative_spans,
                &self.negative_buckets,
                &previous.negative_spans,
                &previous.negative_buckets,
            ),
        ];
        sides.into_iter().any(|(spans, counts, previous_spans, previous_counts)| {
            if self.schema == previous.schema && spans == previous_spans {
                // The usual case: two samples of one client. A bucket inside the zero bucket
                // cannot be populated in either.
                counts.iter().zip(previous_counts).any(|(now, before)| now < before)
            } else {
                self.side_fell((spans, counts), previous, (previous_spans, previous_counts))
            }
        })
    }

    fn side_fell(
        &self,
        side: (&[Span], &[f64]),
        previous: &Self,
        before: (&[Span], &[f64]),
    ) -> bool {
        let outside =
            |(index, _): &(i32, f64)| self.schema.upper_bound(*index, &[]) <= self.zero_threshold;
        let shift = shift_between(previous.schema, self.schema);
        let mut now = walk(side.0, side.1).skip_while(outside).peekable();
        walk_reduced(before.0, before.1, shift).skip_while(outside).any(|(index, count)| {
            while now.next_if(|(at, _)| *at < index).is_some() {}
            match now.next_if(|(at, _)| *at == index) {
                Some((_, now)) => now < count,
                None => count != 0.0,
            }
        })
    }

    /// What the zero bucket would hold if it reached to `threshold`, which isn't smaller; nothing
    /// when that would cut a populated bucket.
    fn zero_count_within(&self, threshold: f64) -> Option<f64> {
        let mut count = self.zero_count;
        if self.zero_threshold.to_bits() == threshold.to_bits() {
            return Some(count);
        }
        for buckets in [self.positive(), self.negative()] {
            for bucket in buckets {
                let (near, far) = (
                    bucket.lower.abs().min(bucket.upper.abs()),
                    bucket.lower.abs().max(bucket.upper.abs()),
                );
                if near >= threshold {
                    break;
                }
                if far > threshold && bucket.count != 0.0 {
                    return None;
                }
                count += bucket.count;
            }
        }
        Some(count)
    }

    /// Compares the counts between the bounds that both have.
    fn custom_buckets_fell(&self, previous: &Self) -> bool {
        let (mut now, mut before) = (Rollup::new(self), Rollup::new(previous));
        let mut others = previous.custom_values.iter().peekable();
        let shared = self.custom_values.iter().filter(|bound| {
            while others.next_if(|other| other < bound).is_some() {}
            others.peek() == Some(bound)
        });
        shared.copied().chain([f64::INFINITY]).any(|bound| now.up_to(bound) < before.up_to(bound))
    }
}

/// Adds up custom buckets from bound to bound.
struct Rollup<'a> {
    buckets: std::iter::Peekable<super::Buckets<'a>>,
}

impl<'a> Rollup<'a> {
    fn new(histogram: &'a Histogram) -> Self {
        Self { buckets: histogram.positive().peekable() }
    }

    fn up_to(&mut self, bound: f64) -> f64 {
        std::iter::from_fn(|| self.buckets.next_if(|b| b.upper <= bound)).map(|b| b.count).sum()
    }
}
