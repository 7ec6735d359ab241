//! Lines that do not come from a file: what a child process writes to its pipes.
//!
//! Whoever reads a pipe sends its lines here and waits when too much is on its way: then the pipe
//! fills up and the child waits too. A line that was sent is lost if the process ends before the
//! sink has it; a pipe cannot be read again.

use std::{fmt, sync::Arc, thread::Thread};

use masthead_model::{Labels, Nanos};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::{
    LINE_BYTES_MAX,
    batch::SlotCache,
    pipeline::{Outcome, Pipeline},
    world::World,
};

/// Bytes of one source's lines that are on their way.
const QUEUE_BYTES_MAX: usize = 4 << 20;
/// Lines of one source that are on their way.
const QUEUE_LINES_MAX: usize = 10_000;

/// Takes the lines of one pipe. Cheap to clone.
#[derive(Clone)]
pub struct LineSource {
    sender: mpsc::Sender<Sent>,
    room: Arc<Semaphore>,
    wake: Arc<Mutex<Option<Thread>>>,
}

impl fmt::Debug for LineSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineSource").finish_non_exhaustive()
    }
}

/// The collector has ended; nothing takes lines any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the collector has ended")]
pub struct Ended;

struct Sent {
    /// When it was written; without it, when it is taken.
    time: Option<Nanos>,
    line: Vec<u8>,
    cut: bool,
    _room: OwnedSemaphorePermit,
}

impl LineSource {
    /// Hands over a line without its newline, and waits while there is no room for it.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn send(&self, line: &[u8]) -> Result<(), Ended> {
        self.hand_over(None, line).await
    }

    /// The same for a line that was written at `time`.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn send_at(&self, time: Nanos, line: &[u8]) -> Result<(), Ended> {
        self.hand_over(Some(time), line).await
    }

    async fn hand_over(&self, time: Option<Nanos>, line: &[u8]) -> Result<(), Ended> {
        let cut = line.len() > LINE_BYTES_MAX;
        let line = line.get(..LINE_BYTES_MAX).unwrap_or(line);
        // Empty lines take room too.
        let room = u32::try_from(line.len().max(1)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(room).await.map_err(|_| Ended)?;
        let sent = Sent { time, line: line.to_vec(), cut, _room: room };
        self.sender.send(sent).await.map_err(|_| Ended)?;
        if let Some(thread) = &*self.wake.lock() {
            thread.unpark();
        }
        Ok(())
    }
}

/// The other end of a [`LineSource`].
pub(crate) struct Lines {
    receiver: mpsc::Receiver<Sent>,
    labels: Labels,
    pipeline: Pipeline,
    slots: SlotCache,
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("labels", &self.labels).finish_non_exhaustive()
    }
}

/// Both ends; `wake` names the thread that takes the lines.
pub(crate) fn pair(
    labels: Labels,
    pipeline: Pipeline,
    wake: Arc<Mutex<Option<Thread>>>,
) -> (LineSource, Lines) {
    let (sender, receiver) = mpsc::channel(QUEUE_LINES_MAX);
    let room = Arc::new(Semaphore::new(QUEUE_BYTES_MAX));
    let slots = SlotCache::default();
    (LineSource { sender, room, wake }, Lines { receiver, labels, pipeline, slots })
}

impl Lines {
    /// Moves what has come into the batch; `true` if there may be more.
    pub(crate) fn take(&mut self, world: &mut World) -> bool {
        if self.pipeline.parked_until().is_some() {
            match self.pipeline.resume(&world.now.cx(&world.stats), &mut world.entry) {
                Outcome::Parked => return false,
                Outcome::Emit => world.emit(&mut self.slots),
                Outcome::Gone => {}
            }
        }
        while !world.batch_is_full() {
            let Ok(sent) = self.receiver.try_recv() else {
                self.tick(world);
                return false;
            };
            let time = sent.time.unwrap_or_else(|| world.now.next_line_time());
            world.entry.reset(time, &sent.line, &self.labels, None);
            world.entry.cut = sent.cut;
            world.stats.lines_read.add(1);
            world.stats.lines_cut.add(u64::from(sent.cut));
            world.stats.bytes_read.add(sent.line.len() as u64 + 1);
            match self.pipeline.process(&world.now.cx(&world.stats), &mut world.entry) {
                Outcome::Emit => world.emit(&mut self.slots),
                Outcome::Gone => {}
                Outcome::Parked => return false,
            }
        }
        true
    }

    /// Whether nobody can send any more and everything was taken.
    pub(crate) fn ended(&self) -> bool {
        self.receiver.is_closed() && self.receiver.is_empty()
    }

    fn tick(&mut self, world: &mut World) {
        let World { now, stats, entry, batch, tenants, .. } = world;
        let slots = &mut self.slots;
        self.pipeline.tick(&now.cx(stats), entry, &mut |entry| batch.push(entry, slots, *tenants));
    }
}
