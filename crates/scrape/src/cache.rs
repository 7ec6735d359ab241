//! What is remembered of a target: which line was which series, which series were there last time,
//! and what the families mean.
//!
//! ```text
//! bytes of a line ─▶ Line ─▶ slot ─▶ labels, the sink's number, when it was last seen
//!                     └ next: the line that followed it, so that a body in the same order as the
//!                       last one is recognised by comparing bytes, without hashing
//! ```
//!
//! Several lines may be one series (labels in another order), so presence is kept by slot. Nothing
//! is marked as seen before the sink has taken the batch: [`Cache::commit`]. Lines and slots that
//! did not appear in a good scrape are forgotten, as upstream's `iterDone(true)` does.

use std::{collections::HashMap, sync::Arc};

use masthead_model::Labels;
use masthead_ports::SeriesRef;

/// A line or slot that is not there.
const NONE: u32 = u32::MAX;

/// What is remembered of one target.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    /// The scrape under way, counted from 1.
    iteration: u64,
    lines: Vec<Line>,
    by_bytes: HashMap<Arc<[u8]>, u32>,
    slots: Vec<Slot>,
    by_labels: HashMap<Labels, u32>,
    /// Series whose end would be marked if they were not there in this scrape.
    previous: Vec<u32>,
    /// The line that was looked up last, and the first line of a body.
    last_line: u32,
    first_line: u32,
    /// Lines after the last good scrape; growth beyond twice that forces a sweep.
    good_lines: usize,
}

#[derive(Debug)]
struct Line {
    bytes: Arc<[u8]>,
    /// The series, or `NONE` for one that relabelling dropped.
    slot: u32,
    seen: u64,
    next: u32,
}

/// One series.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) labels: Labels,
    pub(crate) series: SeriesRef,
    /// The scrape that had it last.
    pub(crate) seen: u64,
    /// Whether it came into being in this scrape.
    created: u64,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    Series(u32),
    Dropped,
}

impl Cache {
    /// Begins a scrape. One that was begun and not committed is forgotten.
    pub(crate) fn begin(&mut self) {
        self.iteration += 1;
        self.last_line = NONE;
    }

    /// What the line was, if it is known.
    #[inline]
    pub(crate) fn look_up(&mut self, bytes: &[u8]) -> Option<Known> {
        let guess = match self.lines.get(self.last_line as usize) {
            Some(last) => last.next,
            None => self.first_line,
        };
        let at = match self.lines.get(guess as usize) {
            Some(line) if *line.bytes == *bytes => guess,
            _ => *self.by_bytes.get(bytes)?,
        };
        self.follow(at);
        let line = self.lines.get_mut(at as usize)?;
        line.seen = self.iteration;
        Some(if line.slot == NONE { Known::Dropped } else { Known::Series(line.slot) })
    }

    /// Remembers that relabelling drops this line.
    pub(crate) fn add_dropped(&mut self, bytes: &[u8]) {
        self.add_line(bytes, NONE);
    }

    /// Remembers that this line is the series `labels`.
    pub(crate) fn add_series(&mut self, bytes: &[u8], labels: Labels) -> u32 {
        let slot = self.slot_of(labels);
        self.add_line(bytes, slot);
        slot
    }

    /// The slot of `labels`, made if there is none.
    pub(crate) fn slot_of(&mut self, labels: Labels) -> u32 {
        if let Some(slot) = self.by_labels.get(&labels) {
            return *slot;
        }
        let slot = index(self.slots.len());
        self.slots.push(Slot {
            labels: labels.clone(),
            series: SeriesRef::default(),
            seen: 0,
            created: self.iteration,
        });
        self.by_labels.insert(labels, slot);
        slot
    }

    pub(crate) fn slot(&mut self, slot: u32) -> Option<&mut Slot> {
        self.slots.get_mut(slot as usize)
    }

    /// Marks a series as present; `false` if it was already.
    #[inline]
    pub(crate) fn mark(&mut self, slot: u32) -> bool {
        let iteration = self.iteration;
        match self.slots.get_mut(slot as usize) {
            Some(slot) if slot.seen == iteration => false,
            Some(slot) => {
                slot.seen = iteration;
                true
            }
            None => false,
        }
    }

    /// Whether the series came into being in this scrape.
    #[inline]
    pub(crate) fn is_new(&self, slot: u32) -> bool {
        self.slots.get(slot as usize).is_some_and(|slot| slot.created == self.iteration)
    }

    /// Series of the last scrape that this one has not; all of them where `failed`.
    pub(crate) fn ended(&self, failed: bool) -> Vec<u32> {
        let gone = |slot: &u32| {
            let slot = self.slots.get(*slot as usize);
            failed || slot.is_some_and(|slot| slot.seen != self.iteration)
        };
        self.previous.iter().copied().filter(gone).collect()
    }

    /// Ends a scrape whose batch the sink has taken. `tracked` are the series whose end is to be
    /// marked once they are gone. A good scrape forgets what it did not bring.
    pub(crate) fn commit(&mut self, tracked: Vec<u32>, good: bool) {
        self.previous = tracked;
        if good || self.lines.len() > self.good_lines * 2 + 1000 {
            self.sweep(good);
        }
        if good {
            self.good_lines = self.lines.len();
        }
    }

    /// Whether a series was there in the last scrape.
    pub(crate) fn has_previous(&self) -> bool {
        !self.previous.is_empty()
    }

    /// Forgets lines but not which series are there: for a changed configuration, under which the
    /// same line may be another series.
    pub(crate) fn forget_lines(&mut self) {
        self.lines.clear();
        self.by_bytes.clear();
        self.good_lines = 0;
        self.first_line = NONE;
        self.last_line = NONE;
    }

