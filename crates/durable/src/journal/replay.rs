//! The reading side: every frame of the newest checkpoint and of the segments after it, once.
//!
//! Files are mapped one after the other and are not changed. How far a file counts is said by the
//! header of the next one; what comes after that was given up by its writer. In the last file
//! bytes that are no frame, with none after them, are a torn tail: a write that power or a kill
//! cut short, which nobody was told of. Everything else that is no frame is damage: it is
//! skipped up to the next whole frame, and reported.

use camino::{Utf8Path, Utf8PathBuf};
use masthead_sysio::{FileBytes, Fs, OpenOptions, is_temporary};

use super::{
    FileInfo, FileName, checkpoint,
    frame::{HEADER_BYTES, Header, Kind, frame_at},
};
use crate::Result;

/// Most places of damage that a report names; more are only counted.
const DAMAGES_MAX: usize = 100;

/// Where a frame was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// In the checkpoint.
    Checkpoint,
    /// In this segment.
    Segment(u64),
}

/// A frame, as it was given to [`super::Journal::enqueue`].
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Where it was found.
    pub origin: Origin,
    /// Its number.
    pub seq: u64,
    /// Its bytes.
    pub payload: &'a [u8],
}

/// Bytes that are not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub path: Utf8PathBuf,
    /// Where the bad bytes start.
    pub offset: u64,
    /// How many bytes were skipped.
    pub bytes: u64,
}

/// What a replay found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplayReport {
    /// Segment files read.
    pub files: usize,
    /// Frames handed out.
    pub frames: u64,
    /// Bytes of files read.
    pub bytes: u64,
    /// Bytes of writes that were cut short at the very end.
    pub torn_bytes: u64,
    /// Damage, at most the first hundred places.
    pub damages: Vec<Damage>,
    /// How many places of damage there are.
    pub damage_count: u64,
}

/// The numbers of the first and the last segment that has a file in `dir`, before it is opened.
///
/// # Errors
/// Those of listing; a missing directory has no segments.
pub(super) fn segments(fs: &dyn Fs, dir: &Utf8Path) -> Result<Option<(u64, u64)>> {
    let names = match fs.read_dir(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        names => names?,
    };
    let mut numbers =
        names.iter().filter_map(|name| FileName::parse(name)).map(|name| name.segment);
    let Some(first) = numbers.next() else { return Ok(None) };
    Ok(Some(numbers.fold((first, first), |(low, high), n| (low.min(n), high.max(n)))))
}

pub(super) struct Found {
    pub(super) files: Vec<FileInfo>,
    pub(super) last_seq: u64,
    pub(super) last_segment: u64,
    pub(super) report: ReplayReport,
}

