//! Which samples are taken, and why others are not: upstream's rules
//! (`tsdb/head_append.go: appendable`), with one floor and one newest time for the whole head.

use masthead_model::{Value, is_stale};
use masthead_ports::RejectReason;

use super::{Shard, Slot};
use crate::{columns::Part, options::Options};

/// What becomes of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Newer than all of its series.
    InOrder,
    /// Older than the newest of its series, and within the window.
    Late,
    /// There already, with the same value.
    Duplicate,
    Reject(RejectReason),
}

impl Shard {
    /// Judges a sample of a series, or of one that is not there yet; `newest` is the newest time of
    /// the head, `now` is the wall clock.
    pub(crate) fn judge(
        &self,
        slot: Option<Slot>,
        time: i64,
        value: &Value,
        options: &Options,
        (newest, now): (i64, i64),
    ) -> Verdict {
        use RejectReason::{DuplicateTimestamp, OutOfBounds, OutOfOrder, TooOld};
        if options.future_ms.is_some_and(|ahead| time > now.saturating_add(ahead)) {
            return Verdict::Reject(OutOfBounds);
        }
        let window = options.out_of_order_ms;
        let oldest_in_order = self.floor.max(newest.saturating_sub(options.block_ms / 2));
        let oldest_late = self.floor.max(newest.saturating_sub(window));
        let last = slot.map_or(i64::MIN, |slot| self.last_time(slot));
        let too_old = if window > 0 { TooOld } else { OutOfBounds };
        if time > last {
            let oldest =
                if window > 0 { oldest_in_order.min(oldest_late) } else { oldest_in_order };
            return if time >= oldest { Verdict::InOrder } else { Verdict::Reject(too_old) };
        }
        let same = |found: Option<bool>| match found {
            Some(true) => Verdict::Duplicate,
            Some(false) => Verdict::Reject(DuplicateTimestamp),
            None => Verdict::Late,
        };
        let found = || slot.and_then(|slot| self.same_at(slot, time, value));
        if time == last && time >= oldest_in_order {
            let found = slot.and_then(|slot| self.same_as_last(slot, value));
            // The newest may have been deleted; then it is an ordinary old time.
            match same(found) {
                Verdict::Late => {}
                verdict => return verdict,
            }
        }
        if window == 0 {
            let reason = if time < oldest_in_order { OutOfBounds } else { OutOfOrder };
            return Verdict::Reject(reason);
        }
        if time < oldest_late {
            return Verdict::Reject(TooOld);
        }
        match same(found()) {
            Verdict::Late if self.late_count(slot) >= options.late_max => {
                Verdict::Reject(OutOfOrder)
            }
            verdict => verdict,
        }
    }

    /// Whether the newest sample of a series is a histogram, so that its stale marker is one too.
    pub(crate) fn ends_in_histogram(&self, slot: Slot) -> bool {
        let rest = self.series(slot).and_then(|series| series.rest.as_ref());
        rest.is_some_and(|rest| rest.last_histogram.is_some())
    }

    fn late_count(&self, slot: Option<Slot>) -> usize {
        slot.and_then(|slot| self.series(slot)).map_or(0, super::Series::late_count)
    }

    fn same_as_last(&self, slot: Slot, value: &Value) -> Option<bool> {
        let series = self.series(slot)?;
        if !self.has_sample(slot, series.last_time) {
            return None;
        }
        let histogram = series.rest.as_ref().and_then(|rest| rest.last_histogram.as_ref());
        Some(match (value, histogram) {
            (Value::Float(value), None) => value.to_bits() == series.last_bits,
            (Value::Histogram(value), Some(last)) => same_histogram(value, last),
            _ => false,
        })
    }

    fn same_at(&self, slot: Slot, time: i64, value: &Value) -> Option<bool> {
        let found = self.sample_at(slot, time)?;
        let columns = found.columns;
        Some(match value {
            Value::Float(value) => {
                columns.floats.first().is_some_and(|found| found.to_bits() == value.to_bits())
            }
            Value::Histogram(value) => {
                columns.histograms.first().is_some_and(|found| same_histogram(value, found))
            }
        })
    }

    /// The sample of a series at `time`, alone.
    pub(super) fn sample_at(&self, slot: Slot, time: i64) -> Option<Part> {
        let mut found = Part::default();
        self.snapshot_range(slot, time, time).read(0, time, time, &mut found);
        (found.len() > 0).then_some(found)
    }
}

/// Equal, where a stale sum equals itself.
fn same_histogram(a: &masthead_model::Histogram, b: &masthead_model::Histogram) -> bool {
    let stale = is_stale(a.sum) && is_stale(b.sum);
    stale
        || a == b
        || (a.sum.to_bits() == b.sum.to_bits() && {
            let (mut a, mut b) = (a.clone(), b.clone());
            (a.sum, b.sum) = (0.0, 0.0);
            a == b
        })
}
