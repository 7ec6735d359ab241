//! The head to a file of its own, so that a start reads that and not the journal.
//!
//! ```text
//! rotate the journal ─> write DIR/head/head-N.tmp ─> rename ─> checkpoint N of the journal names
//!                                                             it ─> remove what N replaces
//! ```
//!
//! Appends go on meanwhile; deletions, flushes and merges wait, because a frame of theirs that is
//! applied again must not meet samples that came after it.

use masthead_durable::{publish, stats::add};
use masthead_sysio::create_dir_all_synced;

use crate::{
    Error, Result, Tsdb,
    frame::{FrameBuilder, encode_head, encode_state},
    image::{self, Catalog, ImageWriter},
    store::Maintenance,
};

/// After a failure the head is not written again before so much time has passed.
const RETRY_AFTER: std::time::Duration = std::time::Duration::from_secs(30);

impl Tsdb {
    /// Writes what is in memory to a file, so that the next start need not read the journal.
    ///
    /// # Errors
    /// Those of the file system; everything is as before then.
    pub fn checkpoint(&self) -> Result<()> {
        self.journal()?;
        let mut maintenance = self.maintain()?;
        self.write_checkpoint(&mut maintenance)
    }

    /// Syncs everything and writes the head for a quick start; to be called once at the end.
    ///
    /// # Errors
    /// Those of the file system. What was acknowledged is as durable as after [`Tsdb::sync`] if
    /// that did not fail.
    pub fn close(&self) -> Result<()> {
        self.sync()?;
        if self.is_loaded() { self.checkpoint() } else { Ok(()) }
    }

    /// [`Tsdb::checkpoint`], if the journal has become long.
    pub(crate) fn checkpoint_if_due(&self) -> Result<()> {
        let journal = self.journal()?;
        let limit = self.options.checkpoint_bytes.max(self.image_bytes());
        let due = |maintenance: &Maintenance| {
            let retry = maintenance.checkpoint_failed;
            journal.bytes() > limit
                && retry.is_none_or(|at| self.clock.monotonic().saturating_sub(at) >= RETRY_AFTER)
        };
        if journal.bytes() <= limit {
            return Ok(());
        }
        let mut maintenance = self.maintain()?;
        if due(&maintenance) { self.write_checkpoint(&mut maintenance) } else { Ok(()) }
    }

    pub(crate) fn write_checkpoint(&self, maintenance: &mut Maintenance) -> Result<()> {
        let written = self.try_checkpoint(maintenance);
        maintenance.checkpoint_failed = written.is_err().then(|| self.clock.monotonic());
        if written.is_ok() {
            self.succeeded(&self.checkpoints.last);
        }
        written
    }

    fn try_checkpoint(&self, maintenance: &mut Maintenance) -> Result<()> {
        let journal = self.journal()?;
        let head = &self.head;
        let (segment, catalog, exemplars, metadata, mark) = {
            // With these held, no frame is between the journal and the head.
            let held = head.hold_still();
            let texts = head.texts();
            let registry = head.registry();
            let mark = (journal.last().seq, head.floor());
            if maintenance.checkpoint == Some(mark) {
                return Ok(());
            }
            let segment = journal.rotate();
            let exemplars: Vec<_> = texts
                .exemplars
                .iter()
                .filter_map(|(labels, exemplar)| Some((registry.find(labels)?.0, exemplar.clone())))
                .collect();
            let metadata: Vec<_> = texts.metadata.values().cloned().collect();
            // Samples of these series may come meanwhile, other series may not.
            drop((held, texts));
            (segment, Catalog::of(head, &registry), exemplars, metadata, mark)
        };
        let dir = self.dir.join("head");
        let bytes = self.write_image(&dir.join(image::name(segment)), &catalog)?;
        journal.checkpoint(segment, &mut |out| {
            out.push(&encode_state(catalog.floor, catalog.generation))?;
            out.push(&encode_head(segment))?;
            let mut builder = FrameBuilder::default();
            for metadata in &metadata {
                builder.metadata(metadata);
                if builder.is_full() {
                    out.push(&builder.finish(0))?;
                }
            }
            for (id, exemplar) in &exemplars {
                builder.exemplar(*id, exemplar);
                if builder.is_full() {
                    out.push(&builder.finish(0))?;
                }
            }
            if builder.is_empty() { Ok(()) } else { out.push(&builder.finish(0)) }
        })?;
        maintenance.checkpoint = Some(mark);
        self.checkpoints.bytes.store(bytes, std::sync::atomic::Ordering::Relaxed);
        add(&self.checkpoints.taken, 1);
        self.remove_images(segment);
        Ok(())
    }

    /// Writes the file under a temporary name and renames it; durable when this returns.
    fn write_image(&self, path: &camino::Utf8Path, catalog: &Catalog) -> Result<u64> {
        let fs = &*self.fs;
        let dir = path.parent().unwrap_or(&self.dir);
        create_dir_all_synced(fs, dir)?;
        let temporary = camino::Utf8PathBuf::from(format!("{path}.tmp"));
        if fs.metadata(&temporary).is_ok() {
            fs.remove_file(&temporary)?;
        }
        let write = || -> Result<u64> {
            let mut writer = ImageWriter::create(fs, &temporary, catalog)?;
            writer.series(catalog, &self.head)?;
            let bytes = writer.finish(catalog)?;
            fs.rename(&temporary, path)?;
            fs.sync_dir(dir)?;
            Ok(bytes)
        };
        write().inspect_err(|_| drop(fs.remove_file(&temporary)))
    }

    /// Removes the files of other checkpoints, as well as it can.
    pub(crate) fn remove_images(&self, kept: u64) {
        let dir = self.dir.join("head");
        for name in self.fs.read_dir(&dir).unwrap_or_default() {
            if name.starts_with("head-") && name != image::name(kept) && !name.ends_with(".corrupt")
            {
                drop(self.fs.remove_file(&dir.join(name)));
            }
        }
    }

    /// Sets the file of a checkpoint aside.
    pub(crate) fn quarantine_image(&self, segment: u64) -> Result<String> {
        Ok::<_, Error>(publish::quarantine(
            &*self.fs,
            &self.dir.join("head"),
            &image::name(segment),
        )?)
    }
}

#[cfg(test)]
mod tests;
