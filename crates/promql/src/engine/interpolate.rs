//! A histogram between two histograms: what `anchored` and `smoothed` assume at an instant that
//! has no sample of its own.

use masthead_model::Histogram;

use super::selector::share;
use crate::{
    annotations::{Note, Notes, add_noted, sub_noted},
    ast::PosRange,
};

/// The histogram on the straight line from `before` to `after` at `at`.
///
/// A counter that was reset in between is taken to start at zero. Nothing if one has custom
/// buckets and the other has not, which is noted (`promql/functions.go: interpolateHistograms`).
pub(crate) fn interpolated(
    before: (i64, &Histogram),
    after: (i64, &Histogram),
    at: i64,
    is_counter: bool,
    notes: &mut Notes,
    metric: &str,
    pos: PosRange,
) -> Option<Histogram> {
    if at == before.0 {
        return Some(before.1.clone());
    }
    if at == after.0 {
        return Some(after.1.clone());
    }
    if after.1.uses_custom_buckets() != before.1.uses_custom_buckets() {
        notes.add(Note::mixed_schemas(metric, pos));
        return None;
    }
    let share = share(before.0, after.0, at);
    let mut made = after.1.clone();
    if is_counter && after.1.detect_reset(before.1) {
        made.mul(share);
        return Some(made);
    }
    if !sub_noted(&mut made, before.1, notes, metric, pos) {
        return None;
    }
    made.mul(share);
    add_noted(&mut made, before.1, notes, metric, pos).then_some(made)
}
