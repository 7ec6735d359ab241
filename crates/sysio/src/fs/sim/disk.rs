//! A simulated disk: names, bytes and space, as the rules of POSIX have them.
//!
//! Errors here are those that a healthy file system gives, with the same kinds as the real one
//! (`testing.rs` and the model test compare them). It knows nothing of injected faults
//! (`faults.rs`) or of who holds a handle (`handle.rs`).

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io::{Error, ErrorKind, Result},
};

use camino::{Utf8Component, Utf8Path};

use super::{
    inode::{Change, Inode},
    tree::{DirOp, NodeId, Place, ROOT, Tree},
};
use crate::{FileId, Metadata, OpenOptions, UnixNanos, fs::error::held_elsewhere};

/// How many bytes the files of a new [`crate::SimFs`] may have together.
pub const SIM_CAPACITY_DEFAULT: u64 = 1 << 30;

/// The most changes of names that are not durable; beyond, the oldest become durable by themselves,
/// as a file system's journal does.
const JOURNAL_OPS_MAX: usize = 4096;

/// The longest name, as on Linux file systems.
const NAME_BYTES_MAX: usize = 255;

#[derive(Clone, Debug)]
pub(super) struct Disk {
    /// What processes see.
    pub(super) tree: Tree,
    /// What is on the disk for sure.
    pub(super) durable: Tree,
    /// The difference, oldest first.
    pub(super) journal: VecDeque<DirOp>,
    pub(super) files: BTreeMap<NodeId, Inode>,
    dirs_modified: BTreeMap<NodeId, UnixNanos>,
    locks: BTreeSet<NodeId>,
    next_node: NodeId,
    pub(super) capacity: u64,
    /// Bytes of the files that are alive: that have a name or a handle.
    used: u64,
    /// Roughly what can be forgotten, in pages and nodes, since the last [`Disk::settle`].
    litter: u64,
}

impl Disk {
    pub(super) fn new(now: UnixNanos) -> Self {
        Self {
            tree: Tree::new(),
            durable: Tree::new(),
            journal: VecDeque::new(),
            files: BTreeMap::new(),
            dirs_modified: BTreeMap::from([(ROOT, now)]),
            locks: BTreeSet::new(),
            next_node: ROOT + 1,
            capacity: SIM_CAPACITY_DEFAULT,
            used: 0,
            litter: 0,
        }
    }

    /// Makes the disk of a machine that came back with these names and bytes.
    pub(super) fn restored(&self, tree: Tree, files: BTreeMap<NodeId, Inode>) -> Self {
        let mut disk = Self {
            durable: tree.clone(),
            tree,
            journal: VecDeque::new(),
            files,
            dirs_modified: self.dirs_modified.clone(),
            locks: BTreeSet::new(),
            next_node: self.next_node,
            capacity: self.capacity,
            used: 0,
            litter: 0,
        };
        disk.settle();
        disk
    }

    /// Forgets every handle and lock.
    pub(super) fn without_process(mut self) -> Self {
        self.files.values_mut().for_each(|file| file.opens = 0);
        self.locks.clear();
        self.settle();
        self
    }

    pub(super) fn free(&self) -> u64 {
        self.capacity.saturating_sub(self.used)
    }

    pub(super) fn open(
        &mut self,
        path: &Utf8Path,
        options: OpenOptions,
        now: UnixNanos,
    ) -> Result<NodeId> {
        let node = match self.find(path) {
            Ok(_) if options.create_new => return Err(ErrorKind::AlreadyExists.into()),
            Ok(node) if self.tree.is_dir(node) => return Err(ErrorKind::IsADirectory.into()),
            Ok(node) => {
                if options.truncate {
                    self.set_len(node, 0, now)?;
                }
                node
            }
            Err(error)
                if error.kind() == ErrorKind::NotFound
                    && (options.create || options.create_new) =>
            {
                let place = self.place(path)?;
                let node = self.new_node();
                self.files.insert(node, Inode::new(Vec::new(), now));
                self.record(DirOp::Link { place, node, is_dir: false }, now);
                node
            }
            Err(error) => return Err(error),
        };
        self.file_mut(node)?.opens += 1;
        Ok(node)
    }

    /// Undoes the `opens` of one [`Disk::open`].
    pub(super) fn close(&mut self, node: NodeId) {
        if let Some(file) = self.files.get_mut(&node) {
            file.opens = file.opens.saturating_sub(1);
            if file.opens == 0 && file.links == 0 {
                self.bury(node);
            }
        }
    }

