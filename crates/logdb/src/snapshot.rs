//! A copy of everything, in a directory of its own, that can be opened as a store.
//!
//! Blocks are linked. The journal, which goes on to grow, is copied up to some frame after the last
//! one that was acknowledged before: with it come lines that are in no block, deletions, and how far
//! readers of files have come.

use camino::{Utf8Path, Utf8PathBuf};
use masthead_durable::snapshot;

use crate::{Error, Logdb, Result};

impl Logdb {
    /// Makes a snapshot named `name` and returns its directory, `DIR/snapshots/NAME`.
    ///
    /// # Errors
    /// [`Error::Options`] for a name that is no plain name or that there is already; those of the
    /// file system.
    pub fn make_snapshot(&self, name: &str) -> Result<Utf8PathBuf> {
        // Held so that blocks and the start of the journal stay as they are.
        let _keeper = self.maintain()?;
        let parent = self.dir.join("snapshots");
        if let Some(problem) = snapshot::problem(&*self.fs, &parent, name) {
            return Err(Error::Options(problem));
        }
        snapshot::make(&*self.fs, &parent, name, |dir| self.fill_snapshot(dir))
    }

    fn fill_snapshot(&self, dir: &Utf8Path) -> Result<()> {
        let fs = &*self.fs;
        // What was acknowledged may still wait for its file.
        self.journal.flush()?;
        let blocks = dir.join("blocks");
        fs.create_dir_all(&blocks)?;
        for block in self.blocks().iter() {
            snapshot::link_dir(fs, &block.dir, &blocks.join(&block.name))?;
        }
        fs.sync_dir(&blocks)?;
        Ok(snapshot::copy_dir(fs, &self.dir.join("journal"), &dir.join("journal"))?)
    }
}
