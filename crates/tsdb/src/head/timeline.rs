//! Columns of times that series share.
//!
//! Series find each other by themselves. A series whose newest sample is the last of its timeline
//! moves it on with its next one; the others of the scrape then find their time there. A series
//! that missed something leaves, and all that leave the same timeline at the same time go on
//! together. So targets that come mixed in one batch part after their first difference, and each
//! keeps one column.
//!
//! Timelines end with their block, and with it everybody meets again.

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use masthead_chunk::times::Appender;

/// Places where series met are remembered up to this number; then all are forgotten.
const MEETINGS_MAX: usize = 1 << 14;

/// The number of a timeline; given again after it is gone.
pub(super) type LineId = u32;
/// No timeline.
pub(super) const NONE: LineId = LineId::MAX;

#[derive(Debug, Default)]
pub(super) struct Timelines {
    pub(super) lines: Vec<Option<Timeline>>,
    pub(super) free: Vec<LineId>,
    meetings: HashMap<(Meeting, i64), LineId, RandomState>,
}

/// What series have in common that go on together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Meeting {
    /// They begin in the same group.
    Group(u64),
    /// They left the same timeline.
    Left(LineId),
}

#[derive(Debug, Clone)]
pub(super) struct Timeline {
    /// Start of its block.
    pub(super) window: i64,
    pub(super) times: Appender,
}

impl Timelines {
    pub(super) fn get(&self, id: LineId) -> Option<&Timeline> {
        self.lines.get(id as usize)?.as_ref()
    }

    /// Whether the sample number `at` of the timeline can be one at `time`; moves it on if that
    /// makes it so.
    pub(super) fn reaches(&mut self, id: LineId, window: i64, at: usize, time: i64) -> bool {
        let Some(line) = self.lines.get_mut(id as usize).and_then(Option::as_mut) else {
            return false;
        };
        if line.window != window {
            return false;
        }
        let len = line.times.len();
        if at + 1 == len {
            return line.times.last() == Some(time);
        }
        at == len && line.times.push(time).is_ok()
    }

    /// A timeline whose last time is `time`, and the number of that sample in it.
    pub(super) fn meet(&mut self, meeting: Meeting, window: i64, time: i64) -> (LineId, u32) {
        if let Some(id) = self.meetings.get(&(meeting, time))
            && let Some(line) = self.get(*id)
            && line.window == window
            && line.times.last() == Some(time)
        {
            return (*id, u32::try_from(line.times.len() - 1).unwrap_or(u32::MAX));
        }
        let id = self.start(window);
        self.reaches(id, window, 0, time);
        if self.meetings.len() >= MEETINGS_MAX {
            self.meetings.clear();
        }
        self.meetings.insert((meeting, time), id);
        (id, 0)
    }

    /// An empty timeline for one series alone.
    pub(super) fn start(&mut self, window: i64) -> LineId {
        self.add(Timeline { window, times: Appender::default() })
    }

    /// Takes a timeline and gives it a number.
    pub(super) fn add(&mut self, line: Timeline) -> LineId {
        let line = Some(line);
        if let Some(id) = self.free.pop()
            && let Some(place) = self.lines.get_mut(id as usize)
        {
            *place = line;
            return id;
        }
        self.lines.push(line);
        u32::try_from(self.lines.len() - 1).unwrap_or(NONE)
    }

    /// Frees the timelines of blocks before `floor`.
    pub(super) fn drop_before(&mut self, floor: i64) {
        self.meetings.clear();
        for (id, place) in (0..).zip(&mut self.lines) {
            if place.as_ref().is_some_and(|line| line.window < floor) {
                *place = None;
                self.free.push(id);
            }
        }
    }
}
