//! `adjtimex(2)`: how the kernel keeps the wall clock right, and how far off it may be.

use masthead_sysio::ClockState;

use super::{Context, MICROS, NANOS};
use crate::{Error, Families};

/// Frequencies are parts per million with 16 bits behind the point.
const PPM_16: f64 = 1.0 / (1_000_000.0 * 65_536.0);

#[expect(clippy::cast_precision_loss, reason = "counts and small numbers of the kernel")]
pub(super) fn collect(context: &Context<'_>, into: &mut Families) -> Result<(), Error> {
    let state: ClockState = context.clock.state().map_err(Error::Read)?;
    let fine = if state.nanoseconds { NANOS } else { MICROS };
    for (name, value, help) in [
        ("offset_seconds", state.offset as f64 * fine, "How far the clock is off its reference."),
        (
            "estimated_error_seconds",
            state.error_estimated as f64 * MICROS,
            "How far it may be off.",
        ),
        (
            "frequency_adjustment_ratio",
            1.0 + state.frequency as f64 * PPM_16,
            "How fast it is made to run.",
        ),
        ("loop_time_constant", state.constant as f64, "How fast it is pulled to its reference."),
        ("maxerror_seconds", state.error_max as f64 * MICROS, "How far it is off at the most."),
        (
            "pps_frequency_hertz",
            state.pps_frequency as f64 * PPM_16,
            "Frequency by pulses of a second.",
        ),
        ("pps_jitter_seconds", state.pps_jitter as f64 * fine, "How much those pulses waver."),
        ("pps_shift_seconds", f64::from(state.pps_shift), "Length of an interval of pulses."),
        (
            "pps_stability_hertz",
            state.pps_stability as f64 * PPM_16,
            "How steady those pulses are.",
        ),
        ("status", f64::from(state.status), "Bits of the kernel, STA_ in adjtimex(2)."),
        (
            "sync_status",
            f64::from(u8::from(state.synchronized)),
            "Whether a reliable server set the clock.",
        ),
        ("tai_offset_seconds", f64::from(state.tai), "International atomic time less this one."),
        ("tick_seconds", state.tick as f64 * MICROS, "Time between ticks of the clock."),
    ] {
        into.gauge(format!("node_timex_{name}"), help).row(&[], value);
    }
    for (name, value, help) in [
        ("pps_calibration_total", state.pps_calibrations as f64, "Intervals of pulses."),
        ("pps_error_total", state.pps_errors as f64, "Intervals of pulses that were wrong."),
        ("pps_jitter_total", state.pps_jitters as f64, "Pulses that wavered too much."),
        ("pps_stability_exceeded_total", state.pps_unstable as f64, "Pulses that were not steady."),
    ] {
        into.counter(format!("node_timex_{name}"), help).row(&[], value);
    }
    Ok(())
}
