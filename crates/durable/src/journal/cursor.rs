//! Reading the journal while it is written: what a forwarder has still to send.
//!
//! A cursor remembers a file and a place in it. It reads pieces of bounded size, so that a long
//! journal costs no memory, and never waits.

use std::io;

use camino::Utf8Path;
use masthead_sysio::{Fs, OpenOptions};

use super::{
    FileInfo, FileName,
    frame::{FRAME_BYTES_MAX, FRAME_HEADER_BYTES, HEADER_BYTES, frame_at},
    replay::{Frame, Origin},
};
use crate::Result;

/// A place in a journal; the default is its beginning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cursor {
    name: FileName,
    offset: u64,
    /// The number of the last frame that was handed out; those up to it are not handed out again.
    seq: u64,
}

impl Cursor {
    /// The place behind frame number `seq`.
    pub fn after(seq: u64) -> Self {
        Self { seq, ..Self::default() }
    }

    /// The number of the last frame that was handed out.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The segment that is being read; those before it are not looked at again.
    pub fn segment(&self) -> u64 {
        self.name.segment
    }

    pub(super) fn read(
        &mut self,
        fs: &dyn Fs,
        dir: &Utf8Path,
        files: &[FileInfo],
        bytes: usize,
        visit: &mut dyn FnMut(Frame<'_>) -> Result<()>,
    ) -> Result<bool> {
        for file in files {
            if file.name < self.name {
                continue;
            }
            if file.name > self.name {
                (self.name, self.offset) = (file.name, HEADER_BYTES as u64);
            }
            if self.read_file(fs, dir, file, bytes, visit)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn read_file(
        &mut self,
        fs: &dyn Fs,
        dir: &Utf8Path,
        info: &FileInfo,
        bytes: usize,
        visit: &mut dyn FnMut(Frame<'_>) -> Result<()>,
    ) -> Result<bool> {
        if self.offset >= info.len {
            return Ok(false);
        }
        let file = match fs.open(&info.name.path(dir), OpenOptions::READ) {
            // Removed since the list was made.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            file => file?,
        };
        let whole = usize::try_from(info.len - self.offset).unwrap_or(usize::MAX);
        let mut wanted = bytes.max(FRAME_HEADER_BYTES);
        loop {
            let mut buffer = vec![0; wanted.min(whole)];
            file.read_exact_at(&mut buffer, self.offset)?;
            let (mut at, mut found) = (0, false);
            let floor = self.seq.saturating_sub(u64::from(u32::MAX) / 2);
            // Frames that were handed out from the file before are passed over.
            while let Some((seq, payload, end)) = frame_at(&buffer, at, floor) {
                at = end;
                if seq > self.seq {
                    self.seq = seq;
                    found = true;
                    visit(Frame { origin: Origin::Segment(info.name.segment), seq, payload })?;
                }
            }
            self.offset += at as u64;
            if found {
                return Ok(true);
            }
            if at == 0 {
                if wanted >= whole || wanted > FRAME_BYTES_MAX {
                    // What is left of the file is no frame: damage, which the replay has reported.
                    self.offset = info.len;
                    return Ok(false);
                }
                // A frame that is larger than the piece.
                wanted = wanted.saturating_mul(4);
            } else if self.offset >= info.len {
                return Ok(false);
            } else {
                return self.read_file(fs, dir, info, bytes, visit);
            }
        }
    }
}
