//! State that outlives the segments which brought it.
//!
//! A file of its own, `checkpoint-SEGMENT`, of frames as in a segment, numbered from 1 and closed
//! by an empty one, so that a cut file is noticed. It is written under a temporary name, synced
//! and renamed; from then on segments before SEGMENT are not read.

use camino::{Utf8Path, Utf8PathBuf};
use masthead_sysio::{File, Fs, OpenOptions};

use super::{
    FileName,
    frame::{Header, Kind, put_frame},
};
use crate::Result;

/// Frames are collected to writes of about this size.
const WRITE_BYTES: usize = 256 << 10;

/// Takes the frames of a checkpoint.
#[derive(Debug)]
pub struct CheckpointWriter {
    file: Box<dyn File>,
    buffer: Vec<u8>,
    len: u64,
    seq: u64,
}

impl CheckpointWriter {
    /// Adds a frame; it must not be empty.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn push(&mut self, payload: &[u8]) -> Result<()> {
        self.seq += 1;
        put_frame(&mut self.buffer, self.seq, payload);
        if self.buffer.len() >= WRITE_BYTES {
            self.write_buffer()?;
        }
        Ok(())
    }

    fn write_buffer(&mut self) -> Result<()> {
        self.file.write_all_at(&self.buffer, self.len)?;
        self.len += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

pub(super) fn path(dir: &Utf8Path, segment: u64) -> Utf8PathBuf {
    dir.join(format!("checkpoint-{segment:08}"))
}

pub(super) fn parse(name: &str) -> Option<u64> {
    name.strip_prefix("checkpoint-")?.parse().ok()
}

/// Writes a checkpoint for `segment`, and removes the older ones as well as it can.
pub(super) fn write(
    fs: &dyn Fs,
    dir: &Utf8Path,
    segment: u64,
    last_seq: u64,
    write: &mut dyn FnMut(&mut CheckpointWriter) -> Result<()>,
) -> Result<()> {
    let path = path(dir, segment);
    let temporary = Utf8PathBuf::from(format!("{path}.tmp"));
    let mut publish = || -> Result<()> {
        crate::publish::create_dir(fs, dir)?;
        let file = fs.open(&temporary, OpenOptions::REPLACE)?;
        let name = FileName { segment, attempt: 0 };
        let none = FileName { segment: 0, attempt: 0 };
        let header = Header { name, previous: none, previous_len: last_seq };
        let buffer = header.encode(Kind::Checkpoint);
        let mut writer = CheckpointWriter { file, buffer, len: 0, seq: 0 };
        write(&mut writer)?;
        writer.push(&[])?;
        writer.write_buffer()?;
        writer.file.sync_all()?;
        fs.rename(&temporary, &path)?;
        fs.sync_dir(dir)?;
        Ok(())
    };
    if let Err(error) = publish() {
        drop(fs.remove_file(&temporary));
        return Err(error);
    }
    for name in fs.read_dir(dir).unwrap_or_default() {
        if parse(&name).is_some_and(|other| other < segment) {
            drop(fs.remove_file(&dir.join(name)));
        }
    }
    Ok(())
}
