//! A clock that moves only when told to.
//!
//! It never reads the machine's clock. Clones share one time, so a test keeps one clone and hands
//! another to what it tests. The real clock is in `clock.rs`.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{Clock, UnixNanos};

/// A simulated clock, shared by its clones.
#[derive(Clone, Debug)]
pub struct SimClock {
    hands: Arc<Mutex<Hands>>,
}

#[derive(Debug)]
struct Hands {
    wall: UnixNanos,
    monotonic: Duration,
}

impl SimClock {
    /// Starts a clock whose wall time is `wall` and whose monotonic time is zero.
    pub fn new(wall: UnixNanos) -> Self {
        Self { hands: Arc::new(Mutex::new(Hands { wall, monotonic: Duration::ZERO })) }
    }

    /// Lets `duration` pass: both times move forward, held at their last representable value.
    pub fn advance(&self, duration: Duration) {
        let mut hands = self.hands();
        hands.wall = hands.wall.saturating_add(duration);
        hands.monotonic = hands.monotonic.saturating_add(duration);
    }

    /// Steps the wall clock by `nanos`, back when negative, as an operator or NTP does; the
    /// monotonic time stays.
    pub fn step(&self, nanos: i64) {
        let mut hands = self.hands();
        hands.wall = UnixNanos(hands.wall.0.saturating_add(nanos));
    }

    /// Sets the wall clock to `wall`; the monotonic time stays.
    pub fn set(&self, wall: UnixNanos) {
        self.hands().wall = wall;
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        // No method can panic between two changes, so a poisoned lock still holds a valid time.
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for SimClock {
    /// Starts at 2024-01-01T00:00:00Z.
    fn default() -> Self {
        Self::new(UnixNanos(1_704_067_200_000_000_000))
    }
}

impl Clock for SimClock {
    fn now(&self) -> UnixNanos {
        self.hands().wall
    }

    fn monotonic(&self) -> Duration {
        self.hands().monotonic
    }

    fn sleep(&self, duration: Duration) {
        self.advance(duration);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stands_still_until_it_is_advanced() {
        let clock = SimClock::new(UnixNanos(10));
        assert_eq!((clock.now(), clock.monotonic()), (UnixNanos(10), Duration::ZERO));
        clock.clone().advance(Duration::from_nanos(5));
        assert_eq!((clock.now(), clock.monotonic()), (UnixNanos(15), Duration::from_nanos(5)));
        clock.sleep(Duration::from_nanos(2));
        assert_eq!((clock.now(), clock.monotonic()), (UnixNanos(17), Duration::from_nanos(7)));
    }

    #[test]
    fn stepping_the_wall_clock_leaves_monotonic_time_alone() {
        let clock = SimClock::new(UnixNanos(10));
        let f = |nanos: i64, want: i64| {
            clock.step(nanos);
            assert_eq!((clock.now(), clock.monotonic()), (UnixNanos(want), Duration::ZERO));
        };
        f(7, 17);
        f(-20, -3);
        f(i64::MIN, i64::MIN);
        clock.set(UnixNanos(1));
        assert_eq!((clock.now(), clock.monotonic()), (UnixNanos(1), Duration::ZERO));
    }

    #[test]
    fn the_end_of_time_is_held_not_wrapped() {
        let clock = SimClock::default();
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert_eq!((clock.now(), clock.monotonic()), (UnixNanos(i64::MAX), Duration::MAX));
    }
}
