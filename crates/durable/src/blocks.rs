//! The blocks of a store: numbered directories beside each other, each with one table.
//!
//! A block never changes; it is written, it answers, and it is removed once another one says that
//! it replaces it. What is in its table is the store's. One thread at a time writes, replaces or
//! removes blocks: the one that has the [`Keeper`].

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_model::ErrorClass;
use masthead_sysio::Fs;

use crate::{
    Error, Result, publish,
    retention::{Candidate, Keep, expired},
    table::{Section, Table},
};

/// The file of a block's table.
pub const DATA: &str = "data";

/// What every block is, whatever is in it.
#[derive(Debug)]
pub struct Base {
    /// Of its directory.
    pub name: String,
    /// Of all blocks of a store, in the order in which they were begun.
    pub number: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Its directory.
    pub dir: Utf8PathBuf,
    damaged: AtomicBool,
    table: Table,
}

/// A block of one store, with the [`Base`] that all have.
pub trait Block: Deref<Target = Base> + Sized {
    /// Opens the block in `parent/name`.
    ///
    /// # Errors
    /// Damage, a later version, and those of the file system.
    fn open(fs: &dyn Fs, parent: &Utf8Path, name: &str) -> Result<Self>;

    /// Numbers of the blocks that it replaces.
    fn sources(&self) -> &[u64];

    /// The time of its last entry, in the unit of the store.
    fn last(&self) -> i64;
}

/// Blocks that answer, by number.
pub type Blocks<B> = Arc<Vec<Arc<B>>>;

/// The name of the directory of block `number`.
pub fn name(number: u64) -> String {
    format!("block-{number:016}")
}

/// The number in a block's name.
fn parse_name(name: &str) -> Option<u64> {
    // What was set aside keeps its number, which is not given again.
    name.strip_prefix("block-")?.get(..16)?.parse().ok()
}

impl Base {
    /// Opens the table of the block in `parent/name`, which the store calls `kind` and knows up to
    /// `version`: its end is read.
    ///
    /// # Errors
    /// Damage, a later version, and those of the file system.
    pub fn open(
        fs: &dyn Fs,
        parent: &Utf8Path,
        name: &str,
        kind: u32,
        version: u32,
    ) -> Result<Self> {
        let dir = parent.join(name);
        let table = Table::open(fs, &dir.join(DATA), kind, version)?;
        let number = parse_name(name).ok_or_else(|| Error::corrupt(&dir, "name of a block", 0))?;
        let (name, bytes) = (name.to_owned(), table.len());
        Ok(Self { name, number, bytes, dir, damaged: AtomicBool::new(false), table })
    }

    /// A section that every block has.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if it is missing.
    pub fn section(&self, id: u32) -> Result<Section> {
        let missing = || Error::corrupt(self.path(), "directory of sections", 0);
        self.table.section(id).ok_or_else(missing)
    }

    /// A section that a block may have.
    pub fn optional_section(&self, id: u32) -> Option<Section> {
        self.table.section(id)
    }

    /// The file that it is in.
    pub fn path(&self) -> &Utf8Path {
        self.table.path()
    }

    /// Notes that bytes of it are bad: it is not merged any more.
    pub fn set_damaged(&self) {
        self.damaged.store(true, Ordering::Relaxed);
    }

    /// Whether bytes of it were found to be bad.
    pub fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }
}

/// The numbers of `blocks`, rising.
pub fn numbers<B: Block>(blocks: &[Arc<B>]) -> Vec<u64> {
    let mut numbers: Vec<u64> = blocks.iter().map(|block| block.number).collect();
    numbers.sort_unstable();
    numbers
}

/// `blocks` with `added` in the place of `removed`.
pub fn replaced<B: Block>(blocks: &[Arc<B>], added: Option<B>, removed: &[Arc<B>]) -> Blocks<B> {
    let gone = numbers(removed);
    let kept = blocks.iter().filter(|block| !gone.contains(&block.number));
    let mut next: Vec<Arc<B>> = kept.cloned().collect();
    next.extend(added.map(Arc::new));
    next.sort_by_key(|block| block.number);
    Arc::new(next)
}

/// Gives back the memory of blocks that nobody reads; see [`Table::release_unread`].
pub fn release_unread<B: Block>(blocks: &[Arc<B>], now: Duration) {
    for block in blocks {
        block.table.release_unread(now);
    }
}

/// Those of `blocks` that retention does not keep, oldest first. `times` and `other_bytes` are as in
/// [`expired`].
pub fn unkept<B: Block>(
    blocks: &[Arc<B>],
    times: (i64, i64),
    other_bytes: u64,
    keep: Keep,
) -> Vec<Arc<B>> {
    let candidates: Vec<Candidate> =
        blocks.iter().map(|block| Candidate { last: block.last(), bytes: block.bytes }).collect();
    let gone = expired(&candidates, times, other_bytes, keep);
    gone.into_iter().filter_map(|at| blocks.get(at).cloned()).collect()
}

