//! How far a file has been read, in a form that survives renames, truncation and restarts.
//!
//! A position is kept by the sink as [`Progress`](masthead_ports::Progress), together with the
//! lines that led to it, so it is never ahead of them nor behind. Layout of the text:
//! `docs/format/tail-position.md`.
//!
//! Invariant: every byte before `offset` was handed to the sink, was dropped by a stage, or lies in
//! one of the `held` runs, which are read again at a restart to rebuild a group of lines that was
//! not complete.

use masthead_sysio::FileId;
use smallvec::SmallVec;
use twox_hash::XxHash64;

/// A fingerprint covers at most so many bytes from the start of a file.
pub(crate) const FINGERPRINT_BYTES_MAX: usize = 1024;

/// A position names at most so many runs of held lines; a group that is scattered more widely is
/// handed on unfinished.
pub(crate) const HELD_RUNS_MAX: usize = 64;

/// The hash of the first bytes of a file, which tells it from another of the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Fingerprint {
    /// How many bytes are covered.
    pub(crate) len: u32,
    pub(crate) hash: u64,
}

impl Fingerprint {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let bytes = bytes.get(..FINGERPRINT_BYTES_MAX).unwrap_or(bytes);
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        Self { len, hash: XxHash64::oneshot(0, bytes) }
    }

    /// Whether a file that starts with `bytes` can be the one that this was taken of.
    pub(crate) fn fits(self, bytes: &[u8]) -> bool {
        self.len == 0 || bytes.get(..self.len as usize).is_some_and(|start| Self::of(start) == self)
    }
}

/// Bytes `start..end` of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Run {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

pub(crate) type Runs = SmallVec<[Run; 1]>;

/// How far one file has been read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Position {
    pub(crate) id: FileId,
    /// The next byte to read.
    pub(crate) offset: u64,
    /// The line at `offset` is the rest of one that was cut; it is passed over.
    pub(crate) skipping: bool,
    pub(crate) fingerprint: Fingerprint,
    /// When the file was last seen to change, in nanoseconds since 1970.
    pub(crate) modified: i64,
    /// Lines before `offset` that wait for the rest of their group.
    pub(crate) held: Runs,
}

const VERSION: &str = "1";

impl Position {
    /// The text that the sink keeps.
    pub(crate) fn encode(&self) -> String {
        let skipping = u8::from(self.skipping);
        let Fingerprint { len, hash } = self.fingerprint;
        let (offset, modified) = (self.offset, self.modified);
        let run = |run: &Run| format!("{}+{}", run.start, run.end - run.start);
        let held = match self.held.as_slice() {
            [] => "-".to_owned(),
            runs => runs.iter().map(run).collect::<Vec<_>>().join(","),
        };
        format!("{VERSION} {offset} {skipping} {len}:{hash:016x} {modified} {held}")
    }

    /// Reads what [`Position::encode`] wrote; `None` if it is something else.
    pub(crate) fn decode(id: FileId, text: &str) -> Option<Self> {
        let mut fields = text.split(' ');
        if fields.next()? != VERSION {
            return None;
        }
        let offset: u64 = fields.next()?.parse().ok()?;
        let skipping = match fields.next()? {
            "0" => false,
            "1" => true,
            _ => return None,
        };
        let (len, hash) = fields.next()?.split_once(':')?;
        let len: u32 = len.parse().ok().filter(|len| *len as usize <= FINGERPRINT_BYTES_MAX)?;
        let fingerprint = Fingerprint { len, hash: u64::from_str_radix(hash, 16).ok()? };
        let modified = fields.next()?.parse().ok()?;
        let mut held = Runs::new();
        match fields.next()? {
            "-" => {}
            runs => {
                for run in runs.split(',') {
                    let (start, len) = run.split_once('+')?;
                    let start: u64 = start.parse().ok()?;
                    let end = start.checked_add(len.parse().ok()?).filter(|end| *end <= offset)?;
                    held.push(Run { start, end });
                }
            }
        }
        let known = Self { id, offset, skipping, fingerprint, modified, held };
        fields.next().is_none().then_some(known)
    }
}

/// The key of a file's position: which job follows which path, and which file it is. A renamed file
/// keeps the path under which it was found.
pub(crate) fn key(job: &str, path: &str, id: FileId) -> String {
    format!("{}{}.{}:{path}", prefix(job), id.device, id.inode)
}

