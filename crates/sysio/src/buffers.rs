//! Large buffers that are used again.
//!
//! The allocator makes every large buffer a mapping of its own (`memory.rs`): that keeps the peak low,
//! and costs a page fault for every 4 KiB, each time. What needs such a buffer again and again takes it
//! here. No more than a named number of bytes lies here, and what nobody took since the last
//! [`Buffers::release`] goes back then.
//!
//! A buffer that is taken is always empty: what others wrote to it is never seen.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Smaller ones are the allocator's own business.
const LEAST: usize = super::memory::MAPPED_BYTES_MIN;
/// Rooms are rounded up to this, so that buffers fit again where sizes differ a little.
const STEP: usize = 256 << 10;

/// Buffers that nobody uses at the moment; shared by threads.
#[derive(Debug)]
pub struct Buffers {
    bytes_max: usize,
    spare: Mutex<Spare>,
}

#[derive(Debug, Default)]
struct Spare {
    /// The one that was used last is the last; all are empty.
    all: Vec<Vec<u8>>,
    bytes: usize,
    /// The first so many were not taken since the last release.
    untouched: usize,
}

impl Buffers {
    /// Keeps buffers of no more than `bytes_max` bytes in all.
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, spare: Mutex::default() }
    }

    /// An empty buffer with room for at least so many bytes.
    pub fn take(&self, room: usize) -> Vec<u8> {
        if room < LEAST {
            return Vec::with_capacity(room);
        }
        self.take_spare(room).unwrap_or_else(|| {
            Vec::with_capacity(room.checked_next_multiple_of(STEP).unwrap_or(room))
        })
    }

    /// As [`Buffers::take`], if there is one.
    pub fn take_spare(&self, room: usize) -> Option<Vec<u8>> {
        let mut spare = self.spare();
        let at = spare.all.iter().rposition(|buffer| buffer.capacity() >= room)?;
        let buffer = spare.all.remove(at);
        spare.bytes -= buffer.capacity();
        spare.untouched = spare.untouched.min(at);
        Some(buffer)
    }

    /// Keeps a buffer that is needed no more, unless it is small or enough is kept.
    pub fn give(&self, mut buffer: Vec<u8>) {
        let mut spare = self.spare();
        let bytes = spare.bytes.saturating_add(buffer.capacity());
        if buffer.capacity() >= LEAST && bytes <= self.bytes_max {
            buffer.clear();
            spare.bytes = bytes;
            spare.all.push(buffer);
        }
    }

    /// Gives back to the allocator what nobody took since the last call.
    pub fn release(&self) {
        let mut spare = self.spare();
        let untouched = spare.untouched;
        let gone: usize = spare.all.drain(..untouched).map(|buffer| buffer.capacity()).sum();
        spare.bytes -= gone;
        spare.untouched = spare.all.len();
    }

    /// Bytes that lie here.
    pub fn bytes(&self) -> usize {
        self.spare().bytes
    }

    fn spare(&self) -> MutexGuard<'_, Spare> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn a_buffer_comes_again_and_nothing_of_what_was_in_it() {
        let buffers = Buffers::new(8 * MIB);
        let mut first = buffers.take(MIB + 1);
        assert!(first.capacity() > MIB);
        first.extend_from_slice(b"secret");
        let place = first.as_ptr();
        buffers.give(first);
        let mut again = buffers.take(MIB);
        assert_eq!((again.as_ptr(), again.len(), buffers.bytes()), (place, 0, 0));
        again.resize(6, 0);
        assert_eq!(again, [0; 6]);
    }

    #[test]
    fn it_keeps_what_is_large_up_to_its_limit_and_hands_out_what_is_large_enough() {
        let buffers = Buffers::new(4 * MIB);
        buffers.give(Vec::with_capacity(1000));
        assert_eq!(buffers.bytes(), 0);
        for size in [MIB, 2 * MIB, MIB, MIB] {
            buffers.give(Vec::with_capacity(size));
        }
        assert_eq!(buffers.bytes(), 4 * MIB);
        assert!(buffers.take_spare(3 * MIB).is_none());
        assert_eq!(buffers.take_spare(2 * MIB).expect("one fits").capacity(), 2 * MIB);
        assert_eq!(buffers.take(3 * MIB).capacity(), 3 * MIB);
        assert_eq!(buffers.bytes(), 2 * MIB);
        // Small ones are not taken from the large.
        assert_eq!(buffers.take(1000).capacity(), 1000);
        assert_eq!(buffers.bytes(), 2 * MIB);
    }

    #[test]
    fn what_nobody_takes_goes_back() {
        let buffers = Buffers::new(8 * MIB);
        for _ in 0..3 {
            buffers.give(Vec::with_capacity(MIB));
        }
        buffers.release();
        assert_eq!(buffers.bytes(), 3 * MIB);
        let (one, two) = (buffers.take(MIB), buffers.take(MIB));
        buffers.give(one);
        buffers.give(two);
        buffers.release();
        assert_eq!(buffers.bytes(), 2 * MIB);
        buffers.release();
        assert_eq!(buffers.bytes(), 0);
    }
}
