//! How the kernel keeps the wall clock: `adjtimex(2)`, asked and never told.
//!
//! One of three modules of this crate with unsafe code, because no safe call gives these numbers.

#![expect(unsafe_code, reason = "adjtimex(2) has no safe wrapper that reads")]

use std::{io, mem};

/// What `adjtimex(2)` answers, in its own units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the fields are those of `struct timex`, its manual explains them")]
pub struct ClockState {
    /// Whether the clock was set by a server that can be relied on.
    pub synchronized: bool,
    /// Whether `offset` and `pps_jitter` are nanoseconds and not microseconds.
    pub nanoseconds: bool,
    pub offset: i64,
    pub frequency: i64,
    pub error_max: i64,
    pub error_estimated: i64,
    pub status: i32,
    pub constant: i64,
    pub tick: i64,
    pub tai: i32,
    pub pps_frequency: i64,
    pub pps_jitter: i64,
    pub pps_shift: i32,
    pub pps_stability: i64,
    pub pps_jitters: i64,
    pub pps_calibrations: i64,
    pub pps_errors: i64,
    pub pps_unstable: i64,
}

/// Asks the kernel.
#[expect(clippy::useless_conversion, reason = "the fields are narrower on 32-bit machines")]
pub(super) fn of_kernel() -> io::Result<ClockState> {
    // SAFETY: `timex` is a C structure of integers, for which all zeros are a value; `modes` zero
    // asks for nothing to be changed.
    let mut found: libc::timex = unsafe { mem::zeroed() };
    // SAFETY: the pointer is to a whole `timex` that nobody else sees during the call.
    let state = unsafe { libc::adjtimex(&raw mut found) };
    if state == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(ClockState {
        synchronized: state != libc::TIME_ERROR,
        nanoseconds: found.status & libc::STA_NANO != 0,
        offset: found.offset.into(),
        frequency: found.freq.into(),
        error_max: found.maxerror.into(),
        error_estimated: found.esterror.into(),
        status: found.status,
        constant: found.constant.into(),
        tick: found.tick.into(),
        tai: found.tai,
        pps_frequency: found.ppsfreq.into(),
        pps_jitter: found.jitter.into(),
        pps_shift: found.shift,
        pps_stability: found.stabil.into(),
        pps_jitters: found.jitcnt.into(),
        pps_calibrations: found.calcnt.into(),
        pps_errors: found.errcnt.into(),
        pps_unstable: found.stbcnt.into(),
    })
}
