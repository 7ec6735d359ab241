//! Puts lines together again: whole, as far as they are needed, or those that can hold a text; or
//! tells only how long they are.

use super::columns::{self, Column, Wanted};
use super::lengths::Adder;
use super::members::{Reduced, reduce};
use super::nodes::{Node, Nodes, Piece};
use super::out::{Out, STEP};
use super::search::{Needle, Sieve, Verdict};
use super::values::{Small, Sources};
use crate::Error;
use crate::cursor::Cursor;
use crate::lines::{Decompressor, TEXT_BYTES_MAX};

/// Lines to be read.
#[derive(Debug)]
pub(in crate::lines) struct Request<'a, T> {
    pub(in crate::lines) count: usize,
    /// Makes the times of the lines, or none; asked once, and not where no line is wanted.
    pub(in crate::lines) times: T,
    pub(in crate::lines) part: Part<'a>,
}

/// How much of the lines is needed.
#[derive(Debug, Clone, Copy)]
pub(in crate::lines) enum Part<'a> {
    All,
    /// Of lines that are JSON objects, members that become none of these labels may be left out.
    Members(&'a [Box<str>]),
    /// Lines that cannot hold any of these may be left out.
    Holding(&'a [Needle]),
    /// No text, only where each line would end in it.
    Lengths,
}

/// Reads columns of lines that are templates; keeps its memory.
#[derive(Debug, Default)]
pub(in crate::lines) struct Reader {
    skeletons: Vec<u8>,
    kinds: Vec<u8>,
    /// Memory for streams that small columns share.
    small: [Vec<u8>; 3],
    nodes: Nodes,
    columns: Vec<Column>,
    wanted: Vec<Wanted>,
}

impl Reader {
    /// Appends the lines that `payload` holds, which is then at its end: where each ends in `text`
    /// to `ends`, and the text. Returns the places of the lines that were appended, or none for all.
    pub(in crate::lines) fn read<'t>(
        &mut self,
        decompressor: &mut Decompressor,
        Request { count, times, part }: Request<'_, impl FnOnce() -> Result<&'t [i64], Error>>,
        payload: &mut Cursor<'_>,
        (ends, text): (&mut Vec<usize>, &mut Vec<u8>),
    ) -> Result<Option<Vec<usize>>, Error> {
        let bytes = payload.count(TEXT_BYTES_MAX, "bytes of lines")?;
        let bad = payload.corrupt("bytes of lines");
        // Whatever is decompressed becomes text; places in dictionaries are a few bytes a value.
        let budget = 4 * bytes + 8 * count + (64 << 10);
        decompressor.read(payload, budget, &mut self.skeletons)?;
        decompressor.read(payload, budget, &mut self.kinds)?;
        let [short, numbers, texts] = std::mem::take(&mut self.small);
        let small = [
            Small::new(payload, budget, short)?,
            Small::new(payload, budget, numbers)?,
            Small::new(payload, budget, texts)?,
        ];
        let large = payload.part(payload.remaining(), "large columns")?;
        self.nodes.read(&self.skeletons)?;
        let mut body = Body { count, times: &[], budget, decompressor, small, large };
        self.wanted.clear();
        self.wanted.resize(self.nodes.marks.len(), Wanted::Yes);
        let mut kept: Option<Vec<usize>> = None;
        let mut is_whole = true;
        if let Part::Holding(needles) = part {
            let places = self.search(needles, &mut body)?;
            is_whole = places.len() == count;
            if places.is_empty() {
                self.small = body.small.map(Small::into_buffer);
                return Ok(Some(places));
            }
            kept = Some(places);
        }
        body.times = times()?;
        match part {
            Part::All | Part::Holding(_) => self.read_columns(&mut body).map(drop)?,
            Part::Members(names) => {
                let pieces = self.nodes.pieces.len();
                let all: Vec<_> = self.nodes.list.iter().map(|node| node.pieces.clone()).collect();
                self.cut_down(names);
                is_whole = !self.read_columns(&mut body)?;
                if is_whole {
                    // Some line is not what its skeleton looked like.
                    for (node, pieces) in self.nodes.list.iter_mut().zip(all) {
                        node.pieces = pieces;
                    }
                    self.nodes.pieces.truncate(pieces);
                    self.wanted.fill(Wanted::Yes);
                    self.read_columns(&mut body)?;
                }
            }
            Part::Lengths => {
                self.wanted.fill(Wanted::Length);
                self.read_columns(&mut body)?;
                let added = self.add_up(&body, bytes, ends);
                self.small = body.small.map(Small::into_buffer);
                return if added { Ok(None) } else { Err(bad) };
            }
        }
        let Body { times, small, .. } = body;
        self.small = small.map(Small::into_buffer);
        self.skeletons.resize(self.skeletons.len() + STEP, 0);
        let before = text.len();
        text.resize(before + bytes + STEP, 0);
        let out = Out::new(text.get_mut(before..).unwrap_or_default());
        let mut lines = Lines {
            skeletons: &self.skeletons,
            nodes: &self.nodes,
            columns: &self.columns,
            seen: vec![0; self.nodes.list.len()],
            out,
        };
        ends.reserve(kept.as_ref().map_or(count, Vec::len));
        let mut next = kept.as_ref().map(|places| places.iter().copied().peekable());
        for line in 0..count {
            let time = times.get(line).copied().unwrap_or(0);
            if let Some(next) = &mut next
                && next.next_if_eq(&line).is_none()
            {
                lines.step_over(0, line);
                continue;
            }
            lines.put(0, line, time);
            if lines.out.len() > bytes {
                return Err(bad);
            }
            ends.push(before + lines.out.len());
        }
        let written = lines.out.len();
        text.truncate(before + written);
        if written == bytes || !is_whole { Ok(kept) } else { Err(bad) }
    }

    /// Appends where lines end whose lengths were read; says no if they have not so many `bytes`.
    fn add_up(&self, body: &Body<'_>, bytes: usize, ends: &mut Vec<usize>) -> bool {
        let adder = Adder { nodes: &self.nodes, columns: &self.columns, times: body.times };
        let lines = adder.lines();
        let mut end = 0_usize;
        ends.extend((0..body.count).map(|line| {
            end = end.saturating_add(lines.at(line));
            end
        }));
        end == bytes
    }

    /// Reads the columns that are wanted; says no if one is not what it must be.
    fn read_columns(&mut self, body: &mut Body<'_>) -> Result<bool, Error> {
        if !self.read_some(&[], body)? {
            return Ok(false);
        }
        let needs_times = |column: &Column| match column {
            Column::Values(values) => values.needs_times(),
            Column::Lengths(lengths) => lengths.need_times(),
            Column::Nested(_) | Column::Left => false,
        };
        if body.times.len() != body.count && self.columns.iter().any(needs_times) {
            return Err(body.large.corrupt("times of the lines"));
        }
        Ok(true)
    }

    /// As [`Reader::read_columns`], and leaves out those that can hold none of `needles`, if there
    /// are any; no times are needed for that.
    fn read_some(&mut self, needles: &[Needle], body: &mut Body<'_>) -> Result<bool, Error> {
        let large = body.large.clone();
        let mut sources =
            Sources::new(&self.kinds, &mut body.small, large, body.decompressor, body.budget);
        let wanted = (self.wanted.as_slice(), needles);
        let all = columns::read(&self.nodes, body.count, wanted, &mut sources, &mut self.columns)?;
        if all {
            sources.finish()?;
        }
        Ok(all)
    }

    /// Leaves out of nodes what is not needed of them, and says which columns are.
    fn cut_down(&mut self, names: &[Box<str>]) {
        let Self { skeletons, nodes, wanted, .. } = self;
        let Nodes { list, pieces, .. } = nodes;
        let brackets = skeletons.len();
        skeletons.extend_from_slice(b"{,}");
        let [open, comma, close] =
            [0, 1, 2].map(|at| Piece::Fixed(brackets + at, brackets + at + 1));
        // Columns below others come later, so by then it is known whether those are needed.
        for node in list {
            let set = |wanted: &mut [Wanted], to| {
                wanted.get_mut(node.columns.clone()).unwrap_or_default().fill(to);
            };
            if node.parent > 0 {
                let parent = wanted.get(node.parent).copied();
                set(wanted, if parent == Some(Wanted::Yes) { Wanted::Yes } else { Wanted::No });
                continue;
            }
            let skeleton = skeletons.get(node.skeleton.clone()).unwrap_or_default();
            let Some(Reduced { members, numbers }) = reduce(skeleton, names) else { continue };
            set(wanted, Wanted::No);
            for number in numbers {
                if let Some(column) = wanted.get_mut(node.columns.start + number) {
                    *column = Wanted::Digits;
                }
            }
            let whole = pieces.get(node.pieces.clone()).unwrap_or_default().to_vec();
            node.pieces.start = pieces.len();
            pieces.push(open);
            // Both rise, so pieces are gone over once; one can reach into several members.
            let (mut next, mut start) = (0, node.skeleton.start);
            for (number, member) in members.iter().enumerate() {
                if number > 0 {
                    pieces.push(comma);
                }
                let (from, to) =
                    (node.skeleton.start + member.start, node.skeleton.start + member.end);
                while let Some(piece) = whole.get(next).copied().filter(|_| start < to) {
                    let end = start + piece.skeleton_len();
                    if end > from {
                        pieces.push(match piece {
                            Piece::Fixed(start, end) => Piece::Fixed(start.max(from), end.min(to)),
                            Piece::Value(column) | Piece::Nested(column) => {
                                if let Some(wanted) = wanted.get_mut(column) {
                                    *wanted = Wanted::Yes;
                                }
                                piece
                            }
                        });
                    }
                    if end > to {
                        break;
                    }
                    (next, start) = (next + 1, end);
                }
            }
            pieces.push(close);
            node.pieces.end = pieces.len();
        }
    }

    /// The places of lines that can hold a text; the columns of these lines are then wanted.
    fn search(&mut self, needles: &[Needle], body: &mut Body<'_>) -> Result<Vec<usize>, Error> {
        let (nodes, skeletons) = (&self.nodes, self.skeletons.as_slice());
        let verdicts: Vec<(&Needle, Verdict)> = needles
            .iter()
            .map(|needle| (needle, Verdict::new(needle, nodes, skeletons)))
            .filter(|(_, verdict)| !verdict.is_never(nodes))
            .collect();
        if verdicts.is_empty() {
            return Ok(Vec::new());
        }
        if verdicts.iter().any(|(_, verdict)| verdict.is_always(nodes)) {
            return Ok((0..body.count).collect());
        }
        for (column, wanted) in self.wanted.iter_mut().enumerate() {
            let yes = verdicts.iter().any(|(_, verdict)| verdict.wants(nodes, column));
            *wanted = if yes || column == 0 { Wanted::Yes } else { Wanted::No };
        }
        self.read_some(needles, body)?;
        let nodes = &self.nodes;
        let mut sieves: Vec<Sieve<'_>> = verdicts
            .iter()
            .map(|(needle, verdict)| Sieve::new(needle, nodes, verdict, &self.columns))
            .filter(|sieve| !sieve.is_never())
            .collect();
        if sieves.is_empty() {
            return Ok(Vec::new());
        }
        let mut places = Vec::new();
        for line in 0..body.count {
            let mut passes = false;
            // Each counts what it passes, so all are asked.
            for sieve in &mut sieves {
                passes |= sieve.passes(line);
            }
            if passes {
                places.push(line);
            }
        }
        let roots = nodes.below(0);
        let mut used = vec![false; roots.len()];
        let lines = self.columns.first();
        for place in &places {
            let ordinal = lines.map_or(0, |lines| lines.ordinal(*place));
            if let Some(used) = used.get_mut(ordinal) {
                *used = true;
            }
        }
        self.wanted.fill(Wanted::No);
        let mut below: Vec<usize> =
            roots.iter().zip(used).filter(|(_, used)| *used).map(|(root, _)| *root).collect();
        while let Some(node) = below.pop().and_then(|node| nodes.list.get(node)) {
            self.wanted.get_mut(node.columns.clone()).unwrap_or_default().fill(Wanted::Yes);
            below.extend(node.columns.clone().flat_map(|column| nodes.below(column)));
        }
        if let Some(lines) = self.wanted.first_mut() {
            *lines = Wanted::Yes;
        }
        Ok(places)
    }
}

