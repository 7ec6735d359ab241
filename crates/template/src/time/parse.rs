//! Reading times by a layout, as Go's `time.Parse`.

use jiff::{civil, tz::Offset, tz::TimeZone};

use super::layout::{self, Part, Piece};
use super::{DAYS, MONTHS, Time};

#[derive(Debug, Default)]
struct Fields {
    year: i16,
    month: i8,
    day: i8,
    year_day: Option<i16>,
    hour: i8,
    minute: i8,
    second: i8,
    nanos: i32,
    /// Afternoon or not, where the layout says.
    afternoon: Option<bool>,
    offset: Option<i32>,
    zulu: bool,
}

pub(super) fn parse(layout: &str, text: &str, zone: &TimeZone) -> Option<Time> {
    let mut fields = Fields { month: 1, day: 1, ..Fields::default() };
    let mut rest = text;
    let pieces = layout::pieces(layout);
    for (at, piece) in pieces.iter().enumerate() {
        rest = match piece {
            Piece::Text(literal) => skip(rest, literal)?,
            Piece::Part(part) => {
                let after = fields.read(*part, rest)?;
                let fraction_follows =
                    matches!(pieces.get(at + 1), Some(Piece::Part(Part::Fraction { .. })));
                // A fraction may follow the seconds even where the layout has none.
                if matches!(part, Part::Second | Part::SecondPadded) && !fraction_follows {
                    fields.fraction(after, None).unwrap_or(after)
                } else {
                    after
                }
            }
        };
    }
    if !rest.is_empty() {
        return None;
    }
    fields.finish(zone)
}

/// Text must follow; a run of blanks of the layout is any run of blanks.
fn skip<'t>(mut rest: &'t str, literal: &str) -> Option<&'t str> {
    for c in literal.chars() {
        if c == ' ' {
            rest = rest.trim_start_matches(' ');
        } else {
            rest = rest.strip_prefix(c)?;
        }
    }
    Some(rest)
}

fn number(text: &str, least: usize, most: usize) -> Option<(i32, &str)> {
    let len = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if len < least {
        return None;
    }
    Some((text.get(..len)?.parse().ok()?, text.get(len..)?))
}

/// The place of the name that the text starts with.
fn name<'t>(names: &[&str], text: &'t str, short: bool) -> Option<(i8, &'t str)> {
    for (at, name) in (0_i8..).zip(names) {
        let name = if short { name.get(..3)? } else { name };
        if let Some(head) = text.get(..name.len())
            && head.eq_ignore_ascii_case(name)
        {
            return Some((at, text.get(name.len()..)?));
        }
    }
    None
}

