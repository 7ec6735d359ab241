//! Groups of lines that differ in a few places.
//!
//! A line is cut into words at spaces and behind `=`. Lines of one level and with as many words are
//! compared word by word: with a group that has enough words in common it is merged, and where they
//! differ the group has `<_>` from then on; else it begins a group of its own. It is the idea of
//! Drain ("Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017) without its
//! tree. Of a JSON line only the message is looked at.

use std::collections::{BTreeMap, HashMap};

/// Stands where lines of a group differ.
const HOLE: &str = "<_>";
/// Of ten words, this many must be the same for a line to belong to a group.
const SAME_OF_TEN: usize = 4;
/// Groups at most; lines that fit none are not counted then.
const GROUPS_MAX: usize = 1000;
/// Groups that one line is compared with at most.
const COMPARED_MAX: usize = 50;
/// Words of a line that are looked at; longer lines end in a hole.
const WORDS_MAX: usize = 80;
/// Lines that make a group a pattern.
const LINES_MIN: u64 = 2;
/// The fields of JSON lines that hold the message.
const MESSAGE_FIELDS: [&str; 6] = ["message", "msg", "msg_", "_msg", "content", "log"];

/// Puts lines into groups.
#[derive(Debug, Default)]
pub(super) struct Miner {
    groups: Vec<Group>,
    /// Places in `groups` by level, number of words and first word.
    index: HashMap<(String, usize, String), Vec<usize>>,
}

#[derive(Debug)]
struct Group {
    level: String,
    words: Vec<Word>,
    is_json: bool,
    counts: BTreeMap<i64, u64>,
    lines: u64,
}

/// A word, and whether a space stands before it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    text: String,
    spaced: bool,
}

/// A pattern with its counts by step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) level: String,
    pub(super) text: String,
    pub(super) counts: BTreeMap<i64, u64>,
}

impl Miner {
    pub(super) fn add(&mut self, level: &str, line: &[u8], step: i64) {
        let line = String::from_utf8_lossy(line);
        let message = message_of_json(&line);
        let words = words(message.as_deref().unwrap_or(&line));
        let Some(first) = words.first() else { return };
        let key = if is_variable(&first.text) { HOLE } else { &first.text };
        let key = (level.to_owned(), words.len(), key.to_owned());
        let places = self.index.entry(key).or_default();
        let best = places
            .iter()
            .take(COMPARED_MAX)
            .filter_map(|place| Some((self.groups.get(*place)?.likeness(&words)?, *place)))
            .max_by_key(|(likeness, place)| (*likeness, std::cmp::Reverse(*place)));
        if let Some((_, place)) = best
            && let Some(group) = self.groups.get_mut(place)
        {
            group.merge(&words, step);
        } else if self.groups.len() < GROUPS_MAX {
            places.push(self.groups.len());
            self.groups.push(Group {
                level: level.to_owned(),
                words,
                is_json: message.is_some(),
                counts: BTreeMap::from([(step, 1)]),
                lines: 1,
            });
        }
    }

    /// The patterns, those of most lines first.
    pub(super) fn finish(mut self) -> Vec<Found> {
        self.groups.retain(|group| group.lines >= LINES_MIN);
        self.groups.sort_by_key(|group| std::cmp::Reverse(group.lines));
        let found = self.groups.into_iter().map(|group| Found {
            text: group.text(),
            level: group.level,
            counts: group.counts,
        });
        found.collect()
    }
}

impl Group {
    /// How many words are the same, if they are enough; what is a hole is neither.
    fn likeness(&self, words: &[Word]) -> Option<usize> {
        let pairs = || self.words.iter().zip(words);
        let holes = pairs().filter(|(own, _)| own.text == HOLE).count();
        let same = pairs().filter(|(own, other)| own == other && own.text != HOLE).count();
        let compared = words.len() - holes;
        // A group of holes alone takes everything of its length, which says nothing.
        (same > 0 && same * 10 >= compared * SAME_OF_TEN).then_some(same)
    }

    fn merge(&mut self, words: &[Word], step: i64) {
        for (own, other) in self.words.iter_mut().zip(words) {
            if own.text != other.text {
                own.text.clear();
                own.text.push_str(HOLE);
            }
        }
        *self.counts.entry(step).or_default() += 1;
        self.lines += 1;
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for word in &self.words {
            if word.spaced {
                text.push(' ');
            }
            text.push_str(&word.text);
        }
        if self.is_json { format!("{HOLE}{text}{HOLE}") } else { text }
    }
}

