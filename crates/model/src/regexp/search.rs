//! A search for a pattern anywhere in bytes that need not be text, as line filters and stages do.
//!
//! Nearly every text is valid UTF-8 and is searched where it lies. One that is not is read as Go
//! reads it (`regexp/readable.rs`), and only where that can make a difference: the pattern has
//! something that U+FFFD matches, and nothing was found without.

use std::ops::Range;

use regex_automata::{Input, meta, util::captures::Captures};
use regex_syntax::hir::{Class, Hir, HirKind};

use super::Reference;
use super::readable::{REPLACEMENT, Readable, Repaired};
use super::{Names, PROGRAM_BYTES_MAX, RegexpError, compile, parse, translate};

/// A pattern that may match anywhere in bytes; `.` matches no newline.
#[derive(Debug, Clone)]
pub struct RegexpSearch {
    regex: meta::Regex,
    names: Names,
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
        let translated = translate::translate(pattern)?;
        let hir = parse(&translated.pattern, pattern)?;
        Ok(Self {
            regex: compile(&hir, pattern, program_bytes_max)?,
            names: translated.names.into(),
            matches_replacement: matches_replacement(&hir),
            matches_empty: hir.properties().minimum_len() == Some(0),
        })
    }

    /// Whether it matches somewhere in `text`.
    #[inline]
    pub fn is_match(&self, text: &[u8]) -> bool {
        // What matches without the bytes that are no text matches with them too.
        (!self.matches_empty && self.regex.is_match(text))
            || ((self.matches_replacement || self.matches_empty) && self.is_match_read(text))
    }

    /// Asked after all else, of a line that did not match or of a pattern that nothing matches.
    fn is_match_read(&self, text: &[u8]) -> bool {
        match Repaired::new(text) {
            Some(repaired) => self.regex.is_match(&repaired.text),
            None => self.matches_empty && self.regex.is_match(text),
        }
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
        self.names.iter().map(Option::as_deref)
    }

    /// The first match in `text` with its groups.
    pub fn captures<'t>(&self, text: &'t Readable<'_>) -> Option<Groups<'t>> {
        let mut captures = self.regex.create_captures();
        self.regex.search_captures(&Input::new(text.searched()), &mut captures);
        Groups::new(text.original(), text.repaired(), captures, &self.names)
    }

    /// Where all matches in `text` are, from left to right, none over another.
    pub fn find_iter<'t>(&'t self, text: &'t Readable<'_>) -> impl Iterator<Item = Range<usize>> {
        self.regex.find_iter(text.searched()).map(|found| text.original_range(found.range()))
    }

    /// All matches in `text` with their groups.
    pub fn captures_iter<'t>(&'t self, text: &'t Readable<'_>) -> impl Iterator<Item = Groups<'t>> {
        let all = self.regex.captures_iter(text.searched());
        all.filter_map(|captures| {
            Groups::new(text.original(), text.repaired(), captures, &self.names)
        })
    }
}

/// One match of a [`RegexpSearch`] or a [`Regexp`](super::Regexp); places are those of the bytes as
/// they were given.
#[derive(Debug)]
pub struct Groups<'t> {
    original: &'t [u8],
    repaired: Option<&'t Repaired>,
    captures: Captures,
    names: Names,
}

impl<'t> Groups<'t> {
    /// None if nothing matched.
    pub(super) fn new(
        original: &'t [u8],
        repaired: Option<&'t Repaired>,
        captures: Captures,
        names: &Names,
    ) -> Option<Self> {
        let names = Names::clone(names);
        captures.is_match().then_some(Self { original, repaired, captures, names })
    }

    /// Where the whole match is.
    pub fn whole(&self) -> Range<usize> {
        self.place(0).unwrap_or_default()
    }

    /// Where the groups are that took part, by their numbers; the whole match is not among them.
    pub fn places(&self) -> impl Iterator<Item = Range<usize>> {
        (1..self.names.len()).filter_map(|number| self.place(number))
    }

    /// Where a group is, if it took part.
    pub fn place(&self, number: usize) -> Option<Range<usize>> {
        let found = self.captures.get_group(number)?.range();
        Some(self.repaired.map_or(found.clone(), |repaired| repaired.original_range(found)))
    }

    /// Where the first group of this name is that took part.
    pub fn place_of(&self, name: &str) -> Option<Range<usize>> {
        self.place(self.number_of(name)?)
    }

    /// What a group matched, if it took part.
    pub fn get(&self, number: usize) -> Option<&'t [u8]> {
        self.original.get(self.place(number)?)
    }

    /// Appends `replacement` with `$1` and `${name}` in it replaced by groups, as Go's `Expand` does.
    /// A group that is not there or took no part is empty.
    pub fn expand(&self, replacement: &[u8], out: &mut Vec<u8>) {
        for chunk in replacement.utf8_chunks() {
            let mut rest = chunk.valid();
            while let Some((before, after)) = rest.split_once('$') {
                out.extend_from_slice(before.as_bytes());
                let Some((reference, after)) = Reference::read(after) else {
                    out.push(b'$');
                    rest = after;
                    continue;
                };
                rest = after;
                let group = match reference {
                    Reference::Dollar => Some(&b"$"[..]),
                    Reference::Place(number) => self.get(number),
                    Reference::Name(name) => {
                        self.number_of(name).and_then(|number| self.get(number))
                    }
                };
                out.extend_from_slice(group.unwrap_or_default());
            }
            out.extend_from_slice(rest.as_bytes());
            out.extend_from_slice(chunk.invalid());
        }
    }

    /// Several groups may have a name; that counts which took part, as in Go's `Expand`.
    fn number_of(&self, name: &str) -> Option<usize> {
        let named = self.names.iter().enumerate().filter(|(_, n)| n.as_deref() == Some(name));
        let mut numbers = named.map(|(number, _)| number);
        numbers.find(|number| self.captures.get_group(*number).is_some())
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
