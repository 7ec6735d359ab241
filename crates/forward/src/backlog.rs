//! What is not sent yet: a journal with a mark of how far it was sent, of a bounded size.
//!
//! ```text
//! checkpoint │ frame frame mark frame frame frame │ frame …
//!            └ removed once all is sent ───────────┘
//! ```
//!
//! Every frame begins with a kind; those with something to send say in second place how much. Beside
//! that a frame may bring state that outlives it (`Kept`): how far readers have come, what families
//! mean. Invariant: what a checkpoint leaves out was sent or counted as lost, and the state of every
//! frame that was ever acknowledged is in the checkpoint or in a later frame.
//!
//! It never knows what is sent or where to. Byte layout: `docs/format/forward.md`.

use std::{fmt::Debug, sync::Arc};

use camino::Utf8PathBuf;
use masthead_durable::{
    self as durable,
    bytes::{Reader, put_unsigned},
    journal::{Cursor, Journal, JournalOptions, Origin},
};
use masthead_sysio::{Clock, Fs};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tracing::error;

use crate::Error;

/// A frame with something to send.
pub(crate) const ITEMS: u8 = 1;
/// A frame that says that all up to a frame was sent, or lost.
const SENT: u8 = 2;

/// Read at once when what is lost is counted.
const COUNT_BYTES: usize = 1 << 20;

/// How a forwarder keeps what is not sent yet.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the journal lies.
    pub dir: Utf8PathBuf,
    /// Bytes that it may have; beyond, the oldest is dropped. 1 GiB by default.
    pub journal_bytes_max: u64,
    /// How it is written.
    pub journal: JournalOptions,
}

impl Options {
    /// The defaults, in a directory.
    pub fn new(dir: Utf8PathBuf) -> Self {
        // Small segments, so that what was sent goes soon and little is dropped at once.
        let journal = JournalOptions {
            segment_bytes: 4 << 20,
            // A collector is small; this is a good part of what it holds while it catches up.
            unsynced_bytes_max: 1 << 20,
            ..JournalOptions::default()
        };
        Self { dir, journal_bytes_max: 1 << 30, journal }
    }
}

/// State that frames bring and that outlives them.
pub(crate) trait Kept: Default + Debug + Send {
    /// Takes what a frame of kind [`ITEMS`] says.
    fn note(&mut self, payload: &[u8]);

    /// Frames from which it can be made again.
    fn frames(&self) -> Vec<Vec<u8>>;
}

/// Frames with something to send, and their numbers.
pub(crate) type Frames = Vec<(u64, Vec<u8>)>;

/// See the module.
#[derive(Debug)]
pub(crate) struct Backlog<K> {
    journal: Journal,
    /// Says that there is something to send.
    pub(crate) news: Notify,
    state: Mutex<State<K>>,
    /// Held from the look at the state until the checkpoint with it is written, so that an older
    /// look never replaces a newer one.
    cutting: Mutex<()>,
    bytes_max: u64,
}

#[derive(Debug, Default)]
struct State<K> {
    kept: K,
    /// Frames up to this number were sent or lost.
    sent: u64,
    /// Frames up to this number are in the sender's hands: what becomes of them it counts itself.
    claimed: u64,
}

