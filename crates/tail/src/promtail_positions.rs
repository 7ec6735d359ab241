//! Promtail's file of positions: read once, for files and journals that the sink knows nothing of,
//! and written for whoever goes back, with what others follow left in it.
//!
//! It names paths and offsets alone, so it cannot tell a file from another under its name. It is
//! never what this collector itself goes by.

use std::{collections::BTreeMap, io, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_discovery::yaml;
use masthead_sysio::{Fs, atomic_write, read_to_vec};
use serde::Deserialize;
use tracing::warn;

/// A larger file is not read.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Where Promtail keeps them if nobody says where.
pub(crate) const PATH_DEFAULT: &str = "/var/log/positions.yaml";
/// What the keys of journals begin with: now, and in older files.
const CURSOR_PREFIXES: [&str; 2] = ["cursor-", "journal-"];

#[derive(Debug)]
pub(crate) struct PromtailPositions {
    path: Utf8PathBuf,
    every: Duration,
    /// What the file said at the start, each until it is asked for.
    read: BTreeMap<String, String>,
    /// What the file is to say: what it said, with what is followed now on top.
    kept: BTreeMap<String, String>,
    written: BTreeMap<String, String>,
    last_write: Option<Duration>,
    /// A file that could not be read is not written over.
    is_readable: bool,
    failed: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Written {
    positions: BTreeMap<String, String>,
}

impl PromtailPositions {
    /// Reads the file, if it is there.
    pub(crate) fn open(fs: &dyn Fs, path: &Utf8Path, every: Duration) -> Self {
        let found = read(fs, path);
        let is_readable = found.is_ok();
        let read = found.unwrap_or_else(|error| {
            warn!(%path, error, "Promtail's positions are not read, and left as they are.");
            BTreeMap::new()
        });
        let (kept, written) = (read.clone(), read.clone());
        let (path, last_write) = (path.to_owned(), None);
        Self { path, every, read, kept, written, last_write, is_readable, failed: false }
    }

    /// Where Promtail would read on. Said once: whoever asks again has another file.
    pub(crate) fn offset(&mut self, path: &Utf8Path) -> Option<u64> {
        self.read.remove(path.as_str())?.parse().ok()
    }

    /// Behind which entry of the journal Promtail would read on.
    pub(crate) fn cursor(&self, job: &str) -> Option<&str> {
        let cursor = |prefix: &str| self.read.get(&format!("{prefix}{job}"));
        let cursor = CURSOR_PREFIXES.into_iter().find_map(cursor)?;
        // It becomes an argument of a command.
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '=' | ';' | '-' | '_');
        (cursor.contains('=') && cursor.chars().all(fits)).then_some(cursor)
    }

    /// The key of the journal of a job.
    pub(crate) fn cursor_key(job: &str) -> String {
        let [prefix, _] = CURSOR_PREFIXES;
        format!("{prefix}{job}")
    }

    pub(crate) fn is_due(&self, now: Duration) -> bool {
        self.last_write.is_none_or(|last| now.saturating_sub(last) >= self.every)
    }

    /// Writes the file anew if something changed: `positions` are those of this collector. What else
    /// it held stays, but for files that are gone.
    pub(crate) fn write(
        &mut self,
        fs: &dyn Fs,
        now: Duration,
        positions: BTreeMap<String, String>,
    ) {
        self.last_write = Some(now);
        if !self.is_readable {
            return;
        }
        let is_gone = |key: &str| {
            let is_cursor = CURSOR_PREFIXES.iter().any(|prefix| key.starts_with(prefix));
            let found = fs.metadata(key.into());
            !is_cursor && found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        };
        self.kept.retain(|key, _| positions.contains_key(key) || !is_gone(key));
        self.kept.extend(positions);
        if self.kept == self.written {
            return;
        }
        let mut lines = vec!["positions:".to_owned()];
        for (key, position) in &self.kept {
            // A text of JSON is one of YAML too.
            let (key, position) =
                (serde_json::Value::from(&**key), serde_json::Value::from(&**position));
            lines.push(format!("  {key}: {position}"));
        }
        let text = lines.join("\n") + "\n";
        match atomic_write(fs, &self.path, text.as_bytes()) {
            Ok(()) => {
                self.written.clone_from(&self.kept);
                self.failed = false;
            }
            Err(error) => {
                if !std::mem::replace(&mut self.failed, true) {
                    warn!(path = %self.path, %error, "Cannot write Promtail's positions.");
                }
            }
        }
    }
}

fn read(fs: &dyn Fs, path: &Utf8Path) -> Result<BTreeMap<String, String>, String> {
    let bytes = match read_to_vec(fs, path, FILE_BYTES_MAX) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        bytes => bytes.map_err(|error| error.to_string())?,
    };
    let text = String::from_utf8(bytes).map_err(|error| error.to_string())?;
    let written: Option<Written> = yaml::parse(&text).map_err(|error| error.to_string())?;
    Ok(written.unwrap_or_default().positions)
}

