//! Splits a line into skeleton and variables, and collects its words on the way.
//!
//! Runs of letters and digits are looked at as a whole: letters alone stay, digits alone are a
//! number, letters before digits and up to two letters behind them stay as well (`eth0`, `12ms`),
//! the rest is a mixture. Numbers with dots that are an address or a fraction are mixtures too.
//! Dates with a time of day are one variable (`clock.rs`).

#![expect(clippy::indexing_slicing, reason = "every index is below an end that was checked")]

use super::{MARKS_END, Mark, clock};
use crate::words::{ALPHA, CLASS, Collector, DIGIT, NOT_HEX, UPPER, UUID_BYTES, uuid_at};

/// Longer numbers are mixtures: they must fit 64 bits.
const NUMBER_DIGITS_MAX: usize = 18;
/// Letters behind digits that still count as a unit.
const UNIT_MAX: usize = 2;

/// What varies, and where it stands in the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) mark: Mark,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The last line or nested text that was split.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    pub(super) skeleton: Vec<u8>,
    pub(super) tokens: Vec<Token>,
    /// Where the text begins that the skeleton does not have yet.
    fixed: usize,
}

impl Scanned {
    /// Splits `text[start..end]`; nested texts are marked only with `nest`.
    pub(super) fn scan(
        &mut self,
        text: &[u8],
        start: usize,
        end: usize,
        nest: bool,
        words: &mut Collector,
    ) {
        self.skeleton.clear();
        self.tokens.clear();
        self.fixed = start;
        let text = &text[..end];
        let mut at = start;
        // The quote that closes a key opens nothing.
        let mut key_end = usize::MAX;
        while at < end {
            let byte = text[at];
            if CLASS[usize::from(byte)] != 0 {
                at = self.run(text, at, words);
                continue;
            }
            if byte < MARKS_END {
                self.raw(text, start, words);
                return;
            }
            at += 1;
            if byte == b'"' && nest && at - 1 != key_end {
                let Some(close) = closing_quote(text, at) else { continue };
                if text.get(close + 1) == Some(&b':') {
                    key_end = close;
                } else {
                    self.token(text, Mark::Nested, at, close);
                    at = close + 1;
                }
            } else if byte == b'=' && nest {
                let close = at + value_len(&text[at..]);
                if close > at && text[at] != b'"' {
                    self.token(text, Mark::Nested, at, close);
                    at = close;
                }
            }
        }
        self.skeleton.extend_from_slice(&text[self.fixed..]);
    }

    fn raw(&mut self, text: &[u8], start: usize, words: &mut Collector) {
        self.skeleton.clear();
        self.tokens.clear();
        self.fixed = start;
        self.token(text, Mark::Raw, start, text.len());
        words.add_text(&text[start..]);
    }

    fn token(&mut self, text: &[u8], mark: Mark, start: usize, end: usize) {
        self.skeleton.extend_from_slice(&text[self.fixed..start]);
        self.skeleton.push(mark as u8);
        self.tokens.push(Token { mark, start, end });
        self.fixed = end;
    }

    /// Takes the run of letters and digits at `start`, with what belongs to it; returns its end.
    fn run(&mut self, text: &[u8], start: usize, words: &mut Collector) -> usize {
        let (end, class) = run_end(text, start);
        if end >= start + 8 && text.get(end) == Some(&b'-') && uuid_at(text, end - 8) {
            let uuid = end - 8..end - 8 + UUID_BYTES;
            words.add_uuid(&text[uuid.clone()]);
            let next = text.get(uuid.end).copied().unwrap_or(b' ');
            if uuid.start == start && next != b'-' && CLASS[usize::from(next)] == 0 {
                let upper = text[uuid.clone()].iter().any(u8::is_ascii_uppercase);
                self.token(
                    text,
                    if upper { Mark::Mixed } else { Mark::Uuid },
                    uuid.start,
                    uuid.end,
                );
                return uuid.end;
            }
        }
        if class & DIGIT == 0 {
            // It stays; words of letters are added once for all lines that have the skeleton.
            return end;
        }
        words.add(&text[start..end], class);
        if end - start == 4
            && class == DIGIT
            && let Some(end) = clock::end_at(text, start)
        {
            clock::add_words(text, start, end, words);
            self.token(text, Mark::Moment, start, end);
            return end;
        }
        if class & ALPHA == 0 {
            return self.number(text, start, end, words);
        }
        self.letters_and_digits(text, start, end, class);
        end
    }

