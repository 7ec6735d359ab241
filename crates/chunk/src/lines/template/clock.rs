//! Dates with a time of day in lines: where they stand, as numbers and as text again.
//!
//! ```text
//! 2026-11-22T10:00:00.123456     2026/11/22 10:00:00     2026-11-22 10:00:00,123
//! ```
//!
//! Mostly a line says again when it was written, so that the number is that of the line's own time,
//! less what is constant or small. What follows (`Z`, `+01:00`) is not part of it. Only what comes
//! back letter by letter counts as a moment: days that the calendar has, no leap seconds.

#![expect(clippy::indexing_slicing, reason = "every index is below a length that was checked")]

use super::out::pair;
use crate::words::{CLASS, Collector};

/// Bytes of the longest text.
const TEXT: usize = 29;
/// Bytes without a fraction.
const WHOLE: usize = 19;
/// More digits of a fraction are no moment.
const DIGITS_MAX: usize = 9;
/// The years in which a count of nanoseconds fits 64 bits.
const YEARS: std::ops::RangeInclusive<i64> = 1970..=2261;
const SECONDS_PER_DAY: i64 = 86_400;

/// From what the numbers of a column are counted; the bytes are the format's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum From {
    /// From the time of the line in which each stands.
    Line = 0,
    /// From the number before it.
    Before = 1,
}

/// What all moments of a column look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Between year, month and day.
    date: u8,
    /// Between day and hour.
    time: u8,
    /// Before the fraction; 0 without one.
    fraction: u8,
    /// Of the fraction; [`Shape::TRIMMED`] where zeros at its end are left out.
    digits: u8,
}

impl Shape {
    /// Up to nine digits, the last of which is no zero.
    const TRIMMED: u8 = 255;

    pub(super) fn bytes(self) -> [u8; 4] {
        [self.date, self.time, self.fraction, self.digits]
    }

    pub(super) fn of([date, time, fraction, digits]: [u8; 4]) -> Option<Self> {
        let known = usize::from(digits) <= DIGITS_MAX || digits == Self::TRIMMED;
        known.then_some(Self { date, time, fraction, digits })
    }

    /// The same with a trimmed fraction.
    fn trimmed(self) -> Self {
        Self { digits: Self::TRIMMED, ..self }
    }

    fn decimals(self) -> u32 {
        u32::from(self.digits).min(9)
    }

    /// How many of the numbers of this shape are in a second.
    fn per_second(self) -> i64 {
        10_i64.pow(self.decimals())
    }

    /// A moment in nanoseconds as a number of this shape.
    pub(super) fn floor(self, nanos: i64) -> i64 {
        nanos.div_euclid(10_i64.pow(9 - self.decimals()))
    }

    /// How long the texts of all numbers are, if they are all of one length.
    pub(super) fn len(self) -> Option<usize> {
        let fraction = if self.digits == 0 { 0 } else { 1 + usize::from(self.digits) };
        (self.digits != Self::TRIMMED).then_some(WHOLE + fraction)
    }

    /// How long the text of a number is.
    pub(super) fn len_of(self, number: i64) -> usize {
        self.len().unwrap_or_else(|| {
            let mut fraction = number.rem_euclid(self.per_second());
            if fraction == 0 {
                return WHOLE;
            }
            let mut digits = DIGITS_MAX;
            while fraction % 10 == 0 {
                fraction /= 10;
                digits -= 1;
            }
            WHOLE + 1 + digits
        })
    }

