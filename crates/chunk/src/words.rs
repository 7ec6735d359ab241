//! Which words a column of lines has, to be asked without decoding it.
//!
//! A word is a maximal run of letters and digits of ASCII, without regard to case. Words of
//! letters count from three on; words with a digit from eight on, because shorter ones are mostly
//! measures, which are many and rarely looked for. A UUID is one word wherever it stands.
//!
//! A text that is looked for anywhere in a line says less than it seems: its first and its last
//! word may be the end and the start of longer ones. So only those inside it are asked for, UUIDs,
//! and words of at least 16 bytes in columns that have no longer one ([`Words::may_have`]). What is
//! asked for here must be what the encoder adds: `lines/scan.rs` keeps to the same runs.
//!
//! Ids are also looked for by their beginning. So eight hexadecimal digits before a dash are asked
//! for as well, whatever is around them: in a UUID they stand once, at its start.
//!
//! ```text
//! longest word with a digit, LEB128 | filter of hashes (words/fuse.rs)
//! ```

use crate::cursor::{Cursor, put_unsigned};

mod fuse;

/// Words of letters count from this length on.
const LETTERS_MIN: usize = 3;
/// Words with a digit count from this length on.
const DIGITS_MIN: usize = 8;
/// A word that may go on beyond the text that is looked for is asked for from this length on.
const OPEN_MIN: usize = 16;
/// So many hexadecimal digits before a dash are the start of an id.
const START_DIGITS: usize = 8;
/// Bytes of a UUID in text.
pub(crate) const UUID_BYTES: usize = 36;

pub(crate) const ALPHA: u8 = 1;
pub(crate) const DIGIT: u8 = 2;
/// Of the letters, those that are no hexadecimal digits.
pub(crate) const NOT_HEX: u8 = 4;
pub(crate) const UPPER: u8 = 8;

/// What each byte is.
pub(crate) const CLASS: [u8; 256] = {
    let mut table = [0_u8; 256];
    let mut byte = 0_usize;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let b = byte as u8;
        let mut class = 0;
        if b.is_ascii_digit() {
            class = DIGIT;
        } else if b.is_ascii_alphabetic() {
            class = ALPHA;
            if !b.is_ascii_hexdigit() {
                class |= NOT_HEX;
            }
            if b.is_ascii_uppercase() {
                class |= UPPER;
            }
        }
        #[expect(clippy::indexing_slicing, reason = "the loop ends at the table's length")]
        {
            table[byte] = class;
        }
        byte += 1;
    }
    table
};

pub(crate) fn class(byte: u8) -> u8 {
    CLASS.get(usize::from(byte)).copied().unwrap_or(0)
}

/// The end of the run of letters and digits at `start`, and all that its bytes are.
pub(crate) fn run_at(text: &[u8], start: usize) -> (usize, u8) {
    let mut all = 0;
    let rest = text.get(start..).unwrap_or_default();
    let len = rest
        .iter()
        .position(|byte| {
            let class = class(*byte);
            all |= class;
            class == 0
        })
        .unwrap_or(rest.len());
    (start + len, all)
}

/// Whether a word counts, by its text and what its bytes are.
fn counts(word: &[u8], class: u8) -> bool {
    if class & DIGIT == 0 {
        return word.len() >= LETTERS_MIN;
    }
    // A number with a unit, such as the fraction of a second before a `Z`.
    let measure = word.split_last().is_some_and(|(last, digits)| {
        last.is_ascii_alphabetic() && digits.iter().all(u8::is_ascii_digit)
    });
    word.len() >= DIGITS_MIN && !measure
}

/// Whether a UUID stands at `start`.
pub(crate) fn uuid_at(text: &[u8], start: usize) -> bool {
    let Some(bytes) = text.get(start..).and_then(|rest| rest.get(..UUID_BYTES)) else {
        return false;
    };
    bytes.iter().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

/// The starts of ids in a text, each with its dash; no word is so.
fn starts(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    memchr::memchr_iter(b'-', text).filter_map(|dash| {
        let start = text.get(dash.checked_sub(START_DIGITS)?..=dash)?;
        let (_, digits) = start.split_last()?;
        // The last is no digit most often.
        digits.iter().rev().all(u8::is_ascii_hexdigit).then_some(start)
    })
}

fn hash(word: &[u8]) -> u64 {
    let mut hash = 0x9e37_79b9_7f4a_7c15_u64 ^ word.len() as u64;
    for byte in word {
        hash = (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3_6cc9);
        hash ^= hash >> 29;
    }
    fuse::mix(hash)
}

/// Collects the words of a column.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    hashes: Vec<u64>,
    longest: usize,
}

