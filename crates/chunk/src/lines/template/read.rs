//! Puts lines together again: whole or as far as they are needed, all or those that can hold a text
//! or pass a test; or tells only how long they are.

use super::columns::{self, Column, Wanted};
use super::lengths::Adder;
use super::members::{Reduced, reduce};
use super::nodes::{Node, Nodes, Piece};
use super::out::{Out, STEP};
use super::passing;
use super::search::{Needle, Sieve, Verdict};
use super::values::{Small, Sources};
use crate::Error;
use crate::cursor::Cursor;
use crate::lines::{Decompressor, TEXT_BYTES_MAX};
use masthead_model::MemberTest;

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
    Chosen(Choice<'a>),
    /// No text, only where each line would end in it.
    Lengths,
}

/// Which lines of a column somebody needs, and how much of each; all of all if nothing is said.
#[derive(Debug, Clone, Copy, Default)]
pub struct Choice<'a> {
    /// Lines that cannot hold any of these may be left out, if there are some.
    pub needles: &'a [Needle],
    /// Lines that are JSON objects and fail one of these for sure may be left out. A label is made
    /// of the first member that can become it, as [`Choice::members`] says; without one, a line
    /// fails.
    pub tests: &'a [MemberTest],
    /// Of a line that is a JSON object, members that can become none of these labels may be left
    /// out. A name is that of a member of the outermost object, or the names on the way to a nested
    /// one joined by `_`; what is no letter or digit counts as `_`. What is left is an object with
    /// the other members as they were, in their order; a line that is no object for sure comes whole.
    pub members: Option<&'a [Box<str>]>,
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
    /// Room for lines of which not all is put together, so how many bytes they have is not known.
    room: Vec<u8>,
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
        let Part::Chosen(choice) = part else {
            body.times = times()?;
            self.wanted.fill(Wanted::Length);
            self.read_columns(&mut body)?;
            let added = self.add_up(&body, bytes, ends);
            self.small = body.small.map(Small::into_buffer);
            return if added { Ok(None) } else { Err(bad) };
        };
        let kept = self.choose(choice, &mut body)?;
        if kept.as_ref().is_some_and(Vec::is_empty) {
            self.small = body.small.map(Small::into_buffer);
            return Ok(kept);
        }
        body.times = times()?;
        let cut = match choice.members {
            Some(names) => self.read_members(names, &mut body)?,
            None => self.read_columns(&mut body).map(|_| false)?,
        };
        let Body { times, small, .. } = body;
        self.small = small.map(Small::into_buffer);
        self.skeletons.resize(self.skeletons.len() + STEP, 0);
        let is_whole = kept.is_none() && !cut;
        let before = text.len();
        let out = if is_whole {
            text.resize(before + bytes + STEP, 0);
            text.get_mut(before..).unwrap_or_default()
        } else {
            if self.room.len() < bytes + STEP {
                self.room.resize(bytes + STEP, 0);
            }
            self.room.get_mut(..bytes + STEP).unwrap_or_default()
        };
        let mut lines =
            Lines::new(&self.skeletons, (&self.nodes, &self.columns), &self.wanted, out);
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
        if !is_whole {
            text.extend_from_slice(self.room.get(..written).unwrap_or_default());
            return Ok(kept);
        }
        text.truncate(before + written);
        if written == bytes { Ok(kept) } else { Err(bad) }
    }

    /// The places of lines that may be wanted, or none for all; the columns of these lines are then
    /// wanted.
    fn choose(
        &mut self,
        choice: Choice<'_>,
        body: &mut Body<'_>,
    ) -> Result<Option<Vec<usize>>, Error> {
        let mut kept = None;
        if !choice.needles.is_empty() {
            kept = self.search(choice.needles, body)?;
        }
        if !choice.tests.is_empty() && kept.as_ref().is_none_or(|kept| !kept.is_empty()) {
            let passing = self.test(choice.tests, body)?;
            kept = match (kept, passing) {
                (Some(mut kept), Some(passing)) => {
                    kept.retain(|place| passing.binary_search(place).is_ok());
                    Some(kept)
                }
                (kept, passing) => kept.or(passing),
            };
        }
        kept = kept.filter(|places| places.len() < body.count);
        self.wanted.fill(if kept.is_some() { Wanted::No } else { Wanted::Yes });
        if let Some(places) = &kept {
            self.want_columns_of(places);
        }
        Ok(kept)
    }

    /// Reads the columns of members of these names as far as columns are wanted; says no where a
    /// line turned out to be no such object as its skeleton looked like, and reads all then.
    fn read_members(&mut self, names: &[Box<str>], body: &mut Body<'_>) -> Result<bool, Error> {
        let pieces = self.nodes.pieces.len();
        let all: Vec<_> = self.nodes.list.iter().map(|node| node.pieces.clone()).collect();
        let wanted = self.wanted.clone();
        self.cut_down(names);
        for (cut, wanted) in self.wanted.iter_mut().zip(&wanted) {
            if *wanted == Wanted::No {
                *cut = Wanted::No;
            }
        }
        if self.read_columns(body)? {
            return Ok(true);
        }
        for (node, pieces) in self.nodes.list.iter_mut().zip(all) {
            node.pieces = pieces;
        }
        self.nodes.pieces.truncate(pieces);
        self.wanted = wanted;
        self.read_columns(body).map(|_| false)
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

    /// The places of lines that can hold a text, or none for all.
    fn search(
        &mut self,
        needles: &[Needle],
        body: &mut Body<'_>,
    ) -> Result<Option<Vec<usize>>, Error> {
        let (nodes, skeletons) = (&self.nodes, self.skeletons.as_slice());
        let verdicts: Vec<(&Needle, Verdict)> = needles
            .iter()
            .map(|needle| (needle, Verdict::new(needle, nodes, skeletons)))
            .filter(|(_, verdict)| !verdict.is_never(nodes))
            .collect();
        if verdicts.is_empty() {
            return Ok(Some(Vec::new()));
        }
        if verdicts.iter().any(|(_, verdict)| verdict.is_always(nodes)) {
            return Ok(None);
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
            return Ok(Some(Vec::new()));
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
        Ok(Some(places))
    }

    /// The places of lines that can pass all tests, or none for all.
    fn test(
        &mut self,
        tests: &[MemberTest],
        body: &mut Body<'_>,
    ) -> Result<Option<Vec<usize>>, Error> {
        self.wanted.fill(Wanted::No);
        if let Some(lines) = self.wanted.first_mut() {
            *lines = Wanted::Yes;
        }
        let verdict = passing::Verdict::new(tests, &self.nodes, &self.skeletons, &mut self.wanted);
        let Some(verdict) = verdict else { return Ok(None) };
        // Some line may be no object, though its skeleton looks like one.
        if !self.read_some(&[], body)? {
            return Ok(None);
        }
        Ok(Some(verdict.places(&self.nodes, &self.skeletons, &self.columns, body.count)))
    }

    /// Says that the columns of these lines are wanted, of which it is known which nodes they are.
    fn want_columns_of(&mut self, places: &[usize]) {
        let Self { nodes, columns, wanted, .. } = self;
        let roots = nodes.below(0);
        let mut used = vec![false; roots.len()];
        let lines = columns.first();
        for place in places {
            let ordinal = lines.map_or(0, |lines| lines.ordinal(*place));
            if let Some(used) = used.get_mut(ordinal) {
                *used = true;
            }
        }
        let mut below: Vec<usize> =
            roots.iter().zip(used).filter(|(_, used)| *used).map(|(root, _)| *root).collect();
        while let Some(node) = below.pop().and_then(|node| nodes.list.get(node)) {
            wanted.get_mut(node.columns.clone()).unwrap_or_default().fill(Wanted::Yes);
            below.extend(node.columns.clone().flat_map(|column| nodes.below(column)));
        }
        if let Some(lines) = wanted.first_mut() {
            *lines = Wanted::Yes;
        }
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
    /// Of each node, the columns with nodes below them that are looked at.
    nested: Vec<Vec<usize>>,
    /// How often each node occurred.
    seen: Vec<usize>,
    out: Out<'a>,
}

impl<'a> Lines<'a> {
    fn new(
        skeletons: &'a [u8],
        (nodes, columns): (&'a Nodes, &'a [Column]),
        wanted: &[Wanted],
        out: &'a mut [u8],
    ) -> Self {
        let counts = |column: &usize| {
            let nested = matches!(columns.get(*column), Some(Column::Nested(_)));
            nested && wanted.get(*column) == Some(&Wanted::Yes)
        };
        let below = |node: &Node| node.columns.clone().filter(counts).collect();
        let nested = nodes.list.iter().map(below).collect();
        let seen = vec![0; nodes.list.len()];
        Self { skeletons, nodes, columns, nested, seen, out: Out::new(out) }
    }

    /// The node that stands at a place of a nested column, and the place of its own values.
    #[inline]
    fn next(&mut self, column: usize, at: usize) -> Option<(usize, usize)> {
        let ordinal = self.columns.get(column)?.ordinal(at);
        let number = *self.nodes.below(column).get(ordinal)?;
        let seen = self.seen.get_mut(number)?;
        *seen += 1;
        Some((number, *seen - 1))
    }

    /// Appends the text at a place of a nested column. Nodes are below each other by at most
    /// [`super::DEPTH_MAX`], and no column is below two of them, so each piece is looked at once a
    /// line.
    fn put(&mut self, column: usize, at: usize, time: i64) {
        let Some((number, at)) = self.next(column, at) else { return };
        let Some(node) = self.nodes.list.get(number) else { return };
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

    /// Counts what occurs in the text at a place of a nested column, as far as it is looked at.
    fn step_over(&mut self, column: usize, at: usize) {
        let Some((number, at)) = self.next(column, at) else { return };
        for place in 0.. {
            let column = self.nested.get(number).and_then(|columns| columns.get(place));
            let Some(column) = column.copied() else { break };
            self.step_over(column, at);
        }
    }
}
