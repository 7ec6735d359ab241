//! Which of the old must go: by time and by size.
//!
//! Time is counted back from the newest data, so that a clock that jumps ahead deletes nothing; and
//! from no later than the clock, so that one entry of a far future deletes nothing either. Nothing
//! is deleted here; the stores do that.

/// What retention knows of one block; times in the unit of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The time of its last entry.
    pub last: i64,
    /// Bytes that it takes on disk.
    pub bytes: u64,
}

/// What is to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// Blocks whose last entry is at least this much older than the newest go; none: all stay.
    pub span: Option<i64>,
    /// The oldest go until all that is left has at most this many bytes; none: all stay.
    pub bytes: Option<u64>,
}

/// Returns the places of the blocks that must go, in order of their age, oldest first.
///
/// `newest` is the time of the newest entry anywhere in the store, and `now` that of the clock;
/// `other_bytes` is what the store has beside blocks, which counts against the size and cannot be
/// deleted.
pub fn expired(
    blocks: &[Candidate],
    (newest, now): (i64, i64),
    other_bytes: u64,
    keep: Keep,
) -> Vec<usize> {
    let newest = newest.min(now);
    let mut by_age: Vec<(usize, &Candidate)> = blocks.iter().enumerate().collect();
    by_age.sort_by_key(|(at, block)| (block.last, *at));
    let mut total =
        blocks.iter().fold(other_bytes, |total, block| total.saturating_add(block.bytes));
    let mut gone = Vec::new();
    for (at, block) in by_age {
        let too_old = keep.span.is_some_and(|span| newest.saturating_sub(block.last) >= span);
        let too_much = keep.bytes.is_some_and(|bytes| total > bytes);
        if !too_old && !too_much {
            break;
        }
        total = total.saturating_sub(block.bytes);
        gone.push(at);
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oldest_go_first_by_time_and_by_size() {
        let blocks = [(30, 5), (10, 7), (20, 1)].map(|(last, bytes)| Candidate { last, bytes });
        let f = |span, bytes, other, want: &[usize]| {
            let keep = Keep { span, bytes };
            assert_eq!(expired(&blocks, (40, 1_000), other, keep), want);
            // Neither a newest entry of the future nor a clock that is ahead makes others older.
            assert_eq!(expired(&blocks, (1_000, 40), other, keep), want);
        };
        f(None, None, 100, &[]);
        f(Some(31), None, 0, &[]);
        f(Some(30), None, 0, &[1]);
        f(Some(20), None, 0, &[1, 2]);
        f(None, Some(13), 0, &[]);
        f(None, Some(12), 0, &[1]);
        f(None, Some(12), 7, &[1, 2]);
        f(Some(i64::MAX), Some(0), 0, &[1, 2, 0]);
    }
}
