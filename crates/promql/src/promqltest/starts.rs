//! Start times: `name{label="value"}@st _ -30s-1mx2 *x3`, one offset from each sample's time.
//!
//! A line that is only `@st …` gives the offsets of all series of the load that have none of their
//! own, over and over.

use masthead_model::PromDuration;

use super::series::{VALUES_MAX, times};

/// The series that start times are of, as written, and the offset of each of its samples.
pub(super) type Starts<'a> = (&'a str, Vec<Option<i64>>);

/// The text before `@st` and the offsets in milliseconds; nothing if it isn't such a line.
pub(super) fn parse_starts(line: &str) -> Option<Result<Starts<'_>, String>> {
    let (series, offsets) = line.split_once([' ', '\t'])?;
    let series = series.strip_suffix("@st")?;
    let mut out = Vec::new();
    for item in offsets.split_ascii_whitespace() {
        if read(item, &mut out).is_none() {
            return Some(Err(format!("invalid @st sequence: invalid ST item {item:?}")));
        }
        if out.len() > VALUES_MAX {
            return Some(Err(format!("{item:?} makes more than {VALUES_MAX} start times")));
        }
    }
    Some(Ok((series, out)))
}

fn read(item: &str, out: &mut Vec<Option<i64>>) -> Option<()> {
    if let Some(count) = item.strip_prefix('_') {
        let count = if count.is_empty() { 1 } else { times(count).filter(|count| *count > 0)? };
        out.extend((0..count).map(|_| None));
        return Some(());
    }
    if let Some(count) = item.strip_prefix('*') {
        let last = out.iter().rev().find_map(|offset| *offset).unwrap_or(0);
        let count = if count.is_empty() { 0 } else { times(count)? };
        out.extend((0..=count).map(|_| Some(last)));
        return Some(());
    }
    let (mut offset, rest) = signed_duration(item)?;
    let (delta, rest) = match rest.as_bytes() {
        [] => {
            out.push(Some(offset));
            return Some(());
        }
        [b'x', ..] => (0, rest),
        [b'+' | b'-', ..] => signed_duration(rest)?,
        _ => return None,
    };
    for _ in 0..=times(rest)? {
        out.push(Some(offset));
        offset = offset.checked_add(delta)?;
    }
    Some(())
}

/// A duration with an optional sign, in milliseconds, and what follows it.
fn signed_duration(text: &str) -> Option<(i64, &str)> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = unsigned.find(|c: char| !c.is_ascii_digit()).unwrap_or(unsigned.len());
    let unit = unsigned.get(digits..)?;
    // `x` separates the repetition; no unit has it.
    let unit_len = unit.find(|c: char| !c.is_ascii_alphabetic() || c == 'x').unwrap_or(unit.len());
    let (duration, rest) = unsigned.split_at(digits + unit_len);
    let millis = PromDuration::parse(duration).ok()?.as_millis();
    Some((if text.starts_with('-') { -millis } else { millis }, rest))
}
