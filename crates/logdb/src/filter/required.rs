//! Literals one of which every match of an expression has.
//!
//! U+FFFD is none: it matches whatever byte is no text, so that a literal ends where it stands.

use masthead_chunk::lines;
use memchr::memmem;
use regex_syntax::{
    ParserBuilder,
    hir::{Class, Hir, HirKind},
};

/// More alternatives than this say nothing.
const LITERALS_MAX: usize = 64;
/// U+FFFD.
const REPLACEMENT: &[u8] = b"\xef\xbf\xbd";

/// Bytes that a match must have.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Literal {
    /// In small letters where `folded`.
    pub(super) bytes: Vec<u8>,
    /// Letters of ASCII stand for both their cases.
    pub(super) folded: bool,
}

impl Literal {
    pub(super) fn needle(&self) -> Option<lines::Needle> {
        lines::Needle::new(&self.bytes, self.folded)
    }
}

/// The literals of a pattern in the dialect of the `regex` crate; none if a match needs none.
pub(super) fn required(pattern: &str) -> Option<Vec<Literal>> {
    let hir = ParserBuilder::new().utf8(false).build().parse(pattern).ok()?;
    let found = of(&hir)?;
    found.iter().all(|literal| !literal.bytes.is_empty()).then_some(found)
}

fn of(hir: &Hir) -> Option<Vec<Literal>> {
    match hir.kind() {
        HirKind::Literal(_) => of_sequence(std::slice::from_ref(hir)),
        HirKind::Class(class) => {
            let letter = folded_letter(class)?;
            Some(vec![Literal { bytes: vec![letter], folded: true }])
        }
        HirKind::Repetition(repetition) if repetition.min > 0 => of(&repetition.sub),
        HirKind::Capture(capture) => of(&capture.sub),
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                all.extend(of(branch)?);
            }
            (all.len() <= LITERALS_MAX).then_some(all)
        }
        HirKind::Concat(parts) => of_sequence(parts),
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

/// The best of what the parts demand; neighbours that are literals count as one.
fn of_sequence(parts: &[Hir]) -> Option<Vec<Literal>> {
    let mut candidates: Vec<Vec<Literal>> = Vec::new();
    let mut run = Literal::default();
    for part in parts {
        match part.kind() {
            HirKind::Literal(literal) => {
                let mut rest: &[u8] = &literal.0;
                while let Some(at) = memmem::find(rest, REPLACEMENT) {
                    run.bytes.extend_from_slice(rest.get(..at).unwrap_or_default());
                    candidates.push(vec![std::mem::take(&mut run)]);
                    rest = rest.get(at + REPLACEMENT.len()..).unwrap_or_default();
                }
                run.bytes.extend_from_slice(rest);
            }
            HirKind::Class(class) if let Some(letter) = folded_letter(class) => {
                run.folded = true;
                run.bytes.push(letter);
            }
            _ => {
                candidates.push(vec![std::mem::take(&mut run)]);
                candidates.extend(of(part));
            }
        }
    }
    candidates.push(vec![run]);
    for literal in candidates.iter_mut().flatten().filter(|literal| literal.folded) {
        // What stood beside a folded letter is looked for in both cases too, which finds more.
        literal.bytes.make_ascii_lowercase();
    }
    let shortest = |all: &Vec<Literal>| all.iter().map(|literal| literal.bytes.len()).min();
    candidates.retain(|all| shortest(all).is_some_and(|length| length > 0));
    candidates.into_iter().max_by_key(shortest)
}

/// The small letter of a class that is one letter of ASCII in both cases and nothing else: not `k`
/// and `s`, which have a third form in Unicode.
fn folded_letter(class: &Class) -> Option<u8> {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => {
            class.iter().map(|range| (u32::from(range.start()), u32::from(range.end()))).collect()
        }
        Class::Bytes(class) => {
            class.iter().map(|range| (u32::from(range.start()), u32::from(range.end()))).collect()
        }
    };
    let [(upper, same), (lower, end)] = ranges.as_slice() else { return None };
    let letter = u8::try_from(*lower).ok()?;
    let both = upper == same
        && lower == end
        && letter.is_ascii_lowercase()
        && *upper == u32::from(letter.to_ascii_uppercase());
    both.then_some(letter)
}