/// What the keys of all files of a job start with.
pub(crate) fn prefix(job: &str) -> String {
    let job = job.replace('%', "%25").replace(':', "%3A");
    format!("file:{job}:")
}

/// The key under which the sink keeps when a job was first collected.
pub(crate) fn since_key(job: &str) -> String {
    format!("since:{job}")
}

/// The path and the file of a key below `prefix`.
pub(crate) fn parse_key<'k>(prefix: &str, key: &'k str) -> Option<(&'k str, FileId)> {
    let (id, path) = key.strip_prefix(prefix)?.split_once(':')?;
    let (device, inode) = id.split_once('.')?;
    Some((path, FileId { device: device.parse().ok()?, inode: inode.parse().ok()? }))
}

/// Adds `run` to `runs`, which stay sorted and apart.
pub(crate) fn add_run(runs: &mut Runs, run: Run) {
    match runs.last_mut() {
        // Nearly always: the next line of the same file.
        Some(last) if last.end == run.start => last.end = run.end,
        Some(last) if run.start < last.end => {
            runs.push(run);
            runs.sort_unstable();
            let mut merged = Runs::new();
            for run in runs.iter() {
                match merged.last_mut() {
                    Some(last) if run.start <= last.end => last.end = last.end.max(run.end),
                    _ => merged.push(*run),
                }
            }
            *runs = merged;
        }
        _ => runs.push(run),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn positions_come_back() {
        let held = [Run { start: 10, end: 20 }, Run { start: 90, end: 123 }];
        let position = Position {
            id: FileId { device: 3, inode: 44 },
            offset: 123,
            skipping: true,
            fingerprint: Fingerprint::of(b"some bytes"),
            modified: -5,
            held: held.into_iter().collect(),
        };
        let text = position.encode();
        assert_eq!(Position::decode(position.id, &text), Some(position.clone()), "{text}");
        let plain = Position { held: Runs::new(), skipping: false, ..position };
        assert_eq!(Position::decode(plain.id, &plain.encode()), Some(plain));
    }

    #[test]
    fn what_is_no_position_is_refused() {
        let f = |text: &str| assert_eq!(Position::decode(FileId::default(), text), None, "{text}");
        f("");
        f("2 1 0 0:0 0 -");
        f("1 1 0 0:0 0");
        f("1 1 0 0:0 0 - more");
        f("1 1 2 0:0 0 -");
        f("1 1 0 2000:0 0 -");
        f("1 5 0 0:0 0 3+3");
        f("1 5 0 0:0 0 18446744073709551615+1");
    }

    #[test]
    fn keys_name_job_path_and_file() {
        let id = FileId { device: 1, inode: 2 };
        let key = key("a:b%", "/var/x:y", id);
        assert_eq!(key, "file:a%3Ab%25:1.2:/var/x:y");
        assert_eq!(parse_key(&prefix("a:b%"), &key), Some(("/var/x:y", id)));
        assert_eq!(parse_key(&prefix("a"), &key), None);
    }

    #[test]
    fn a_fingerprint_fits_longer_files_that_start_alike() {
        let print = Fingerprint::of(b"abc");
        assert!(print.fits(b"abc") && print.fits(b"abcdef"));
        assert!(!print.fits(b"ab") && !print.fits(b"abX"));
        let long = vec![7; 4000];
        assert!(Fingerprint::of(&long).fits(&long[..1024]));
        assert!(Fingerprint::default().fits(b""));
    }

    #[test]
    fn runs_merge() {
        let f = |runs: &[(u64, u64)], want: &[(u64, u64)]| {
            let mut all = Runs::new();
            for (start, end) in runs {
                add_run(&mut all, Run { start: *start, end: *end });
            }
            let got: Vec<_> = all.iter().map(|run| (run.start, run.end)).collect();
            assert_eq!(got, want, "{runs:?}");
        };
        f(&[(0, 5), (5, 9)], &[(0, 9)]);
        f(&[(5, 9), (0, 5)], &[(0, 9)]);
        f(&[(0, 1), (4, 5), (8, 9), (1, 4)], &[(0, 5), (8, 9)]);
        f(&[(8, 9), (0, 1), (4, 5)], &[(0, 1), (4, 5), (8, 9)]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            drop(Position::decode(FileId::default(), &text));
            assert!(parse_key("file:", &text).is_none_or(|(path, _)| text.ends_with(path)));
        }
    }
}
