//! One stream in memory: lines that still grow, and segments that no block holds yet.
//!
//! Lines in time order go to `main`, those behind the newest to `late`. When there are enough of
//! them both are frozen: put in order, they become segments, to be compressed by whoever has time.
//!
//! An exact duplicate is noticed here if its line still grows; where it is in a segment already,
//! readers and merges drop it.

use std::{hash::BuildHasher as _, sync::Arc};

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use masthead_model::Labels;

use crate::{
    rows::{Row, Rows, gather, row},
    segment::{Info, LINES_MAX, Sealed},
};

/// A stream in memory.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) labels: Labels,
    /// Its number in the journal.
    pub(crate) id: u64,
    /// The segment of the journal that has its labels.
    pub(crate) defined_in: u64,
    /// Time of its newest line, wherever that is; none if it never had one.
    pub(crate) newest: Option<i64>,
    pub(crate) main: Arc<Rows>,
    pub(crate) late: Arc<Rows>,
    /// Lines of `main` at the newest time by hash, once there are two.
    instant: HashMap<u64, u32, FixedState>,
    /// Lines of `late` by hash of time and text.
    late_lines: HashMap<u64, u32, FixedState>,
    pub(crate) pieces: Vec<Piece>,
}

/// Lines that do not change any more.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) info: Info,
    pub(crate) state: State,
}

#[derive(Debug, Clone)]
pub(crate) enum State {
    /// Not compressed yet.
    Frozen(Arc<Rows>),
    Sealed(Arc<Sealed>),
}

impl Stream {
    pub(crate) fn new(labels: Labels, id: u64, newest: Option<i64>) -> Self {
        Self {
            labels,
            id,
            defined_in: 0,
            newest,
            main: Arc::default(),
            late: Arc::default(),
            instant: HashMap::default(),
            late_lines: HashMap::default(),
            pieces: Vec::new(),
        }
    }

    /// Whether it holds no line.
    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.growing() == 0
    }

    /// Lines that still grow.
    pub(crate) fn growing(&self) -> usize {
        self.main.columns.len() + self.late.columns.len()
    }

    /// Adds a line; returns whether it was not there yet.
    pub(crate) fn push(&mut self, new: Row<'_>) -> bool {
        match self.newest {
            Some(newest) if new.time < newest => return self.push_late(new),
            Some(newest) if new.time == newest => {
                if !self.add_to_instant(new) {
                    return false;
                }
            }
            _ => self.instant.clear(),
        }
        self.newest = Some(new.time);
        Arc::make_mut(&mut self.main).push(new);
        true
    }

    /// Notes a line at the newest time; returns whether it was not there yet.
    fn add_to_instant(&mut self, new: Row<'_>) -> bool {
        let columns = &self.main.columns;
        if self.instant.is_empty() {
            let first = columns.times.partition_point(|time| *time < new.time);
            for at in first..columns.len() {
                let place = u32::try_from(at).unwrap_or(u32::MAX);
                self.instant.insert(hash(row(columns, at)), place);
            }
        }
        let place = u32::try_from(columns.len()).unwrap_or(u32::MAX);
        match self.instant.entry(hash(new)) {
            hashbrown::hash_map::Entry::Occupied(known) => {
                row(columns, *known.get() as usize) != new
            }
            hashbrown::hash_map::Entry::Vacant(free) => {
                free.insert(place);
                true
            }
        }
    }

    fn push_late(&mut self, new: Row<'_>) -> bool {
        let columns = &self.main.columns;
        let mut at = columns.times.partition_point(|time| *time < new.time);
        while columns.times.get(at) == Some(&new.time) {
            if row(columns, at) == new {
                return false;
            }
            at += 1;
        }
        let place = u32::try_from(self.late.columns.len()).unwrap_or(u32::MAX);
        match self.late_lines.entry(hash(new)) {
            hashbrown::hash_map::Entry::Occupied(known)
                if row(&self.late.columns, *known.get() as usize) == new =>
            {
                return false;
            }
            hashbrown::hash_map::Entry::Occupied(_) => {}
            hashbrown::hash_map::Entry::Vacant(free) => {
                free.insert(place);
            }
        }
        Arc::make_mut(&mut self.late).push(new);
        true
    }

    /// Whether enough lines have grown for a segment.
    pub(crate) fn is_full(&self, segment_bytes: usize) -> bool {
        self.main.bytes().saturating_add(self.late.bytes()) >= segment_bytes as u64
            || self.growing() >= LINES_MAX
    }

    /// Turns what grows into pieces. With `keep_newest` lines at the newest time go on growing, so
    /// that duplicates of them are still noticed.
    pub(crate) fn freeze(&mut self, seq: &mut u64, generation: u64, keep_newest: bool) {
        let mut main = std::mem::take(&mut self.main);
        let late = std::mem::take(&mut self.late);
        self.late_lines.clear();
        self.instant.clear();
        if keep_newest && let Some(newest) = self.newest {
            let mut next = Rows::with_room_of(&main);
            let cut = main.columns.times.partition_point(|time| *time < newest);
            let kept = main.columns.len() - cut;
            if kept > 0 && kept < cut {
                for at in cut..main.columns.len() {
                    next.push(row(&main.columns, at));
                }
                Arc::make_mut(&mut main).truncate(cut);
            }
            self.main = Arc::new(next);
        }
        let columns = &late.columns;
        if columns.is_empty() {
            self.add_piece(main, seq, generation);
            return;
        }
        let mut order: Vec<usize> = (0..columns.len()).collect();
        order.sort_by_key(|at| columns.times.get(*at));
        let first = main.columns.times.first().copied().unwrap_or(i64::MAX);
        let split = order.partition_point(|at| columns.times.get(*at) < Some(&first));
        let (before, between) = order.split_at(split);
        let main =
            if between.is_empty() { main } else { Arc::new(interleave(&main, &late, between)) };
        // What came first is told by the numbers: all of these came after older segments, and
        // those before `first` share no instant with the others.
        self.add_piece(Arc::new(gather(columns, before.iter().copied())), seq, generation);
        self.add_piece(main, seq, generation);
    }

    fn add_piece(&mut self, rows: Arc<Rows>, seq: &mut u64, generation: u64) {
        let columns = &rows.columns;
        let (Some(first), Some(last)) = (columns.times.first(), columns.times.last()) else {
            return;
        };
        *seq += 1;
        let info = Info {
            first: *first,
            last: *last,
            lines: columns.len(),
            raw: columns.text.len() as u64,
            metadata: rows.metadata_bytes,
            seq: *seq,
            generation,
        };
        self.pieces.push(Piece { info, state: State::Frozen(rows) });
    }
}

/// `main` with the lines `at` of `late`, which are in time order, put between its own; of one
/// instant those of `main` come first.
fn interleave(main: &Rows, late: &Rows, at: &[usize]) -> Rows {
    let mut rows = Rows::default();
    let mut late_rows = at.iter().map(|at| row(&late.columns, *at)).peekable();
    for place in 0..main.columns.len() {
        let next = row(&main.columns, place);
        while let Some(late) = late_rows.next_if(|late| late.time < next.time) {
            rows.push(late);
        }
        rows.push(next);
    }
    for late in late_rows {
        rows.push(late);
    }
    rows
}

fn hash(row: Row<'_>) -> u64 {
    FixedState::with_seed(7).hash_one((row.time, row.line, row.metadata))
}
