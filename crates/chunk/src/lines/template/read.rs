//! Puts lines together again.

use super::out::{Out, STEP};
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

#[derive(Debug, Clone, Copy)]
struct Node {
    parent: usize,
    first_piece: usize,
    end_piece: usize,
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
}

/// Reads columns of lines that are templates; keeps its memory.
#[derive(Debug, Default)]
pub(in crate::lines) struct Reader {
    streams: [Vec<u8>; 5],
    nodes: Vec<Node>,
    pieces: Vec<Piece>,
    columns: Vec<Column>,
}

impl Reader {
    /// Appends `count` lines, whose times are `times`, or none.
    pub(in crate::lines) fn read(
        &mut self,
        decompressor: &mut Decompressor,
        (count, times): (usize, &[i64]),
        payload: &mut Cursor<'_>,
        ends: &mut Vec<usize>,
        text: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let bytes = payload.count(TEXT_BYTES_MAX, "bytes of lines")?;
        // Whatever is decompressed becomes text; places in dictionaries are a few bytes a value.
        let budget = 4 * bytes + 8 * count + (64 << 10);
        for stream in &mut self.streams {
            decompressor.read(payload, budget, stream)?;
        }
        let [nodes, kinds, short, numbers, texts] = &self.streams;
        let marks = read_nodes(nodes, &mut self.nodes, &mut self.pieces)?;
        let large = payload.part(payload.remaining(), "large columns")?;
        let mut sources = Sources::new([kinds, short, numbers, texts], large, decompressor, budget);
        read_columns(&marks, count, &self.nodes, &mut sources, &mut self.columns)?;
        sources.finish()?;
        let needs_times =
            |column: &Column| matches!(&column.holds, Holds::Values(some) if some.needs_times());
        if times.len() != count && self.columns.iter().any(needs_times) {
            return Err(payload.corrupt("times of the lines"));
        }
        let bad = payload.corrupt("bytes of lines");
        let Self { streams: [skeletons, ..], nodes, pieces, columns } = self;
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
        if written == bytes { Ok(()) } else { Err(bad) }
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
        for piece in self.pieces.get(node.first_piece..node.end_piece).unwrap_or_default() {
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
        let (end_piece, end_column) = (pieces.len(), marks.len());
        nodes.push(Node { parent, first_piece, end_piece, first_column, end_column });
    }
    cursor.finish("end of nodes")?;
    Ok(marks)
}

/// Reads the columns in order; how many values each has is told by those before it.
fn read_columns(
    marks: &[Mark],
    lines: usize,
    nodes: &[Node],
    sources: &mut Sources<'_, '_>,
    columns: &mut Vec<Column>,
) -> Result<(), Error> {
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
        if *mark != Mark::Nested {
            let holds = Holds::Values(values::read(sources, *mark, count)?);
            columns.push(Column { next: 0, holds });
            continue;
        }
        let children = children.get_mut(at).map(std::mem::take).unwrap_or_default();
        let mut ordinals = Vec::new();
        if children.len() > 1 {
            let width = values::width(children.len() as u64 - 1);
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
    Ok(())
}