    /// The text of a number, and where it ends.
    pub(super) fn text(self, number: i64) -> ([u8; TEXT], usize) {
        let (seconds, fraction) =
            (number.div_euclid(self.per_second()), number.rem_euclid(self.per_second()));
        let (days, second) =
            (seconds.div_euclid(SECONDS_PER_DAY), seconds.rem_euclid(SECONDS_PER_DAY));
        let (year, month, day) = date_of(days);
        let mut text = *b"0000-00-00 00:00:00.000000000";
        (text[4], text[7], text[10]) = (self.date, self.date, self.time);
        let fields = [
            (0, year.div_euclid(100)),
            (2, year),
            (5, month),
            (8, day),
            (11, second / 3_600),
            (14, second / 60 % 60),
            (17, second % 60),
        ];
        for (at, number) in fields {
            // No number is negative but that of a year which no column has.
            [text[at], text[at + 1]] = pair(number.unsigned_abs());
        }
        let decimals = self.decimals();
        if decimals == 0 {
            return (text, WHOLE);
        }
        text[WHOLE] = self.fraction;
        let mut rest = fraction.unsigned_abs() * 10_u64.pow(9 - decimals);
        for at in [WHOLE + 8, WHOLE + 6, WHOLE + 4, WHOLE + 2] {
            [text[at], text[at + 1]] = pair(rest);
            rest /= 100;
        }
        text[WHOLE + 1] = pair(rest)[1];
        let mut end = WHOLE + 1 + decimals as usize;
        if self.digits == Self::TRIMMED {
            while text[end - 1] == b'0' && end > WHOLE + 1 {
                end -= 1;
            }
            if end == WHOLE + 1 {
                end = WHOLE;
            }
        }
        (text, end)
    }
}

/// The moment that stands at `start`, which is the start of a run of digits: where it ends.
pub(super) fn end_at(text: &[u8], start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    let separators = rest.len() >= WHOLE
        && matches!(rest[4], b'-' | b'/')
        && rest[7] == rest[4]
        && matches!(rest[10], b'T' | b' ')
        && rest[13] == b':'
        && rest[16] == b':';
    if !separators {
        return None;
    }
    let mut end = WHOLE;
    if matches!(rest.get(WHOLE), Some(b'.' | b',')) {
        let digits = rest[WHOLE + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 0 {
            end += 1 + digits;
        }
    }
    // What follows stays as it is, so it must not be part of a word, but for the letter of a zone.
    let letter = |at: usize| rest.get(at).is_some_and(|byte| CLASS[usize::from(*byte)] != 0);
    if rest.get(end).is_some_and(u8::is_ascii_digit) || (letter(end) && letter(end + 1)) {
        return None;
    }
    parse(&rest[..end]).map(|_| start + end)
}

/// Adds the words that have a part of the moment at `text[start..end]`: only a fraction can be one.
pub(super) fn add_words(text: &[u8], start: usize, end: usize, words: &mut Collector) {
    words.add_text(&text[(start + WHOLE).min(end)..(end + 1).min(text.len())]);
}

/// A moment as a number, and its shape.
fn parse(text: &[u8]) -> Option<(Shape, i64)> {
    let number = |from: usize, to: usize| {
        text.get(from..to)?.iter().try_fold(0_i64, |number, byte| {
            let digit = byte.wrapping_sub(b'0');
            (digit < 10).then(|| number * 10 + i64::from(digit))
        })
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, WHOLE)?);
    let days = days_of(year, month, day);
    if !YEARS.contains(&year)
        || hour > 23
        || minute > 59
        || second > 59
        || date_of(days) != (year, month, day)
    {
        return None;
    }
    let digits = text.len().saturating_sub(WHOLE + 1);
    if digits > DIGITS_MAX {
        return None;
    }
    let shape = Shape {
        date: text[4],
        time: text[10],
        fraction: text.get(WHOLE).copied().unwrap_or(0),
        digits: u8::try_from(digits).ok()?,
    };
    let fraction = if digits > 0 { number(WHOLE + 1, text.len())? } else { 0 };
    let seconds = days * SECONDS_PER_DAY + hour * 3_600 + minute * 60 + second;
    Some((shape, seconds * shape.per_second() + fraction))
}

/// Moments as numbers of one shape; none if they have not one shape.
pub(super) fn numbers<'a>(
    values: impl Iterator<Item = &'a [u8]> + Clone,
) -> Option<(Shape, Vec<i64>)> {
    let (shape, _) = parse(values.clone().next()?)?;
    let mut numbers = Vec::new();
    for value in values.clone() {
        let (other, number) = parse(value)?;
        if other != shape {
            return trimmed(shape, other, values);
        }
        numbers.push(number);
    }
    Some((shape, numbers))
}

/// The same of fractions without the zeros at their ends.
fn trimmed<'a>(
    one: Shape,
    other: Shape,
    values: impl Iterator<Item = &'a [u8]>,
) -> Option<(Shape, Vec<i64>)> {
    // One of the two has a fraction, because they differ.
    let shape = if one.digits > 0 { one } else { other }.trimmed();
    let mut numbers = Vec::new();
    for value in values {
        let (of_value, number) = parse(value)?;
        let alike = (of_value.date, of_value.time) == (shape.date, shape.time);
        let ends_in_zero = of_value.digits > 0 && value.last() == Some(&b'0');
        if !alike || ends_in_zero || (of_value.digits > 0 && of_value.fraction != shape.fraction) {
            return None;
        }
        numbers.push(number * 10_i64.pow(9 - of_value.decimals()));
    }
    Some((shape, numbers))
}

