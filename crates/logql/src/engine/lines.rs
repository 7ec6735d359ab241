//! Log queries: the newest or the oldest lines that pass, and no more read than needed.
//!
//! Parts come in the order in which they can matter. They are read in batches, each as wide as
//! there are threads; once as many lines are held as were asked for, the last of them bounds what
//! a part must reach to be looked at, and where no part does the rest is not read.
//!
//! Lines of one instant are in the order of pushing, and backward in exactly the reverse.

use std::cmp::Reverse;

use masthead_model::{Labels, Nanos};
use masthead_ports::{Direction, LogColumns, LogPart, LogSelected, QueryCtx};
use masthead_vecmath::each;
use rayon::ThreadPool;

use super::{
    Error, Params,
    answer::{LineLabels, Lines, LinesBuilder},
    pipeline::Pipeline,
    search::Search,
};
use crate::stages::{Keep, Line};

/// One log query on its parts.
pub(super) struct Reading<'a> {
    pub(super) ctx: &'a QueryCtx,
    pub(super) selected: &'a LogSelected,
    pub(super) pipeline: &'a Pipeline,
    pub(super) search: &'a Search,
    pub(super) params: &'a Params,
    /// Bytes of the lines that are held.
    pub(super) bytes_max: usize,
}

/// A line that passed, with its place: time, stream, part and line, all rising in the order of a
/// forward query.
#[derive(Debug)]
struct Found {
    place: (i64, usize, usize, usize),
    labels: LineLabels,
    text: Box<[u8]>,
}

impl Found {
    fn bytes(&self) -> usize {
        self.labels.bytes() + self.text.len()
    }
}

impl Reading<'_> {
    pub(super) fn run(&self, pool: Option<&ThreadPool>) -> Result<Lines, Error> {
        let width = pool.map_or(1, ThreadPool::current_num_threads).max(1);
        let parts = &self.selected.parts;
        let mut found: Vec<Found> = Vec::new();
        let mut next = 0;
        while next < parts.len() {
            // The last line held bounds what can still get in.
            let bound = found.get(self.params.limit - 1).map(|last| last.place.0);
            let reaches = |part: &LogPart| {
                bound.is_none_or(|bound| match self.params.direction {
                    Direction::Backward => part.range.end.0 >= bound,
                    Direction::Forward => part.range.start.0 <= bound,
                })
            };
            let batch: Vec<usize> = (next..parts.len())
                .take_while(|at| parts.get(*at).is_some_and(reaches))
                .take(width)
                .collect();
            if batch.is_empty() {
                break;
            }
            next += batch.len();
            let read = each(pool, batch.len(), |n| {
                batch.get(n).map_or(Ok(Vec::new()), |at| self.part(*at, bound))
            });
            for lines in read {
                found.extend(lines?);
            }
            match self.params.direction {
                Direction::Backward => found.sort_by_key(|line| Reverse(line.place)),
                Direction::Forward => found.sort_by_key(|line| line.place),
            }
            found.truncate(self.params.limit);
            self.check_bytes(found.iter().map(Found::bytes).sum())?;
        }
        Ok(self.spaced(found))
    }

    fn check_bytes(&self, bytes: usize) -> Result<(), Error> {
        let limit = self.bytes_max;
        if bytes > limit { Err(Error::AnswerBytes { limit }) } else { Ok(()) }
    }

    /// Leaves out lines that are too close to the one before, whatever its stream.
    fn spaced(&self, found: Vec<Found>) -> Lines {
        let mut lines = LinesBuilder::default();
        let mut last: Option<i64> = None;
        for line in found {
            let at = line.place.0;
            let apart =
                last.is_none_or(|last| last.abs_diff(at) >= self.params.interval.unsigned_abs());
            if self.params.interval == 0 || apart {
                last = Some(at);
                lines.push(&line.labels, Nanos(at), line.text);
            }
        }
        lines.finish()
    }

    /// The lines of a part that pass, as many as were asked for at most, from the end that is
    /// asked for.
    fn part(&self, at: usize, bound: Option<i64>) -> Result<Vec<Found>, Error> {
        let mut found = Vec::new();
        let Some(part) = self.selected.parts.get(at) else { return Ok(found) };
        let nameless = Labels::default();
        let stream = self.selected.streams.get(part.stream).unwrap_or(&nameless);
        let mut columns = LogColumns::default();
        self.selected.reader.read(self.ctx, at, &mut columns)?;
        let mut line = Line::new(self.pipeline.needed()).at(self.ctx.now().0);
        let candidates = self.search.candidates(&columns, stream);
        // Backward, a search from the front must be finished before the last hit is known.
        let mut places: Box<dyn Iterator<Item = usize>> = match self.params.direction {
            Direction::Forward => Box::new(candidates),
            Direction::Backward if self.search.is_nothing() => Box::new((0..columns.len()).rev()),
            Direction::Backward => {
                let mut all: Vec<usize> = candidates.collect();
                all.reverse();
                Box::new(all.into_iter())
            }
        };
        let (mut looked_at, mut bytes) = (0, 0);
        while let Some(row) = places.next().filter(|_| found.len() < self.params.limit) {
            looked_at += 1;
            if looked_at % self.pipeline.lines_per_check() == 0 {
                self.ctx.check()?;
            }
            let time = columns.times.get(row).copied().unwrap_or(0);
            let beyond = bound.is_some_and(|bound| match self.params.direction {
                Direction::Backward => time < bound,
                Direction::Forward => time > bound,
            });
            if beyond {
                break;
            }
            let text = columns.line(row);
            if !self.pipeline.wants(text) {
                continue;
            }
            line.reset(stream, columns.metadata(row), text, time);
            if self.pipeline.run(&mut line) == Keep::Yes {
                // Parts of one stream come newest first where lines do.
                let part_order = match self.params.direction {
                    Direction::Forward => at,
                    Direction::Backward => usize::MAX - at,
                };
                let line = Found {
                    place: (time, part.stream, part_order, row),
                    labels: LineLabels::of(&line),
                    text: line.text().into(),
                };
                bytes += line.bytes();
                self.check_bytes(bytes)?;
                found.push(line);
            }
        }
        Ok(found)
    }
}
