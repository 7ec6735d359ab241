//! The skeletons of lines and nested texts, and which stands below which.

use std::ops::Range;

use super::{DEPTH_MAX, MARKS_END, Mark};
use crate::Error;
use crate::cursor::Cursor;

/// A piece of a skeleton.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece {
    /// These bytes of all skeletons.
    Fixed(usize, usize),
    /// A value of this column.
    Value(usize),
    /// A nested text of this column.
    Nested(usize),
}

impl Piece {
    /// Bytes that it takes in its skeleton.
    pub(super) fn skeleton_len(self) -> usize {
        match self {
            Self::Fixed(start, end) => end - start,
            Self::Value(_) | Self::Nested(_) => 1,
        }
    }
}

/// A skeleton in its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// The column that it is below; 0 is that of the lines themselves.
    pub(super) parent: usize,
    /// Its bytes among all skeletons.
    pub(super) skeleton: Range<usize>,
    /// Its pieces among all pieces.
    pub(super) pieces: Range<usize>,
    /// Its columns. Each has a value for each time that the node occurs, in that order.
    pub(super) columns: Range<usize>,
}

/// All nodes of a column of lines; keeps its memory.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    pub(super) list: Vec<Node>,
    pub(super) pieces: Vec<Piece>,
    /// What each column holds.
    pub(super) marks: Vec<Mark>,
    /// The nodes below each column.
    pub(super) children: Vec<Vec<usize>>,
}

impl Nodes {
    /// Replaces the nodes by those that `bytes` hold; pieces are places in `bytes`.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Self { list, pieces, marks, children } = self;
        list.clear();
        pieces.clear();
        marks.clear();
        let mut cursor = Cursor::new(bytes);
        let count = cursor.count(bytes.len(), "count of nodes")?;
        let mut shapes = Vec::with_capacity(count);
        for _ in 0..count {
            let parent = cursor.count(bytes.len(), "parent of a node")?;
            shapes.push((parent, cursor.count(bytes.len(), "length of a skeleton")?));
        }
        marks.push(Mark::Nested);
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
            list.push(Node {
                parent,
                skeleton: start..start + len,
                pieces: first_piece..pieces.len(),
                columns: first_column..marks.len(),
            });
        }
        cursor.finish("end of nodes")?;
        children.iter_mut().for_each(Vec::clear);
        children.resize(marks.len(), Vec::new());
        for (number, node) in list.iter().enumerate() {
            if let Some(below) = children.get_mut(node.parent) {
                below.push(number);
            }
        }
        Ok(())
    }

    /// The pieces of a node.
    pub(super) fn pieces_of(&self, node: &Node) -> &[Piece] {
        self.pieces.get(node.pieces.clone()).unwrap_or_default()
    }

    /// The nodes below a column.
    pub(super) fn below(&self, column: usize) -> &[usize] {
        self.children.get(column).map(Vec::as_slice).unwrap_or_default()
    }
}
