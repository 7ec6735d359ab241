//! Functions that read a number as a time in UTC.

use masthead_model::Labels;
use masthead_vecmath::StepGrid;

use super::table::of_floats;
use crate::{
    ast::Call,
    engine::{Error, Evaluation, Row, Value, map_floats},
};

/// A time in the Gregorian calendar, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: u8,
    /// From 1.
    pub(crate) day: u8,
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    pub(crate) second: u8,
    /// From 0 for Sunday.
    pub(crate) weekday: u8,
    /// From 1.
    pub(crate) day_of_year: u16,
}

/// The value of a date function: `f` of each float, or of the time of evaluation.
pub(super) fn of_dates(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: &StepGrid,
    f: fn(&Civil) -> f64,
) -> Result<Value, Error> {
    if call.args.is_empty() {
        let of = |at: i64| f(&Civil::from_seconds(at.div_euclid(1000)));
        let floats = grid.iter().map(of).collect();
        return Ok(Value::Vector(vec![Row::of_floats(Labels::default(), false, floats)]));
    }
    of_floats(evaluation, call, grid, |row, _| {
        map_floats(&mut row.floats, |value| {
            // Go's conversion leaves this value to the machine; ours holds it at the ends.
            #[expect(clippy::cast_possible_truncation, reason = "saturates")]
            let seconds = value as i64;
            f(&Civil::from_seconds(seconds))
        });
    })
}

pub(super) fn days_in_month(date: &Civil) -> f64 {
    f64::from(match date.month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(date.year) => 29,
        2 => 28,
        _ => 31,
    })
}

impl Civil {
    /// The time `seconds` after 1970.
    ///
    /// Days are counted in eras of 400 years that begin in March, so that the leap day is the last
    /// of a year (Howard Hinnant, "chrono-compatible low-level date algorithms").
    pub(crate) fn from_seconds(seconds: i64) -> Self {
        let days = seconds.div_euclid(86_400);
        let of_day = seconds.rem_euclid(86_400);
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
        let leap = i64::from(month > 2 && is_leap(year));
        let first = usize::try_from(month - 1).ok().and_then(|at| before.get(at)).unwrap_or(&0);
        Self {
            year,
            month: small(month),
            day: small(day),
            hour: small(of_day / 3_600),
            minute: small(of_day / 60 % 60),
            second: small(of_day % 60),
            weekday: small((days + 4).rem_euclid(7)),
            day_of_year: u16::try_from(first + day + leap).unwrap_or(0),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "exact for every year of 64-bit seconds")]
    pub(super) fn year_number(&self) -> f64 {
        self.year as f64
    }
}

fn small(value: i64) -> u8 {
    u8::try_from(value).unwrap_or(0)
}

fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_dates_before_and_after_1970() {
        let f = |seconds, want: (i64, u8, u8, u8, u8, u8), weekday, day_of_year| {
            let date = Civil::from_seconds(seconds);
            let got = (date.year, date.month, date.day, date.hour, date.minute, date.second);
            assert_eq!((got, date.weekday, date.day_of_year), (want, weekday, day_of_year));
        };
        f(0, (1970, 1, 1, 0, 0, 0), 4, 1);
        f(-1, (1969, 12, 31, 23, 59, 59), 3, 365);
        f(1_456_790_399, (2016, 2, 29, 23, 59, 59), 1, 60);
        f(1_456_790_400, (2016, 3, 1, 0, 0, 0), 2, 61);
        f(4_107_542_400, (2100, 3, 1, 0, 0, 0), 1, 60);
        f(1_230_768_000 + 86_399, (2009, 1, 1, 23, 59, 59), 4, 1);
    }

    #[test]
    fn february_is_longer_in_leap_years_but_not_in_most_centuries() {
        let f = |seconds, want: f64| {
            let got = days_in_month(&Civil::from_seconds(seconds));
            assert!((got - want).abs() < 1e-12, "{seconds}: {got}");
        };
        f(1_456_790_399, 29.0);
        f(1_423_353_600, 28.0);
        f(4_105_123_200, 28.0);
        f(0, 31.0);
    }
}
