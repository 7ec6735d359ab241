//! A copy of everything, in a directory of its own, that can be opened as a store.
//!
//! Blocks are linked, not copied; the head is written as one more block and stays as it is.

use camino::{Utf8Path, Utf8PathBuf};
use masthead_durable::snapshot;

use crate::{
    Error, Result, Tsdb,
    block::{BlockWriter, Origin},
};

impl Tsdb {
    /// Makes a snapshot named `name` and returns its directory, `DIR/snapshots/NAME`.
    ///
    /// `with_head` says whether samples that are not in a block yet are part of it.
    ///
    /// # Errors
    /// [`Error::Options`] for a name that is no plain name, and those of the file system, also when
    /// there is a snapshot of this name.
    pub fn snapshot(&self, name: &str, with_head: bool) -> Result<Utf8PathBuf> {
        self.journal()?;
        let mut maintenance = self.maintain()?;
        let parent = self.dir.join("snapshots");
        if let Some(problem) = snapshot::problem(&*self.fs, &parent, name) {
            return Err(Error::Options(problem));
        }
        let head_block = maintenance.keeper.next_name();
        snapshot::make(&*self.fs, &parent, name, |dir| {
            self.fill_snapshot(dir, &head_block, with_head)
        })
    }

    fn fill_snapshot(&self, dir: &Utf8Path, head_block: &str, with_head: bool) -> Result<()> {
        let fs = &*self.fs;
        let blocks = dir.join("blocks");
        fs.create_dir_all(&blocks)?;
        // The head first: what it loses from now on is in a block by then.
        if with_head {
            self.write_head_copy(&blocks.join(head_block))?;
        }
        for block in self.blocks().iter() {
            snapshot::link_dir(fs, &block.dir, &blocks.join(&block.name))?;
        }
        Ok(fs.sync_dir(&blocks)?)
    }

    fn write_head_copy(&self, dir: &Utf8Path) -> Result<()> {
        let (newest, series) = (self.head.newest(), self.sorted_series());
        self.fs.create_dir_all(dir)?;
        let mut writer = BlockWriter::create(&*self.fs, dir)?;
        self.copy_head(&mut writer, &series, i64::MIN, newest)?;
        if writer.is_empty() {
            return Ok(self.fs.remove_dir_all(dir)?);
        }
        writer.finish(Origin::Head, newest.saturating_add(1), Vec::new())?;
        Ok(self.fs.sync_dir(dir)?)
    }
}
