//! Instants, written and read by Go's layouts: `2006-01-02T15:04:05Z07:00`.
//!
//! The calendar and the rules of time zones are jiff's, with its own copy of the zone database, so
//! that no file is read. Splitting a layout is `time/layout.rs`, reading is `time/parse.rs`.

use std::fmt;

use jiff::{Timestamp, Zoned, tz::TimeZone, tz::TimeZoneDatabase};

mod layout;
mod parse;

use layout::{Part, Piece};

/// An instant and the place whose clocks show it.
#[derive(Debug, Clone)]
pub struct Time {
    at: Timestamp,
    zone: TimeZone,
}

impl PartialEq for Time {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Time {
    /// The instant so many nanoseconds from 1970 on, in UTC.
    pub fn from_nanos(nanos: i64) -> Self {
        Self::utc(Timestamp::from_nanosecond(nanos.into()).unwrap_or_default())
    }

    /// The instant so many seconds from 1970 on, in UTC; far beyond the calendar it is 1970.
    pub fn from_seconds(seconds: i64) -> Self {
        Self::utc(Timestamp::from_second(seconds).unwrap_or_default())
    }

    /// The first instant of year 1, which Go uses for no time at all.
    pub fn zero() -> Self {
        Self::from_seconds(-62_135_596_800)
    }

    fn utc(at: Timestamp) -> Self {
        Self { at, zone: TimeZone::UTC }
    }

    /// Reads a time as Go's `time.ParseInLocation`, UTC where the zone is not known.
    pub fn parse(layout: &str, text: &str, zone: &str) -> Option<Self> {
        parse::parse(layout, text, &zone_of(zone))
    }

    /// Seconds since 1970.
    pub fn seconds(&self) -> i64 {
        self.at.as_second() - i64::from(self.at.subsec_nanosecond() < 0)
    }

    /// Milliseconds since 1970.
    pub fn millis(&self) -> i64 {
        i64::try_from(self.at.as_nanosecond().div_euclid(1_000_000)).unwrap_or_default()
    }

    /// Nanoseconds since 1970, wrapping where Go's do.
    pub fn nanos(&self) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "Go's UnixNano wraps around as well")]
        let nanos = self.at.as_nanosecond() as i64;
        nanos
    }

    /// Writes it as Go's `Time.Format`.
    pub fn format(&self, layout: &str) -> String {
        let zoned = self.at.to_zoned(self.zone.clone());
        let mut out = String::with_capacity(layout.len() + 8);
        for piece in layout::pieces(layout) {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Part(part) => write_part(&mut out, part, &zoned),
            }
        }
        out
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.format("2006-01-02 15:04:05.999999999 -0700 MST"))
    }
}

fn zone_of(name: &str) -> TimeZone {
    match name {
        "" | "UTC" | "Local" => TimeZone::UTC,
        _ => TimeZoneDatabase::bundled().get(name).unwrap_or(TimeZone::UTC),
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

fn name_of(names: &[&'static str], number: i8) -> &'static str {
    usize::try_from(number).ok().and_then(|at| names.get(at)).copied().unwrap_or_default()
}

fn write_part(out: &mut String, part: Part, time: &Zoned) {
    use std::fmt::Write as _;
    let hour12 = match time.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let month = name_of(&MONTHS, time.month() - 1);
    let day = name_of(&DAYS, time.weekday().to_sunday_zero_offset());
    let written = match part {
        Part::Year => write!(out, "{:04}", time.year()),
        Part::YearShort => write!(out, "{:02}", time.year().rem_euclid(100)),
        Part::MonthName => out.write_str(month),
        Part::MonthShort => out.write_str(month.get(..3).unwrap_or_default()),
        Part::MonthPadded => write!(out, "{:02}", time.month()),
        Part::Month => write!(out, "{}", time.month()),
        Part::DayName => out.write_str(day),
        Part::DayNameShort => out.write_str(day.get(..3).unwrap_or_default()),
        Part::Day => write!(out, "{}", time.day()),
        Part::DaySpaced => write!(out, "{:2}", time.day()),
        Part::DayPadded => write!(out, "{:02}", time.day()),
        Part::YearDaySpaced => write!(out, "{:3}", time.day_of_year()),
        Part::YearDayPadded => write!(out, "{:03}", time.day_of_year()),
        Part::Hour => write!(out, "{:02}", time.hour()),
        Part::Hour12 => write!(out, "{hour12}"),
        Part::Hour12Padded => write!(out, "{hour12:02}"),
        Part::Minute => write!(out, "{}", time.minute()),
        Part::MinutePadded => write!(out, "{:02}", time.minute()),
        Part::Second => write!(out, "{}", time.second()),
        Part::SecondPadded => write!(out, "{:02}", time.second()),
        Part::HalfUpper => out.write_str(if time.hour() < 12 { "AM" } else { "PM" }),
        Part::HalfLower => out.write_str(if time.hour() < 12 { "am" } else { "pm" }),
        Part::ZoneName => {
            let zone = time.time_zone();
            if zone.iana_name().is_some() || *zone == TimeZone::UTC {
                out.write_str(zone.to_offset_info(time.timestamp()).abbreviation())
            } else {
                // A zone without a name is shown by its distance.
                write_offset(out, time.offset().seconds(), layout::OffsetStyle::PLAIN);
                Ok(())
            }
        }
        Part::Offset(style) => {
            write_offset(out, time.offset().seconds(), style);
            Ok(())
        }
        Part::Fraction { separator, digits, trims } => {
            let fraction = format!("{:09}", time.subsec_nanosecond());
            let mut fraction = fraction.get(..digits).unwrap_or_default();
            if trims {
                fraction = fraction.trim_end_matches('0');
            }
            if fraction.is_empty() { Ok(()) } else { write!(out, "{separator}{fraction}") }
        }
    };
    written.unwrap_or_default();
}

fn write_offset(out: &mut String, seconds: i32, style: layout::OffsetStyle) {
    use std::fmt::Write as _;
    if style.zulu && seconds == 0 {
        out.push('Z');
        return;
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.unsigned_abs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let colon = if style.colons { ":" } else { "" };
    match style.parts {
        1 => write!(out, "{sign}{hours:02}"),
        2 => write!(out, "{sign}{hours:02}{colon}{minutes:02}"),
        _ => write!(out, "{sign}{hours:02}{colon}{minutes:02}{colon}{rest:02}"),
    }
    .unwrap_or_default();
}

#[cfg(test)]
mod tests;
