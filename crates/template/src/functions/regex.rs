//! Regular expressions in Go's dialect. A template mostly uses the same few for every line, so
//! it keeps them compiled.

use std::{
    ops::Range,
    sync::{Arc, PoisonError, RwLock},
};

use masthead_model::RegexpSearch;

use super::Kind::Text;
use super::lists::ITEMS_MAX;
use super::{Call, Function, bytes, f, string};
use crate::VALUE_BYTES_MAX;
use crate::value::Value;

#[rustfmt::skip]
pub(super) static FUNCTIONS: &[Function] = &[
    f("regexReplaceAll", &[Text, Text, Text], |call, a| {
        let regex = call.regexes.get(&string(a, 0))?;
        replaced(&regex, bytes(a, 1), bytes(a, 2), false)
    }, "The second text with all matches of the first replaced by the third, in which $1 is a group."),
    f("regexReplaceAllLiteral", &[Text, Text, Text], |call, a| {
        let regex = call.regexes.get(&string(a, 0))?;
        replaced(&regex, bytes(a, 1), bytes(a, 2), true)
    }, "The second text with all matches of the first replaced by the third as it stands."),
    f("count", &[Text, Text], count, "How often the first text, an expression, matches in the second."),
];

fn count<'v>(call: &Call<'_, 'v>, args: &[Value<'v>]) -> Result<Value<'v>, String> {
    let regex = call.regexes.get(&string(args, 0))?;
    let count = regex.find_iter(&regex.read(bytes(args, 1))).count();
    Ok(Value::Int(i64::try_from(count).unwrap_or(i64::MAX)))
}

/// Replaces all matches of `pattern` in `text`.
pub(super) fn replace_all<'v>(
    call: &Call<'_, 'v>,
    pattern: &str,
    text: &[u8],
    replacement: &[u8],
) -> Result<Value<'v>, String> {
    replaced(&*call.regexes.get(pattern)?, text, replacement, false)
}

/// Whether `pattern` matches somewhere in `text`.
pub(super) fn is_match<'v>(
    call: &Call<'_, 'v>,
    pattern: &str,
    text: &[u8],
) -> Result<Value<'v>, String> {
    Ok(Value::Bool(call.regexes.get(pattern)?.is_match(text)))
}

/// Where the first `most` matches of `pattern` in `text` are; of more than a list may have, one more.
pub(super) fn ranges(
    call: &Call<'_, '_>,
    pattern: &str,
    text: &[u8],
    most: usize,
) -> Result<Vec<Range<usize>>, String> {
    let regex = call.regexes.get(pattern)?;
    Ok(regex.find_iter(&regex.read(text)).take(most.min(ITEMS_MAX + 1)).collect())
}

/// `text` with all matches of `regex` replaced, each by something that may be long.
fn replaced<'v>(
    regex: &RegexpSearch,
    text: &[u8],
    with: &[u8],
    literal: bool,
) -> Result<Value<'v>, String> {
    let references = if literal { 0 } else { memchr::memchr_iter(b'$', with).count() };
    let (mut out, mut done) = (Vec::new(), 0);
    let mut add = |out: &mut Vec<u8>, whole: Range<usize>| {
        out.extend_from_slice(text.get(done..whole.start).unwrap_or_default());
        done = whole.end;
        // No group is longer than the whole; many are shorter, so that this is not yet too much.
        let most = references.saturating_mul(whole.len()).saturating_add(with.len());
        check(out.len().saturating_add(most) / 4)
    };
    let searched = regex.read(text);
    if references == 0 {
        for found in regex.find_iter(&searched) {
            add(&mut out, found)?;
            out.extend_from_slice(with);
            check(out.len())?;
        }
    } else {
        for groups in regex.captures_iter(&searched) {
            add(&mut out, groups.whole())?;
            groups.expand(with, &mut out);
            check(out.len())?;
        }
    }
    out.extend_from_slice(text.get(done..).unwrap_or_default());
    Ok(Value::bytes(out))
}

fn check(bytes: usize) -> Result<(), String> {
    if bytes > VALUE_BYTES_MAX {
        return Err(format!("result of more than {VALUE_BYTES_MAX} bytes"));
    }
    Ok(())
}

/// A compiled expression takes at most this much memory.
const PROGRAM_BYTES_MAX: usize = 1 << 20;
/// So many expressions are kept for a template; more are compiled each time.
const CACHED_MAX: usize = 16;

/// Compiled expressions of one template.
#[derive(Debug, Default)]
pub(crate) struct RegexCache(RwLock<Vec<(String, Arc<RegexpSearch>)>>);

impl RegexCache {
    fn get(&self, pattern: &str) -> Result<Arc<RegexpSearch>, String> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, regex)) = known.iter().find(|(known, _)| known == pattern) {
            return Ok(Arc::clone(regex));
        }
        drop(known);
        let regex = RegexpSearch::with_limit(pattern, PROGRAM_BYTES_MAX);
        let regex = Arc::new(regex.map_err(|error| error.to_string())?);
        let mut cache = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if cache.len() < CACHED_MAX {
            cache.push((pattern.to_owned(), Arc::clone(&regex)));
        }
        Ok(regex)
    }
}
