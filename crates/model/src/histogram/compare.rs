//! When two histograms, or two numbers, count as the same.

use super::{Histogram, Span, cells::walk};

/// The smallest normal float; below it relative differences lose their meaning.
const SMALLEST_NORMAL: f64 = f64::MIN_POSITIVE;

/// Whether `a` and `b` differ by less than their sum times `epsilon`; two NaN are alike.
///
/// Upstream: `util/almost`.
pub fn nearly_equal(a: f64, b: f64, epsilon: f64) -> bool {
    if a.is_nan() && b.is_nan() {
        return true;
    }
    // Bits would tell zeros apart, and equal infinities must not be subtracted.
    if a <= b && b <= a {
        return true;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || sum < SMALLEST_NORMAL {
        difference < epsilon * SMALLEST_NORMAL
    } else {
        difference / sum.min(f64::MAX) < epsilon
    }
}

impl Histogram {
    /// Whether both hold the same data, bit by bit, whatever their hints say.
    ///
    /// Empty buckets count; how spans are cut does not.
    pub fn same_data(&self, other: &Self) -> bool {
        let same = |a: f64, b: f64| a.to_bits() == b.to_bits();
        self.schema == other.schema
            && same(self.count, other.count)
            && same(self.sum, other.sum)
            && same(self.zero_count, other.zero_count)
            && nearly_equal(self.zero_threshold, other.zero_threshold, 0.0)
            && (!self.uses_custom_buckets() || self.custom_values == other.custom_values)
            && self
                .sides(other)
                .into_iter()
                .all(|(a, b)| walk(a.0, a.1).map(bits).eq(walk(b.0, b.1).map(bits)))
    }

    /// Whether both are the same but for rounding, as script runners compare; empty buckets and
    /// hints do not count.
    pub fn nearly_equals(&self, other: &Self, epsilon: f64) -> bool {
        let near = |a, b| nearly_equal(a, b, epsilon);
        self.schema == other.schema
            && near(self.count, other.count)
            && near(self.sum, other.sum)
            && near(self.zero_count, other.zero_count)
            && nearly_equal(self.zero_threshold, other.zero_threshold, 0.0)
            && (!self.uses_custom_buckets() || self.custom_values == other.custom_values)
            && self.sides(other).into_iter().all(|(a, b)| {
                let populated = |cell: &(i32, f64)| cell.1 != 0.0;
                let mut rest = walk(b.0, b.1).filter(populated);
                walk(a.0, a.1).filter(populated).all(|(index, count)| {
                    rest.next().is_some_and(|(at, other)| at == index && near(count, other))
                }) && rest.next().is_none()
            })
    }

    fn sides<'a>(&'a self, other: &'a Self) -> [(Side<'a>, Side<'a>); 2] {
        [
            (
                (&self.positive_spans, &self.positive_buckets),
                (&other.positive_spans, &other.positive_buckets),
            ),
            (
                (&self.negative_spans, &self.negative_buckets),
                (&other.negative_spans, &other.negative_buckets),
            ),
        ]
    }
}

type Side<'a> = (&'a [Span], &'a [f64]);

fn bits((index, count): (i32, f64)) -> (i32, u64) {
    (index, count.to_bits())
}
