//! When a group is due: at its own fixed place within its interval, whenever the process started.
//!
//! Facts: upstream's `rules/group.go: EvalTimestamp, run`. The place comes from a hash of file and
//! name, so that groups of one interval do not all ask at once.

use std::time::Duration;

/// A shorter interval is taken as this: a group must not spin.
const INTERVAL_MIN: Duration = Duration::from_millis(10);

/// When a group is evaluated. Times are nanoseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Schedule {
    interval: i64,
    next: i64,
}

/// A turn of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    /// The instant that is evaluated.
    pub(crate) at: i64,
    /// Turns before this one that were missed.
    pub(crate) missed: u64,
}

impl Schedule {
    /// The first turn is the next one after `now`.
    pub(crate) fn new(hash: u64, interval: Duration, now: i64) -> Self {
        let interval = i64::try_from(interval.max(INTERVAL_MIN).as_nanos()).unwrap_or(i64::MAX / 4);
        let place = i64::try_from(hash % interval.unsigned_abs()).unwrap_or(0);
        let adjusted = now.saturating_sub(place);
        let base = adjusted - adjusted.rem_euclid(interval);
        Self { interval, next: base.saturating_add(place).saturating_add(interval) }
    }

    /// How long from `now` until the next turn.
    pub(crate) fn wait(&self, now: i64) -> Duration {
        let wait = self.next.saturating_sub(now);
        // A wall clock that was set back must not silence a rule for longer than its interval.
        Duration::from_nanos(u64::try_from(wait.min(self.interval)).unwrap_or(0))
    }

    /// The turn that is due at `now`, if one is; of several, the last, and the others are missed.
    pub(crate) fn take(&mut self, now: i64) -> Option<Turn> {
        if self.next.saturating_sub(now) > self.interval {
            // The wall clock was set back: the grid stays, the place on it is found anew.
            let ahead = (self.next - now) / self.interval * self.interval;
            self.next -= ahead;
        }
        if now < self.next {
            return None;
        }
        let missed = (now - self.next) / self.interval;
        let at = self.next.saturating_add(missed.saturating_mul(self.interval));
        self.next = at.saturating_add(self.interval);
        Some(Turn { at, missed: missed.unsigned_abs() })
    }
}

/// FNV-1a over the words that name a group, the same in every process.
pub(crate) fn hash(words: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in words.iter().flat_map(|word| word.bytes().chain([0xff])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;
    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn turns_stand_on_the_groups_own_grid() {
        let place = 7 * SECOND;
        let f = |now: i64, want: i64| {
            let mut schedule = Schedule::new(place.unsigned_abs(), MINUTE, now * SECOND);
            assert_eq!(schedule.next, want * SECOND, "{now}");
            assert_eq!(schedule.take(now * SECOND), None);
            let due = schedule.take(want * SECOND);
            assert_eq!(due, Some(Turn { at: want * SECOND, missed: 0 }));
            assert_eq!(schedule.wait(want * SECOND), MINUTE);
        };
        f(600, 607);
        f(606, 607);
        f(607, 667);
        f(666, 667);
    }

    #[test]
    fn a_late_turn_counts_those_that_were_missed() {
        let mut schedule = Schedule::new(0, MINUTE, 0);
        assert_eq!(schedule.take(59 * SECOND), None);
        assert_eq!(schedule.take(185 * SECOND), Some(Turn { at: 180 * SECOND, missed: 2 }));
        assert_eq!(schedule.take(239 * SECOND), None);
        assert_eq!(schedule.take(240 * SECOND), Some(Turn { at: 240 * SECOND, missed: 0 }));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_silence_a_group() {
        let mut schedule = Schedule::new(0, MINUTE, 100_000 * SECOND);
        assert!(schedule.wait(10 * SECOND) <= MINUTE);
        assert_eq!(schedule.take(10 * SECOND), None);
        let next = schedule.wait(10 * SECOND);
        assert!(next <= MINUTE, "{next:?}");
        let at = 10 * SECOND + i64::try_from(next.as_nanos()).expect("small");
        assert_eq!(schedule.take(at).map(|turn| turn.missed), Some(0));
    }

    #[test]
    fn groups_have_places_of_their_own() {
        assert_ne!(hash(&["a", "b"]), hash(&["ab", ""]));
        assert_ne!(hash(&["f", "a"]) % 60, hash(&["f", "b"]) % 60);
    }
}
