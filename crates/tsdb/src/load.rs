//! The second half of a start: the head comes back into memory, while blocks answer already.
//!
//! One thread reads and decodes the journal's frames, another applies them; what a checkpoint
//! names is read with as many threads as there may be.

use std::sync::{
    atomic::{AtomicU64, Ordering},
    mpsc::sync_channel,
};

use masthead_durable::journal::{Frame, Journal, ReplayReport};
use masthead_ports::ReplayStatus;

use crate::{
    Error, OpenReport, Result, Tsdb,
    replay::{Decoder, Item, Replay},
};

/// Frames that are decoded and not yet applied, at most; the largest have some MiB.
const DECODED_MAX: usize = 16;

/// How far a start is, for `ReplayStatus`.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    first: AtomicU64,
    last: AtomicU64,
    current: AtomicU64,
}

impl Progress {
    pub(crate) fn status(&self, loaded: bool) -> ReplayStatus {
        let get = |of: &AtomicU64| of.load(Ordering::Relaxed);
        let last = get(&self.last);
        ReplayStatus {
            first: get(&self.first),
            last,
            current: if loaded { last } else { get(&self.current) },
        }
    }
}

impl Tsdb {
    /// Whether the head is in memory; before, blocks alone answer and nothing can be written.
    pub fn is_loaded(&self) -> bool {
        self.journal.get().is_some()
    }

    /// Brings back into memory what is not in blocks, and takes samples from then on. Adds what it
    /// found to `report`. Nothing happens when that was done before.
    ///
    /// # Errors
    /// Files of a later version; what the file system says. It can be called again then.
    pub fn load(&self, report: &mut OpenReport) -> Result<()> {
        let mut maintenance = self.maintain()?;
        if self.is_loaded() {
            return Ok(());
        }
        let dir = self.dir.join("journal");
        if let Some((first, last)) = Journal::segments(&*self.fs, &dir)? {
            self.progress.first.store(first, Ordering::Relaxed);
            self.progress.current.store(first, Ordering::Relaxed);
            self.progress.last.store(last, Ordering::Relaxed);
        }
        let blocks = self.blocks();
        let floor = blocks.iter().map(|block| block.meta.floor).max().unwrap_or(i64::MIN);
        let newest = blocks.iter().map(|block| block.meta.max_time).max();
        let replay = Replay::new(self, floor, newest);
        let (journal, found, replay) = if self.options.load_threads > 1 {
            self.replay_beside(replay)?
        } else {
            self.replay(replay)?
        };
        report.journal = found;
        let image = replay.image();
        let untouched = replay.is_image_alone();
        let head = replay.finish(report);
        if untouched && floor <= head.floor() {
            maintenance.checkpoint = Some((journal.last().seq, head.floor()));
        }
        if let Some(image) = image {
            // Its name and that of the checkpoint which says so are durable by now.
            self.remove_images(image);
        }
        self.head.install(head);
        if self.journal.set(journal).is_err() {
            return Err(Error::Options("BUG: the journal was opened twice"));
        }
        Ok(())
    }

    fn replay<'s>(&'s self, mut replay: Replay<'s>) -> Result<(Journal, ReplayReport, Replay<'s>)> {
        let mut decoder = Decoder::new(self.options.slots_max());
        let mut failed = None;
        let opened = self.open_journal(&mut |frame| {
            let applied = replay.apply(decoder.decode(&frame));
            applied.map_err(|error| stop(&mut failed, error))
        });
        let (journal, found) = opened.map_err(|error| failed.unwrap_or(error))?;
        Ok((journal, found, replay))
    }

    /// As [`Tsdb::replay`], with decoding and applying in two threads.
    fn replay_beside<'s>(
        &'s self,
        mut replay: Replay<'s>,
    ) -> Result<(Journal, ReplayReport, Replay<'s>)> {
        std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel::<Item>(DECODED_MAX);
            let applying = scope.spawn(move || {
                for item in receiver {
                    replay.apply(item)?;
                }
                Ok::<_, Error>(replay)
            });
            let mut decoder = Decoder::new(self.options.slots_max());
            let opened = self.open_journal(&mut |frame| {
                let item = decoder.decode(&frame);
                // Whoever applies has ended only because of an error, which is told below.
                sender.send(item).map_err(|_| ended())
            });
            drop(sender);
            let applied =
                applying.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            let (journal, found) = opened?;
            Ok((journal, found, applied))
        })
    }

    fn open_journal(
        &self,
        visit: &mut dyn FnMut(Frame<'_>) -> masthead_durable::Result<()>,
    ) -> Result<(Journal, ReplayReport)> {
        let progress = &self.progress.current;
        Ok(Journal::open(
            self.fs.clone(),
            self.clock.clone(),
            &self.dir.join("journal"),
            self.options.journal,
            &mut |frame| {
                if let masthead_durable::journal::Origin::Segment(segment) = frame.origin {
                    progress.store(segment, Ordering::Relaxed);
                }
                visit(frame)
            },
        )?)
    }
}

fn stop(failed: &mut Option<Error>, error: Error) -> masthead_durable::Error {
    *failed = Some(error);
    ended()
}

fn ended() -> masthead_durable::Error {
    masthead_durable::Error::JournalStopped("what it holds cannot be applied".into())
}