/// The words of a line, those that look like a value already as holes.
fn words(line: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    for (at, part) in line.split_whitespace().enumerate() {
        let (key, value) = match part.split_once('=') {
            Some((key, value)) if !key.is_empty() && !value.is_empty() => {
                (part.get(..=key.len()).unwrap_or(part), Some(value))
            }
            _ => (part, None),
        };
        words.push(Word { text: shown(key), spaced: at > 0 });
        words.extend(value.map(|value| Word { text: shown(value), spaced: false }));
        if words.len() >= WORDS_MAX {
            words.truncate(WORDS_MAX);
            words.push(Word { text: HOLE.to_owned(), spaced: false });
            break;
        }
    }
    words
}

fn shown(word: &str) -> String {
    if is_variable(word) { HOLE.to_owned() } else { word.to_owned() }
}

/// Whether a word is a number, an address, a time or an id rather than a word of the program.
fn is_variable(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    digits > 0 && digits >= letters
}

/// The message of a line that is a JSON object.
fn message_of_json(line: &str) -> Option<String> {
    let trimmed = line.trim();
    if !trimmed.starts_with('{') || !trimmed.ends_with('}') {
        return None;
    }
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(trimmed).ok()?;
    MESSAGE_FIELDS.iter().find_map(|name| Some(object.get(*name)?.as_str()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mined(lines: &[String]) -> Vec<(String, u64)> {
        let mut miner = Miner::default();
        for line in lines {
            miner.add("info", line.as_bytes(), 0);
        }
        miner.finish().into_iter().map(|found| (found.text, found.counts.values().sum())).collect()
    }

    fn lines(count: usize, line: impl Fn(usize) -> String) -> Vec<String> {
        (0..count).map(line).collect()
    }

    #[test]
    fn lines_that_differ_in_values_are_one_pattern() {
        let f = |lines: &[String], want: &[(&str, u64)]| {
            let want: Vec<_> =
                want.iter().map(|(text, count)| ((*text).to_owned(), *count)).collect();
            assert_eq!(mined(lines), want);
        };
        let user = |at: usize| {
            format!("level=info msg=\"user logged in\" user=u{at} host=10.0.0.{at} latency={at}ms")
        };
        let mut both = lines(4, user);
        both.extend(lines(3, |at| format!("connection from 10.1.2.{at} port {at} accepted")));
        f(
            &both,
            &[
                ("level=info msg=\"user logged in\" user=<_> host=<_> latency=<_>", 4),
                ("connection from <_> port <_> accepted", 3),
            ],
        );
        let json = |at: usize| format!("{{\"id\":{at},\"msg\":\"slow query took {at} ms\"}}");
        f(&lines(5, json), &[("<_>slow query took <_> ms<_>", 5)]);
        f(&lines(1, user), &[]);
        f(&[String::new(), String::new()], &[]);
        f(&["same words".to_owned(), "same words".to_owned()], &[("same words", 2)]);
        f(&["one thing".to_owned(), "other words".to_owned()], &[]);
    }

    #[test]
    fn counts_stand_by_step_and_level() {
        let mut miner = Miner::default();
        for (level, step) in [("info", 0), ("info", 10), ("info", 10), ("error", 0), ("error", 0)] {
            miner.add(level, b"it happened", step);
        }
        let found = miner.finish();
        let shown: Vec<_> = found.iter().map(|f| (f.level.as_str(), f.counts.clone())).collect();
        let info = BTreeMap::from([(0, 1), (10, 2)]);
        assert_eq!(shown, [("info", info), ("error", BTreeMap::from([(0, 2)]))]);
    }

    #[test]
    fn a_flood_of_different_lines_is_bounded() {
        let mut miner = Miner::default();
        for at in 0..GROUPS_MAX + 500 {
            let word: String =
                at.to_string().bytes().map(|b| char::from(b - b'0' + b'a')).collect();
            miner.add("info", word.as_bytes(), 0);
        }
        assert_eq!(miner.groups.len(), GROUPS_MAX);
        assert!(words(&"w ".repeat(10_000)).len() <= WORDS_MAX + 1);
    }

    proptest! {
        #[test]
        fn no_line_panics(lines: Vec<Vec<u8>>, soup in "[a-z0-9=\" {}:]{0,40}") {
            let mut miner = Miner::default();
            for line in &lines {
                miner.add("info", line, 0);
                miner.add("info", soup.as_bytes(), 0);
            }
            let counted: u64 = miner.groups.iter().map(|group| group.lines).sum();
            prop_assert!(counted <= 2 * lines.len() as u64);
        }
    }
}
