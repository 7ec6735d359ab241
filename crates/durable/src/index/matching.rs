//! What a list of matchers selects: the cheapest conditions first, each on what is left.
//!
//! A matcher that the empty text passes is also passed by series without the label, so it is
//! answered by what it excludes.

use masthead_model::{MatchOp, Matcher};
use roaring::RoaringBitmap;

use super::Postings;
use crate::{Error, Result};

/// With fewer series left than this part of a label's values, trying each series' label is cheaper
/// than trying each value.
const VALUES_PER_SERIES: u64 = 4;

/// Bytes of values that are tried between two questions whether to go on. Some expressions take a
/// tenth of a second for so many; the plainest take microseconds, beside which a question is nothing.
const BYTES_A_CHECK: usize = 4_096;

/// A value counts for so many bytes more than it has.
const VALUE_COST: usize = 16;

/// Returns the series that pass all of `matchers`; all series if there are none.
///
/// # Errors
/// Those of reading the index.
pub fn select(index: &dyn Postings, matchers: &[Matcher]) -> Result<RoaringBitmap> {
    select_while(index, matchers, &|| true)
}

/// The same as long as `goes_on` says so, which is asked now and then while values are tried.
///
/// # Errors
/// Those of reading the index; [`Error::Ended`] after the first no.
pub fn select_while(
    index: &dyn Postings,
    matchers: &[Matcher],
    goes_on: &dyn Fn() -> bool,
) -> Result<RoaringBitmap> {
    let mut trial = Trial { goes_on, bytes: 0 };
    let mut order: Vec<&Matcher> = matchers.iter().collect();
    order.sort_by_key(|matcher| cost(matcher));
    let mut left: Option<RoaringBitmap> = None;
    for matcher in order {
        if left.as_ref().is_some_and(RoaringBitmap::is_empty) {
            break;
        }
        left = Some(narrow(index, matcher, left, &mut trial)?);
    }
    left.map_or_else(|| index.all(), Ok)
}

/// The values that are tried for one answer.
struct Trial<'a> {
    goes_on: &'a dyn Fn() -> bool,
    /// Since the last question.
    bytes: usize,
}

impl Trial<'_> {
    /// Whether `matcher` passes `value`.
    fn passes(&mut self, matcher: &Matcher, value: &str) -> Result<bool> {
        self.bytes += VALUE_COST + value.len();
        if self.bytes >= BYTES_A_CHECK {
            self.bytes = 0;
            if !(self.goes_on)() {
                return Err(Error::Ended);
            }
        }
        Ok(matcher.matches(value))
    }
}

fn cost(matcher: &Matcher) -> u8 {
    let few = matcher.regexp().is_some_and(|regexp| regexp.texts().is_some());
    match (matcher.op(), matcher.matches_empty()) {
        (MatchOp::Equal, false) => 0,
        (MatchOp::Matches, false) if few => 1,
        (_, true) if few || matcher.regexp().is_none() => 2,
        (_, false) => 3,
        (_, true) => 4,
    }
}

fn narrow(
    index: &dyn Postings,
    matcher: &Matcher,
    left: Option<RoaringBitmap>,
    trial: &mut Trial<'_>,
) -> Result<RoaringBitmap> {
    let name = matcher.name();
    let exact = exact_values(matcher);
    if exact.is_none()
        && let Some(left) = &left
        && left.len().saturating_mul(VALUES_PER_SERIES) < index.value_count(name)? as u64
    {
        let mut passed = RoaringBitmap::new();
        index.for_each_value(name, left, &mut |id, value| {
            if trial.passes(matcher, value)? {
                passed.insert(id);
            }
            Ok(())
        })?;
        return Ok(passed);
    }
    let excludes = matcher.matches_empty();
    let mut found = RoaringBitmap::new();
    match exact {
        Some(values) => {
            for value in values.iter().filter(|value| !value.is_empty()) {
                if let Some(series) = index.with_value(name, value)? {
                    found |= &*series;
                }
            }
        }
        None => {
            let prefix = match matcher.regexp() {
                Some(regexp) if !excludes && matcher.op() == MatchOp::Matches => regexp.prefix(),
                _ => "",
            };
            index.union_values(name, prefix, &mut found, &mut |value| {
                Ok(trial.passes(matcher, value)? != excludes)
            })?;
        }
    }
    Ok(match (left, excludes) {
        (None, false) => found,
        (Some(left), false) => left & found,
        (None, true) => index.all()? - found,
        (Some(left), true) => left - found,
    })
}

/// The only values that must be looked up: those that pass, or of a matcher that the empty text
/// passes those that do not.
fn exact_values(matcher: &Matcher) -> Option<Vec<&str>> {
    match (matcher.op(), matcher.matches_empty()) {
        (MatchOp::Equal, false) | (MatchOp::NotEqual, true) => Some(vec![matcher.value()]),
        (MatchOp::Matches, false) | (MatchOp::NotMatches, true) => {
            let texts = matcher.regexp()?.texts()?;
            Some(texts.iter().map(String::as_str).collect())
        }
        _ => None,
    }
}