/// What was found when the blocks of a store were opened.
#[derive(Debug)]
pub struct Found<B> {
    /// Blocks that answer.
    pub blocks: Blocks<B>,
    /// Names of what is set aside for damage, now and earlier.
    pub set_aside: Vec<String>,
    /// Names of blocks that were set aside now, with what was wrong.
    pub corrupt: Vec<(String, String)>,
    /// Leftovers of interrupted work that were removed.
    pub removed: usize,
}

/// The right to write and remove blocks.
#[derive(Debug)]
pub struct Keeper {
    fs: Arc<dyn Fs>,
    dir: Utf8PathBuf,
    next: u64,
    /// Something failed half-way, so the directory may hold what should not be.
    unsettled: bool,
}

impl Keeper {
    /// Opens the blocks in `dir`, which is made if it is missing. A block with damage is set aside.
    ///
    /// # Errors
    /// A block of a later version, and those of the file system.
    pub fn open<B: Block>(fs: Arc<dyn Fs>, dir: Utf8PathBuf) -> Result<(Self, Found<B>)> {
        publish::create_dir(&*fs, &dir)?;
        let swept = publish::sweep(&*fs, &dir)?;
        let (mut removed, mut corrupt, mut blocks) = (swept.removed, Vec::new(), Vec::new());
        let known = swept.published.iter().chain(&swept.corrupt);
        let numbers = known.filter_map(|name| parse_name(name));
        let mut next = numbers.max().map_or(1, |number| number + 1);
        for name in swept.published.iter().filter(|name| parse_name(name).is_some()) {
            // After a kill its names may be there and not be durable; from now on they count.
            fs.sync_dir(&dir.join(name))?;
            match B::open(&*fs, &dir, name) {
                Ok(block) => blocks.push(Arc::new(block)),
                Err(error @ Error::Version { .. }) => return Err(error),
                Err(error)
                    if matches!(error.class(), ErrorClass::Corrupt | ErrorClass::NotFound) =>
                {
                    let aside = publish::quarantine(&*fs, &dir, name)?;
                    corrupt.push((aside, error.to_string()));
                }
                Err(error) => return Err(error),
            }
        }
        fs.sync_dir(&dir)?;
        // What another block replaced is the rest of a merge that was cut short.
        let replaced: Vec<u64> = blocks.iter().flat_map(|block| block.sources().to_vec()).collect();
        next = next.max(replaced.iter().max().map_or(0, |number| number + 1));
        let (gone, mut blocks): (Vec<_>, Vec<_>) =
            blocks.into_iter().partition(|block: &Arc<B>| replaced.contains(&block.number));
        for block in gone {
            publish::remove(&*fs, &dir, &block.name)?;
            removed += 1;
        }
        blocks.sort_by_key(|block| block.number);
        let now = corrupt.iter().map(|(name, _)| name.clone());
        let set_aside = swept.corrupt.into_iter().chain(now).collect();
        let found = Found { blocks: Arc::new(blocks), set_aside, corrupt, removed };
        Ok((Self { fs, dir, next, unsettled: false }, found))
    }

    /// The directory of all blocks.
    pub fn dir(&self) -> &Utf8Path {
        &self.dir
    }

    /// Removes what is left of work that failed half-way, if some did; `known` are the blocks that
    /// answer. To be called before blocks change again.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn settle<B: Block>(&mut self, known: &[Arc<B>]) -> Result<()> {
        if !self.unsettled {
            return Ok(());
        }
        for other in self.fs.read_dir(&self.dir)? {
            let ours = parse_name(&other).is_some_and(|number| name(number) == other);
            if ours && known.iter().all(|block| block.name != other) {
                publish::remove(&*self.fs, &self.dir, &other)?;
            }
        }
        self.fs.sync_dir(&self.dir)?;
        self.unsettled = false;
        Ok(())
    }

    /// A name for a new block.
    pub fn next_name(&mut self) -> String {
        self.next += 1;
        name(self.next - 1)
    }

    /// Writes a block of what `fill` puts into its directory and opens it; none if `fill` says that
    /// there is nothing.
    ///
    /// # Errors
    /// Those of `fill` and of the file system; then there is no such block.
    pub fn write<B: Block, E: From<Error>>(
        &mut self,
        fill: impl FnOnce(&Utf8Path) -> Result<bool, E>,
    ) -> Result<Option<B>, E> {
        let name = self.next_name();
        let built = publish::build(&*self.fs, &self.dir, &name, fill).and_then(|some| {
            Ok(if some { Some(B::open(&*self.fs, &self.dir, &name)?) } else { None })
        });
        self.unsettled |= built.is_err();
        built
    }

    /// Removes blocks that do not answer any more, and calls `removed` after each.
    ///
    /// # Errors
    /// Those of the file system; what is left goes with the next [`Keeper::settle`].
    pub fn remove<B: Block>(&mut self, blocks: &[Arc<B>], mut removed: impl FnMut()) -> Result<()> {
        for block in blocks {
            publish::remove(&*self.fs, &self.dir, &block.name)
                .inspect_err(|_| self.unsettled = true)?;
            removed();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
