//! A search for a pattern anywhere in bytes that need not be text, as line filters and stages do.
//!
//! Nearly every text is valid UTF-8 and is searched where it lies. One that is not is read as Go
//! reads it (`regexp/readable.rs`), and only where that can make a difference: the pattern has
//! something that U+FFFD matches, and nothing was found without.

use std::ops::Range;

use regex_automata::{Input, meta, util::captures::Captures};
use regex_syntax::{
    ParserBuilder,
    hir::{Class, Hir, HirKind},
};

use super::readable::{REPLACEMENT, Readable, Repaired};
use super::{PROGRAM_BYTES_MAX, RegexpError, translate};

/// The engine's cache of states takes at most this much memory for each thread.
const CACHE_BYTES_MAX: usize = 2 << 20;

/// A pattern that may match anywhere in bytes; `.` matches no newline.
#[derive(Debug, Clone)]
pub struct RegexpSearch {
    regex: meta::Regex,
    /// Something in it matches U+FFFD.
    matches_replacement: bool,
    /// It can match nothing, which is found between characters and never inside of one.
    matches_empty: bool,
}

impl RegexpSearch {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// [`RegexpError`] for a syntax error or a program of more than 10 MiB.
    pub fn new(pattern: &str) -> Result<Self, RegexpError> {
        Self::with_limit(pattern, PROGRAM_BYTES_MAX)
    }

    /// Compiles a pattern whose program may take so many bytes.
    ///
    /// # Errors
    /// [`RegexpError`] for a syntax error or a longer program.
    pub fn with_limit(pattern: &str, program_bytes_max: usize) -> Result<Self, RegexpError> {
        let rewritten = translate::translate(pattern)?;
        let too_large = || RegexpError::new("expression too large", pattern);
        let hir = ParserBuilder::new().build().parse(&rewritten).map_err(|_| too_large())?;
        let config = meta::Config::new()
            .nfa_size_limit(Some(program_bytes_max))
            .hybrid_cache_capacity(CACHE_BYTES_MAX);
        let regex = meta::Builder::new().configure(config).build_from_hir(&hir);
        Ok(Self {
            regex: regex.map_err(|_| too_large())?,
            matches_replacement: matches_replacement(&hir),
            matches_empty: hir.properties().minimum_len() == Some(0),
        })
    }

    /// Whether it matches somewhere in `text`.
    pub fn is_match(&self, text: &[u8]) -> bool {
        if self.matches_empty {
            return self.regex.is_match(self.read(text).searched());
        }
        // What matches without the bytes that are no text matches with them too.
        self.regex.is_match(text)
            || (self.matches_replacement
                && Repaired::new(text).is_some_and(|repaired| self.regex.is_match(&repaired.text)))
    }

    /// `text`, ready to be searched for what matches where.
    pub fn read<'t>(&self, text: &'t [u8]) -> Readable<'t> {
        if self.matches_replacement || self.matches_empty {
            Readable::new(text)
        } else {
            Readable::unchecked(text)
        }
    }

    /// The names of the groups by their number; the first group is the whole match.
    pub fn group_names(&self) -> impl Iterator<Item = Option<&str>> {
        self.regex.group_info().all_names().map(|(_, _, name)| name)
    }

    /// The first match in `text` with its groups.
    pub fn captures<'t>(&self, text: &'t Readable<'_>) -> Option<Groups<'t>> {
        let mut captures = self.regex.create_captures();
        self.regex.search_captures(&Input::new(text.searched()), &mut captures);
        captures.is_match().then_some(Groups { text, captures })
    }

    /// Where all matches in `text` are, from left to right, none over another.
    pub fn find_iter<'t>(&'t self, text: &'t Readable<'_>) -> impl Iterator<Item = Range<usize>> {
        self.regex.find_iter(text.searched()).map(|found| text.original_range(found.range()))
    }

    /// All matches in `text` with their groups.
    pub fn captures_iter<'t>(&'t self, text: &'t Readable<'_>) -> impl Iterator<Item = Groups<'t>> {
        let all = self.regex.captures_iter(text.searched());
        all.map(move |captures| Groups { text, captures })
    }
}

/// One match of a [`RegexpSearch`]; places are those of the bytes as they were given.
#[derive(Debug)]
pub struct Groups<'t> {
    text: &'t Readable<'t>,
    captures: Captures,
}

impl<'t> Groups<'t> {
    /// Where the whole match is.
    pub fn whole(&self) -> Range<usize> {
        self.place(0).unwrap_or_default()
    }

    /// How many groups there are, with the whole match.
    pub fn len(&self) -> usize {
        self.captures.group_len()
    }

    /// Whether there is not even a whole match, which never is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where a group is, if it took part.
    pub fn place(&self, number: usize) -> Option<Range<usize>> {
        let found = self.captures.get_group(number)?;
        Some(self.text.original_range(found.range()))
    }

    /// What a group matched, if it took part.
    pub fn get(&self, number: usize) -> Option<&'t [u8]> {
        self.text.original().get(self.place(number)?)
    }

    /// Appends `replacement` with `$1` and `${name}` in it replaced by groups.
    pub fn expand(&self, replacement: &[u8], out: &mut Vec<u8>) {
        let append = |number, out: &mut Vec<u8>| {
            out.extend_from_slice(self.get(number).unwrap_or_default());
        };
        let number_of =
            |name: &str| self.captures.group_info().to_index(self.captures.pattern()?, name);
        regex_automata::util::interpolate::bytes(replacement, append, number_of, out);
    }
}

/// Whether something in `hir` matches U+FFFD, alone or in a row with others.
fn matches_replacement(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => {
            literal.0.windows(REPLACEMENT.len()).any(|bytes| bytes == REPLACEMENT)
        }
        HirKind::Class(Class::Unicode(class)) => class
            .ranges()
            .iter()
            .any(|range| (range.start()..=range.end()).contains(&char::REPLACEMENT_CHARACTER)),
        HirKind::Class(Class::Bytes(class)) => !class.is_ascii(),
        HirKind::Repetition(repetition) => matches_replacement(&repetition.sub),
        HirKind::Capture(capture) => matches_replacement(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().any(matches_replacement)
        }
    }
}

#[cfg(test)]
mod tests;
