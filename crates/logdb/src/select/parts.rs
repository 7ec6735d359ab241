//! What a stream has, cut in time into parts that share no instant.
//!
//! Where segments do not overlap, each is a part. Where they do, a part has all that reach into its
//! time, and is merged when it is read: so a duplicate is always in the part of its other self. A
//! segment that reaches over a cut is decoded on both sides of it, so there are only cuts that
//! cost less than half of what lies between them.

use masthead_model::{Nanos, TimeRange};

use crate::part::Source;

/// A part that is not read yet.
#[derive(Debug)]
pub(super) struct Plan {
    /// Bounds of its lines, and what of its sources belongs to it.
    pub(super) range: TimeRange<Nanos>,
    /// In the order of pushing.
    pub(super) sources: Vec<Source>,
}

/// Cuts what a stream has in `range`.
pub(super) fn cut(mut sources: Vec<Source>, range: TimeRange<Nanos>) -> Vec<Plan> {
    sources.sort_by_key(|source| (source.info.first, source.info.seq));
    let mut plans = Vec::new();
    let mut current: Vec<Source> = Vec::new();
    let mut start = range.start.0;
    for source in sources {
        let at = source.info.first;
        if !current.is_empty() && at > start {
            let reaches_over = |source: &&Source| source.info.last >= at;
            let size = |source: &Source| source.info.raw + source.info.metadata;
            let again: u64 = current.iter().filter(reaches_over).map(size).sum();
            let whole: u64 = current.iter().map(size).sum();
            if again.saturating_mul(2) <= whole {
                let over: Vec<Source> = current.iter().filter(reaches_over).cloned().collect();
                plans.extend(plan(std::mem::replace(&mut current, over), start, at - 1));
                start = at;
            }
        }
        current.push(source);
    }
    plans.extend(plan(current, start, range.end.0));
    plans
}

fn plan(mut sources: Vec<Source>, start: i64, end: i64) -> Option<Plan> {
    let first = sources.iter().map(|source| source.info.first).min()?.max(start);
    let last = sources.iter().map(|source| source.info.last).max()?.min(end);
    sources.sort_by_key(Source::seq);
    let range = TimeRange { start: Nanos(first), end: Nanos(last) };
    (first <= last).then_some(Plan { range, sources })
}
