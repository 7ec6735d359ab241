//! The bytes of a segment file: a header, then frames. All numbers are little-endian.
//!
//! ```text
//! header, 48 bytes
//! 0        8        12       16       24                 32            40             44     48
//! +--------+--------+--------+--------+------------------+-------------+--------------+------+
//! | magic  | version| attempt| segment| previous segment | previous len| prev. attempt| crc  |
//! +--------+--------+--------+--------+------------------+-------------+--------------+------+
//!
//! frame, 16 bytes and the payload
//! 0        4      8      16
//! +--------+------+------+-----------+
//! | length | crc  | seq  | payload … |
//! +--------+------+------+-----------+
//! ```
//!
//! Checksums are CRC-32C: of the 44 bytes before it; of length, seq and payload.

use camino::Utf8Path;

use super::FileName;
use crate::{Error, Result, bytes::Reader};

/// Most bytes of one payload.
pub const FRAME_BYTES_MAX: usize = 64 << 20;

pub(super) const HEADER_BYTES: usize = 48;
pub(super) const FRAME_HEADER_BYTES: usize = 16;
const VERSION: u32 = 1;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Segment,
    Checkpoint,
}

impl Kind {
    fn magic(self) -> &'static [u8; 8] {
        match self {
            Self::Segment => b"MHJOURNL",
            Self::Checkpoint => b"MHCHECKP",
        }
    }
}

/// What stands at the start of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) name: FileName,
    /// The file before this one, and how many of its bytes the writer counted on; of a checkpoint,
    /// the number of the last frame when it was written.
    pub(super) previous: FileName,
    pub(super) previous_len: u64,
}

impl Header {
    pub(super) fn encode(&self, kind: Kind) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.extend_from_slice(kind.magic());
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&self.name.attempt.to_le_bytes());
        out.extend_from_slice(&self.name.segment.to_le_bytes());
        out.extend_from_slice(&self.previous.segment.to_le_bytes());
        out.extend_from_slice(&self.previous_len.to_le_bytes());
        out.extend_from_slice(&self.previous.attempt.to_le_bytes());
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads a header; none if the bytes are not one.
    ///
    /// # Errors
    /// [`Error::Version`] for one of a later version.
    pub(super) fn decode(kind: Kind, path: &Utf8Path, file: &[u8]) -> Result<Option<Self>> {
        let Some(covered) = file.get(..HEADER_BYTES - 4) else { return Ok(None) };
        let mut reader = Reader::new(file);
        let mut parse = || {
            let magic = reader.take(8, "magic")?;
            let version = reader.word32("version")?;
            let attempt = reader.word32("attempt")?;
            let segment = reader.word64("segment")?;
            let previous_segment = reader.word64("segment before")?;
            let previous_len = reader.word64("length before")?;
            let previous_attempt = reader.word32("attempt before")?;
            let crc = reader.word32("checksum")?;
            let header = Self {
                name: FileName { segment, attempt },
                previous: FileName { segment: previous_segment, attempt: previous_attempt },
                previous_len,
            };
            Ok::<_, crate::bytes::Bad>((magic == kind.magic(), version, crc, header))
        };
        match parse() {
            Ok((true, version, crc, header)) if crc == crc32c::crc32c(covered) => {
                if version > VERSION {
                    let (path, known) = (path.to_owned(), VERSION);
                    return Err(Error::Version { path, found: version, known });
                }
                Ok(Some(header))
            }
            _ => Ok(None),
        }
    }
}

/// A frame while its payload is written, where it will go to the file from: its header stands before
/// the payload.
#[derive(Debug)]
pub struct Draft {
    bytes: Vec<u8>,
}

impl Default for Draft {
    fn default() -> Self {
        Self::within(Vec::new())
    }
}

impl Draft {
    /// An empty payload in the memory of `buffer`.
    pub(super) fn within(mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        buffer.resize(FRAME_HEADER_BYTES, 0);
        Self { bytes: buffer }
    }

    /// What the payload is appended to; what stands there already must be left as it is.
    pub fn end(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// What was written so far.
    pub fn payload(&self) -> &[u8] {
        self.bytes.get(FRAME_HEADER_BYTES..).unwrap_or_default()
    }

    /// Gives the frame its number.
    pub(super) fn number(&mut self, seq: u64) {
        let header = header(seq, self.payload());
        if let Some(place) = self.bytes.first_chunk_mut() {
            *place = header;
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Appends a frame.
pub(super) fn put_frame(out: &mut Vec<u8>, seq: u64, payload: &[u8]) {
    out.reserve(FRAME_HEADER_BYTES + payload.len());
    out.extend_from_slice(&header(seq, payload));
    out.extend_from_slice(payload);
}

fn header(seq: u64, payload: &[u8]) -> [u8; FRAME_HEADER_BYTES] {
    // `admit` keeps payloads below 64 MiB.
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let mut header = [0; FRAME_HEADER_BYTES];
    let (first, rest) = header.split_at_mut(4);
    let (second, third) = rest.split_at_mut(4);
    first.copy_from_slice(&length.to_le_bytes());
    second.copy_from_slice(&checksum(length, seq, payload).to_le_bytes());
    third.copy_from_slice(&seq.to_le_bytes());
    header
}

fn checksum(length: u32, seq: u64, payload: &[u8]) -> u32 {
    let mut fixed = [0; 12];
    let (first, second) = fixed.split_at_mut(4);
    first.copy_from_slice(&length.to_le_bytes());
    second.copy_from_slice(&seq.to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c(&fixed), payload)
}

/// Reads the frame at `offset`: its number, its payload, and where it ends. None if no whole frame
/// with a right checksum and a number above `after` starts there.
pub(super) fn frame_at(file: &[u8], offset: usize, after: u64) -> Option<(u64, &[u8], usize)> {
    let mut reader = Reader::new(file.get(offset..)?);
    let length = reader.word32("length").ok()?;
    let crc = reader.word32("checksum").ok()?;
    let seq = reader.word64("seq").ok()?;
    let size = usize::try_from(length).ok().filter(|size| *size <= FRAME_BYTES_MAX)?;
    // Numbers far ahead are garbage; the test spares the checksum at nearly every wrong offset.
    if seq <= after || seq - after > u64::from(u32::MAX) {
        return None;
    }
    let payload = reader.take(size, "payload").ok()?;
    (checksum(length, seq, payload) == crc).then_some((
        seq,
        payload,
        offset + FRAME_HEADER_BYTES + size,
    ))
}
