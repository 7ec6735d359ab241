//! Go's layouts, in which an example time stands for the parts of a time.

/// A part of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Year,
    YearShort,
    MonthName,
    MonthShort,
    MonthPadded,
    Month,
    DayName,
    DayNameShort,
    Day,
    DaySpaced,
    DayPadded,
    YearDaySpaced,
    YearDayPadded,
    Hour,
    Hour12,
    Hour12Padded,
    Minute,
    MinutePadded,
    Second,
    SecondPadded,
    HalfUpper,
    HalfLower,
    ZoneName,
    Offset(OffsetStyle),
    Fraction { separator: char, digits: usize, trims: bool },
}

/// How far a place is from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OffsetStyle {
    /// `Z` for none at all.
    pub(super) zulu: bool,
    pub(super) colons: bool,
    /// Hours; and minutes; and seconds.
    pub(super) parts: usize,
}

impl OffsetStyle {
    pub(super) const PLAIN: Self = Self { zulu: false, colons: false, parts: 2 };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'l> {
    Text(&'l str),
    Part(Part),
}

const fn offset(zulu: bool, colons: bool, parts: usize) -> Part {
    Part::Offset(OffsetStyle { zulu, colons, parts })
}

/// What stands for what; the first that a layout goes on with counts, so longer ones stand first.
const EXAMPLES: [(&str, Part); 33] = [
    ("January", Part::MonthName),
    ("Jan", Part::MonthShort),
    ("Monday", Part::DayName),
    ("Mon", Part::DayNameShort),
    ("MST", Part::ZoneName),
    ("002", Part::YearDayPadded),
    ("01", Part::MonthPadded),
    ("02", Part::DayPadded),
    ("03", Part::Hour12Padded),
    ("04", Part::MinutePadded),
    ("05", Part::SecondPadded),
    ("06", Part::YearShort),
    ("15", Part::Hour),
    ("1", Part::Month),
    ("2006", Part::Year),
    ("2", Part::Day),
    ("__2", Part::YearDaySpaced),
    ("_2", Part::DaySpaced),
    ("3", Part::Hour12),
    ("4", Part::Minute),
    ("5", Part::Second),
    ("PM", Part::HalfUpper),
    ("pm", Part::HalfLower),
    ("-07:00:00", offset(false, true, 3)),
    ("-070000", offset(false, false, 3)),
    ("-07:00", offset(false, true, 2)),
    ("-0700", offset(false, false, 2)),
    ("-07", offset(false, false, 1)),
    ("Z07:00:00", offset(true, true, 3)),
    ("Z070000", offset(true, false, 3)),
    ("Z07:00", offset(true, true, 2)),
    ("Z0700", offset(true, false, 2)),
    ("Z07", offset(true, false, 1)),
];

/// Splits a layout.
pub(super) fn pieces(layout: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut text_start = 0;
    let mut at = 0;
    while let Some(rest) = layout.get(at..).filter(|rest| !rest.is_empty()) {
        // A year behind an underscore is not a spaced day.
        let skip = usize::from(rest.starts_with("_2006"));
        let found = if skip == 1 { Some(("2006", Part::Year)) } else { example(rest) };
        let Some((text, part)) = found else {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        at += skip;
        if text_start < at {
            pieces.push(Piece::Text(layout.get(text_start..at).unwrap_or_default()));
        }
        pieces.push(Piece::Part(part));
        at += text.len();
        text_start = at;
    }
    if let Some(text) = layout.get(text_start..).filter(|text| !text.is_empty()) {
        pieces.push(Piece::Text(text));
    }
    pieces
}

fn example(rest: &str) -> Option<(&str, Part)> {
    if let Some(fraction) = fraction(rest) {
        return Some(fraction);
    }
    let (text, part) = EXAMPLES.iter().find(|(text, _)| rest.starts_with(text))?;
    // `Jan` and `Mon` are not the starts of other words.
    let behind = rest.get(text.len()..).unwrap_or_default();
    if matches!(part, Part::MonthShort | Part::DayNameShort)
        && behind.starts_with(|c: char| c.is_ascii_lowercase())
    {
        return None;
    }
    Some((text, *part))
}

/// `.000`, `,000`, `.999`: not followed by another digit.
fn fraction(rest: &str) -> Option<(&str, Part)> {
    let separator = rest.chars().next().filter(|c| matches!(c, '.' | ','))?;
    let digits = rest.get(1..)?;
    let digit = digits.chars().next().filter(|c| matches!(c, '0' | '9'))?;
    let len = digits.len() - digits.trim_start_matches(digit).len();
    if digits.get(len..)?.starts_with(|c: char| c.is_ascii_digit()) || len > 9 {
        return None;
    }
    let part = Part::Fraction { separator, digits: len, trims: digit == '9' };
    Some((rest.get(..=len)?, part))
}
