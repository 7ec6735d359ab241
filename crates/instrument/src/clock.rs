//! The one place that reads the machine's clocks.
//!
//! The crate stands alone (a user's service has no simulated clock), so it reads them directly.
//! Durations come from the monotonic clock only: a step of the wall clock never shows in them.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

#[expect(clippy::disallowed_methods, reason = "this module is the seam")]
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}

/// Seconds since the Unix epoch; zero for a clock set before it.
#[expect(clippy::disallowed_methods, reason = "this module is the seam")]
pub(crate) fn unix_seconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
