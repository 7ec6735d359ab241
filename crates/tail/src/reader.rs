//! One file: where it is, how far it has been read, and its next lines.
//!
//! Nothing is kept between reads but the position: a line whose end is missing is read again when
//! the file has grown. So a thousand files cost a thousand positions and one buffer.

use std::{io, sync::Arc, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_sysio::{File, FileId, Fs, Metadata, OpenOptions};

use crate::{
    LINE_BYTES_MAX,
    position::{FINGERPRINT_BYTES_MAX, Fingerprint, Position, Run},
};

/// Bytes that are read at once, into one buffer for all files; a longer line is cut.
pub(crate) const READ_BYTES: usize = LINE_BYTES_MAX + 1;

/// A file that is or was followed.
#[derive(Debug)]
pub(crate) struct Reader {
    /// Its number; another one after the file was emptied.
    pub(crate) number: u64,
    /// Where it was last seen.
    pub(crate) path: Utf8PathBuf,
    file: Option<Box<dyn File>>,
    pub(crate) position: Position,
    /// The key of its position at the sink.
    pub(crate) key: Arc<str>,
    /// What the sink was last told.
    told: Option<Arc<str>>,
    /// When it last brought something, on the monotonic clock.
    pub(crate) last_growth: Duration,
    /// At the last look there was nothing behind what was read.
    pub(crate) at_end: bool,
    /// It was read to its end and closed; it is looked at now and then.
    pub(crate) done: bool,
}

/// A line, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'b> {
    pub(crate) text: &'b [u8],
    pub(crate) run: Run,
    /// It is longer than the limit, and this is its start.
    pub(crate) cut: bool,
}

impl Reader {
    /// A file of which nothing has been read, unless `position` says so.
    pub(crate) fn new(number: u64, path: &Utf8Path, key: Arc<str>, position: Position) -> Self {
        Self {
            number,
            path: path.to_owned(),
            file: None,
            position,
            key,
            told: None,
            last_growth: Duration::ZERO,
            at_end: false,
            done: false,
        }
    }

    pub(crate) fn id(&self) -> FileId {
        self.position.id
    }

    pub(crate) fn is_open(&self) -> bool {
        self.file.is_some()
    }

    pub(crate) fn close(&mut self) {
        self.file = None;
    }

    /// Opens the file if it is not open. `false` if another has its name now.
    pub(crate) fn open(&mut self, fs: &dyn Fs) -> io::Result<bool> {
        if self.file.is_none() {
            let file = match fs.open(&self.path, OpenOptions::READ) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                file => file?,
            };
            if file.metadata()?.id != self.position.id {
                return Ok(false);
            }
            self.file = Some(file);
        }
        Ok(true)
    }

    /// What the open file looks like now.
    pub(crate) fn metadata(&self) -> io::Result<Option<Metadata>> {
        self.file.as_ref().map(|file| file.metadata()).transpose()
    }

    /// Whether the open file begins as it did when it was read.
    pub(crate) fn begins_as_before(&self) -> io::Result<bool> {
        let print = self.position.fingerprint;
        let Some(file) = &self.file else { return Ok(true) };
        let mut start = [0; FINGERPRINT_BYTES_MAX];
        let start = start.get_mut(..print.len as usize).unwrap_or_default();
        match file.read_exact_at(start, 0) {
            Ok(()) => Ok(print.fits(start)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the open file begins with all of `other`, which then is a copy that was made of it, or
    /// that is being made.
    pub(crate) fn begins_with(&self, other: &dyn File) -> io::Result<bool> {
        let Some(file) = &self.file else { return Ok(false) };
        // In this order: while the one is copied, the other only grows.
        let len = other.len()?;
        if len > file.len()? {
            return Ok(false);
        }
        let len = usize::try_from(len).unwrap_or(usize::MAX).min(COMPARED_BYTES_MAX);
        let (mut start, mut theirs) = (vec![0; len], vec![0; len]);
        other.read_exact_at(&mut theirs, 0)?;
        match file.read_exact_at(&mut start, 0) {
            Ok(()) => Ok(start == theirs),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// It was emptied, and is read from its start.
    pub(crate) fn start_over(&mut self) {
        self.position.offset = 0;
        self.position.skipping = false;
        self.position.fingerprint = Fingerprint::default();
    }

    /// Fills `buffer` from where the next line begins, and returns what is filled.
    pub(crate) fn fill<'b>(&self, buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
        let Some(file) = &self.file else { return Ok(&[]) };
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, self.position.offset + filled as u64)? {
                0 => break,
                more => filled += more,
            }
        }
        Ok(buffer.get(..filled).unwrap_or_default())
    }

    /// The lines in bytes `run` of the file, which were read before.
    pub(crate) fn read_run(&self, run: Run) -> io::Result<Vec<u8>> {
        let Some(file) = &self.file else { return Ok(Vec::new()) };
        let len = usize::try_from(run.end - run.start).unwrap_or(usize::MAX).min(RUN_BYTES_MAX);
        let mut bytes = vec![0; len];
        file.read_exact_at(&mut bytes, run.start)?;
        Ok(bytes)
    }

    /// The next whole line of `buffer`, which [`Reader::fill`] filled, and moves behind it.
    /// `consumed` is how much of the buffer was used up before.
    pub(crate) fn next_line<'b>(
        &mut self,
        buffer: &'b [u8],
        consumed: &mut usize,
    ) -> Option<Line<'b>> {
        loop {
            let rest = buffer.get(*consumed..)?;
            let start = self.position.offset;
            let (text, used, cut) = match memchr::memchr(b'\n', rest) {
                Some(end) => (rest.get(..end)?, end + 1, false),
                // A buffer without an end of line holds the start of a line that is too long.
                None if rest.len() > LINE_BYTES_MAX => {
                    (rest.get(..LINE_BYTES_MAX)?, LINE_BYTES_MAX, true)
                }
                None => return None,
            };
            *consumed += used;
            self.position.offset += used as u64;
            let run = Run { start, end: self.position.offset };
            let was_skipping = std::mem::replace(&mut self.position.skipping, cut);
            if !was_skipping {
                return Some(Line { text, run, cut });
            }
        }
    }

    /// The rest of the file as a line: nobody will end it.
    pub(crate) fn last_line<'b>(&mut self, buffer: &'b [u8]) -> Option<Line<'b>> {
        let text = buffer.get(..buffer.len().min(LINE_BYTES_MAX))?;
        let start = self.position.offset;
        self.position.offset += text.len() as u64;
        let run = Run { start, end: self.position.offset };
        let was_skipping = std::mem::take(&mut self.position.skipping);
        (!was_skipping && !text.is_empty()).then_some(Line { text, run, cut: false })
    }

    /// Takes the fingerprint of what has been read, if it can still grow.
    pub(crate) fn update_fingerprint(&mut self) -> io::Result<()> {
        let known = self.position.fingerprint.len as usize;
        let read = usize::try_from(self.position.offset).unwrap_or(usize::MAX);
        let len = read.min(FINGERPRINT_BYTES_MAX);
        let Some(file) = self.file.as_ref().filter(|_| known < len) else { return Ok(()) };
        let mut start = [0; FINGERPRINT_BYTES_MAX];
        let start = start.get_mut(..len).unwrap_or_default();
        file.read_exact_at(start, 0)?;
        self.position.fingerprint = Fingerprint::of(start);
        Ok(())
    }

    /// The position for the sink, if it has changed since it was last told.
    pub(crate) fn news(&mut self) -> Option<Arc<str>> {
        let text: Arc<str> = self.position.encode().into();
        if self.told.as_ref() == Some(&text) {
            return None;
        }
        self.told = Some(Arc::clone(&text));
        Some(text)
    }
}

