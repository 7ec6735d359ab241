//! A copy of everything, in a directory of its own, that can be opened as a store.
//!
//! Blocks are linked, not copied; the head is written as one more block and stays as it is.

use camino::{Utf8Path, Utf8PathBuf};
use masthead_durable::{publish, snapshot};

use crate::{
    Error, Result, Tsdb,
    block::{self, BlockWriter, Meta, Origin},
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
        if !snapshot::is_name(name) {
            return Err(Error::Options("a snapshot's name has letters, digits, - and _ alone"));
        }
        self.journal()?;
        let mut maintenance = self.maintain()?;
        let parent = self.dir.join("snapshots");
        if self.fs.metadata(&parent.join(name)).is_ok() {
            return Err(Error::Options("there is a snapshot of this name already"));
        }
        publish::sweep(&*self.fs, &parent)?;
        let dir = publish::begin(&*self.fs, &parent, name)?;
        let head_block = block::name(maintenance.next_block());
        let made = self.fill_snapshot(&dir, &head_block, with_head);
        if let Err(error) = made {
            publish::abandon(&*self.fs, &parent, name);
            return Err(error);
        }
        publish::publish(&*self.fs, &parent, name)?;
        Ok(parent.join(name))
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
            snapshot::link_dir(fs, block.dir(), &blocks.join(&block.name))?;
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
        writer.finish(Meta {
            origin: Origin::Head,
            min_time: 0,
            max_time: 0,
            floor: newest.saturating_add(1),
            series: 0,
            samples: 0,
            sources: Vec::new(),
        })?;
        Ok(self.fs.sync_dir(dir)?)
    }
}
