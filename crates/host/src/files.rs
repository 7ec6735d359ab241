//! Bounded reads of kernel files below a root.
//!
//! Files of `/proc` say that they are empty, so they are read until they end, never by their length.

use std::{io, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_sysio::{Fs, OpenOptions};

use crate::Error;

/// The most that is read of one file; `/proc/net/udp` of a machine with 50,000 sockets fits.
const FILE_BYTES_MAX: usize = 8 << 20;
const READ_BYTES: usize = 16 << 10;

/// Files below a root.
#[derive(Debug)]
pub(crate) struct Files {
    fs: Arc<dyn Fs>,
    root: Utf8PathBuf,
}

impl Files {
    pub(crate) fn new(fs: Arc<dyn Fs>, root: Utf8PathBuf) -> Self {
        Self { fs, root }
    }

    /// Where `path` (with or without a leading slash) is on this machine.
    pub(crate) fn resolve(&self, path: &str) -> Utf8PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// The whole file; bytes that are not UTF-8 become U+FFFD.
    pub(crate) fn read(&self, path: &str) -> Result<String, Error> {
        let bytes = self.read_bytes(&self.resolve(path))?;
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// The file's text without the white space around it, or nothing if it can't be read: much in
    /// `/sys` is there on some devices only, and some of that answers `EINVAL`.
    pub(crate) fn word(&self, path: &str) -> Option<String> {
        self.read(path).ok().map(|text| text.trim().to_owned())
    }

    /// The file's one number, decimal or with a leading `0x`.
    pub(crate) fn number(&self, path: &str) -> Option<f64> {
        let text = self.word(path)?;
        match text.strip_prefix("0x") {
            Some(digits) => hexadecimal(digits),
            None => number(&text),
        }
    }

    /// The names in a directory, sorted.
    pub(crate) fn list(&self, path: &str) -> Result<Vec<String>, Error> {
        self.fs.read_dir(&self.resolve(path)).map_err(Error::Read)
    }

    /// Where a link leads, or nothing if it leads nowhere.
    pub(crate) fn target(&self, path: &str) -> Option<Utf8PathBuf> {
        self.fs.canonical(&self.resolve(path)).ok()
    }

    pub(crate) fn is_dir(&self, path: &str) -> bool {
        self.fs.metadata(&self.resolve(path)).is_ok_and(|found| found.is_dir)
    }

    fn read_bytes(&self, path: &Utf8Path) -> Result<Vec<u8>, Error> {
        let file = self.fs.open(path, OpenOptions::READ).map_err(Error::Read)?;
        let mut bytes = Vec::new();
        loop {
            let start = bytes.len();
            if start > FILE_BYTES_MAX {
                return Err(Error::TooLong { path: path.to_owned(), limit: FILE_BYTES_MAX });
            }
            bytes.resize(start + READ_BYTES, 0);
            let count = match file.read_at(&mut bytes[start..], start as u64) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    bytes.truncate(start);
                    continue;
                }
                Err(error) => return Err(Error::Read(error)),
            };
            bytes.truncate(start + count);
            if count == 0 {
                return Ok(bytes);
            }
        }
    }
}

/// A decimal number as the kernel writes them; nothing for `inf`, `nan` and other words.
pub(crate) fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// A hexadecimal number without its prefix.
#[expect(
    clippy::cast_precision_loss,
    reason = "counters above 2^53 lose their last bits, as all do"
)]
pub(crate) fn hexadecimal(digits: &str) -> Option<f64> {
    u64::from_str_radix(digits, 16).ok().map(|value| value as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_digits_and_not_words() {
        let f = |text: &str, want: Option<f64>| assert_eq!(number(text), want, "{text:?}");
        f("12", Some(12.0));
        f("-1", Some(-1.0));
        f("1.5", Some(1.5));
        f("", None);
        f("-", None);
        f("nan", None);
        f("inf", None);
        f("1x", None);
        assert_eq!(hexadecimal("ff"), Some(255.0));
        assert_eq!(hexadecimal("zz"), None);
    }
}