/// What columns are read from.
struct Body<'a> {
    count: usize,
    times: &'a [i64],
    /// Bytes that may be decompressed.
    budget: usize,
    decompressor: &'a mut Decompressor,
    small: [Small<'a>; 3],
    large: Cursor<'a>,
}

/// What lines are put together from, one after the other.
struct Lines<'a> {
    skeletons: &'a [u8],
    nodes: &'a Nodes,
    columns: &'a [Column],
    /// How often each node occurred.
    seen: Vec<usize>,
    out: Out<'a>,
}

impl<'a> Lines<'a> {
    /// The node that stands at a place of a nested column, and the place of its own values.
    #[inline]
    fn next(&mut self, column: usize, at: usize) -> Option<(&'a Node, usize)> {
        let ordinal = self.columns.get(column)?.ordinal(at);
        let number = *self.nodes.below(column).get(ordinal)?;
        let seen = self.seen.get_mut(number)?;
        *seen += 1;
        Some((self.nodes.list.get(number)?, *seen - 1))
    }

    /// Appends the text at a place of a nested column. Nodes are below each other by at most
    /// [`super::DEPTH_MAX`], and no column is below two of them, so each piece is looked at once a
    /// line.
    fn put(&mut self, column: usize, at: usize, time: i64) {
        let Some((node, at)) = self.next(column, at) else { return };
        for piece in self.nodes.pieces_of(node) {
            match *piece {
                Piece::Fixed(start, end) => self.out.put(self.skeletons, start, end),
                Piece::Value(column) => {
                    if let Some(Column::Values(values)) = self.columns.get(column) {
                        values.put(at, time, &mut self.out);
                    }
                }
                Piece::Nested(column) => self.put(column, at, time),
            }
        }
    }

    /// Counts what occurs in the text at a place of a nested column.
    fn step_over(&mut self, column: usize, at: usize) {
        let Some((node, at)) = self.next(column, at) else { return };
        for column in node.columns.clone() {
            if matches!(self.columns.get(column), Some(Column::Nested(_))) {
                self.step_over(column, at);
            }
        }
    }
}
