//! Puts lines together again, whole or as far as they are needed.

use super::members::{Reduced, reduce};
use super::out::{Out, STEP};
use std::ops::Range;

use super::values::{self, Sources, Values};
use super::{DEPTH_MAX, MARKS_END, Mark};
use crate::Error;
use crate::cursor::Cursor;
use crate::lines::{Decompressor, TEXT_BYTES_MAX};

/// A piece of a skeleton.
#[derive(Debug, Clone, Copy)]
enum Piece {
    /// These bytes of all skeletons.
    Fixed(usize, usize),
    /// The next value of this column.
    Value(usize),
    /// The next nested text of this column.
    Nested(usize),
}

#[derive(Debug, Clone)]
struct Node {
    parent: usize,
    skeleton: Range<usize>,
    pieces: Range<usize>,
    first_column: usize,
    end_column: usize,
}

/// A column, and which of its values comes next.
#[derive(Debug)]
struct Column {
    next: usize,
    holds: Holds,
}

#[derive(Debug)]
enum Holds {
    Values(Values),
    /// The nodes below it, and which of them stands at each place; empty if there is one.
    Nested {
        children: Vec<usize>,
        ordinals: Vec<u64>,
    },
    /// Nobody needs it.
    Left,
}

/// Reads columns of lines that are templates; keeps its memory.
#[derive(Debug, Default)]
pub(in crate::lines) struct Reader {
    streams: [Vec<u8>; 5],
    nodes: Vec<Node>,
    pieces: Vec<Piece>,
    columns: Vec<Column>,
    wanted: Vec<Wanted>,
}

/// What is needed of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    No,
    /// Its values must start with digits, and nobody needs them.
    Digits,
    Yes,
}

/// Lines to be read.
#[derive(Debug, Clone, Copy)]
pub(in crate::lines) struct Request<'a> {
    pub(in crate::lines) count: usize,
    /// Times of the lines, or none.
    pub(in crate::lines) times: &'a [i64],
    /// Of lines that are JSON objects, members that become none of these labels may be left out.
    pub(in crate::lines) members: Option<&'a [Box<str>]>,
}

impl Reader {
    /// Appends the lines that `payload` holds; `payload` is then at its end.
    pub(in crate::lines) fn read(
        &mut self,
        decompressor: &mut Decompressor,
        request: Request<'_>,
        payload: &mut Cursor<'_>,
        ends: &mut Vec<usize>,
        text: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let before = (ends.len(), text.len());
        let start = payload.clone();
        if self.try_read(decompressor, request, payload, ends, text)? {
            return Ok(());
        }
        // Some line is not what its skeleton looked like.
        ends.truncate(before.0);
        text.truncate(before.1);
        *payload = start;
        let whole = Request { members: None, ..request };
        self.try_read(decompressor, whole, payload, ends, text).map(drop)
    }

    /// As [`Reader::read`]; says no if lines cannot be cut down.
    fn try_read(
        &mut self,
        decompressor: &mut Decompressor,
        Request { count, times, members }: Request<'_>,
        payload: &mut Cursor<'_>,
        ends: &mut Vec<usize>,
        text: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        let bytes = payload.count(TEXT_BYTES_MAX, "bytes of lines")?;
        // Whatever is decompressed becomes text; places in dictionaries are a few bytes a value.
        let budget = 4 * bytes + 8 * count + (64 << 10);
        for stream in &mut self.streams {
            decompressor.read(payload, budget, stream)?;
        }
        let marks = read_nodes(&self.streams[0], &mut self.nodes, &mut self.pieces)?;
        self.wanted.clear();
        self.wanted.resize(marks.len(), Wanted::Yes);
        if let Some(members) = members {
            self.cut_down(members);
        }
        let [_, kinds, short, numbers, texts] = &self.streams;
        let large = payload.part(payload.remaining(), "large columns")?;
        let mut sources = Sources::new([kinds, short, numbers, texts], large, decompressor, budget);
        let shape = Shape { marks: &marks, nodes: &self.nodes, wanted: &self.wanted };
        if !read_columns(shape, count, &mut sources, &mut self.columns)? {
            return Ok(false);
        }
        sources.finish()?;
        let needs_times =
            |column: &Column| matches!(&column.holds, Holds::Values(some) if some.needs_times());
        if times.len() != count && self.columns.iter().any(needs_times) {
            return Err(payload.corrupt("times of the lines"));
        }
        let bad = payload.corrupt("bytes of lines");
        let Self { streams: [skeletons, ..], nodes, pieces, columns, .. } = self;
        skeletons.resize(skeletons.len() + STEP, 0);
        let parts = Parts { skeletons, nodes, pieces };
        let before = text.len();
        text.resize(before + bytes + STEP, 0);
        let mut out = Out::new(text.get_mut(before..).unwrap_or_default());
        ends.reserve(count);
        for line in 0..count {
            let time = times.get(line).copied().unwrap_or(0);
            parts.put_nested(columns, 0, time, &mut out);
            if out.len() > bytes {
                return Err(bad);
            }
            ends.push(before + out.len());
        }
        let written = out.len();
        text.truncate(before + written);
        if written == bytes || members.is_some() { Ok(true) } else { Err(bad) }
    }

