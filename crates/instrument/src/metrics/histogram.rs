//! A histogram with fixed bounds that records without a lock and without an allocation.
//!
//! Each bucket may hold one exemplar: the last observation of that bucket, with its request id.
//! Its memory is taken when the histogram is made. A reader sees each bucket at some moment, and
//! the count of a snapshot is the sum of its buckets, so that what is exposed always adds up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::clock;

/// OpenMetrics 1.0 allows the labels of an exemplar 128 characters, names included; our label is
/// called `request_id`. A longer id gets no exemplar.
const EXEMPLAR_ID_BYTES_MAX: usize = 128 - "request_id".len();

#[derive(Debug)]
pub(crate) struct Histogram {
    bounds: Arc<[f64]>,
    /// One more than bounds: the last one is `+Inf`.
    buckets: Box<[Bucket]>,
    /// The bits of an `f64`.
    sum: AtomicU64,
}

#[derive(Debug, Default)]
struct Bucket {
    count: AtomicU64,
    exemplar: Mutex<Option<Slot>>,
}

#[derive(Debug)]
struct Slot {
    id: [u8; EXEMPLAR_ID_BYTES_MAX],
    id_len: usize,
    value: f64,
    unix_seconds: f64,
}

/// One observation that a bucket points at.
#[derive(Debug, PartialEq)]
pub(crate) struct Exemplar {
    pub(crate) request_id: String,
    pub(crate) value: f64,
    pub(crate) unix_seconds: f64,
}

/// A histogram as it was read.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) bounds: Arc<[f64]>,
    /// Observations up to each bound; the last one is the count of all.
    pub(crate) cumulative: Vec<u64>,
    pub(crate) exemplars: Vec<Option<Exemplar>>,
    pub(crate) sum: f64,
}

impl Histogram {
    pub(crate) fn new(bounds: &Arc<[f64]>) -> Self {
        Self {
            bounds: Arc::clone(bounds),
            buckets: (0..=bounds.len()).map(|_| Bucket::default()).collect(),
            sum: AtomicU64::new(0.0_f64.to_bits()),
        }
    }

    pub(crate) fn observe(&self, value: f64) {
        self.bucket(value);
    }

    pub(crate) fn observe_with_exemplar(&self, value: f64, request_id: &str) {
        let bucket = self.bucket(value);
        let mut id = [0; EXEMPLAR_ID_BYTES_MAX];
        if let Some(place) = id.get_mut(..request_id.len())
            // Another thread is writing the same exemplar: one of the two is as good.
            && let Some(mut exemplar) = bucket.exemplar.try_lock()
        {
            place.copy_from_slice(request_id.as_bytes());
            let unix_seconds = clock::unix_seconds();
            *exemplar = Some(Slot { id, id_len: request_id.len(), value, unix_seconds });
        }
    }

    fn bucket(&self, value: f64) -> &Bucket {
        // A bound belongs to its bucket: `le` is "less or equal".
        let place = self.bounds.partition_point(|bound| *bound < value);
        let Some(bucket) = self.buckets.get(place) else {
            unreachable!("BUG: {place} of {} bounds has no bucket", self.bounds.len())
        };
        bucket.count.fetch_add(1, Ordering::Relaxed);
        let add = |bits| Some((f64::from_bits(bits) + value).to_bits());
        // The closure never refuses, so neither does the update.
        self.sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).unwrap_or_default();
        bucket
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut total = 0;
        let cumulative = self.buckets.iter().map(|bucket| {
            total += bucket.count.load(Ordering::Relaxed);
            total
        });
        Snapshot {
            bounds: Arc::clone(&self.bounds),
            cumulative: cumulative.collect(),
            exemplars: self.buckets.iter().map(|b| b.exemplar.lock().as_ref().map(read)).collect(),
            sum: f64::from_bits(self.sum.load(Ordering::Relaxed)),
        }
    }
}

fn read(slot: &Slot) -> Exemplar {
    let id = slot.id.get(..slot.id_len).unwrap_or_default();
    Exemplar {
        request_id: String::from_utf8_lossy(id).into_owned(),
        value: slot.value,
        unix_seconds: slot.unix_seconds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_observation_on_a_bound_belongs_to_its_bucket() {
        let histogram = Histogram::new(&vec![1.0, 2.0].into());
        for value in [0.5, 1.0, 1.5, 2.0, 2.5] {
            histogram.observe(value);
        }
        let snapshot = histogram.snapshot();
        assert_eq!(snapshot.cumulative, [2, 4, 5]);
        assert!((snapshot.sum - 7.5).abs() < 1e-9);
        assert_eq!(snapshot.exemplars, [None, None, None]);
    }

    #[test]
    fn a_bucket_keeps_its_last_exemplar_and_ids_that_openmetrics_allows() {
        let histogram = Histogram::new(&vec![1.0].into());
        histogram.observe_with_exemplar(0.5, "first");
        histogram.observe_with_exemplar(0.25, "second");
        histogram.observe_with_exemplar(3.0, &"x".repeat(118));
        histogram.observe_with_exemplar(4.0, &"y".repeat(119));
        let exemplars = histogram.snapshot().exemplars;
        let ids: Vec<_> =
            exemplars.iter().flatten().map(|e| (e.request_id.as_str(), e.value)).collect();
        assert_eq!(ids, [("second", 0.25), ("x".repeat(118).as_str(), 3.0)]);
        assert!(exemplars.iter().flatten().all(|exemplar| exemplar.unix_seconds > 1.6e9));
    }
}
