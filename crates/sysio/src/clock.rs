//! The seam to time: what day it is, how long something took, and waiting.
//!
//! Two times are kept apart, because they answer different questions. The wall clock
//! ([`Clock::now`]) may jump when an operator or NTP sets it: never subtract two of its readings to
//! measure a duration. The monotonic clock ([`Clock::monotonic`]) never goes back, and means
//! nothing outside this process. The simulation is in `clock/sim.rs`; `clock/state.rs` asks the
//! kernel how well it keeps the wall clock.

use std::{
    fmt::Debug,
    io,
    time::{Duration, Instant, SystemTime},
};

pub use sim::SimClock;
pub use state::ClockState;

mod sim;
mod state;

/// Nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted; negative before that.
///
/// Covers the years 1678 to 2262.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixNanos(pub i64);

impl UnixNanos {
    /// Returns the moment `duration` later, held at the last representable one.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        let nanos = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(nanos))
    }

    /// Returns the moment of `time`, held at the representable ends.
    pub fn from_system_time(time: SystemTime) -> Self {
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => Self(0).saturating_add(after),
            Err(before) => {
                let nanos = i64::try_from(before.duration().as_nanos()).unwrap_or(i64::MAX);
                Self(0_i64.saturating_sub(nanos))
            }
        }
    }
}

/// A source of time.
pub trait Clock: Send + Sync + Debug {
    /// Returns the wall clock. It may be wrong, and may step in both directions.
    fn now(&self) -> UnixNanos;

    /// Returns the time since a fixed moment of this clock's own choosing. Never goes back.
    fn monotonic(&self) -> Duration;

    /// Blocks this thread for at least `duration`. A simulated clock steps forward instead.
    fn sleep(&self, duration: Duration);

    /// Returns how well the wall clock is kept. Only the clock of a machine knows.
    fn state(&self) -> io::Result<ClockState> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// The clocks of the operating system.
#[derive(Clone, Copy, Debug)]
pub struct RealClock {
    /// [`Clock::monotonic`] counts from here.
    origin: Instant,
}

impl RealClock {
    /// Opens the clock; its monotonic time counts from now.
    #[expect(clippy::disallowed_methods, reason = "the seam to the real clock")]
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for RealClock {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(clippy::disallowed_methods, reason = "the seam to the real clock")]
impl Clock for RealClock {
    fn now(&self) -> UnixNanos {
        UnixNanos::from_system_time(SystemTime::now())
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn state(&self) -> io::Result<ClockState> {
        state::of_kernel()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_times_become_nanoseconds_on_both_sides_of_the_epoch() {
        let f = |time: SystemTime, want: i64| {
            assert_eq!(UnixNanos::from_system_time(time), UnixNanos(want));
        };
        let epoch = SystemTime::UNIX_EPOCH;
        f(epoch, 0);
        f(epoch + Duration::new(1, 5), 1_000_000_005);
        f(epoch - Duration::new(1, 5), -1_000_000_005);
        f(epoch + Duration::from_secs(20_000_000_000), i64::MAX);
        f(epoch - Duration::from_secs(20_000_000_000), -i64::MAX);
    }

    #[test]
    fn real_clock_is_past_2020_and_advances_over_a_sleep() {
        let clock = RealClock::new();
        assert!(clock.now() > UnixNanos(1_577_836_800_000_000_000), "{:?}", clock.now());
        let before = clock.monotonic();
        clock.sleep(Duration::from_millis(2));
        assert!(clock.monotonic() >= before + Duration::from_millis(2));
    }

    #[test]
    fn the_machine_says_how_it_keeps_its_clock_and_a_simulation_does_not() {
        // Some sandboxes refuse the call; where it is answered, a tick is about a hundredth second.
        if let Ok(state) = RealClock::new().state() {
            assert!((9_000..=11_000).contains(&state.tick), "{state:?}");
            assert!(state.error_max >= 0, "{state:?}");
        }
        let refused = SimClock::default().state().map_err(|error| error.kind());
        assert_eq!(refused, Err(io::ErrorKind::Unsupported));
    }
}
