//! Bytes as Go's `regexp` reads them: whatever is no part of a valid character is read as one
//! U+FFFD for each byte, which `.`, `\S` and `[^a]` match as they match any character.
//!
//! The engine matches nothing with such a byte, so that a text with one is copied, each of them
//! spelled out. A place in the copy is a place in the text: only those bytes became longer.
//! The copy is at most three times, and with the places eleven times, as long as the text.

use std::{borrow::Cow, ops::Range};

/// How U+FFFD is written in UTF-8.
pub(super) const REPLACEMENT: &[u8] = b"\xef\xbf\xbd";
/// Bytes that are looked at together.
const LANES: usize = 32;
/// How much longer a byte becomes.
const GROWTH: usize = REPLACEMENT.len() - 1;

/// `bytes` as a text in which every byte that is no part of a character is U+FFFD.
///
/// [`String::from_utf8_lossy`] writes one U+FFFD for several bytes that start a character
/// together, which `^..$` would count otherwise than Go.
pub fn readable(bytes: &[u8]) -> Cow<'_, str> {
    match Repaired::new(bytes) {
        None => str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::from),
        Some(repaired) => Cow::Owned(repaired.text),
    }
}

/// A text that is being searched; see [`RegexpSearch::read`](super::RegexpSearch::read).
#[derive(Debug)]
pub struct Readable<'t> {
    original: &'t [u8],
    repaired: Option<Repaired>,
}

/// A copy with U+FFFD for each byte that is no text.
#[derive(Debug)]
pub(super) struct Repaired {
    pub(super) text: String,
    /// Where in `text` each of them ends.
    ends: Vec<usize>,
}

impl<'t> Readable<'t> {
    pub(super) fn new(original: &'t [u8]) -> Self {
        Self { original, repaired: Repaired::new(original) }
    }

    /// For an expression that needs no copy.
    pub(super) fn unchecked(original: &'t [u8]) -> Self {
        Self { original, repaired: None }
    }

    /// What the engine searches.
    pub(super) fn searched(&self) -> &[u8] {
        self.repaired.as_ref().map_or(self.original, |repaired| repaired.text.as_bytes())
    }

    /// The place in the original of one in what was searched.
    pub(super) fn original_range(&self, found: Range<usize>) -> Range<usize> {
        self.repaired().map_or(found.clone(), |repaired| repaired.original_range(found))
    }

    /// The text as it is.
    pub(super) fn original(&self) -> &'t [u8] {
        self.original
    }

    pub(super) fn repaired(&self) -> Option<&Repaired> {
        self.repaired.as_ref()
    }
}

impl Repaired {
    /// None if `bytes` are text as they are, which is looked at without making anything.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        if is_ascii(bytes) || str::from_utf8(bytes).is_ok() {
            return None;
        }
        let mut text = String::with_capacity(bytes.len() + bytes.len() / 2);
        let mut ends = Vec::new();
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            for _ in chunk.invalid() {
                text.push(char::REPLACEMENT_CHARACTER);
                ends.push(text.len());
            }
        }
        Some(Self { text, ends })
    }

    /// The place in the original of one in the copy.
    pub(super) fn original_range(&self, found: Range<usize>) -> Range<usize> {
        self.original_place(found.start)..self.original_place(found.end)
    }

    fn original_place(&self, place: usize) -> usize {
        place - GROWTH * self.ends.partition_point(|end| *end <= place)
    }
}

/// As [`slice::is_ascii`], in fewer instructions for a line, because it does not stop early: this
/// is asked of every line in which an expression is not found.
fn is_ascii(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk::<LANES>() else { return bytes.is_ascii() };
    let (chunks, _) = bytes.as_chunks::<LANES>();
    // The last chunk may overlap the one before it.
    let mut all = *last;
    for chunk in chunks {
        all.iter_mut().zip(chunk).for_each(|(all, byte)| *all |= byte);
    }
    all.iter().fold(0, |all, byte| all | byte) < 0x80
}
