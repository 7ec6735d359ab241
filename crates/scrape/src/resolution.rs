//! Native histograms with more buckets than a job wants: neighbours are put together.
//!
//! Two keys ask for it. `native_histogram_min_bucket_factor` says how wide a bucket must be at
//! least, and `native_histogram_bucket_limit` how many there may be; first the one, then the other.
//! Custom buckets cannot be put together. Facts: `scrape/target.go: maxSchemaAppender,
//! bucketLimitAppender`, `scrape/scrape.go: pickSchema`.

use masthead_model::{Histogram, Schema};

/// The ends of the exponential schemas.
const FINEST: i32 = 8;
const COARSEST: i32 = -4;

/// What a job asks for.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Resolution {
    /// Buckets at most; zero for no limit.
    pub(crate) buckets: u64,
    /// How many times wider each bucket must be than the one before; zero for any.
    pub(crate) factor: f64,
}

impl Resolution {
    /// The histogram with as much detail as is wanted; nothing if even the least is too much.
    pub(crate) fn fit(self, histogram: &Histogram) -> Option<Histogram> {
        let mut fitted = match self.finest() {
            Some(finest) if i32::from(histogram.schema.number()) > finest => {
                histogram.copy_to_schema(Schema::new(finest)?)
            }
            _ => histogram.clone(),
        };
        while self.buckets > 0 && count(&fitted) > self.buckets {
            let coarser = i32::from(fitted.schema.number()) - 1;
            if fitted.schema.is_custom() || coarser < COARSEST {
                return None;
            }
            fitted = fitted.copy_to_schema(Schema::new(coarser)?);
        }
        Some(fitted)
    }

    /// The finest schema whose buckets are wide enough.
    fn finest(self) -> Option<i32> {
        if self.factor <= 1.0 {
            return None;
        }
        (COARSEST..=FINEST)
            .rev()
            .find(|schema| {
                // Each bucket is 2^(2^-schema) times as wide as the one before.
                self.factor.log2() <= f64::from(-*schema).exp2()
            })
            .or(Some(COARSEST))
    }
}

fn count(histogram: &Histogram) -> u64 {
    (histogram.positive_buckets.len() + histogram.negative_buckets.len()) as u64
}

#[cfg(test)]
mod tests {
    use masthead_model::Span;

    use super::*;

    fn histogram(schema: i32, buckets: u32) -> Histogram {
        let total = f64::from(buckets);
        Histogram {
            schema: Schema::new(schema).expect("valid"),
            count: total,
            sum: 1.0,
            positive_spans: vec![Span { offset: 1, length: buckets }],
            positive_buckets: vec![1.0; buckets as usize],
            ..Histogram::default()
        }
    }

    #[test]
    fn buckets_are_joined_until_they_are_few_enough() {
        let f = |schema, buckets, limit, want: Option<(i8, u64)>| {
            let resolution = Resolution { buckets: limit, factor: 0.0 };
            let got = resolution.fit(&histogram(schema, buckets));
            let shape = got.as_ref().map(|h| (h.schema.number(), count(h)));
            assert_eq!(shape, want, "{schema} {buckets} {limit}");
            if let Some(got) = got {
                let sum: f64 = got.positive_buckets.iter().fold(0.0, |sum, count| sum + count);
                assert!((sum - f64::from(buckets)).abs() < 1e-9, "none is lost");
            }
        };
        f(3, 8, 0, Some((3, 8)));
        f(3, 8, 8, Some((3, 8)));
        f(3, 8, 7, Some((2, 4)));
        f(3, 8, 1, Some((0, 1)));
        f(-4, 2, 1, None);
        let mut custom = histogram(0, 2);
        custom.schema = Schema::CUSTOM;
        custom.custom_values = vec![1.0, 2.0];
        assert_eq!(Resolution { buckets: 1, factor: 0.0 }.fit(&custom), None);
        assert!(Resolution { buckets: 2, factor: 9.0 }.fit(&custom).is_some());
    }

    #[test]
    fn a_factor_names_the_finest_schema() {
        let f = |factor, want| {
            assert_eq!(Resolution { buckets: 0, factor }.finest(), want, "{factor}");
        };
        f(0.0, None);
        f(1.0, None);
        f(1.001, Some(8));
        f(1.1, Some(2));
        f(2.0, Some(0));
        f(3.0, Some(-1));
        f(1e300, Some(-4));
    }
}
