//! The bytes of a whole file, cheap to clone and to hand to other threads.
//!
//! The only module of files with unsafe code: the mapping of a real file. The simulation's
//! files come as a shared buffer of the same type. Neighbours: `real.rs`, `sim/handle.rs`.

#![expect(unsafe_code, reason = "mapping a file is unsafe; the contract is on `File::map`")]

use std::{fmt, io, ops::Deref, sync::Arc};

use memmap2::Mmap;

/// The bytes of a file, from [`crate::File::map`]. Cloning copies a pointer.
#[derive(Clone)]
pub struct FileBytes {
    bytes: Bytes,
}

#[derive(Clone)]
enum Bytes {
    Mapped(Arc<Mmap>),
    Shared(Arc<Vec<u8>>),
}

impl FileBytes {
    /// Maps all of `file`, under the contract of [`crate::File::map`].
    pub(super) fn mapped(file: &std::fs::File) -> io::Result<Self> {
        // SAFETY: the mapping is read-only and its length is taken from the file here. That nobody
        // changes or shortens the file while it lives is the documented contract of `File::map`,
        // kept by mapping only finished files and by the lock on the data directory.
        let map = unsafe { Mmap::map(file)? };
        Ok(Self { bytes: Bytes::Mapped(Arc::new(map)) })
    }

    /// Gives back the memory that the bytes of a mapped file take in this process. They stay in the
    /// system's cache as long as it has room, and come back when they are read.
    pub fn release(&self) {
        if let Bytes::Mapped(map) = &self.bytes {
            // SAFETY: the mapping is shared and read-only, so the pages that come back have the
            // bytes of the file, which nobody changes: whoever holds a borrow sees no difference.
            let advised = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
            // Advice that is not taken costs memory and nothing else.
            drop(advised);
        }
    }

    /// Wraps bytes that are in memory already.
    pub(super) fn shared(bytes: Arc<Vec<u8>>) -> Self {
        Self { bytes: Bytes::Shared(bytes) }
    }
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Mapped(map) => map,
            Bytes::Shared(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for FileBytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<Vec<u8>> for FileBytes {
    /// For decoders that take a file's bytes and are given them from memory.
    fn from(bytes: Vec<u8>) -> Self {
        Self::shared(Arc::new(bytes))
    }
}

impl fmt::Debug for FileBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileBytes({} bytes)", self.len())
    }
}
