//! Series descriptions: `name{label="value"} 1+2x3 _ stale {{count:1}}x5`.
//!
//! The grammar is that of series descriptions in upstream's
//! `promql/parser/generated_parser.y`; `axN` gives N + 1 values, `_xN` gives N gaps.

use masthead_model::{Histogram, Labels, parse_number, stale_nan};

/// One value of a description.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Described {
    /// No sample at this place.
    Gap,
    /// A float.
    Float(f64),
    /// A histogram, and whether its counter reset hint was given.
    Histogram(Box<Histogram>, bool),
}

/// More values in one series are refused: a script is written by hand.
pub(super) const VALUES_MAX: usize = 1_000_000;

/// Reads a description: the labels and the values.
pub(super) fn parse_series(text: &str) -> Result<(Labels, Vec<Described>), String> {
    let (labels, rest) = split_labels(text);
    let labels = labels.parse::<Labels>().map_err(|error| format!("{labels:?}: {error}"))?;
    Ok((labels, parse_values(rest)?))
}

/// The text of the labels and what follows them.
pub(super) fn split_labels(text: &str) -> (&str, &str) {
    let name_len = text.find(|c: char| c.is_ascii_whitespace() || c == '{').unwrap_or(text.len());
    let after_name = text.get(name_len..).unwrap_or("");
    let braces = after_name.trim_start();
    if !braces.starts_with('{') || braces.starts_with("{{") {
        return text.split_at(name_len);
    }
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in braces.char_indices() {
        match quote {
            Some(mark) => {
                if c == mark && !escaped {
                    quote = None;
                }
                escaped = c == '\\' && mark != '`' && !escaped;
            }
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            None if c == '}' => return text.split_at(text.len() - braces.len() + at + 1),
            None => {}
        }
    }
    (text, "")
}

fn parse_values(mut rest: &str) -> Result<Vec<Described>, String> {
    let mut values = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(values);
        }
        let before = rest;
        rest = if rest.starts_with("{{") {
            histograms(rest, &mut values)?
        } else {
            let len = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
            let (item, after) = rest.split_at(len);
            floats(item, &mut values).ok_or_else(|| format!("bad series value {item:?}"))?;
            after
        };
        if values.len() > VALUES_MAX {
            return Err(format!("{before:?} makes more than {VALUES_MAX} values"));
        }
    }
}

/// `_`, `_x3`, `stale`, `1`, `1x3`, `1+2x3`, `1-2x3`.
fn floats(item: &str, values: &mut Vec<Described>) -> Option<()> {
    if let Some(count) = item.strip_prefix('_') {
        let count = if count.is_empty() { 1 } else { times(count)? };
        values.extend((0..count).map(|_| Described::Gap));
        return Some(());
    }
    // Numbers here are never hexadecimal, so an `x` always repeats.
    let (numbers, count) = match item.rfind('x') {
        Some(at) => (item.get(..at)?, Some(times(item.get(at..)?)?)),
        None => (item, None),
    };
    let number = |text: &str| if text == "stale" { Some(stale_nan()) } else { parse_number(text) };
    let Some(count) = count else {
        values.push(Described::Float(number(numbers)?));
        return Some(());
    };
    if let Some(value) = number(numbers) {
        values.extend((0..=count).map(|_| Described::Float(value)));
        return Some(());
    }
    // The sign between both numbers is one that neither begins the text nor an exponent.
    let (mut value, delta) =
        numbers.char_indices().skip(1).filter(|(_, c)| matches!(c, '+' | '-')).find_map(
            |(at, _)| Some((number(numbers.get(..at)?)?, parse_number(numbers.get(at..)?)?)),
        )?;
    for _ in 0..=count {
        values.push(Described::Float(value));
        value += delta;
    }
    Some(())
}

/// `{{…}}`, `{{…}}x3`, `{{…}}+{{…}}x3`, `{{…}}-{{…}}x3`.
fn histograms<'a>(text: &'a str, values: &mut Vec<Described>) -> Result<&'a str, String> {
    let parse = |text| Histogram::parse_test_expression(text).map_err(|error| error.to_string());
    let (first, rest) = parse(text)?;
    let mut given = first.hint_given;
    let (step, rest) = match rest.strip_prefix(['+', '-']) {
        Some(second) => {
            let (second, after) = parse(second)?;
            given |= second.hint_given;
            (Some((second.histogram, rest.starts_with('-'))), after)
        }
        None => (None, rest),
    };
    let len = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
    let (count, rest) = rest.split_at(len);
    let count = match count {
        "" if step.is_none() => 0,
        _ => times(count).ok_or_else(|| format!("bad repetition {count:?} after a histogram"))?,
    };
    let mut value = first.histogram;
    for n in 0..=count {
        if let Some((delta, negative)) = step.as_ref().filter(|_| n > 0) {
            if value.schema > delta.schema {
                let (from, to) = (delta.schema.number(), value.schema.number());
                return Err(format!(
                    "error combining histograms: cannot merge from schema {from} to {to}"
                ));
            }
            let combined = if *negative { value.sub(delta) } else { value.add(delta) };
            combined.map_err(|error| error.to_string())?;
        }
        values.push(Described::Histogram(Box::new(value.clone()), given));
    }
    Ok(rest)
}

/// `x3`, up to the limit.
pub(super) fn times(text: &str) -> Option<usize> {
    text.strip_prefix('x')?.parse().ok().filter(|count| *count <= VALUES_MAX)
}
