//! What became of lines that read the same.
//!
//! Of lines that were cut down to the members of JSON objects that a query looks at, many read the
//! same, and so the same becomes of them: they need not be parsed again. Where they do not, such as
//! where a duration is unwrapped, asking would cost more than it saves, so nobody asks for long.

use std::collections::HashMap;

/// Lines that are remembered of one part.
const LINES_MAX: usize = 4096;
/// Longer lines are not: few of them read the same.
const BYTES_MAX: usize = 256;
/// After so many questions half of them must have had an answer.
const TRIAL: usize = 512;

/// The group of a line that passes, and its value.
pub(super) type Outcome = Option<(usize, f64)>;

/// What became of the lines of one part.
#[derive(Debug, Default)]
pub(super) struct Memo {
    known: HashMap<Box<[u8]>, Outcome, foldhash::fast::RandomState>,
    key: Vec<u8>,
    asked: usize,
    found: usize,
}

impl Memo {
    /// What became of a line with this text and structured metadata; none if that is not known.
    pub(super) fn get(&mut self, metadata: u32, text: &[u8]) -> Option<Outcome> {
        if !self.is_worth_it(text) {
            return None;
        }
        self.asked += 1;
        self.key.clear();
        self.key.extend_from_slice(&metadata.to_le_bytes());
        self.key.extend_from_slice(text);
        let known = self.known.get(self.key.as_slice()).copied();
        self.found += usize::from(known.is_some());
        known
    }

    /// Remembers what became of the line that was asked for last.
    pub(super) fn put(&mut self, text: &[u8], outcome: Outcome) {
        if self.is_worth_it(text) && self.known.len() < LINES_MAX {
            self.known.insert(self.key.as_slice().into(), outcome);
        }
    }

    fn is_worth_it(&self, text: &[u8]) -> bool {
        text.len() <= BYTES_MAX && (self.asked < TRIAL || self.found >= self.asked / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_read_the_same_are_known() {
        let mut memo = Memo::default();
        for (metadata, text, outcome) in
            [(0, "a", Some((3, 1.0))), (1, "a", None), (0, "b", Some((4, 2.0)))]
        {
            assert_eq!(memo.get(metadata, text.as_bytes()), None);
            memo.put(text.as_bytes(), outcome);
            assert_eq!(memo.get(metadata, text.as_bytes()), Some(outcome));
        }
        assert_eq!(memo.get(0, b"a"), Some(Some((3, 1.0))));
        let long = vec![b'a'; BYTES_MAX + 1];
        memo.put(&long, None);
        assert_eq!(memo.get(0, &long), None);
    }

    #[test]
    fn nobody_asks_for_long_where_all_lines_differ() {
        let mut memo = Memo::default();
        for n in 0..10 * LINES_MAX {
            let text = n.to_string();
            assert_eq!(memo.get(0, text.as_bytes()), None);
            memo.put(text.as_bytes(), None);
        }
        assert!(memo.known.len() <= TRIAL, "{}", memo.known.len());
    }
}