impl<K: Kept> Backlog<K> {
    pub(crate) fn open(
        fs: Arc<dyn Fs>,
        clock: Arc<dyn Clock>,
        options: &Options,
    ) -> Result<Self, Error> {
        let mut state = State { kept: K::default(), sent: 0, claimed: 0 };
        let mut visit = |found: durable::journal::Frame<'_>| {
            match sent_mark(found.payload) {
                Some(seq) => state.sent = state.sent.max(seq),
                None => state.kept.note(found.payload),
            }
            Ok(())
        };
        let (journal, report) = Journal::open(fs, clock, &options.dir, options.journal, &mut visit)
            .map_err(|source| Error::Journal { dir: options.dir.clone(), source })?;
        if report.damage_count > 0 {
            let (places, dir) = (report.damage_count, &options.dir);
            error!(places, %dir, "Parts of a journal of what is to be sent are damaged.");
        }
        Ok(Self {
            journal,
            news: Notify::new(),
            state: Mutex::new(state),
            cutting: Mutex::new(()),
            bytes_max: options.journal_bytes_max,
        })
    }

    /// Takes frames, and with them what `note` does to the state. Returns how much was lost to make
    /// room for them.
    pub(crate) fn append(
        &self,
        frames: &[Vec<u8>],
        note: impl FnOnce(&mut K),
    ) -> durable::Result<u64> {
        {
            // Together: the sender, which is quick to make checkpoints, must not see one without
            // the other.
            let mut state = self.state.lock();
            let largest = frames.iter().map(Vec::len).max().unwrap_or(0);
            if self.journal.admit(largest).is_err() {
                self.journal.commit(self.journal.last())?;
                self.journal.admit(largest)?;
            }
            let mut last = self.journal.last();
            for frame in frames {
                last = self.journal.enqueue(frame)?;
            }
            self.journal.commit(last)?;
            note(&mut state.kept);
        }
        self.news.notify_one();
        if self.journal.bytes() <= self.bytes_max {
            return Ok(0);
        }
        let (lost, dropped) = self.drop_oldest();
        if let Err(error) = dropped {
            error!(%error, "Cannot make room in a journal of what is to be sent.");
        }
        Ok(lost)
    }

    /// Bytes of the journal.
    pub(crate) fn bytes(&self) -> u64 {
        self.journal.bytes()
    }

    /// Looks at the state.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&K) -> R) -> R {
        look(&self.state.lock().kept)
    }

    /// Where the sender goes on.
    pub(crate) fn cursor(&self) -> Cursor {
        Cursor::after(self.state.lock().sent)
    }

    /// The sender takes frames up to a number in hand: those that are dropped from now on it counts
    /// as lost itself, or not, because they were taken all the same. Returns up to which they are
    /// sent or counted already.
    pub(crate) fn claim(&self, seq: u64) -> u64 {
        let mut state = self.state.lock();
        state.claimed = state.claimed.max(seq);
        state.sent
    }

    /// Whether a frame was dropped before it was sent.
    pub(crate) fn was_dropped(&self, seq: u64) -> bool {
        seq <= self.state.lock().sent
    }

    /// How much there is to send.
    pub(crate) fn waiting(&self) -> durable::Result<u64> {
        let (mut cursor, mut waiting, mut more) = (self.cursor(), 0, true);
        while more {
            more = self.journal.read(&mut cursor, COUNT_BYTES, &mut |found| {
                waiting += items(found.payload);
                Ok(())
            })?;
        }
        Ok(waiting)
    }

    /// The next frames with something to send, some `bytes` of them, and the place behind.
    pub(crate) fn read(&self, cursor: Cursor, bytes: usize) -> durable::Result<(Frames, Cursor)> {
        let mut cursor = cursor;
        let mut frames = Vec::new();
        self.journal.read(&mut cursor, bytes, &mut |found| {
            // Marks, and state alone, are not sent.
            if items(found.payload) > 0 {
                frames.push((found.seq, found.payload.to_vec()));
            }
            Ok(())
        })?;
        Ok((frames, cursor))
    }

    /// Every frame before `cursor` was sent.
    pub(crate) fn sent(&self, cursor: Cursor) -> durable::Result<()> {
        let cutting = self.cutting.lock();
        let sent = {
            let mut state = self.state.lock();
            state.sent = state.sent.max(cursor.seq());
            state.sent
        };
        if self.journal.oldest_segment().is_some_and(|oldest| oldest < cursor.segment()) {
            return self.checkpoint(cursor.segment());
        }
        drop(cutting);
        self.journal.append(&sent_frame(sent))?;
        Ok(())
    }

    /// Makes room: the oldest segments go, with what was in them and not sent. Returns how much of
    /// it nobody has in hand, also after an error.
    fn drop_oldest(&self) -> (u64, durable::Result<()>) {
        let _cutting = self.cutting.lock();
        let mut lost = 0;
        while self.journal.bytes() > self.bytes_max {
            let Some(oldest) = self.journal.oldest_segment() else { break };
            if oldest >= self.journal.rotate() {
                break;
            }
            let dropped = self.count_until(oldest).and_then(|(items, last)| {
                self.state.lock().sent = last;
                lost += items;
                self.checkpoint(oldest + 1)
            });
            if dropped.is_err() {
                return (lost, dropped);
            }
        }
        (lost, Ok(()))
    }

    /// What was neither sent nor claimed in segments up to `oldest`, and the number of their last
    /// frame.
    fn count_until(&self, oldest: u64) -> durable::Result<(u64, u64)> {
        let state = self.state.lock();
        let (mut count, mut last) = (0, state.sent);
        let mut cursor = Cursor::after(state.sent);
        let mut ended = false;
        while !ended {
            let more = self.journal.read(&mut cursor, COUNT_BYTES, &mut |found| {
                let here = matches!(found.origin, Origin::Segment(segment) if segment <= oldest);
                // What comes after the first frame beyond them may be read with it.
                if here && !ended {
                    if found.seq > state.claimed {
                        count += items(found.payload);
                    }
                    last = found.seq;
                }
                ended |= !here;
                Ok(())
            })?;
            ended |= !more;
        }
        Ok((count, last))
    }

    /// To be called with `cutting` held.
    fn checkpoint(&self, segment: u64) -> durable::Result<()> {
        let (frames, sent) = {
            let state = self.state.lock();
            (state.kept.frames(), state.sent)
        };
        self.journal.checkpoint(segment, &mut |writer| {
            for frame in &frames {
                writer.push(frame)?;
            }
            writer.push(&sent_frame(sent))
        })
    }
}

/// How much a frame has to send, without reading it.
pub(crate) fn items(payload: &[u8]) -> u64 {
    let mut reader = Reader::new(payload);
    match reader.byte("kind") {
        Ok(ITEMS) => reader.unsigned("items").unwrap_or(0),
        _ => 0,
    }
}