    /// Digits alone, perhaps the first of an address or a fraction.
    fn number(&mut self, text: &[u8], start: usize, end: usize, words: &mut Collector) -> usize {
        let mut ends = [end; 4];
        let mut groups = 1;
        while groups < 4
            && let from = ends[groups - 1]
            && text.get(from) == Some(&b'.')
            && text.get(from + 1).is_some_and(u8::is_ascii_digit)
        {
            let (next, class) = run_end(text, from + 1);
            if class != DIGIT {
                break;
            }
            ends[groups] = next;
            groups += 1;
        }
        let last = ends[groups - 1];
        let more = text.get(last) == Some(&b'.')
            && text.get(last + 1).is_some_and(|byte| CLASS[usize::from(*byte)] != 0);
        if matches!(groups, 2 | 4) && !more {
            for group in 1..groups {
                words.add(&text[ends[group - 1] + 1..ends[group]], DIGIT);
            }
            self.token(text, Mark::Mixed, start, last);
            return last;
        }
        self.digits(text, start, end);
        end
    }

    fn digits(&mut self, text: &[u8], start: usize, end: usize) {
        let mark = if end - start > NUMBER_DIGITS_MAX { Mark::Mixed } else { Mark::Number };
        self.token(text, mark, start, end);
    }

    fn letters_and_digits(&mut self, text: &[u8], start: usize, end: usize, class: u8) {
        let word = &text[start..end];
        let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let first = word.iter().position(u8::is_ascii_digit).unwrap_or(0);
        if first > 0 {
            // What could be a hexadecimal number does not make a skeleton of its letters.
            let hex = class & NOT_HEX == 0 && word.len() >= 6;
            if !hex && first + digits(&word[first..]) == word.len() {
                self.digits(text, start + first, end);
                return;
            }
        } else {
            let number = digits(word);
            let unit = &word[number..];
            if unit.len() <= UNIT_MAX && unit.iter().all(u8::is_ascii_alphabetic) {
                self.digits(text, start, start + number);
                return;
            }
            // The middle of a time such as `2026-11-22T10:00`.
            if unit.first() == Some(&b'T') && unit.len() == 3 && digits(&unit[1..]) == 2 {
                self.digits(text, start, start + number);
                self.digits(text, start + number + 1, end);
                return;
            }
        }
        self.token(text, Mark::Mixed, start, end);
    }
}

/// The words of a skeleton: runs of letters with no variable beside them.
pub(super) fn add_words(skeleton: &[u8], words: &mut Collector) {
    let mut at = 0;
    while at < skeleton.len() {
        let (end, class) = run_end(skeleton, at);
        let beside = |at: Option<usize>| {
            at.and_then(|at| skeleton.get(at)).is_some_and(|byte| *byte < MARKS_END)
        };
        if end > at && !beside(at.checked_sub(1)) && !beside(Some(end)) {
            words.add(&skeleton[at..end], class);
        }
        at = end + 1;
    }
}

fn run_end(text: &[u8], start: usize) -> (usize, u8) {
    let (mut at, mut all) = (start, 0);
    while at < text.len() {
        let class = CLASS[usize::from(text[at])];
        if class == 0 {
            break;
        }
        all |= class & (ALPHA | DIGIT | NOT_HEX | UPPER);
        at += 1;
    }
    // That some are no capitals or hexadecimal digits is told by the bits that are missing.
    (at, if all & DIGIT != 0 && all & ALPHA == 0 { DIGIT } else { all })
}

/// Where the quote that opened before `at` is closed.
fn closing_quote(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// How long the value behind a `=` is.
fn value_len(text: &[u8]) -> usize {
    let ends = |byte: &u8| {
        matches!(byte, b' ' | b'\t' | b',' | b';' | b'&' | b')' | b']' | b'}' | b'"' | 0x1f)
    };
    text.iter().position(ends).unwrap_or(text.len())
}
