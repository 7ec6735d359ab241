//! What is left when the power goes: the durable state, and any part of the rest that the rules
//! leave open.
//!
//! Everything here only chooses; nothing changes the machine that crashes. The odds favour the
//! ends (all kept, all lost), because half-way states of long runs are otherwise all that is seen.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{
    disk::Disk,
    inode::{Change, Inode},
    tree::{DirOp, NodeId, Tree},
};
use crate::Random;

/// What a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;

impl Disk {
    /// Returns the disk that a machine comes back with after a power cut now.
    pub(super) fn after_crash(&self, random: &mut Random) -> Self {
        let tree = surviving_names(&self.durable, &self.journal, random);
        let files = self.files.iter().map(|(&node, file)| {
            (node, Inode::new(surviving_bytes(&file.durable, &file.pending, random), file.modified))
        });
        self.restored(tree, files.collect())
    }
}

/// Keeps a prefix of each directory's changes. A rename between two directories is in the prefixes
/// of both or ends both.
fn surviving_names(durable: &Tree, journal: &VecDeque<DirOp>, random: &mut Random) -> Tree {
    let mut budgets: BTreeMap<NodeId, usize> = BTreeMap::new();
    for op in journal {
        for dir in BTreeSet::from(op.dirs()) {
            *budgets.entry(dir).or_default() += 1;
        }
    }
    for budget in budgets.values_mut() {
        *budget = match random.below(4) {
            0 => 0,
            1 => *budget,
            _ => random.index(*budget + 1),
        };
    }
    let mut tree = durable.clone();
    let mut whole = true;
    for op in journal {
        let dirs = BTreeSet::from(op.dirs());
        let kept = (whole || !op.is_barrier())
            && dirs.iter().all(|dir| budgets.get(dir).is_some_and(|&left| left > 0));
        for dir in dirs {
            if let Some(left) = budgets.get_mut(&dir) {
                *left = if kept { *left - 1 } else { 0 };
            }
        }
        whole &= kept;
        if kept {
            tree.apply(op);
        }
    }
    tree
}

/// Decides each change of a file's bytes on its own.
fn surviving_bytes(durable: &[u8], pending: &VecDeque<Change>, random: &mut Random) -> Vec<u8> {
    let mut image = durable.to_vec();
    let mood = random.below(4);
    // Bytes before this were synced and not cut off since: nothing but a write changes them, and
    // only to what it wrote.
    let mut settled = durable.len();
    for change in pending {
        let fate = match mood {
            0 => Fate::Lost,
            1 => Fate::Kept,
            _ => Fate::choose(random),
        };
        match change {
            Change::SetLen(len) => {
                // A change of length has no parts to tear.
                if matches!(fate, Fate::Kept | Fate::Prefix | Fate::Filled) {
                    change.apply(&mut image);
                    settled = settled.min(*len);
                }
            }
            Change::Write { offset, bytes } => {
                write(&mut image, settled, *offset, bytes, fate, random);
            }
        }
    }
    image
}

/// What becomes of one unsynced change.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Kept,
    Lost,
    /// The first sectors of it.
    Prefix,
    /// Any of its sectors.
    Scattered,
    /// The file has grown, and where it has, it holds zeros or garbage.
    Filled,
}

impl Fate {
    fn choose(random: &mut Random) -> Self {
        match random.below(7) {
            0 | 1 => Self::Kept,
            2 | 3 => Self::Lost,
            4 => Self::Prefix,
            5 => Self::Scattered,
            _ => Self::Filled,
        }
    }
}

fn write(
    image: &mut Vec<u8>,
    settled: usize,
    offset: usize,
    bytes: &[u8],
    fate: Fate,
    random: &mut Random,
) {
    let end = offset + bytes.len();
    let put = |image: &mut Vec<u8>, from: usize, to: usize| {
        let bytes = bytes[from - offset..to - offset].to_vec();
        Change::Write { offset: from, bytes }.apply(image);
    };
    match fate {
        Fate::Lost => {}
        Fate::Kept => put(image, offset, end),
        Fate::Prefix => {
            let cuts: Vec<usize> = sectors(offset, end).map(|(from, _)| from).collect();
            // The first of them is the start: nothing is kept then.
            let cut = cuts.get(random.index(cuts.len())).copied().unwrap_or(offset);
            if cut > offset {
                put(image, offset, cut);
            }
        }
        Fate::Scattered => {
            image.resize(image.len().max(end), 0);
            for (from, to) in sectors(offset, end) {
                if random.coin() {
                    put(image, from, to);
                }
            }
        }
        Fate::Filled => {
            image.resize(image.len().max(end), 0);
            let grown = &mut image[offset.max(settled).min(end)..end];
            if random.coin() {
                grown.fill(0);
            } else {
                random.fill(grown);
            }
        }
    }
}

/// Splits `offset..end` at the multiples of [`SECTOR_BYTES`].
fn sectors(offset: usize, end: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut from = offset;
    std::iter::from_fn(move || {
        let part = (from, ((from / SECTOR_BYTES + 1) * SECTOR_BYTES).min(end));
        from = part.1;
        (part.0 < end).then_some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sectors_split_at_multiples_of_their_size() {
        let f = |offset, end, want: &[(usize, usize)]| {
            assert_eq!(sectors(offset, end).collect::<Vec<_>>(), want, "{offset}..{end}");
        };
        f(0, 0, &[]);
        f(5, 5, &[]);
        f(0, 512, &[(0, 512)]);
        f(0, 513, &[(0, 512), (512, 513)]);
        f(500, 1100, &[(500, 512), (512, 1024), (1024, 1100)]);
    }
}