/// Reads a file that holds `bytes`; what was read is written and read again the same.
pub(crate) fn read_for_fuzzing(bytes: &[u8]) {
    let (fs, path) = (masthead_sysio::SimFs::new(1), Utf8Path::new("/positions.yaml"));
    if atomic_write(&fs, path, bytes).is_err() {
        return;
    }
    let mut kept = PromtailPositions::open(&fs, path, Duration::ZERO);
    assert!(kept.cursor("j").is_none_or(|cursor| cursor.contains('=')));
    let known = kept.kept.clone();
    kept.written.clear();
    kept.write(&fs, Duration::ZERO, known.clone());
    if !known.is_empty() {
        assert_eq!(read(&fs, path), Ok(known));
    }
}

#[cfg(test)]
mod tests {
    use masthead_sysio::{OpenOptions, SimFs};

    use super::*;

    const EVERY: Duration = Duration::from_secs(10);

    fn texts(of: &[(&str, &str)]) -> BTreeMap<String, String> {
        of.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let fs = SimFs::new(1);
        let path = Utf8Path::new("/positions.yaml");
        let mut kept = PromtailPositions::open(&fs, path, EVERY);
        let positions = texts(&[("/a b\"", "7"), ("/x: y", "9"), ("cursor-j", "s=1;i=2")]);
        assert!(kept.is_due(Duration::ZERO));
        kept.write(&fs, Duration::ZERO, positions.clone());
        assert!(!kept.is_due(Duration::from_secs(9)));
        let mut again = PromtailPositions::open(&fs, path, EVERY);
        assert_eq!(again.read, positions);
        assert_eq!(again.offset(Utf8Path::new("/x: y")), Some(9));
        assert_eq!(again.offset(Utf8Path::new("/x: y")), None);
    }

    #[test]
    fn cursors_of_journals_are_read() {
        let fs = SimFs::new(1);
        let text = b"positions:\n  /var/log/a.log: \"123\"\n  cursor-j: s=abc;i=12\n  \
                     journal-old: s=0;i=1\n  cursor-odd: '--x'\n";
        atomic_write(&fs, "/p.yaml".into(), text).unwrap();
        let mut kept = PromtailPositions::open(&fs, "/p.yaml".into(), EVERY);
        assert_eq!(kept.offset("/var/log/a.log".into()), Some(123));
        assert_eq!(kept.offset("cursor-j".into()), None);
        assert_eq!(kept.cursor("old"), Some("s=0;i=1"));
        assert_eq!((kept.cursor("odd"), kept.cursor("none")), (None, None));
        let kept = PromtailPositions::open(&fs, "/p.yaml".into(), EVERY);
        assert_eq!(kept.cursor("j"), Some("s=abc;i=12"));
    }

    #[test]
    fn what_others_follow_stays_until_it_is_gone() {
        let fs = SimFs::new(1);
        fs.open("/there.log".into(), OpenOptions::APPEND).unwrap();
        let text = b"positions: {/there.log: '5', /gone.log: '6', /ours.log: '7', cursor-x: s=1}\n";
        let path = Utf8Path::new("/p.yaml");
        atomic_write(&fs, path, text).unwrap();
        let mut kept = PromtailPositions::open(&fs, path, EVERY);
        kept.write(&fs, Duration::ZERO, texts(&[("/ours.log", "9")]));
        let want = texts(&[("/there.log", "5"), ("/ours.log", "9"), ("cursor-x", "s=1")]);
        assert_eq!(read(&fs, path), Ok(want));
    }

    #[test]
    fn a_file_that_is_not_readable_is_not_written_over() {
        let fs = SimFs::new(1);
        let (path, text) = (Utf8Path::new("/p.yaml"), b"positions: [\n");
        atomic_write(&fs, path, text).unwrap();
        let mut kept = PromtailPositions::open(&fs, path, EVERY);
        kept.write(&fs, Duration::ZERO, texts(&[("/ours.log", "9")]));
        assert_eq!(read_to_vec(&fs, path, 100).unwrap(), text);
    }
}
