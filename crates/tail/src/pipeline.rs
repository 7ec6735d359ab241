//! Pipeline stages: a flat list that every line of a file passes.
//!
//! A stage is a file below `pipeline/`, its section included, and a line in the table of
//! `config/stages.rs`. It changes an entry in place, drops it, holds it back until its group is
//! complete, or asks for time. A `match` stage jumps over the stages that it guards, so nothing is
//! nested.
//!
//! Each followed file has a pipeline of its own; what stages of one job share (limits, metrics)
//! stands behind an `Arc`. Nothing here reads a clock: now is what the caller says.

use std::{fmt, time::Duration};

use masthead_model::Nanos;

use crate::{
    Stats,
    entry::{Entry, Mark},
};

pub(crate) mod cri;
pub(crate) mod decolorize;
pub(crate) mod docker;
pub(crate) mod drop;
pub(crate) mod fuzzing;
pub(crate) mod json;
pub(crate) mod labels;
pub(crate) mod limit;
pub(crate) mod logfmt;
pub(crate) mod metrics;
pub(crate) mod multiline;
pub(crate) mod output;
pub(crate) mod pack;
pub(crate) mod regex;
pub(crate) mod replace;
pub(crate) mod sampling;
pub(crate) mod section;
pub(crate) mod selector;
pub(crate) mod template;
pub(crate) mod tenant;
pub(crate) mod timestamp;

/// What a stage may know beside the entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cx<'a> {
    pub(crate) now: Nanos,
    pub(crate) monotonic: Duration,
    pub(crate) stats: &'a Stats,
}

/// What becomes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// On to the next stage. The entry may be another one than came in, if that is held instead.
    Next,
    /// On to the stage after so many more.
    Skip(usize),
    /// It is gone, and counted under this reason.
    Drop,
    /// The stage keeps it for later; what is left in its place is of no meaning.
    Held,
    /// The same stage wants to see it again at this monotonic time, and none before it.
    Wait(Duration),
}

/// One step of a pipeline.
pub(crate) trait Stage: Send + fmt::Debug {
    fn process(&mut self, cx: &Cx<'_>, entry: &mut Entry) -> Verdict;

    /// Puts into `entry` a group that has waited long enough, if there is one.
    fn overdue(&mut self, _cx: &Cx<'_>, _entry: &mut Entry) -> bool {
        false
    }

    /// Names every line that is held back.
    fn held(&self, _visit: &mut dyn FnMut(Mark)) {}

    /// The same stage for another file, with no line held.
    fn fresh(&self) -> Box<dyn Stage>;
}

/// The stages of one file.
#[derive(Debug, Default)]
pub(crate) struct Pipeline {
    stages: Vec<Box<dyn Stage>>,
    parked: Option<Parked>,
}

/// An entry that waits in front of a stage.
#[derive(Debug)]
struct Parked {
    entry: Box<Entry>,
    stage: usize,
    until: Duration,
}

/// How an entry ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It came through.
    Emit,
    /// It was dropped or is held back.
    Gone,
    /// It waits; nothing else may come in until [`Pipeline::resume`] has let it through.
    Parked,
}

impl Pipeline {
    pub(crate) fn new(stages: Vec<Box<dyn Stage>>) -> Self {
        Self { stages, parked: None }
    }

    /// The same stages for another file.
    pub(crate) fn fresh(&self) -> Self {
        Self::new(self.stages.iter().map(|stage| stage.fresh()).collect())
    }

    pub(crate) fn process(&mut self, cx: &Cx<'_>, entry: &mut Entry) -> Outcome {
        self.run(cx, entry, 0)
    }

    /// When the entry that waits may go on, if one does.
    pub(crate) fn parked_until(&self) -> Option<Duration> {
        self.parked.as_ref().map(|parked| parked.until)
    }

    /// Tries again with the entry that waits.
    pub(crate) fn resume(&mut self, cx: &Cx<'_>, entry: &mut Entry) -> Outcome {
        let Some(parked) = self.parked.take() else { return Outcome::Gone };
        if parked.until > cx.monotonic {
            self.parked = Some(parked);
            return Outcome::Parked;
        }
        *entry = *parked.entry;
        self.run(cx, entry, parked.stage)
    }

    /// Lets through what has waited long enough for the rest of its group.
    pub(crate) fn tick(
        &mut self,
        cx: &Cx<'_>,
        entry: &mut Entry,
        emit: &mut dyn FnMut(&mut Entry),
    ) {
        for at in 0..self.stages.len() {
            while self.parked.is_none()
                && self.stages.get_mut(at).is_some_and(|stage| stage.overdue(cx, entry))
            {
                if self.run(cx, entry, at + 1) == Outcome::Emit {
                    emit(entry);
                }
            }
        }
    }

    /// Names every line that has come in and neither came out nor was dropped.
    pub(crate) fn held(&self, visit: &mut dyn FnMut(Mark)) {
        for stage in &self.stages {
            stage.held(visit);
        }
        if let Some(parked) = &self.parked {
            parked.entry.marks.iter().for_each(|mark| visit(*mark));
        }
    }

    fn run(&mut self, cx: &Cx<'_>, entry: &mut Entry, from: usize) -> Outcome {
        let mut at = from;
        while let Some(stage) = self.stages.get_mut(at) {
            match stage.process(cx, entry) {
                Verdict::Next => at += 1,
                Verdict::Skip(more) => at += 1 + more,
                Verdict::Drop | Verdict::Held => return Outcome::Gone,
                Verdict::Wait(until) => {
                    let entry = Box::new(std::mem::take(entry));
                    self.parked = Some(Parked { entry, stage: at, until });
                    return Outcome::Parked;
                }
            }
        }
        Outcome::Emit
    }
}

#[cfg(test)]
pub(crate) mod testing;
