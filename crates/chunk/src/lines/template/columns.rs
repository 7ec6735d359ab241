//! The columns of a column of lines: all of them, or those that somebody needs.

use super::Mark;
use super::nodes::Nodes;
use super::search::Needle;
use super::values::{self, Lengths, Sources, Values};
use crate::Error;

/// What is needed of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    No,
    /// Whether its values start with digits; nobody needs them.
    Digits,
    /// How long its values are.
    Length,
    Yes,
}

/// What a column holds.
#[derive(Debug)]
pub(super) enum Column {
    Values(Values),
    Lengths(Lengths),
    /// Which of the nodes below it stands at each place; empty if there is one.
    Nested(Vec<u64>),
    /// Nobody needs it.
    Left,
}

impl Column {
    /// The place among the nodes below it of the one that stands at `at`.
    pub(super) fn ordinal(&self, at: usize) -> usize {
        let Self::Nested(ordinals) = self else { return 0 };
        ordinals.get(at).map_or(0, |ordinal| usize::try_from(*ordinal).unwrap_or(usize::MAX))
    }
}

/// Replaces `columns` by those of `lines` lines, in order; how many values each has is told by
/// those before it. Of those that are wanted for what is looked for, only those that can hold it
/// are read. Says no if a column is not what it must be.
pub(super) fn read(
    nodes: &Nodes,
    lines: usize,
    (wanted, needles): (&[Wanted], &[Needle]),
    sources: &mut Sources<'_, '_>,
    columns: &mut Vec<Column>,
) -> Result<bool, Error> {
    columns.clear();
    let mut counts = vec![0_usize; nodes.marks.len()];
    if let Some(count) = counts.first_mut() {
        *count = lines;
    }
    let bad = Error::Corrupt { what: "place of a node", offset: 0 };
    for (at, mark) in nodes.marks.iter().enumerate() {
        let count = counts.get(at).copied().unwrap_or(0);
        let wanted = wanted.get(at).copied().unwrap_or(Wanted::Yes);
        if *mark != Mark::Nested && wanted == Wanted::Length {
            columns.push(Column::Lengths(values::lengths(sources, *mark, count)?));
            continue;
        }
        if *mark != Mark::Nested && wanted == Wanted::Digits {
            if !values::start_with_digits(sources, *mark, count)? {
                return Ok(false);
            }
            columns.push(Column::Left);
            continue;
        }
        if *mark != Mark::Nested {
            let values = if wanted == Wanted::No || needles.is_empty() {
                values::read_if(sources, *mark, count, wanted != Wanted::No)?
            } else {
                values::read_holding(sources, *mark, count, needles)?
            };
            let Some(values) = values else {
                columns.push(Column::Left);
                continue;
            };
            columns.push(Column::Values(values));
            continue;
        }
        let children = nodes.below(at);
        let mut ordinals = Vec::new();
        if children.len() > 1 {
            let width = values::width(children.len() as u64 - 1);
            let counts =
                |child: &usize| nodes.list.get(*child).is_some_and(|node| !node.columns.is_empty());
            if wanted == Wanted::No && !children.iter().any(counts) {
                sources.skip_planes(count, width)?;
                columns.push(Column::Left);
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
            let node = nodes.list.get(*child).ok_or(bad.clone())?;
            for column in counts.get_mut(node.columns.clone()).unwrap_or_default() {
                *column = used;
            }
        }
        columns.push(Column::Nested(ordinals));
    }
    Ok(true)
}