    pub(super) fn lock(&mut self, path: &Utf8Path, now: UnixNanos) -> Result<NodeId> {
        let node = self.open(path, OpenOptions::UPDATE, now)?;
        if !self.locks.insert(node) {
            self.close(node);
            return Err(held_elsewhere());
        }
        Ok(node)
    }

    pub(super) fn unlock(&mut self, node: NodeId) {
        self.locks.remove(&node);
        self.close(node);
    }

    pub(super) fn names(&self, path: &Utf8Path) -> Result<Vec<String>> {
        let names = self.tree.names(self.find(path)?).ok_or(ErrorKind::NotADirectory)?;
        Ok(names.keys().cloned().collect())
    }

    pub(super) fn create_dir_all(&mut self, path: &Utf8Path, now: UnixNanos) -> Result<()> {
        let mut dir = ROOT;
        let names = names_of(path)?;
        for (depth, name) in names.iter().enumerate() {
            dir = match self.child(dir, name) {
                Ok(node) if self.tree.is_dir(node) => node,
                Ok(_) if depth + 1 == names.len() => return Err(ErrorKind::AlreadyExists.into()),
                Ok(_) => return Err(ErrorKind::NotADirectory.into()),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    let node = self.new_node();
                    self.dirs_modified.insert(node, now);
                    let place = (dir, (*name).to_owned());
                    self.record(DirOp::Link { place, node, is_dir: true }, now);
                    node
                }
                Err(error) => return Err(error),
            };
        }
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Utf8Path, to: &Utf8Path, now: UnixNanos) -> Result<()> {
        let (from, to) = (self.place(from)?, self.place(to)?);
        let node = self.child(from.0, &from.1)?;
        let is_dir = self.tree.is_dir(node);
        if is_dir && self.is_within(to.0, node) {
            let text = "a directory can't be moved into itself";
            return Err(Error::new(ErrorKind::InvalidInput, text));
        }
        match self.child(to.0, &to.1) {
            // Two names of one file: rename(2) leaves both.
            Ok(target) if target == node => return Ok(()),
            Ok(target) => match (is_dir, self.tree.names(target)) {
                (true, None) => return Err(ErrorKind::NotADirectory.into()),
                (false, Some(_)) if self.is_within(from.0, target) => {
                    return Err(ErrorKind::DirectoryNotEmpty.into());
                }
                (false, Some(_)) => return Err(ErrorKind::IsADirectory.into()),
                (true, Some(names)) if !names.is_empty() => {
                    return Err(ErrorKind::DirectoryNotEmpty.into());
                }
                (true, Some(_)) | (false, None) => {}
            },
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        self.record(DirOp::Move { from, to, is_dir }, now);
        Ok(())
    }

    pub(super) fn remove_file(&mut self, path: &Utf8Path, now: UnixNanos) -> Result<()> {
        if self.tree.is_dir(self.find(path)?) {
            return Err(ErrorKind::IsADirectory.into());
        }
        let place = self.place(path)?;
        self.record(DirOp::Unlink { place }, now);
        Ok(())
    }

    pub(super) fn remove_dir_all(&mut self, path: &Utf8Path, now: UnixNanos) -> Result<()> {
        let dir = self.find(path)?;
        if !self.tree.is_dir(dir) {
            return Err(ErrorKind::NotADirectory.into());
        }
        let place = self.place(path)?;
        // Parents are found before their children, and removed after them.
        let mut places = vec![place];
        let mut dirs = vec![dir];
        while let Some(dir) = dirs.pop() {
            for (name, &node) in self.tree.names(dir).into_iter().flatten() {
                places.push((dir, name.clone()));
                dirs.push(node);
            }
        }
        for place in places.into_iter().rev() {
            self.record(DirOp::Unlink { place }, now);
        }
        Ok(())
    }

    pub(super) fn metadata(&self, path: &Utf8Path) -> Result<Metadata> {
        let node = self.find(path)?;
        if self.files.contains_key(&node) {
            return self.node_metadata(node);
        }
        let modified = self.dirs_modified.get(&node).copied().unwrap_or_default();
        Ok(Metadata { len: 0, is_dir: true, is_file: false, modified, id: file_id(node), links: 1 })
    }

    /// As [`Self::metadata`] of a file, which may have no name.
    pub(super) fn node_metadata(&self, node: NodeId) -> Result<Metadata> {
        let file = self.file(node)?;
        Ok(Metadata {
            len: file.len() as u64,
            is_dir: false,
            is_file: true,
            modified: file.modified,
            id: file_id(node),
            links: file.links as u64,
        })
    }

    pub(super) fn hard_link(
        &mut self,
        existing: &Utf8Path,
        new: &Utf8Path,
        now: UnixNanos,
    ) -> Result<()> {
        let node = self.find(existing)?;
        let place = self.place(new)?;
        if self.child(place.0, &place.1).is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        if self.tree.is_dir(node) {
            return Err(ErrorKind::PermissionDenied.into());
        }
        self.record(DirOp::Link { place, node, is_dir: false }, now);
        Ok(())
    }

    /// Makes the changes in a directory durable, and with them whatever they can't do without: a
    /// rename is in two directories, and what came before it in the other one goes along.
    pub(super) fn sync_dir(&mut self, path: &Utf8Path) -> Result<()> {
        let dir = self.find(path)?;
        if !self.tree.is_dir(dir) {
            return Err(ErrorKind::NotADirectory.into());
        }
        let mut wanted = BTreeSet::from([dir]);
        let (mut commit, mut keep) = (VecDeque::new(), VecDeque::new());
        let mut everything = false;
        while let Some(op) = self.journal.pop_back() {
            if everything || op.dirs().iter().any(|dir| wanted.contains(dir)) {
                wanted.extend(op.dirs());
                everything |= op.is_barrier();
                commit.push_front(op);
            } else {
                keep.push_front(op);
            }
        }
        for op in &commit {
            self.durable.apply(op);
        }
        self.journal = keep;
        self.settle();
        Ok(())
    }

    /// Writes what fits, and fails if that is not all. Returns the count of bytes with the result.
    pub(super) fn write(
        &mut self,
        node: NodeId,
        bytes: &[u8],
        offset: u64,
        now: UnixNanos,
    ) -> (usize, Result<()>) {
        let free = self.free();
        let file = match self.file_mut(node) {
            Ok(file) => file,
            Err(error) => return (0, Err(error)),
        };
        let before = file.len() as u64;
        let reach = before.saturating_add(free).saturating_sub(offset);
        let count = usize::try_from(reach).map_or(bytes.len(), |reach| reach.min(bytes.len()));
        if let (Ok(offset), 1..) = (usize::try_from(offset), count) {
            file.change(Change::Write { offset, bytes: bytes[..count].to_vec() }, now);
            self.used += self.files[&node].len() as u64 - before;
        }
        let full = count < bytes.len();
        (count, if full { Err(ErrorKind::StorageFull.into()) } else { Ok(()) })
    }

    pub(super) fn set_len(&mut self, node: NodeId, len: u64, now: UnixNanos) -> Result<()> {
        let free = self.free();
        let file = self.file_mut(node)?;
        let before = file.len() as u64;
        if len.saturating_sub(before) > free {
            return Err(ErrorKind::StorageFull.into());
        }
        let to = usize::try_from(len).map_err(|_| ErrorKind::FileTooLarge)?;
        file.change(Change::SetLen(to), now);
        self.used = self.used + len - before;
        Ok(())
    }

    pub(super) fn drop_unsynced(&mut self, node: NodeId) -> Result<()> {
        let file = self.file_mut(node)?;
        let before = file.len() as u64;
        file.drop_unsynced();
        self.used = self.used + self.files[&node].len() as u64 - before;
        Ok(())
    }

    pub(super) fn flip_bit(&mut self, path: &Utf8Path, offset: u64, bit: u32) -> Result<()> {
        let node = self.find(path)?;
        self.files.get_mut(&node).ok_or(ErrorKind::IsADirectory)?.flip_bit(offset, bit)
    }

    pub(super) fn file(&self, node: NodeId) -> Result<&Inode> {
        self.files.get(&node).ok_or_else(|| Error::other("BUG: a handle without a file"))
    }

    pub(super) fn file_mut(&mut self, node: NodeId) -> Result<&mut Inode> {
        self.files.get_mut(&node).ok_or_else(|| Error::other("BUG: a handle without a file"))
    }

    /// Forgets what can't be reached any more, and counts links and space anew.
    pub(super) fn settle(&mut self) {
        let brought: Vec<NodeId> = self.journal.iter().filter_map(DirOp::brings).collect();
        self.tree.prune([ROOT]);
        self.durable.prune(brought.iter().copied().chain([ROOT]));
        self.files.values_mut().for_each(|file| file.links = 0);
        for node in self.tree.named() {
            if let Some(file) = self.files.get_mut(&node) {
                file.links += 1;
            }
        }
        let known: BTreeSet<NodeId> =
            self.tree.named().chain(self.durable.named()).chain(brought).collect();
        self.files.retain(|node, file| file.opens > 0 || known.contains(node));
        self.dirs_modified.retain(|node, _| *node == ROOT || known.contains(node));
        let alive = self.files.values().filter(|file| file.is_alive());
        self.used = alive.map(|file| file.len() as u64).sum();
        self.litter = 0;
    }

    fn record(&mut self, op: DirOp, now: UnixNanos) {
        match &op {
            DirOp::Link { node, .. } => {
                if let Some(file) = self.files.get_mut(node) {
                    file.links += 1;
                }
            }
            DirOp::Unlink { place } | DirOp::Move { to: place, .. } => self.unlink(place),
        }
        self.tree.apply(&op);
        self.dirs_modified.extend(op.dirs().map(|dir| (dir, now)));
        self.journal.push_back(op);
        if self.journal.len() > JOURNAL_OPS_MAX
            && let Some(oldest) = self.journal.pop_front()
        {
            self.durable.apply(&oldest);
        }
        self.litter += 1;
        // Sweeping costs as much as there is, so it waits until it pays.
        if self.litter > 64 + (self.files.len() + self.journal.len()) as u64 {
            self.settle();
        }
    }

    /// Counts the loss of a name, if something has it.
    fn unlink(&mut self, place: &Place) {
        if let Ok(node) = self.child(place.0, &place.1)
            && let Some(file) = self.files.get_mut(&node)
        {
            file.links = file.links.saturating_sub(1);
            if !file.is_alive() {
                self.bury(node);
            }
        }
    }

    /// Gives the space of a dead file back; its bytes stay until no crash can bring them back.
    fn bury(&mut self, node: NodeId) {
        if let Some(file) = self.files.get(&node) {
            let len = file.len() as u64;
            self.used = self.used.saturating_sub(len);
            self.litter += len >> 12;
        }
    }

    fn new_node(&mut self) -> NodeId {
        self.next_node += 1;
        self.next_node - 1
    }

    fn find(&self, path: &Utf8Path) -> Result<NodeId> {
        names_of(path)?.into_iter().try_fold(ROOT, |dir, name| self.child(dir, name))
    }

    /// Returns the directory that `path` is in, which must exist, and the name there.
    fn place(&self, path: &Utf8Path) -> Result<Place> {
        let mut names = names_of(path)?;
        // The root has no name to create, rename or remove.
        let name = names.pop().ok_or(ErrorKind::ResourceBusy)?;
        let dir = names.into_iter().try_fold(ROOT, |dir, name| self.child(dir, name))?;
        if !self.tree.is_dir(dir) {
            return Err(ErrorKind::NotADirectory.into());
        }
        Ok((dir, name.to_owned()))
    }

    fn child(&self, dir: NodeId, name: &str) -> Result<NodeId> {
        let names = self.tree.names(dir).ok_or(ErrorKind::NotADirectory)?;
        names.get(name).copied().ok_or_else(|| ErrorKind::NotFound.into())
    }

    /// Returns whether `dir` is `ancestor` or below it.
    fn is_within(&self, dir: NodeId, ancestor: NodeId) -> bool {
        let mut ahead = vec![ancestor];
        while let Some(node) = ahead.pop() {
            if node == dir {
                return true;
            }
            ahead.extend(self.tree.names(node).into_iter().flat_map(BTreeMap::values));
        }
        false
    }
}

/// Takes a path apart, from the root down.
/// Numbers of nodes are never used twice, which is kinder than what an operating system does.
fn file_id(node: NodeId) -> FileId {
    FileId { device: 1, inode: node }
}

fn names_of(path: &Utf8Path) -> Result<Vec<&str>> {
    if path.as_str().is_empty() {
        return Err(ErrorKind::NotFound.into());
    }
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Utf8Component::RootDir | Utf8Component::CurDir => {}
            Utf8Component::Normal(name) if name.len() > NAME_BYTES_MAX => {
                return Err(ErrorKind::InvalidFilename.into());
            }
            Utf8Component::Normal(name) => names.push(name),
            Utf8Component::ParentDir | Utf8Component::Prefix(_) => {
                let text = "the simulation takes no `..`; give the path that is meant";
                return Err(Error::new(ErrorKind::InvalidInput, text));
            }
        }
    }
    Ok(names)
}
