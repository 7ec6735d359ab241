//! Lines in memory, as the columns that a query is handed anyway: how they grow, are put in order
//! and are cut.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use masthead_model::Labels;
use masthead_ports::LogColumns;

/// Up to so many sets of metadata are found by looking at each.
const FEW_SETS: usize = 8;

/// One line, borrowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row<'a> {
    pub(crate) time: i64,
    pub(crate) line: &'a [u8],
    /// None or not empty.
    pub(crate) metadata: Option<&'a Labels>,
}

/// Columns that grow.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) columns: LogColumns,
    /// Where each set of metadata is, once there are more than a few.
    sets: HashMap<Labels, u32, FixedState>,
    /// Bytes of all metadata, each line's counted.
    pub(crate) metadata_bytes: u64,
}

impl Rows {
    pub(crate) fn push(&mut self, row: Row<'_>) {
        let columns = &mut self.columns;
        if row.metadata.is_some() || !columns.metadata.is_empty() {
            if columns.metadata.is_empty() && !columns.times.is_empty() {
                let none = set_of(columns, &mut self.sets, &Labels::default());
                columns.metadata.resize(columns.times.len(), none);
            }
            let set = match row.metadata {
                Some(labels) => {
                    self.metadata_bytes += metadata_len(labels);
                    set_of(columns, &mut self.sets, labels)
                }
                None => set_of(columns, &mut self.sets, &Labels::default()),
            };
            columns.metadata.push(set);
        }
        columns.times.push(row.time);
        columns.text.extend_from_slice(row.line);
        columns.ends.push(columns.text.len());
    }

    /// No lines, with room for about as many as `other` has: a stream that filled a segment fills
    /// the next one too, and growing step by step would copy all of it several times.
    pub(crate) fn with_room_of(other: &Self) -> Self {
        let LogColumns { times, ends, text, .. } = &other.columns;
        let columns = LogColumns {
            times: Vec::with_capacity(times.len() + times.len() / 8),
            ends: Vec::with_capacity(ends.len() + ends.len() / 8),
            text: Vec::with_capacity(text.len() + text.len() / 32),
            ..LogColumns::default()
        };
        Self { columns, ..Self::default() }
    }

    /// Keeps the first `len` lines, for readers.
    pub(crate) fn truncate(&mut self, len: usize) {
        let lost: u64 = (len..self.columns.len())
            .filter_map(|at| self.columns.metadata(at))
            .map(metadata_len)
            .sum();
        self.metadata_bytes -= lost;
        let LogColumns { times, ends, text, metadata, metadata_sets } = &mut self.columns;
        times.truncate(len);
        ends.truncate(len);
        text.truncate(ends.last().copied().unwrap_or(0));
        metadata.truncate(len);
        // Sets stand in the order in which lines had them first.
        let used = metadata.iter().max().map_or(0, |last| *last as usize + 1);
        metadata_sets.truncate(used);
        if metadata_sets.iter().all(Labels::is_empty) {
            metadata.clear();
            metadata_sets.clear();
        }
        self.sets = HashMap::default();
    }

    /// Bytes that count against the size of a segment.
    pub(crate) fn bytes(&self) -> u64 {
        self.columns.text.len() as u64 + self.metadata_bytes
    }
}

fn set_of(
    columns: &mut LogColumns,
    sets: &mut HashMap<Labels, u32, FixedState>,
    labels: &Labels,
) -> u32 {
    let known = &mut columns.metadata_sets;
    let found = if known.len() <= FEW_SETS {
        known.iter().position(|set| set == labels).and_then(|at| u32::try_from(at).ok())
    } else {
        if sets.is_empty() {
            sets.extend(known.iter().cloned().zip(0..));
        }
        sets.get(labels).copied()
    };
    found.unwrap_or_else(|| {
        let at = u32::try_from(known.len()).unwrap_or(u32::MAX);
        known.push(labels.clone());
        if !sets.is_empty() {
            sets.insert(labels.clone(), at);
        }
        at
    })
}

/// Bytes of the names and values of a line's metadata, as pushed.
pub(crate) fn metadata_len(labels: &Labels) -> u64 {
    labels.iter().map(|label| (label.name.len() + label.value.len()) as u64).sum()
}

/// Line number `at` of columns that have text.
pub(crate) fn row(columns: &LogColumns, at: usize) -> Row<'_> {
    Row {
        time: columns.times.get(at).copied().unwrap_or(0),
        line: columns.line(at),
        metadata: columns.metadata(at),
    }
}

/// The lines at the places of `order`.
pub(crate) fn gather(columns: &LogColumns, order: impl Iterator<Item = usize>) -> Rows {
    let mut rows = Rows::default();
    for at in order {
        rows.push(row(columns, at));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_leaves_nothing_behind() {
        let mut random = masthead_sysio::Random::new(31);
        for sets in [0, 1, 3, 40] {
            let known: Vec<Labels> =
                (0..sets).map(|n| Labels::from_iter([("id", format!("{n}"))])).collect();
            for _ in 0..40 {
                let mut rows = Rows::default();
                let plain = random.index(20);
                for at in 0..60 {
                    let set = if at < plain { None } else { known.get(random.index(sets + 1)) };
                    let line = "x".repeat(random.index(9));
                    rows.push(Row { time: 7, line: line.as_bytes(), metadata: set });
                }
                let len = random.index(61);
                let want = gather(&rows.columns, 0..len);
                rows.truncate(len);
                assert_eq!(rows.columns, want.columns);
                assert_eq!(rows.metadata_bytes, want.metadata_bytes);
                let none = Rows::with_room_of(&rows);
                assert_eq!((none.columns.len(), none.bytes()), (0, 0));
                assert!(none.columns.text.capacity() >= rows.columns.text.len());
            }
        }
    }
}
