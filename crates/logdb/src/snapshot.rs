//! A copy of everything, in a directory of its own, that can be opened as a store.
//!
//! Blocks are linked. The journal, which goes on to grow, is copied up to some frame after the last
//! one that was acknowledged before: with it come lines that are in no block, deletions, and how far
//! readers of files have come.

use camino::{Utf8Path, Utf8PathBuf};
use masthead_durable::{publish, snapshot};

use crate::{Error, Logdb, Result};

impl Logdb {
    /// Makes a snapshot named `name` and returns its directory, `DIR/snapshots/NAME`.
    ///
    /// # Errors
    /// [`Error::Options`] for a name that is no plain name or that there is already; those of the
    /// file system.
    pub fn make_snapshot(&self, name: &str) -> Result<Utf8PathBuf> {
        if !snapshot::is_name(name) {
            return Err(Error::Options("a snapshot's name has letters, digits, - and _ alone"));
        }
        // Held so that blocks and the start of the journal stay as they are.
        let _maintenance = self.maintain()?;
        let parent = self.dir.join("snapshots");
        if self.fs.metadata(&parent.join(name)).is_ok() {
            return Err(Error::Options("there is a snapshot of this name already"));
        }
        publish::sweep(&*self.fs, &parent)?;
        let dir = publish::begin(&*self.fs, &parent, name)?;
        if let Err(error) = self.fill_snapshot(&dir) {
            publish::abandon(&*self.fs, &parent, name);
            return Err(error);
        }
        publish::publish(&*self.fs, &parent, name)?;
        Ok(parent.join(name))
    }

    fn fill_snapshot(&self, dir: &Utf8Path) -> Result<()> {
        let fs = &*self.fs;
        // What was acknowledged may still wait for its file.
        self.journal.flush()?;
        let blocks = dir.join("blocks");
        fs.create_dir_all(&blocks)?;
        for block in self.blocks().iter() {
            let from = self.blocks_dir().join(&block.name);
            snapshot::link_dir(fs, &from, &blocks.join(&block.name))?;
        }
        fs.sync_dir(&blocks)?;
        Ok(snapshot::copy_dir(fs, &self.dir.join("journal"), &dir.join("journal"))?)
    }
}