    /// Leaves out of nodes what is not needed of them, and says which columns are.
    fn cut_down(&mut self, members: &[Box<str>]) {
        let Self { streams: [skeletons, ..], nodes, pieces, wanted, .. } = self;
        let brackets = skeletons.len();
        skeletons.extend_from_slice(b"{,}");
        let [open, comma, close] = [0, 1, 2].map(|at| (brackets + at, brackets + at + 1));
        let fixed = |(start, end)| Piece::Fixed(start, end);
        // Columns below others come later, so by then it is known whether those are needed.
        for node in nodes.iter_mut() {
            let columns = node.first_column..node.end_column;
            let set = |wanted: &mut [Wanted], to| {
                wanted.get_mut(columns.clone()).unwrap_or_default().fill(to);
            };
            if node.parent > 0 {
                let parent = wanted.get(node.parent).copied();
                set(wanted, if parent == Some(Wanted::Yes) { Wanted::Yes } else { Wanted::No });
                continue;
            }
            let skeleton = skeletons.get(node.skeleton.clone()).unwrap_or_default();
            let Some(Reduced { members, numbers }) = reduce(skeleton, members) else { continue };
            set(wanted, Wanted::No);
            for number in numbers {
                if let Some(column) = wanted.get_mut(node.first_column + number) {
                    *column = Wanted::Digits;
                }
            }
            let kept = pieces.get(node.pieces.clone()).unwrap_or_default().to_vec();
            node.pieces.start = pieces.len();
            pieces.push(fixed(open));
            for (number, member) in members.iter().enumerate() {
                if number > 0 {
                    pieces.push(fixed(comma));
                }
                let (from, to) =
                    (node.skeleton.start + member.start, node.skeleton.start + member.end);
                let mut at = node.skeleton.start;
                for piece in &kept {
                    let start = at;
                    at += piece.skeleton_len();
                    if at <= from || start >= to {
                        continue;
                    }
                    pieces.push(match *piece {
                        Piece::Fixed(start, end) => Piece::Fixed(start.max(from), end.min(to)),
                        Piece::Value(column) | Piece::Nested(column) => {
                            if let Some(wanted) = wanted.get_mut(column) {
                                *wanted = Wanted::Yes;
                            }
                            *piece
                        }
                    });
                }
            }
            pieces.push(fixed(close));
            node.pieces.end = pieces.len();
        }
    }
}

impl Piece {
    /// Bytes that it takes in its skeleton.
    fn skeleton_len(self) -> usize {
        match self {
            Self::Fixed(start, end) => end - start,
            Self::Value(_) | Self::Nested(_) => 1,
        }
    }
}

/// What lines are put together from.
struct Parts<'a> {
    skeletons: &'a [u8],
    nodes: &'a [Node],
    pieces: &'a [Piece],
}

impl Parts<'_> {
    /// Appends the next text of a nested column. Nodes are below each other by at most
    /// [`DEPTH_MAX`], and no column is below two of them, so each piece is looked at once a line.
    fn put_nested(&self, columns: &mut [Column], column: usize, time: i64, out: &mut Out<'_>) {
        let Some(Column { next, holds: Holds::Nested { children, ordinals } }) =
            columns.get_mut(column)
        else {
            return;
        };
        let ordinal = ordinals.get(*next).copied().unwrap_or(0);
        *next += 1;
        let child = usize::try_from(ordinal).ok().and_then(|ordinal| children.get(ordinal));
        let Some(node) = child.and_then(|node| self.nodes.get(*node)) else { return };
        for piece in self.pieces.get(node.pieces.clone()).unwrap_or_default() {
            match *piece {
                Piece::Fixed(start, end) => out.put(self.skeletons, start, end),
                Piece::Value(column) => {
                    if let Some(Column { next, holds: Holds::Values(values) }) =
                        columns.get_mut(column)
                    {
                        values.put(*next, time, out);
                        *next += 1;
                    }
                }
                Piece::Nested(column) => self.put_nested(columns, column, time, out),
            }
        }
    }
}

