//! Collects nodes and columns of a column of lines, and writes them.

use hashbrown::HashTable;

use super::scan::{Scanned, Token, add_words};
use super::values::{self, Streams};
use super::{LARGE, Mark};
use crate::cursor::put_unsigned;
use crate::lines::Compressor;
use crate::words::Collector;

/// A skeleton in its place.
#[derive(Debug, Clone, Copy)]
struct Node {
    hash: u64,
    /// The column of nested texts that it is one of.
    parent: u32,
    /// Its place among the nodes of that column.
    ordinal: u32,
    skeleton_start: usize,
    skeleton_end: usize,
    /// Its own columns follow each other from here.
    first_column: u32,
}

#[derive(Debug, Clone, Copy)]
struct Column {
    mark: Mark,
    count: usize,
    /// Nodes below it.
    children: u32,
}

/// What a column holds at one place: a part of the text, or the ordinal of a node.
#[derive(Debug, Clone, Copy)]
struct Value {
    column: u32,
    start: u32,
    end: u32,
}

/// Writes columns of lines as templates; keeps its memory.
#[derive(Debug, Default)]
pub(in crate::lines) struct Writer {
    table: HashTable<u32>,
    nodes: Vec<Node>,
    skeletons: Vec<u8>,
    columns: Vec<Column>,
    values: Vec<Value>,
    line: Scanned,
    nested: Scanned,
    sorted: Vec<(u32, u32)>,
}

impl Writer {
    /// Appends the payload to `out`, and adds the words of all lines to `words`. `text` is as long
    /// as the last of `ends`, and fits 32 bits; `times` are those of the lines, or none.
    /// Returns whether the payload has moments.
    pub(in crate::lines) fn write(
        &mut self,
        compressor: &mut Compressor,
        (text, ends, times): (&[u8], &[usize], &[i64]),
        words: &mut Collector,
        out: &mut Vec<u8>,
    ) -> bool {
        self.clear();
        self.columns.push(Column { mark: Mark::Nested, count: 0, children: 0 });
        let mut start = 0;
        for end in ends {
            self.add_line(text, start, *end, words);
            start = *end;
        }
        put_unsigned(out, text.len() as u64);
        self.write_nodes(compressor, out);
        self.sort_values();
        let mut streams = Streams::default();
        let (mut from, mut moments) = (0, false);
        for column in &self.columns {
            let some = self.sorted.get(from..from + column.count).unwrap_or_default();
            from += column.count;
            if column.mark == Mark::Nested {
                if column.children > 1 {
                    let ordinals: Vec<u64> = some.iter().map(|(at, _)| u64::from(*at)).collect();
                    let width = values::width(u64::from(column.children - 1));
                    streams.put_planes(compressor, &ordinals, width);
                }
            } else if column.mark == Mark::Moment {
                moments = true;
                let of_lines = times_of(some, ends, times);
                values::write_moments(compressor, &mut streams, text, some, &of_lines);
            } else {
                values::write(compressor, &mut streams, column.mark, text, some);
            }
        }
        streams.finish(compressor, out);
        moments
    }

    fn clear(&mut self) {
        self.table.clear();
        self.nodes.clear();
        self.skeletons.clear();
        self.columns.clear();
        self.values.clear();
    }

    fn add_line(&mut self, text: &[u8], start: usize, end: usize, words: &mut Collector) {
        let mut line = std::mem::take(&mut self.line);
        line.scan(text, start, end, true, words);
        let first = self.add_node(0, &line, words);
        for (column, token) in (first..).zip(&line.tokens) {
            if token.mark == Mark::Nested {
                let mut nested = std::mem::take(&mut self.nested);
                nested.scan(text, token.start, token.end, false, words);
                let first = self.add_node(column, &nested, words);
                for (column, token) in (first..).zip(&nested.tokens) {
                    self.add_value(column, *token);
                }
                self.nested = nested;
            } else {
                self.add_value(column, *token);
            }
        }
        self.line = line;
    }

