//! Literals one of which every match of an expression has.

use masthead_chunk::lines;
use regex_syntax::{
    ParserBuilder,
    hir::{Class, Hir, HirKind},
};

/// More alternatives than this say nothing.
const LITERALS_MAX: usize = 64;

/// Bytes that a match must have.
#[derive(Debug, Clone, PartialEq, Eq)]
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
        HirKind::Literal(literal) => {
            Some(vec![Literal { bytes: literal.0.to_vec(), folded: false }])
        }
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
    let mut run = Literal { bytes: Vec::new(), folded: false };
    for part in parts {
        let piece = match part.kind() {
            HirKind::Literal(literal) => Some(literal.0.to_vec()),
            HirKind::Class(class) => folded_letter(class).map(|letter| {
                run.folded = true;
                vec![letter]
            }),
            _ => None,
        };
        match piece {
            Some(bytes) => run.bytes.extend(bytes),
            None => {
                candidates.push(vec![std::mem::replace(
                    &mut run,
                    Literal { bytes: Vec::new(), folded: false },
                )]);
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
