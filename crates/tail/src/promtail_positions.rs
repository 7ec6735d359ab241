//! Promtail's file of positions: read once, for files that the sink knows nothing of, and written
//! for whoever goes back.
//!
//! It names paths and offsets alone, so it cannot tell a file from another under its name. It is
//! never what this collector itself goes by.

use std::{collections::BTreeMap, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_discovery::yaml;
use masthead_sysio::{Fs, atomic_write, read_to_vec};
use serde::Deserialize;
use tracing::warn;

/// A larger file is not read.
const FILE_BYTES_MAX: u64 = 16 << 20;

#[derive(Debug)]
pub(crate) struct PromtailPositions {
    path: Utf8PathBuf,
    every: Duration,
    read: BTreeMap<Utf8PathBuf, u64>,
    written: BTreeMap<Utf8PathBuf, u64>,
    last_write: Option<Duration>,
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
        let read = match read(fs, path) {
            Ok(read) => read,
            Err(error) => {
                warn!(%path, error, "Promtail's positions are not read; files begin at their start.");
                BTreeMap::new()
            }
        };
        let written = BTreeMap::new();
        Self { path: path.to_owned(), every, read, written, last_write: None, failed: false }
    }

    /// Where Promtail would read on.
    pub(crate) fn offset(&self, path: &Utf8Path) -> Option<u64> {
        self.read.get(path).copied()
    }

    pub(crate) fn is_due(&self, now: Duration) -> bool {
        self.last_write.is_none_or(|last| now.saturating_sub(last) >= self.every)
    }

    /// Writes the file anew if something changed.
    pub(crate) fn write(
        &mut self,
        fs: &dyn Fs,
        now: Duration,
        offsets: &BTreeMap<Utf8PathBuf, u64>,
    ) {
        self.last_write = Some(now);
        if *offsets == self.written {
            return;
        }
        let mut lines = vec!["positions:".to_owned()];
        for (path, offset) in offsets {
            // A text of JSON is one of YAML too.
            let path = serde_json::Value::from(path.as_str());
            lines.push(format!("  {path}: \"{offset}\""));
        }
        let text = lines.join("\n") + "\n";
        match atomic_write(fs, &self.path, text.as_bytes()) {
            Ok(()) => {
                self.written.clone_from(offsets);
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

fn read(fs: &dyn Fs, path: &Utf8Path) -> Result<BTreeMap<Utf8PathBuf, u64>, String> {
    let bytes = match read_to_vec(fs, path, FILE_BYTES_MAX) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        bytes => bytes.map_err(|error| error.to_string())?,
    };
    let text = String::from_utf8(bytes).map_err(|error| error.to_string())?;
    let written: Option<Written> = yaml::parse(&text).map_err(|error| error.to_string())?;
    let known = written.unwrap_or_default().positions;
    // Cursors of journals stand there too, and are no numbers.
    Ok(known.into_iter().filter_map(|(path, at)| Some((path.into(), at.parse().ok()?))).collect())
}

/// Reads a file that holds `bytes`; what was read is written and read again the same.
pub(crate) fn read_for_fuzzing(bytes: &[u8]) {
    let (fs, path) = (masthead_sysio::SimFs::new(1), Utf8Path::new("/positions.yaml"));
    if atomic_write(&fs, path, bytes).is_err() {
        return;
    }
    let mut kept = PromtailPositions::open(&fs, path, Duration::ZERO);
    let known = kept.read.clone();
    kept.write(&fs, Duration::ZERO, &known);
    if !known.is_empty() {
        assert_eq!(read(&fs, path), Ok(known));
    }
}

#[cfg(test)]
mod tests {
    use masthead_sysio::SimFs;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let fs = SimFs::new(1);
        let path = Utf8Path::new("/positions.yaml");
        let mut kept = PromtailPositions::open(&fs, path, Duration::from_secs(10));
        let offsets: BTreeMap<_, _> = [("/a b\"".into(), 7), ("/x: y".into(), 9)].into();
        assert!(kept.is_due(Duration::ZERO));
        kept.write(&fs, Duration::ZERO, &offsets);
        assert!(!kept.is_due(Duration::from_secs(9)));
        let again = PromtailPositions::open(&fs, path, Duration::from_secs(10));
        assert_eq!(again.read, offsets);
        assert_eq!(again.offset(Utf8Path::new("/x: y")), Some(9));
    }

    #[test]
    fn a_file_of_promtail_with_a_cursor_in_it() {
        let fs = SimFs::new(1);
        let text = b"positions:\n  /var/log/a.log: \"123\"\n  journal-j: s=0;i=1\n";
        atomic_write(&fs, "/p.yaml".into(), text).unwrap();
        let kept = PromtailPositions::open(&fs, "/p.yaml".into(), Duration::from_secs(10));
        assert_eq!(kept.offset("/var/log/a.log".into()), Some(123));
        assert_eq!(kept.offset("journal-j".into()), None);
    }
}