/// Days since 1970-01-01 of a date of the Gregorian calendar; years begin in March, so that the
/// leap day is the last.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * of_era + of_era / 4 - of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_moment_comes_back_as_it_was() {
        let f = |text: &str, nanos: i64| {
            let end = end_at(text.as_bytes(), 0).expect(text);
            let (shape, number) = parse(&text.as_bytes()[..end]).expect(text);
            assert_eq!(shape.floor(nanos), number, "{text}");
            let (back, len) = shape.text(number);
            assert_eq!(&back[..len], &text.as_bytes()[..end], "{text}");
            assert_eq!(Shape::of(shape.bytes()), Some(shape));
        };
        f("1970-01-01T00:00:00Z", 0);
        f("1970-01-01 00:00:01,5 x", 1_500_000_000);
        f("2024/02/29 23:59:59", 1_709_251_199_999_999_999);
        f("2026-11-22T10:00:00.123456+01:00", 1_795_341_600_123_456_789);
        f("2261-12-31T23:59:59.000000001Z", 9_214_646_399_000_000_001);
        for day in -800_000..1_000_000 {
            let (year, month, of_month) = date_of(day);
            assert_eq!(days_of(year, month, of_month), day);
        }
    }

    #[test]
    fn what_would_not_come_back_is_no_moment() {
        let rows = [
            "2026-11-22T10:00:0",
            "2026-11/22T10:00:00",
            "2026-02-29T10:00:00",
            "2026-11-22T24:00:00",
            "2026-11-22T10:00:60",
            "2026-13-22T10:00:00",
            "2026-00-22T10:00:00",
            "1969-12-31T23:59:59",
            "2262-01-01T00:00:00",
            "2026-11-22T10:00:000",
            "2026-11-22T10:00:00abc",
            "2026-11-22T10:00:00.0000000001",
            "2026-11-22x10:00:00",
            "2026-11-22T1a:00:00",
        ];
        for row in rows {
            assert_eq!(end_at(row.as_bytes(), 0), None, "{row}");
        }
        assert_eq!(end_at(b"2026-11-22T10:00:00.", 0), Some(WHOLE), "the dot is no part of it");
    }

    #[test]
    fn a_column_has_one_shape_or_fractions_without_zeros_at_their_ends() {
        let f = |rows: &[&str], want: Option<u8>| {
            let values = rows.iter().map(|row| row.as_bytes());
            let found = numbers(values);
            assert_eq!(found.as_ref().map(|(shape, _)| shape.digits), want, "{rows:?}");
            let Some((shape, numbers)) = found else { return };
            for (row, number) in rows.iter().zip(numbers) {
                let (back, len) = shape.text(number);
                assert_eq!(String::from_utf8_lossy(&back[..len]), *row);
            }
        };
        f(&["2026-11-22T10:00:00.10", "2026-11-22T10:00:00.00"], Some(2));
        f(&["2026-11-22T10:00:00", "2026-11-22T10:00:00.12", "2026-11-22T10:00:07.003"], Some(255));
        f(&["2026-11-22T10:00:00.123456789", "2026-11-22T10:00:00"], Some(255));
        f(&["2026-11-22T10:00:00.10", "2026-11-22T10:00:00.1"], None);
        f(&["2026-11-22T10:00:00.1", "2026-11-22T10:00:00,12"], None);
        f(&["2026-11-22T10:00:00", "2026-11-22 10:00:00"], None);
        f(&["2026-11-22T10:00:00", "2026/11/22T10:00:00.5"], None);
    }

    #[test]
    fn numbers_of_no_moment_are_some_text() {
        let shape = Shape::of([b'-', b'T', b'.', 9]).expect("a shape");
        for number in [i64::MIN, -1, i64::MAX] {
            assert_eq!(shape.text(number).1, TEXT);
        }
        assert_eq!(Shape::of([b'-', b'T', b'.', 10]), None);
    }
}