    fn add_line(&mut self, bytes: &[u8], slot: u32) {
        let at = index(self.lines.len());
        let bytes: Arc<[u8]> = bytes.into();
        let seen = self.iteration;
        self.lines.push(Line { bytes: Arc::clone(&bytes), slot, seen, next: NONE });
        self.by_bytes.insert(bytes, at);
        self.follow(at);
    }

    /// Remembers that `at` came after the line before it.
    #[inline]
    fn follow(&mut self, at: u32) {
        match self.lines.get_mut(self.last_line as usize) {
            Some(last) => last.next = at,
            None => self.first_line = at,
        }
        self.last_line = at;
    }

    /// Drops lines that this scrape did not have, and slots that no line and no series needs.
    fn sweep(&mut self, good: bool) {
        let iteration = self.iteration;
        let keep = |line: &Line| line.seen == iteration;
        if self.lines.iter().all(keep)
            && (!good || self.slots.len() <= self.previous.len() * 2 + 64)
        {
            return;
        }
        let mut used = vec![NONE; self.slots.len()];
        let slots = std::mem::take(&mut self.slots);
        let lines = std::mem::take(&mut self.lines);
        let wanted = lines.iter().filter(|line| keep(line)).map(|line| line.slot);
        for slot in wanted.chain(self.previous.iter().copied()) {
            if let Some(mark) = used.get_mut(slot as usize) {
                *mark = 0;
            }
        }
        self.by_labels.clear();
        for (slot, mark) in slots.into_iter().zip(&mut used) {
            if *mark == 0 {
                *mark = index(self.slots.len());
                self.by_labels.insert(slot.labels.clone(), *mark);
                self.slots.push(slot);
            }
        }
        let moved = |slot: u32| used.get(slot as usize).copied().unwrap_or(NONE);
        let mut places = vec![NONE; lines.len()];
        let mut place = 0;
        for (line, new) in lines.iter().zip(&mut places) {
            if keep(line) {
                *new = place;
                place += 1;
            }
        }
        let place_of = |line: u32| places.get(line as usize).copied().unwrap_or(NONE);
        self.by_bytes.clear();
        for mut line in lines.into_iter().filter(keep) {
            line.slot = moved(line.slot);
            line.next = place_of(line.next);
            self.by_bytes.insert(Arc::clone(&line.bytes), index(self.lines.len()));
            self.lines.push(line);
        }
        self.first_line = place_of(self.first_line);
        self.last_line = NONE;
        for slot in &mut self.previous {
            *slot = moved(*slot);
        }
    }
}

/// Bodies are bounded far below four billion lines; one more would be taken for no line at all.
fn index(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrape(cache: &mut Cache, lines: &[&str]) -> Vec<String> {
        cache.begin();
        let mut tracked = Vec::new();
        for line in lines {
            let slot = match cache.look_up(line.as_bytes()) {
                Some(Known::Series(slot)) => slot,
                Some(Known::Dropped) => continue,
                None if line.starts_with("drop") => {
                    cache.add_dropped(line.as_bytes());
                    continue;
                }
                None => {
                    // Letters in another order are the same series.
                    let mut letters: Vec<char> = line.chars().collect();
                    letters.sort_unstable();
                    let name: String = letters.into_iter().collect();
                    cache.add_series(line.as_bytes(), [("n", name)].into_iter().collect())
                }
            };
            if cache.mark(slot) {
                tracked.push(slot);
            }
        }
        let ended = cache.ended(false);
        let ended = ended.iter().map(|slot| cache.slot(*slot).expect("there").labels.to_string());
        let ended: Vec<String> = ended.collect();
        cache.commit(tracked, true);
        ended
    }

    #[test]
    fn series_end_when_no_line_of_theirs_is_left() {
        let mut cache = Cache::default();
        assert_eq!(scrape(&mut cache, &["ab", "c", "drop"]), Vec::<String>::new());
        // The same series under another line goes on.
        assert_eq!(scrape(&mut cache, &["ba", "drop", "c"]), Vec::<String>::new());
        assert_eq!(scrape(&mut cache, &["ba"]), [r#"{n="c"}"#]);
        assert_eq!(scrape(&mut cache, &["ba"]), Vec::<String>::new());
        assert_eq!(scrape(&mut cache, &[]), [r#"{n="ab"}"#]);
        assert_eq!((cache.lines.len(), cache.by_bytes.len()), (0, 0));
    }

    #[test]
    fn what_comes_and_goes_does_not_pile_up() {
        let mut cache = Cache::default();
        for round in 0..500 {
            scrape(&mut cache, &["stays", &format!("pod{round}")]);
        }
        assert!(cache.lines.len() <= 2, "{} lines", cache.lines.len());
        assert!(cache.slots.len() < 100, "{} slots", cache.slots.len());
        assert_eq!(cache.slots.len(), cache.by_labels.len());
    }

    #[test]
    fn forgetting_lines_keeps_series() {
        let mut cache = Cache::default();
        scrape(&mut cache, &["a", "b"]);
        cache.forget_lines();
        assert_eq!(scrape(&mut cache, &["b"]), [r#"{n="a"}"#]);
    }

    #[test]
    fn a_failed_scrape_ends_everything_once() {
        let mut cache = Cache::default();
        scrape(&mut cache, &["a", "b"]);
        cache.begin();
        assert_eq!(cache.ended(true).len(), 2);
        cache.commit(Vec::new(), false);
        cache.begin();
        assert_eq!(cache.ended(true).len(), 0);
    }
}