/// Bytes of a file and of its copy that are compared.
const COMPARED_BYTES_MAX: usize = 64 << 10;
/// A run of held lines is read again in one piece; groups are smaller than this.
const RUN_BYTES_MAX: usize = 8 << 20;

#[cfg(test)]
mod tests {
    use masthead_sysio::SimFs;

    use super::*;

    fn write(fs: &SimFs, text: &[u8]) {
        let file = fs.open("/log".into(), OpenOptions::APPEND).unwrap();
        file.append_all(text).unwrap();
    }

    fn reader(fs: &SimFs) -> Reader {
        let id = fs.metadata("/log".into()).unwrap().id;
        let position = Position { id, ..Position::default() };
        let mut reader = Reader::new(1, "/log".into(), "key".into(), position);
        assert!(reader.open(fs).unwrap());
        reader
    }

    fn lines(reader: &mut Reader) -> Vec<(String, bool)> {
        let (mut buffer, mut found) = (vec![0; READ_BYTES], Vec::new());
        loop {
            let filled = reader.fill(&mut buffer).unwrap();
            let mut consumed = 0;
            while let Some(line) = reader.next_line(filled, &mut consumed) {
                found.push((String::from_utf8_lossy(line.text).into_owned(), line.cut));
            }
            if consumed == 0 {
                return found;
            }
        }
    }

    #[test]
    fn only_whole_lines_are_read() {
        let fs = SimFs::new(1);
        write(&fs, b"one\n\ntwo");
        let mut reader = reader(&fs);
        fs.short_reads(true);
        assert_eq!(lines(&mut reader), [("one".to_owned(), false), (String::new(), false)]);
        assert_eq!(reader.position.offset, 5);
        write(&fs, b" and more\n");
        assert_eq!(lines(&mut reader), [("two and more".to_owned(), false)]);
    }

    #[test]
    fn a_line_beyond_the_limit_is_cut_once_and_the_next_is_whole() {
        let fs = SimFs::new(1);
        for _ in 0..5 {
            write(&fs, &vec![b'x'; LINE_BYTES_MAX / 2]);
        }
        write(&fs, b" end\nnext\n");
        let mut reader = reader(&fs);
        let got = lines(&mut reader);
        assert_eq!(got.len(), 2);
        assert_eq!((got[0].0.len(), got[0].1), (LINE_BYTES_MAX, true));
        assert_eq!(got[1], ("next".to_owned(), false));
        assert!(!reader.position.skipping);
    }

    #[test]
    fn a_line_of_just_the_limit_is_whole() {
        let fs = SimFs::new(1);
        write(&fs, &vec![b'x'; LINE_BYTES_MAX]);
        write(&fs, b"\n");
        let got = lines(&mut reader(&fs));
        assert_eq!((got.len(), got[0].0.len(), got[0].1), (1, LINE_BYTES_MAX, false));
    }

    #[test]
    fn another_file_under_the_name_is_noticed() {
        let fs = SimFs::new(1);
        write(&fs, b"some text\n");
        let mut reader = reader(&fs);
        assert_eq!(lines(&mut reader).len(), 1);
        reader.update_fingerprint().unwrap();
        assert!(reader.begins_as_before().unwrap());
        reader.close();
        fs.rename("/log".into(), "/old".into()).unwrap();
        assert!(!reader.open(&fs).unwrap());
        write(&fs, b"some other text\n");
        assert!(!reader.open(&fs).unwrap());
        reader.path = "/old".into();
        assert!(reader.open(&fs).unwrap());
    }
}