fn sent_frame(seq: u64) -> Vec<u8> {
    let mut out = vec![SENT];
    put_unsigned(&mut out, seq);
    out
}

/// Up to which frame all was sent, if a frame says so.
pub(crate) fn sent_mark(payload: &[u8]) -> Option<u64> {
    let mut reader = Reader::new(payload);
    match reader.byte("kind") {
        Ok(SENT) => reader.unsigned("frame number").ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use masthead_sysio::{SimClock, SimFs};

    use super::*;

    /// Keeps the last byte of every frame.
    #[derive(Debug, Default)]
    struct Last(Option<u8>);

    impl Kept for Last {
        fn note(&mut self, payload: &[u8]) {
            self.0 = payload.last().copied();
        }

        fn frames(&self) -> Vec<Vec<u8>> {
            self.0.iter().map(|last| vec![ITEMS, 0, *last]).collect()
        }
    }

    fn open(fs: &SimFs, bytes_max: u64) -> Backlog<Last> {
        let mut options = Options::new("/data/backlog".into());
        options.journal.segment_bytes = 100;
        options.journal_bytes_max = bytes_max;
        Backlog::open(Arc::new(fs.clone()), Arc::new(SimClock::default()), &options).unwrap()
    }

    fn append(backlog: &Backlog<Last>, number: u8) -> u64 {
        let frame = vec![ITEMS, 2, number];
        backlog.append(std::slice::from_ref(&frame), |kept| kept.note(&frame)).unwrap()
    }

    #[test]
    fn what_the_sender_has_in_hand_is_not_counted_when_it_is_dropped() {
        let backlog = open(&SimFs::new(1), 120);
        assert_eq!(append(&backlog, 1), 0);
        let first = backlog.read(backlog.cursor(), 1).unwrap().0[0].0;
        assert_eq!((backlog.claim(first), backlog.was_dropped(first)), (0, false));
        let (mut lost, mut appended) = (0, 2);
        while !backlog.was_dropped(first) {
            lost += append(&backlog, 2);
            appended += 2;
        }
        assert_eq!(lost + backlog.waiting().unwrap(), appended - 2);
    }

    #[test]
    fn what_was_not_sent_comes_again_after_a_restart_and_the_state_with_it() {
        let fs = SimFs::new(1);
        let backlog = open(&fs, 1 << 20);
        for number in 0..100 {
            assert_eq!(append(&backlog, number), 0);
        }
        assert_eq!(backlog.waiting().unwrap(), 200);
        let (frames, behind) = backlog.read(backlog.cursor(), 50).unwrap();
        assert!(!frames.is_empty() && frames.len() < 100);
        backlog.sent(behind).unwrap();
        let first = frames.len();
        drop(backlog);
        let backlog = open(&fs, 1 << 20);
        assert_eq!(backlog.waiting().unwrap(), 200 - 2 * first as u64);
        let (frames, _) = backlog.read(backlog.cursor(), 50).unwrap();
        assert_eq!(frames[0].1, [ITEMS, 2, u8::try_from(first).unwrap()]);
        assert_eq!(backlog.with(|kept| kept.0), Some(99));
    }

    #[test]
    fn what_was_sent_leaves_the_disk() {
        let fs = SimFs::new(1);
        let backlog = open(&fs, 1 << 20);
        (0..100).for_each(|number| assert_eq!(append(&backlog, number), 0));
        let before = backlog.bytes();
        let mut cursor = backlog.cursor();
        loop {
            let (frames, behind) = backlog.read(cursor, 1 << 20).unwrap();
            cursor = behind;
            backlog.sent(cursor).unwrap();
            if frames.is_empty() {
                break;
            }
        }
        assert!(backlog.bytes() < before / 4, "{} of {before}", backlog.bytes());
        assert_eq!(backlog.waiting().unwrap(), 0);
        drop(backlog);
        assert_eq!(open(&fs, 1 << 20).with(|kept| kept.0), Some(99));
    }

    #[test]
    fn a_full_journal_loses_the_oldest_and_says_how_much() {
        let fs = SimFs::new(1);
        let backlog = open(&fs, 500);
        let lost: u64 = (0..100).map(|number| append(&backlog, number)).sum();
        assert!(backlog.bytes() <= 600, "{}", backlog.bytes());
        assert!(lost > 0 && lost < 200, "{lost}");
        assert_eq!(backlog.waiting().unwrap(), 200 - lost);
        let (frames, _) = backlog.read(backlog.cursor(), 1).unwrap();
        assert_eq!(u64::from(frames[0].1[2]) * 2, lost);
        assert_eq!(backlog.with(|kept| kept.0), Some(99));
    }

    #[test]
    fn marks_come_back() {
        assert_eq!(sent_mark(&sent_frame(1 << 40)), Some(1 << 40));
        assert_eq!(items(&sent_frame(1 << 40)), 0);
        assert_eq!(sent_mark(&[ITEMS, 4]), None);
        assert_eq!(items(&[ITEMS, 4, 9]), 4);
        assert_eq!((items(&[]), sent_mark(&[])), (0, None));
    }
}