/// Reads the nodes; returns the marks of all columns.
fn read_nodes(
    bytes: &[u8],
    nodes: &mut Vec<Node>,
    pieces: &mut Vec<Piece>,
) -> Result<Vec<Mark>, Error> {
    nodes.clear();
    pieces.clear();
    let mut cursor = Cursor::new(bytes);
    let count = cursor.count(bytes.len(), "count of nodes")?;
    let mut shapes = Vec::with_capacity(count);
    for _ in 0..count {
        let parent = cursor.count(bytes.len(), "parent of a node")?;
        shapes.push((parent, cursor.count(bytes.len(), "length of a skeleton")?));
    }
    // The lines themselves are the column 0.
    let mut marks = vec![Mark::Nested];
    let mut depths = vec![0_usize];
    for (parent, len) in shapes {
        let bad = cursor.corrupt("skeleton");
        let start = cursor.offset();
        let skeleton = cursor.take(len, "skeleton")?;
        let nested = marks.get(parent) == Some(&Mark::Nested);
        let depth = depths.get(parent).copied().unwrap_or(usize::MAX);
        if !nested || depth >= DEPTH_MAX {
            return Err(bad);
        }
        let (first_piece, first_column) = (pieces.len(), marks.len());
        let mut fixed = 0;
        for (at, byte) in skeleton.iter().enumerate() {
            if *byte >= MARKS_END {
                continue;
            }
            let mark = Mark::of(*byte).ok_or(bad.clone())?;
            if fixed < at {
                pieces.push(Piece::Fixed(start + fixed, start + at));
            }
            fixed = at + 1;
            pieces.push(match mark {
                Mark::Nested => Piece::Nested(marks.len()),
                _ => Piece::Value(marks.len()),
            });
            marks.push(mark);
            depths.push(depth + 1);
        }
        if fixed < skeleton.len() {
            pieces.push(Piece::Fixed(start + fixed, start + skeleton.len()));
        }
        let (pieces, skeleton) = (first_piece..pieces.len(), start..start + len);
        nodes.push(Node { parent, skeleton, pieces, first_column, end_column: marks.len() });
    }
    cursor.finish("end of nodes")?;
    Ok(marks)
}

/// Which columns there are.
#[derive(Debug, Clone, Copy)]
struct Shape<'a> {
    marks: &'a [Mark],
    nodes: &'a [Node],
    wanted: &'a [Wanted],
}

/// Reads the columns in order; how many values each has is told by those before it. Says no if one
/// is not what it must be.
fn read_columns(
    Shape { marks, nodes, wanted }: Shape<'_>,
    lines: usize,
    sources: &mut Sources<'_, '_>,
    columns: &mut Vec<Column>,
) -> Result<bool, Error> {
    columns.clear();
    let mut counts = vec![0_usize; marks.len()];
    if let Some(count) = counts.first_mut() {
        *count = lines;
    }
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); marks.len()];
    for (number, node) in nodes.iter().enumerate() {
        if let Some(below) = children.get_mut(node.parent) {
            below.push(number);
        }
    }
    let bad = Error::Corrupt { what: "place of a node", offset: 0 };
    for (at, mark) in marks.iter().enumerate() {
        let count = counts.get(at).copied().unwrap_or(0);
        let wanted = wanted.get(at).copied().unwrap_or(Wanted::Yes);
        if *mark != Mark::Nested {
            if wanted == Wanted::No {
                values::skip(sources, *mark, count)?;
                columns.push(Column { next: 0, holds: Holds::Left });
                continue;
            }
            let values = values::read(sources, *mark, count)?;
            if wanted == Wanted::Digits && !values.start_with_digits() {
                return Ok(false);
            }
            columns.push(Column { next: 0, holds: Holds::Values(values) });
            continue;
        }
        let children = children.get_mut(at).map(std::mem::take).unwrap_or_default();
        let mut ordinals = Vec::new();
        if children.len() > 1 {
            let width = values::width(children.len() as u64 - 1);
            let counts = |child: &usize| {
                nodes.get(*child).is_some_and(|node| node.first_column < node.end_column)
            };
            if wanted == Wanted::No && !children.iter().any(counts) {
                sources.skip_planes(count, width)?;
                columns.push(Column { next: 0, holds: Holds::Left });
                continue;
            }
            sources.planes(count, width, &mut ordinals)?;
        }
        let mut used = vec![0_usize; children.len()];
        if children.len() == 1 {
            used.fill(count);
        } else if children.is_empty() && count > 0 {
            return Err(bad);
        }
        for ordinal in &ordinals {
            let ordinal = usize::try_from(*ordinal).map_err(|_| bad.clone())?;
            *used.get_mut(ordinal).ok_or(bad.clone())? += 1;
        }
        for (child, used) in children.iter().zip(used) {
            let node = nodes.get(*child).ok_or(bad.clone())?;
            for column in counts.get_mut(node.first_column..node.end_column).unwrap_or_default() {
                *column = used;
            }
        }
        columns.push(Column { next: 0, holds: Holds::Nested { children, ordinals } });
    }
    Ok(true)
}
