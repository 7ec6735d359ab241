//! How long lines are, without putting them together.
//!
//! A line is as long as the text of its skeleton and the values in it. Those are added up column
//! by column, nested texts before what they stand in, so that nothing is done for each line but
//! additions.

use super::columns::Column;
use super::nodes::{Nodes, Piece};
use super::values::Sums;

/// Adds up columns of which nothing was read but lengths.
pub(super) struct Adder<'a> {
    pub(super) nodes: &'a Nodes,
    pub(super) columns: &'a [Column],
    /// Of the lines, or none.
    pub(super) times: &'a [i64],
}

impl Adder<'_> {
    /// The lengths of all lines.
    pub(super) fn lines(&self) -> Sums {
        let mut sums: Vec<Sums> = self.nodes.list.iter().map(|_| Sums::default()).collect();
        // Nodes come before those below them.
        for (number, node) in self.nodes.list.iter().enumerate().rev() {
            let mut sum = Sums::default();
            for piece in self.nodes.pieces_of(node) {
                match *piece {
                    Piece::Fixed(start, end) => sum.add(end - start),
                    Piece::Value(column) => {
                        if let Some(Column::Lengths(lengths)) = self.columns.get(column) {
                            sum.add_values(lengths, || self.times_of(number));
                        }
                    }
                    Piece::Nested(column) => self.add_nested(&mut sum, column, &mut sums),
                }
            }
            if let Some(place) = sums.get_mut(number) {
                *place = sum;
            }
        }
        let mut lines = Sums::default();
        self.add_nested(&mut lines, 0, &mut sums);
        lines
    }

    /// Adds the texts of a nested column, whose lengths nobody needs afterwards.
    fn add_nested(&self, sum: &mut Sums, column: usize, sums: &mut [Sums]) {
        let below = self.nodes.below(column).iter();
        let texts: Vec<Sums> =
            below.filter_map(|node| Some(std::mem::take(sums.get_mut(*node)?))).collect();
        let same = |texts: &[Sums]| {
            let first = texts.first()?.same()?;
            texts.iter().all(|text| text.same() == Some(first)).then_some(first)
        };
        match (texts.as_slice(), self.columns.get(column)) {
            (texts, _) if let Some(length) = same(texts) => sum.add(length),
            ([one], _) => sum.add_sums(one),
            (texts, Some(Column::Nested(ordinals))) => {
                let mut seen = vec![0; texts.len()];
                sum.add_each(ordinals.iter().map(|ordinal| {
                    let ordinal = usize::try_from(*ordinal).unwrap_or(usize::MAX);
                    let Some((text, seen)) = texts.get(ordinal).zip(seen.get_mut(ordinal)) else {
                        return 0;
                    };
                    *seen += 1;
                    u32::try_from(text.at(*seen - 1)).unwrap_or(u32::MAX)
                }));
            }
            _ => {}
        }
    }

    /// The times of the lines in which a node stands, in order.
    fn times_of(&self, number: usize) -> Vec<i64> {
        let Some(node) = self.nodes.list.get(number) else { return Vec::new() };
        let above = match node.parent {
            0 => self.times.to_vec(),
            // Columns rise with the nodes whose they are.
            parent => {
                let owner = self.nodes.list.partition_point(|node| node.columns.end <= parent);
                self.times_of(owner)
            }
        };
        let ordinal = self.nodes.below(node.parent).iter().position(|child| *child == number);
        match self.columns.get(node.parent) {
            Some(Column::Nested(ordinals)) if !ordinals.is_empty() => {
                let stands = |ordinal_at: &u64| usize::try_from(*ordinal_at).ok() == ordinal;
                let pairs = above.into_iter().zip(ordinals);
                pairs.filter(|(_, at)| stands(at)).map(|(time, _)| time).collect()
            }
            _ => above,
        }
    }
}