pub(super) fn replay(
    fs: &dyn Fs,
    dir: &Utf8Path,
    visit: &mut dyn FnMut(Frame<'_>) -> Result<()>,
) -> Result<Found> {
    let names = match fs.read_dir(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        names => names?,
    };
    let mut found =
        Found { files: Vec::new(), last_seq: 0, last_segment: 0, report: ReplayReport::default() };
    let mut segments = Vec::new();
    let mut checkpoints = Vec::new();
    for name in &names {
        if is_temporary(name) {
            drop(fs.remove_file(&dir.join(name)));
        } else if let Some(name) = FileName::parse(name) {
            segments.push(name);
            found.last_segment = found.last_segment.max(name.segment);
        } else if let Some(segment) = checkpoint::parse(name) {
            checkpoints.push(segment);
            found.last_segment = found.last_segment.max(segment);
        }
    }
    segments.sort_unstable();
    checkpoints.sort_unstable();
    let newest = checkpoints.pop();
    let mut numbered = 0;
    if newest.is_some() {
        // After a kill its name may be there and not be durable, and what it replaces goes now.
        fs.sync_dir(dir)?;
    }
    for old in checkpoints {
        drop(fs.remove_file(&checkpoint::path(dir, old)));
    }
    if let Some(segment) = newest {
        numbered = found.read_checkpoint(fs, &checkpoint::path(dir, segment), visit)?;
        for name in segments.iter().filter(|name| name.segment < segment) {
            drop(fs.remove_file(&name.path(dir)));
        }
        segments.retain(|name| name.segment >= segment);
    }
    found.read_segments(fs, dir, &segments, visit)?;
    // Numbers of frames whose segments were removed are not given again either.
    found.last_seq = found.last_seq.max(numbered);
    Ok(found)
}

impl Found {
    /// Returns the number of the last frame when the checkpoint was written; segments that are
    /// still there may begin before it.
    fn read_checkpoint(
        &mut self,
        fs: &dyn Fs,
        path: &Utf8Path,
        visit: &mut dyn FnMut(Frame<'_>) -> Result<()>,
    ) -> Result<u64> {
        let file = fs.open(path, OpenOptions::READ)?.map()?;
        let (mut offset, mut numbered) = (0, 0);
        match Header::decode(Kind::Checkpoint, path, &file)? {
            Some(header) => {
                numbered = header.previous_len;
                offset = HEADER_BYTES;
            }
            None => self.damage(path, 0, HEADER_BYTES.min(file.len())),
        }
        let (mut last, mut closed) = (0, false);
        while let Some((seq, payload, start, end)) = next_frame(&file, offset, last) {
            if start > offset {
                self.damage(path, offset, start - offset);
            }
            closed = payload.is_empty();
            if !closed {
                visit(Frame { origin: Origin::Checkpoint, seq, payload })?;
                self.report.frames += 1;
            }
            (last, offset) = (seq, end);
        }
        if !closed || offset < file.len() {
            self.damage(path, offset, file.len() - offset);
        }
        self.report.bytes += file.len() as u64;
        Ok(numbered)
    }

    fn read_segments(
        &mut self,
        fs: &dyn Fs,
        dir: &Utf8Path,
        names: &[FileName],
        visit: &mut dyn FnMut(Frame<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut headers = Vec::with_capacity(names.len());
        for name in names {
            let path = name.path(dir);
            // After a kill the bytes may be there and not be durable; from now on they count.
            let file = fs.open(&path, OpenOptions::UPDATE)?;
            file.sync_data()?;
            let mut start = [0; HEADER_BYTES];
            let header = match file.read_exact_at(&mut start, 0) {
                Ok(()) => Header::decode(Kind::Segment, &path, &start)?,
                Err(_) => None,
            };
            headers.push(header.filter(|header| header.name == *name));
        }
        if !names.is_empty() {
            fs.sync_dir(dir)?;
        }
        for (at, name) in names.iter().enumerate() {
            let counted = headers
                .iter()
                .skip(at + 1)
                .flatten()
                .find_map(|next| (next.previous == *name).then_some(next.previous_len));
            let headed = headers.get(at).is_some_and(Option::is_some);
            let path = name.path(dir);
            let file = fs.open(&path, OpenOptions::READ)?.map()?;
            let len = self.read_segment(&path, *name, &file, headed, counted, visit)?;
            drop(file);
            if len <= HEADER_BYTES as u64 && counted.is_none() {
                drop(fs.remove_file(&path));
            } else {
                self.files.push(FileInfo { name: *name, len });
            }
        }
        Ok(())
    }

    /// Reads one file, of which the first `counted` bytes count, if that is known; returns how many
    /// do.
    fn read_segment(
        &mut self,
        path: &Utf8Path,
        name: FileName,
        file: &FileBytes,
        headed: bool,
        counted: Option<u64>,
        visit: &mut dyn FnMut(Frame<'_>) -> Result<()>,
    ) -> Result<u64> {
        let limit = counted.map_or(file.len(), |len| usize::try_from(len).unwrap_or(usize::MAX));
        let file = file.get(..limit.min(file.len())).unwrap_or_default();
        let mut offset = if headed { HEADER_BYTES } else { 0 };
        while let Some((seq, payload, start, end)) = next_frame(file, offset, self.last_seq) {
            if start > offset {
                self.damage(path, offset, start - offset);
            }
            visit(Frame { origin: Origin::Segment(name.segment), seq, payload })?;
            self.report.frames += 1;
            (self.last_seq, offset) = (seq, end);
        }
        let rest = file.len() - offset.min(file.len());
        match counted {
            None => self.report.torn_bytes += rest as u64,
            Some(len) if len > offset as u64 => self.damage(path, offset, rest),
            Some(_) => {}
        }
        self.report.files += 1;
        self.report.bytes += file.len() as u64;
        Ok(offset as u64)
    }

    fn damage(&mut self, path: &Utf8Path, offset: usize, bytes: usize) {
        self.report.damage_count += 1;
        if self.report.damages.len() < DAMAGES_MAX {
            let (offset, bytes) = (offset as u64, bytes as u64);
            self.report.damages.push(Damage { path: path.to_owned(), offset, bytes });
        }
    }
}

/// The first frame at or after `offset` with a number above `after`: number, payload, start, end.
fn next_frame(file: &[u8], offset: usize, after: u64) -> Option<(u64, &[u8], usize, usize)> {
    (offset..file.len()).find_map(|start| {
        let (seq, payload, end) = frame_at(file, start, after)?;
        Some((seq, payload, start, end))
    })
}