impl Collector {
    pub(crate) fn clear(&mut self) {
        self.hashes.clear();
        self.longest = 0;
    }

    /// Adds a run of letters and digits, if it counts.
    pub(crate) fn add(&mut self, word: &[u8], class: u8) {
        if class & DIGIT != 0 {
            self.longest = self.longest.max(word.len());
        }
        if counts(word, class) {
            self.hashes.push(hash(word));
        }
    }

    /// Adds a UUID.
    pub(crate) fn add_uuid(&mut self, uuid: &[u8]) {
        self.hashes.push(hash(uuid));
    }

    /// Adds all that a text has.
    pub(crate) fn add_text(&mut self, text: &[u8]) {
        let mut at = 0;
        while at < text.len() {
            let (end, class) = run_at(text, at);
            if end > at {
                if end >= at + 8 && uuid_at(text, end - 8) {
                    self.add_uuid(text.get(end - 8..end - 8 + UUID_BYTES).unwrap_or_default());
                }
                self.add(text.get(at..end).unwrap_or_default(), class);
            }
            at = end + 1;
        }
    }

    /// Adds the starts of ids of a text that may be many lines; what stands across the end of one
    /// is added too, which does no harm.
    pub(crate) fn add_starts(&mut self, text: &[u8]) {
        self.hashes.extend(starts(text).map(hash));
    }

    /// Replaces `out` by the words, which are then forgotten.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>) {
        out.clear();
        self.hashes.sort_unstable();
        self.hashes.dedup();
        put_unsigned(out, self.longest as u64);
        if !fuse::write(&self.hashes, out) {
            out.clear();
        }
        self.clear();
    }
}

/// What must be there for a text to be found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    hashes: Vec<u64>,
    /// Words that may go on beyond the text, with their lengths.
    open: Vec<(u64, usize)>,
    /// Starts of ids, which older columns do not tell.
    starts: Vec<u64>,
}

impl Query {
    /// What a line must have that holds `text`, in whatever case.
    pub fn new(text: &[u8]) -> Self {
        let starts = starts(text).map(hash).collect();
        let mut query = Self { starts, ..Self::default() };
        let byte = |at: usize| text.get(at).copied().unwrap_or(0);
        let mut at = 0;
        while at < text.len() {
            let (end, class) = run_at(text, at);
            let word = text.get(at..end).unwrap_or_default();
            if end >= at + 8 && uuid_at(text, end - 8) {
                let uuid = text.get(end - 8..end - 8 + UUID_BYTES).unwrap_or_default();
                query.hashes.push(hash(uuid));
            }
            let dashed = (at > 0 && byte(at - 1) == b'-') || byte(end) == b'-';
            // It may be a piece of a UUID, which is one word.
            let piece = dashed && matches!(word.len(), 4 | 8 | 12) && class & NOT_HEX == 0;
            if !piece && counts(word, class) {
                if at > 0 && end < text.len() {
                    query.hashes.push(hash(word));
                } else if class & DIGIT != 0 && word.len() >= OPEN_MIN {
                    query.open.push((hash(word), word.len()));
                }
            }
            at = end + 1;
        }
        query
    }

    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty() && self.open.is_empty() && self.starts.is_empty()
    }
}

/// The words of a column.
#[derive(Debug)]
pub struct Words<'a> {
    longest: usize,
    filter: fuse::Filter<'a>,
}

impl<'a> Words<'a> {
    /// None if there are none to be asked, or the bytes make no sense.
    pub fn open(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let longest = cursor.count(usize::MAX, "longest word").ok()?;
        Some(Self { longest, filter: fuse::Filter::open(&mut cursor)? })
    }

    /// False only if no line of the column holds the text that the query was made of.
    pub fn may_have(&self, query: &Query) -> bool {
        let open = query.open.iter().filter(|(_, length)| *length >= self.longest);
        let starts = if self.filter.tells_starts() { query.starts.as_slice() } else { &[] };
        let all = query.hashes.iter().chain(open.map(|(hash, _)| hash)).chain(starts);
        all.copied().all(|hash| self.filter.has(hash))
    }
}

#[cfg(test)]
mod tests;
