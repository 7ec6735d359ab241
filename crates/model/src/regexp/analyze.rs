//! What a pattern can match, as far as it can be told without trying: a few whole texts, a
//! prefix, everything, or everything but the empty text.
//!
//! Works on a pattern already in the `regex` crate's syntax. Giving up is always right: the
//! answer is then an empty prefix.

use regex_syntax::{
    ParserBuilder,
    hir::{Class, Hir, HirKind, Repetition},
};

use super::Reduced;

/// More alternatives than this are not worth a look-up each (upstream: `maxSetMatches`).
const TEXTS_MAX: usize = 256;
/// A class such as `[0-9]` is spelled out up to this many characters.
const CLASS_CHARS_MAX: usize = 16;

pub(super) fn reduce(rewritten: &str) -> Option<Reduced> {
    let parsed = ParserBuilder::new().dot_matches_new_line(true).build().parse(rewritten);
    let hir = parsed.ok()?;
    if let Some(mut texts) = texts(&hir) {
        texts.sort_unstable();
        texts.dedup();
        return Some(Reduced::Texts(texts.into()));
    }
    if let HirKind::Repetition(Repetition { min, max: None, sub, .. }) = hir.kind()
        && is_any_char(sub)
    {
        match min {
            0 => return Some(Reduced::Anything),
            1 => return Some(Reduced::AnythingButEmpty),
            _ => {}
        }
    }
    Some(Reduced::Prefix(prefix(&hir).into()))
}

fn is_any_char(hir: &Hir) -> bool {
    matches!(hir.kind(), HirKind::Class(Class::Unicode(class))
        if matches!(class.ranges(), [all] if all.start() == '\0' && all.end() == char::MAX))
}

/// Every text that matches the whole of `hir`, if they are few.
fn texts(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Empty => Some(vec![String::new()]),
        HirKind::Literal(literal) => Some(vec![String::from_utf8(literal.0.to_vec()).ok()?]),
        HirKind::Class(Class::Unicode(class)) => {
            let mut chars = Vec::new();
            for range in class.ranges() {
                for c in range.start()..=range.end() {
                    if chars.len() == CLASS_CHARS_MAX {
                        return None;
                    }
                    chars.push(c.to_string());
                }
            }
            Some(chars)
        }
        HirKind::Class(Class::Bytes(_)) | HirKind::Look(_) => None,
        HirKind::Capture(capture) => texts(&capture.sub),
        HirKind::Repetition(repetition) => match (repetition.min, repetition.max) {
            (0, Some(1)) => {
                let mut all = texts(&repetition.sub)?;
                all.push(String::new());
                Some(all)
            }
            (min, Some(max)) if min == max => {
                let sub = texts(&repetition.sub)?;
                (0..min).try_fold(vec![String::new()], |all, _| product(&all, &sub))
            }
            _ => None,
        },
        HirKind::Concat(parts) => {
            parts.iter().try_fold(vec![String::new()], |all, part| product(&all, &texts(part)?))
        }
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(texts(part)?);
                if all.len() > TEXTS_MAX {
                    return None;
                }
            }
            Some(all)
        }
    }
}

fn product(heads: &[String], tails: &[String]) -> Option<Vec<String>> {
    if heads.len().checked_mul(tails.len())? > TEXTS_MAX {
        return None;
    }
    let bytes: usize = heads.iter().chain(tails).map(String::len).sum();
    if bytes > 64 * 1024 {
        return None; // `(long text){1000}` is cheap to match and dear to spell out.
    }
    Some(
        heads
            .iter()
            .flat_map(|head| tails.iter().map(move |tail| format!("{head}{tail}")))
            .collect(),
    )
}

fn prefix(hir: &Hir) -> String {
    match hir.kind() {
        HirKind::Literal(literal) => String::from_utf8(literal.0.to_vec()).unwrap_or_default(),
        HirKind::Capture(capture) => prefix(&capture.sub),
        HirKind::Concat(parts) => {
            let mut all = String::new();
            for part in parts {
                if let Some([one]) = texts(part).as_deref() {
                    all.push_str(one);
                } else {
                    all.push_str(&prefix(part));
                    break;
                }
            }
            all
        }
        HirKind::Alternation(parts) => {
            let mut prefixes = parts.iter().map(prefix);
            let first = prefixes.next().unwrap_or_default();
            prefixes.fold(first, |a, b| common_prefix(&a, &b))
        }
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) | HirKind::Repetition(_) => {
            String::new()
        }
    }
}

fn common_prefix(a: &str, b: &str) -> String {
    a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
}
