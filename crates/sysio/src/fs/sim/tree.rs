//! The names of a simulated disk: directories, and the changes to them.
//!
//! Two trees exist, the one that processes see and the durable one; a change ([`DirOp`]) is applied
//! to the first at once and to the second when a directory is synced. What is valid is checked in
//! `disk.rs` before a change is made; applying one never fails.

use std::collections::{BTreeMap, BTreeSet};

/// The number of a file or directory, never used twice.
pub(super) type NodeId = u64;

/// The directory `/`.
pub(super) const ROOT: NodeId = 0;

/// A directory and a name in it.
pub(super) type Place = (NodeId, String);

#[derive(Clone, Debug)]
pub(super) struct Tree {
    /// Every directory with its names. A node without an entry here is a file.
    dirs: BTreeMap<NodeId, BTreeMap<String, NodeId>>,
}

/// One change of names.
#[derive(Clone, Debug)]
pub(super) enum DirOp {
    Link {
        place: Place,
        node: NodeId,
        is_dir: bool,
    },
    Unlink {
        place: Place,
    },
    /// Takes the target's name from whatever has it.
    Move {
        from: Place,
        to: Place,
        is_dir: bool,
    },
}

impl DirOp {
    /// The directories that the change is in: one, or two.
    pub(super) fn dirs(&self) -> [NodeId; 2] {
        match self {
            Self::Link { place, .. } | Self::Unlink { place } => [place.0, place.0],
            Self::Move { from, to, .. } => [from.0, to.0],
        }
    }

    /// Whether everything before this change must be durable first: without it, a directory that
    /// is moved elsewhere could end up below itself, which no file system lets happen.
    pub(super) fn is_barrier(&self) -> bool {
        matches!(self, Self::Move { from, to, is_dir: true } if from.0 != to.0)
    }

    /// The node that the change brings into the tree.
    pub(super) fn brings(&self) -> Option<NodeId> {
        match self {
            Self::Link { node, .. } => Some(*node),
            Self::Unlink { .. } | Self::Move { .. } => None,
        }
    }
}

impl Tree {
    pub(super) fn new() -> Self {
        Self { dirs: BTreeMap::from([(ROOT, BTreeMap::new())]) }
    }

    pub(super) fn names(&self, dir: NodeId) -> Option<&BTreeMap<String, NodeId>> {
        self.dirs.get(&dir)
    }

    pub(super) fn is_dir(&self, node: NodeId) -> bool {
        self.dirs.contains_key(&node)
    }

    pub(super) fn apply(&mut self, op: &DirOp) {
        match op {
            DirOp::Link { place, node, is_dir } => {
                if *is_dir {
                    self.dirs.entry(*node).or_default();
                }
                self.put(place, *node);
            }
            DirOp::Unlink { place } => {
                self.take(place);
            }
            DirOp::Move { from, to, .. } => {
                if let Some(node) = self.take(from) {
                    self.put(to, node);
                }
            }
        }
    }

    /// Forgets the directories that can't be reached from `roots`.
    pub(super) fn prune(&mut self, roots: impl IntoIterator<Item = NodeId>) {
        let mut reached = BTreeSet::new();
        let mut ahead: Vec<NodeId> = roots.into_iter().collect();
        while let Some(node) = ahead.pop() {
            if let Some(names) = self.dirs.get(&node)
                && reached.insert(node)
            {
                ahead.extend(names.values());
            }
        }
        self.dirs.retain(|dir, _| reached.contains(dir));
    }

    /// Every node that has a name.
    pub(super) fn named(&self) -> impl Iterator<Item = NodeId> {
        self.dirs.values().flat_map(|names| names.values().copied())
    }

    fn put(&mut self, place: &Place, node: NodeId) {
        // A durable tree may learn of a name in a directory before it learns of the directory.
        self.dirs.entry(place.0).or_default().insert(place.1.clone(), node);
    }

    fn take(&mut self, place: &Place) -> Option<NodeId> {
        self.dirs.get_mut(&place.0)?.remove(&place.1)
    }
}
