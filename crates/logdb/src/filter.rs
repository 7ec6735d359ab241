//! What a line filter asks for, in the forms in which it is answered: per segment from its words,
//! over a whole text at once, and line by line.
//!
//! A regular expression is reduced to literals one of which every match must have; whether it
//! really matches is left to whoever asked. So what is left out here has failed for sure.

use aho_corasick::AhoCorasick;
use masthead_chunk::{lines, words};
use masthead_model::{Regexp, RegexpSearch};
use masthead_ports::{LineFilter, LinePattern, LogColumns};
use memchr::memmem::{self, Finder};

mod required;

use self::required::{Literal, required};

/// Every filter in full, for deletions.
#[derive(Debug)]
pub(crate) struct LineTest {
    negated: bool,
    any: Vec<Test>,
}

#[derive(Debug)]
enum Test {
    Literal(Box<Finder<'static>>),
    Regexp(Box<RegexpSearch>),
}

impl LineTest {
    /// None if an expression does not compile.
    pub(crate) fn new(filter: &LineFilter) -> Option<Self> {
        let any = filter.any.iter().map(|pattern| {
            Some(match pattern {
                LinePattern::Literal(bytes) => {
                    Test::Literal(Box::new(Finder::new(bytes).into_owned()))
                }
                LinePattern::Regexp(text) => Test::Regexp(Box::new(RegexpSearch::new(text).ok()?)),
            })
        });
        Some(Self { negated: filter.negated, any: any.collect::<Option<_>>()? })
    }

    pub(crate) fn passes(&self, line: &[u8]) -> bool {
        let found = self.any.iter().any(|test| match test {
            Test::Literal(finder) => finder.find(line).is_some(),
            Test::Regexp(regex) => regex.is_match(line),
        });
        found != self.negated
    }
}

/// What the filters of a selection demand of every line; empty if nothing that helps.
#[derive(Debug, Default)]
pub(crate) struct Demand {
    /// A line must have something of each.
    all: Vec<Needle>,
    /// And so something of these.
    first: Vec<lines::Needle>,
}

/// One of these texts must be there.
#[derive(Debug)]
struct Needle {
    literals: Vec<Literal>,
    find: Find,
    words: Vec<words::Query>,
    /// Length of the shortest.
    shortest: usize,
}

#[derive(Debug)]
enum Find {
    One(Box<Finder<'static>>),
    Many(Box<AhoCorasick>),
}

impl Demand {
    pub(crate) fn new(filters: &[LineFilter]) -> Self {
        let mut all: Vec<Needle> =
            filters.iter().filter(|filter| !filter.negated).filter_map(Needle::new).collect();
        // The one that is found least often goes first; length is a guess at that.
        all.sort_by_key(|needle| std::cmp::Reverse(needle.shortest));
        let first = all.first().map(|needle| needle.literals.iter().filter_map(Literal::needle));
        Self { first: first.into_iter().flatten().collect(), all }
    }

    /// A line must hold one of these texts, if the demand is not empty.
    pub(crate) fn needles(&self) -> &[lines::Needle] {
        &self.first
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether a segment with these words may have a line that passes.
    pub(crate) fn may_pass(&self, words: &[u8]) -> bool {
        let Some(words) = words::Words::open(words) else { return true };
        self.all.iter().all(|needle| {
            needle.words.is_empty() || needle.words.iter().any(|query| words.may_have(query))
        })
    }

    /// The places in `rows` of lines that may pass.
    pub(crate) fn passing(&self, columns: &LogColumns, rows: std::ops::Range<usize>) -> Vec<usize> {
        let Some((first, others)) = self.all.split_first() else { return rows.collect() };
        let mut found = Vec::new();
        let end_of = |at: usize| columns.ends.get(at).copied().unwrap_or(columns.text.len());
        let start_of = |at: usize| if at == 0 { 0 } else { end_of(at - 1) };
        let mut at = rows.start;
        let limit = if rows.is_empty() { 0 } else { end_of(rows.end - 1) };
        let mut from = start_of(at);
        while at < rows.end
            && let Some(text) = columns.text.get(from..limit)
            && let Some((start, end)) = first.find(text)
        {
            let (start, end) = (from + start, from + end);
            at += ends_before(columns.ends.get(at..rows.end).unwrap_or_default(), start);
            if end > end_of(at) {
                // It reaches into the next line; look on from the next byte.
                from = start + 1;
                continue;
            }
            let line = columns.line(at);
            if others.iter().all(|needle| needle.find(line).is_some()) {
                found.push(at);
            }
            at += 1;
            from = start_of(at);
        }
        found
    }
}

/// How many of `ends` are at or before `place`: mostly few, so steps double.
fn ends_before(ends: &[usize], place: usize) -> usize {
    let mut step = 1;
    while ends.get(step).is_some_and(|end| *end <= place) {
        step *= 2;
    }
    ends.get(..step.saturating_mul(2).min(ends.len()))
        .unwrap_or_default()
        .partition_point(|end| *end <= place)
}

impl Needle {
    /// None if every line could pass for all that literals can tell.
    fn new(filter: &LineFilter) -> Option<Self> {
        let mut literals: Vec<Literal> = Vec::new();
        for pattern in &filter.any {
            match pattern {
                LinePattern::Literal(bytes) => {
                    literals.push(Literal { bytes: bytes.to_vec(), folded: false });
                }
                LinePattern::Regexp(text) => {
                    literals.extend(required(&Regexp::translate(text).ok()?)?);
                }
            }
        }
        let shortest = literals.iter().map(|literal| literal.bytes.len()).min()?;
        if shortest == 0 {
            return None;
        }
        let folded = literals.iter().any(|literal| literal.folded);
        let find = match literals.as_slice() {
            [one] if !folded => Find::One(Box::new(memmem::Finder::new(&one.bytes).into_owned())),
            many => {
                let texts = many.iter().map(|literal| &literal.bytes);
                let built = AhoCorasick::builder().ascii_case_insensitive(folded).build(texts);
                Find::Many(Box::new(built.ok()?))
            }
        };
        let words: Vec<_> =
            literals.iter().map(|literal| words::Query::new(&literal.bytes)).collect();
        // If one of them can be in any segment, asking for the others is of no use.
        let words = if words.iter().any(words::Query::is_empty) { Vec::new() } else { words };
        Some(Self { literals, find, words, shortest })
    }

    fn find(&self, text: &[u8]) -> Option<(usize, usize)> {
        match &self.find {
            Find::One(finder) => {
                let at = finder.find(text)?;
                Some((at, at + finder.needle().len()))
            }
            Find::Many(many) => many.find(text).map(|found| (found.start(), found.end())),
        }
    }
}

#[cfg(test)]
mod tests;