impl Fields {
    fn read<'t>(&mut self, part: Part, text: &'t str) -> Option<&'t str> {
        let small = |least, most| -> Option<(i8, &'t str)> {
            let (value, rest) = number(text, least, most)?;
            Some((i8::try_from(value).ok()?, rest))
        };
        let rest;
        match part {
            Part::Year => {
                let (year, after) = number(text, 4, 4)?;
                (self.year, rest) = (i16::try_from(year).ok()?, after);
            }
            Part::YearShort => {
                let (year, after) = number(text, 2, 2)?;
                let century = if year >= 69 { 1900 } else { 2000 };
                (self.year, rest) = (i16::try_from(century + year).ok()?, after);
            }
            Part::MonthName | Part::MonthShort => {
                let (month, after) = name(&MONTHS, text, part == Part::MonthShort)?;
                (self.month, rest) = (month + 1, after);
            }
            Part::MonthPadded => (self.month, rest) = small(2, 2)?,
            Part::Month => (self.month, rest) = small(1, 2)?,
            Part::DayName | Part::DayNameShort => {
                (_, rest) = name(&DAYS, text, part == Part::DayNameShort)?;
            }
            Part::Day => (self.day, rest) = small(1, 2)?,
            Part::DayPadded => (self.day, rest) = small(2, 2)?,
            Part::DaySpaced => {
                let (day, after) = number(text.strip_prefix(' ').unwrap_or(text), 1, 2)?;
                (self.day, rest) = (i8::try_from(day).ok()?, after);
            }
            Part::YearDaySpaced | Part::YearDayPadded => {
                let (day, after) = number(text.trim_start_matches(' '), 1, 3)?;
                (self.year_day, rest) = (Some(i16::try_from(day).ok()?), after);
            }
            Part::Hour | Part::Hour12 => (self.hour, rest) = small(1, 2)?,
            Part::Hour12Padded => (self.hour, rest) = small(2, 2)?,
            Part::Minute => (self.minute, rest) = small(1, 2)?,
            Part::MinutePadded => (self.minute, rest) = small(2, 2)?,
            Part::Second => (self.second, rest) = small(1, 2)?,
            Part::SecondPadded => (self.second, rest) = small(2, 2)?,
            Part::HalfUpper | Part::HalfLower => {
                let (am, pm) = if part == Part::HalfUpper { ("AM", "PM") } else { ("am", "pm") };
                if let Some(after) = text.strip_prefix(pm) {
                    (self.afternoon, rest) = (Some(true), after);
                } else {
                    (self.afternoon, rest) = (Some(false), text.strip_prefix(am)?);
                }
            }
            Part::ZoneName => {
                let len = text.bytes().take_while(u8::is_ascii_uppercase).count();
                if !(3..=5).contains(&len) {
                    return None;
                }
                self.zulu = text.get(..len) == Some("UTC");
                // Go knows no other names without a place: they count as no offset.
                self.offset = self.offset.or(Some(0));
                rest = text.get(len..)?;
            }
            Part::Offset(style) => {
                if style.zulu
                    && let Some(after) = text.strip_prefix('Z')
                {
                    self.zulu = true;
                    return Some(after);
                }
                rest = self.offset(style, text)?;
            }
            Part::Fraction { digits, trims, .. } => {
                rest = if trims {
                    self.fraction(text, None).unwrap_or(text)
                } else {
                    self.fraction(text, Some(digits))?
                };
            }
        }
        Some(rest)
    }

    fn offset<'t>(&mut self, style: layout::OffsetStyle, text: &'t str) -> Option<&'t str> {
        let (sign, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+')?),
        };
        let mut seconds = 0;
        for (part, scale) in (0..style.parts).zip([3600, 60, 1]) {
            if part > 0 && style.colons {
                rest = rest.strip_prefix(':')?;
            }
            let (value, after) = number(rest, 2, 2)?;
            seconds += value * scale;
            rest = after;
        }
        self.offset = Some(sign * seconds);
        Some(rest)
    }

    /// `.123`, exactly so many digits if that is said.
    fn fraction<'t>(&mut self, text: &'t str, exact: Option<usize>) -> Option<&'t str> {
        let digits = text.strip_prefix(['.', ','])?;
        let len = digits.bytes().take_while(u8::is_ascii_digit).count();
        let len = exact.map_or(len, |exact| exact.min(len));
        if len == 0 || exact.is_some_and(|exact| exact != len) {
            return None;
        }
        let text: String = digits.get(..len)?.chars().chain("000000000".chars()).take(9).collect();
        self.nanos = text.parse().ok()?;
        digits.get(len..)
    }

    fn finish(&self, zone: &TimeZone) -> Option<Time> {
        let hour = match self.afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let date = match self.year_day {
            Some(day) => {
                let first = civil::Date::new(self.year, 1, 1).ok()?;
                let date = first.checked_add(jiff::Span::new().days(i64::from(day) - 1)).ok()?;
                (date.year() == self.year).then_some(date)?
            }
            None => civil::Date::new(self.year, self.month, self.day).ok()?,
        };
        let time = civil::Time::new(hour, self.minute, self.second, self.nanos).ok()?;
        let zone = match self.offset {
            _ if self.zulu => TimeZone::UTC,
            Some(0) => TimeZone::UTC,
            Some(seconds) => TimeZone::fixed(Offset::from_seconds(seconds).ok()?),
            None => zone.clone(),
        };
        let at = date.to_datetime(time).to_zoned(zone.clone()).ok()?.timestamp();
        Some(Time { at, zone })
    }
}