    /// Adds one more of a node below `parent`; returns its first column.
    fn add_node(&mut self, parent: u32, scanned: &Scanned, words: &mut Collector) -> u32 {
        let hash = hash(parent, &scanned.skeleton);
        let known = self.table.find(hash, |node| {
            self.nodes.get(*node as usize).is_some_and(|node| {
                node.hash == hash
                    && node.parent == parent
                    && self.skeletons.get(node.skeleton_start..node.skeleton_end)
                        == Some(&scanned.skeleton)
            })
        });
        let number = known.copied().unwrap_or_else(|| {
            add_words(&scanned.skeleton, words);
            self.define(hash, parent, scanned)
        });
        let Some(node) = self.nodes.get(number as usize).copied() else { return 0 };
        if let Some(column) = self.columns.get_mut(parent as usize) {
            column.count += 1;
        }
        self.values.push(Value { column: parent, start: node.ordinal, end: 0 });
        node.first_column
    }

    fn define(&mut self, hash: u64, parent: u32, scanned: &Scanned) -> u32 {
        let number = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let ordinal = self.columns.get_mut(parent as usize).map_or(0, |column| {
            column.children += 1;
            column.children - 1
        });
        let skeleton_start = self.skeletons.len();
        self.skeletons.extend_from_slice(&scanned.skeleton);
        let skeleton_end = self.skeletons.len();
        let first_column = u32::try_from(self.columns.len()).unwrap_or(u32::MAX);
        let columns = scanned.tokens.iter();
        self.columns.extend(columns.map(|token| Column {
            mark: token.mark,
            count: 0,
            children: 0,
        }));
        self.nodes.push(Node { hash, parent, ordinal, skeleton_start, skeleton_end, first_column });
        let nodes = &self.nodes;
        self.table.insert_unique(hash, number, |node| {
            nodes.get(*node as usize).map_or(0, |node| node.hash)
        });
        number
    }

    fn add_value(&mut self, column: u32, token: Token) {
        if let Some(column) = self.columns.get_mut(column as usize) {
            column.count += 1;
        }
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.values.push(Value { column, start: place(token.start), end: place(token.end) });
    }

    /// Puts the values of each column behind each other, columns in order.
    fn sort_values(&mut self) {
        let mut next = Vec::with_capacity(self.columns.len());
        let mut sum = 0;
        for column in &self.columns {
            next.push(sum);
            sum += column.count;
        }
        self.sorted.clear();
        self.sorted.resize(self.values.len(), (0, 0));
        for value in &self.values {
            if let Some(place) = next.get_mut(value.column as usize)
                && let Some(sorted) = self.sorted.get_mut(*place)
            {
                *sorted = (value.start, value.end);
                *place += 1;
            }
        }
    }

    fn write_nodes(&self, compressor: &mut Compressor, out: &mut Vec<u8>) {
        let mut bytes = Vec::with_capacity(self.skeletons.len() + 4 * self.nodes.len());
        put_unsigned(&mut bytes, self.nodes.len() as u64);
        for node in &self.nodes {
            put_unsigned(&mut bytes, u64::from(node.parent));
            put_unsigned(&mut bytes, (node.skeleton_end - node.skeleton_start) as u64);
        }
        bytes.extend_from_slice(&self.skeletons);
        compressor.write(&bytes, out);
    }
}

/// The times of the lines in which the values of a column stand; nothing without times.
fn times_of(places: &[(u32, u32)], ends: &[usize], times: &[i64]) -> Vec<i64> {
    let mut lines = ends.iter().zip(times).peekable();
    let mut found = Vec::with_capacity(places.len());
    for (start, _) in places {
        while lines.next_if(|(end, _)| **end <= *start as usize).is_some() {}
        found.extend(lines.peek().map(|(_, time)| **time));
    }
    found
}

fn hash(parent: u32, skeleton: &[u8]) -> u64 {
    let mut hash = u64::from(parent).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ skeleton.len() as u64;
    let (words, rest) = skeleton.as_chunks::<8>();
    for word in words {
        hash = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash ^= hash >> 32;
    }
    for byte in rest {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3_6cc9);
    }
    (hash ^ (hash >> 29)).wrapping_mul(0xc4ce_b9fe_1a85_ec53)
}

/// Whether a column's bytes get a stream of their own.
pub(super) fn is_large(bytes: usize) -> bool {
    bytes >= LARGE
}
