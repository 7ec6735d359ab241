//! The bytes of one simulated file: what readers see, and what the disk is sure to hold.
//!
//! Invariant: `current` is `durable` with every change of `pending` applied in order. Which of the
//! changes survive a crash is decided in `crash.rs`; whether there is space, in `disk.rs`.

use std::{
    collections::VecDeque,
    io::{Error, ErrorKind, Result},
    sync::Arc,
};

use crate::UnixNanos;

/// The most unsynced bytes of one file; beyond, the oldest are written to the disk by themselves,
/// as an operating system does.
const DIRTY_BYTES_MAX: usize = 64 << 20;

/// What a change costs in `DIRTY_BYTES_MAX` on top of its bytes, so that empty ones count too.
const CHANGE_OVERHEAD_BYTES: usize = 64;

#[derive(Clone, Debug)]
pub(super) struct Inode {
    pub(super) durable: Vec<u8>,
    /// Shared with the mappings; copied when it changes under one.
    pub(super) current: Arc<Vec<u8>>,
    pub(super) pending: VecDeque<Change>,
    dirty_bytes: usize,
    pub(super) modified: UnixNanos,
    /// Handles and locks that keep the file alive without a name.
    pub(super) opens: usize,
    /// Names that processes see.
    pub(super) links: usize,
}

/// A change that no sync has made durable yet.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    SetLen(usize),
}

impl Inode {
    /// Makes a file whose bytes are all durable.
    pub(super) fn new(bytes: Vec<u8>, modified: UnixNanos) -> Self {
        Self {
            durable: bytes.clone(),
            current: Arc::new(bytes),
            pending: VecDeque::new(),
            dirty_bytes: 0,
            modified,
            opens: 0,
            links: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.current.len()
    }

    /// Whether the file takes space: what only the durable tree still names does not.
    pub(super) fn is_alive(&self) -> bool {
        self.opens > 0 || self.links > 0
    }

    /// Copies bytes from `offset` on, and returns how many.
    pub(super) fn read(&self, buffer: &mut [u8], offset: u64) -> usize {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        let count = buffer.len().min(self.len() - start);
        buffer[..count].copy_from_slice(&self.current[start..start + count]);
        count
    }

    pub(super) fn change(&mut self, change: Change, now: UnixNanos) {
        change.apply(Arc::make_mut(&mut self.current));
        self.modified = now;
        self.dirty_bytes = self.dirty_bytes.saturating_add(change.cost());
        self.pending.push_back(change);
        while self.dirty_bytes > DIRTY_BYTES_MAX {
            self.write_back_oldest();
        }
    }

    pub(super) fn sync(&mut self) {
        while !self.pending.is_empty() {
            self.write_back_oldest();
        }
    }

    /// What a failed sync does: the unsynced bytes are dropped, and nobody will sync them again.
    pub(super) fn drop_unsynced(&mut self) {
        self.pending.clear();
        self.dirty_bytes = 0;
        self.current = Arc::new(self.durable.clone());
    }

    pub(super) fn flip_bit(&mut self, offset: u64, bit: u32) -> Result<()> {
        let offset = usize::try_from(offset).ok().filter(|&offset| offset < self.len());
        let (Some(offset), 0..8) = (offset, bit) else {
            let text = format!("the file has {} bytes of 8 bits", self.len());
            return Err(Error::new(ErrorKind::InvalidInput, text));
        };
        Arc::make_mut(&mut self.current)[offset] ^= 1 << bit;
        if let Some(byte) = self.durable.get_mut(offset) {
            *byte ^= 1 << bit;
        }
        Ok(())
    }

    fn write_back_oldest(&mut self) {
        if let Some(change) = self.pending.pop_front() {
            self.dirty_bytes = self.dirty_bytes.saturating_sub(change.cost());
            change.apply(&mut self.durable);
        }
    }
}

impl Change {
    pub(super) fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => {
                let end = offset + bytes.len();
                if image.len() < end {
                    image.resize(end, 0);
                }
                image[*offset..end].copy_from_slice(bytes);
            }
            Self::SetLen(len) => image.resize(*len, 0),
        }
    }

    fn cost(&self) -> usize {
        let bytes = match self {
            Self::Write { bytes, .. } => bytes.len(),
            Self::SetLen(_) => 0,
        };
        bytes.saturating_add(CHANGE_OVERHEAD_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsynced_bytes_beyond_the_limit_are_written_back_oldest_first() {
        let mut inode = Inode::new(Vec::new(), UnixNanos(0));
        let piece = DIRTY_BYTES_MAX / 2;
        for _ in 0..3 {
            let (offset, bytes) = (inode.len(), vec![7; piece]);
            inode.change(Change::Write { offset, bytes }, UnixNanos(0));
        }
        assert_eq!(inode.pending.len(), 1);
        assert_eq!(inode.durable.len(), 2 * piece);
        inode.sync();
        assert_eq!((inode.durable.len(), inode.dirty_bytes), (3 * piece, 0));
    }

    #[test]
    fn rot_of_synced_bytes_survives_a_failed_sync_and_of_unsynced_ones_does_not() {
        let f = |offset: u64, want: &[u8]| {
            let mut inode = Inode::new(vec![0, 0], UnixNanos(0));
            inode.change(Change::Write { offset: 2, bytes: vec![0] }, UnixNanos(0));
            inode.flip_bit(offset, 3).unwrap();
            assert_eq!(inode.current[usize::try_from(offset).unwrap()], 8);
            inode.drop_unsynced();
            assert_eq!((inode.current.as_slice(), inode.dirty_bytes), (want, 0));
        };
        f(1, &[0, 8]);
        f(2, &[0, 0]);
    }
}
