//! Finding rotated files: what lies beside a path, and what it has to do with it.
//!
//! Rotation by name: `app.log` becomes `app.log.1`, `app.log-20260101` or, by the kubelet,
//! `0.log.20260101-120000`. Rotation by copy: the file stays and is emptied, and its copy begins as
//! it did.

use std::{collections::BTreeMap, io};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_sysio::{FileId, Fs, Metadata, OpenOptions};

use crate::position::{FINGERPRINT_BYTES_MAX, Position};

/// Endings of compressed files.
const COMPRESSED: &[&str] = &["gz", "zst", "bz2", "xz", "z", "lz4", "tmp"];
/// Names of a directory that are looked at in search of a rotated file.
const NAMES_MAX: usize = 5_000;

/// What lies beside a path.
#[derive(Debug, Default)]
pub(crate) struct Siblings {
    /// Files that can be read.
    pub(crate) files: BTreeMap<Utf8PathBuf, Metadata>,
    /// When each compressed file of this path was written, in nanoseconds since 1970.
    compressed: Vec<i64>,
}

impl Siblings {
    /// Compressed files of the path that were written after `time`.
    pub(crate) fn compressed_since(&self, time: i64) -> u64 {
        self.compressed.iter().filter(|at| **at > time).count() as u64
    }
}

/// Everything beside a path.
pub(crate) fn siblings(fs: &dyn Fs, path: &Utf8Path) -> io::Result<Siblings> {
    siblings_named(fs, path, |_| true)
}

/// What its name says was rotated from a path.
pub(crate) fn rotated(fs: &dyn Fs, path: &Utf8Path) -> io::Result<Siblings> {
    let mut found = siblings_named(fs, path, |other| shares_name(path, other))?;
    found.files.retain(|other, _| is_rotation(path, other));
    Ok(found)
}

fn siblings_named(
    fs: &dyn Fs,
    path: &Utf8Path,
    is_meant: impl Fn(&Utf8Path) -> bool,
) -> io::Result<Siblings> {
    let Some(dir) = path.parent() else { return Ok(Siblings::default()) };
    let dir = if dir.as_str().is_empty() { Utf8Path::new(".") } else { dir };
    let names = match fs.read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Siblings::default()),
        names => names?,
    };
    let mut found = Siblings::default();
    // Those that look like ours first, so that the limit does not hit them.
    let paths = names.iter().map(|name| dir.join(name)).filter(|other| is_meant(other));
    let (ours, others): (Vec<_>, Vec<_>) = paths.partition(|other| shares_name(path, other));
    for other in ours.into_iter().chain(others).take(NAMES_MAX) {
        let Ok(metadata) = fs.metadata(&other) else { continue };
        if !metadata.is_file {
            continue;
        }
        if is_compressed(&other) {
            if shares_name(path, &other) {
                found.compressed.push(metadata.modified.0);
            }
        } else {
            found.files.insert(other, metadata);
        }
    }
    Ok(found)
}

pub(crate) fn is_compressed(path: &Utf8Path) -> bool {
    path.extension()
        .is_some_and(|end| COMPRESSED.iter().any(|known| end.eq_ignore_ascii_case(known)))
}

fn shares_name(path: &Utf8Path, other: &Utf8Path) -> bool {
    match (path.file_name(), other.file_name()) {
        (Some(name), Some(other)) => other.starts_with(name) && other != name,
        _ => false,
    }
}

/// Whether `other` has the name of `path` with a number or a date behind it.
pub(crate) fn is_rotation(path: &Utf8Path, other: &Utf8Path) -> bool {
    let (Some(name), Some(other)) = (path.file_name(), other.file_name()) else { return false };
    let Some(rest) = other.strip_prefix(name) else { return false };
    let Some(suffix) = rest.strip_prefix(['.', '-', '_']) else { return false };
    let dated =
        |c: char| c.is_ascii_digit() || matches!(c, '-' | '_' | '.' | ':' | 'T' | 'Z' | '+');
    suffix == "old" || (suffix.chars().all(dated) && suffix.contains(|c: char| c.is_ascii_digit()))
}

/// Puts rotated files of `path` in the order in which they were written. Their names say so, if all
/// have a number, or all a date; else they stay as they are.
pub(crate) fn sort_by_age<T>(path: &Utf8Path, files: &mut [T], name: impl Fn(&T) -> &Utf8Path) {
    /// Longer runs of digits are dates.
    const NUMBER_DIGITS_MAX: usize = 5;
    let suffix = |file: &T| -> Option<String> {
        let rest = name(file).file_name()?.strip_prefix(path.file_name()?)?;
        rest.strip_prefix(['.', '-', '_']).map(str::to_owned)
    };
    let number = |file: &T| -> Option<u32> {
        suffix(file).filter(|text| text.len() <= NUMBER_DIGITS_MAX)?.parse().ok()
    };
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    let date = |file: &T| suffix(file).filter(|text| digits(text) > NUMBER_DIGITS_MAX);
    if files.iter().all(|file| number(file).is_some()) {
        files.sort_by_key(|file| std::cmp::Reverse(number(file)));
    } else if files.iter().all(|file| date(file).is_some()) {
        files.sort_by_key(date);
    }
}

/// The copy that was made of a file before it was emptied: it begins alike, and was made after
/// `since` if there is one. `taken` says which files are read already.
pub(crate) fn copy_of(
    fs: &dyn Fs,
    path: &Utf8Path,
    read: &Position,
    since: i64,
    taken: &dyn Fn(FileId) -> bool,
) -> io::Result<Option<(Utf8PathBuf, Metadata)>> {
    if read.fingerprint.len == 0 {
        return Ok(None);
    }
    let mut alike = Vec::new();
    for (other, found) in rotated(fs, path)?.files {
        if found.id == read.id || taken(found.id) {
            continue;
        }
        let Ok(file) = fs.open(&other, OpenOptions::READ) else { continue };
        let mut start = [0; FINGERPRINT_BYTES_MAX];
        let start = start.get_mut(..read.fingerprint.len as usize).unwrap_or_default();
        if file.read_exact_at(start, 0).is_ok() && read.fingerprint.fits(start) {
            alike.push((other, found));
        }
    }
    // Later ones may begin alike too, and are of what came later.
    alike.sort_by_key(|(_, found)| found.modified.0);
    sort_by_age(path, &mut alike, |(other, _)| other);
    let first = alike.iter().position(|(_, found)| found.modified.0 >= since).unwrap_or(0);
    Ok(alike.into_iter().nth(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rotated_files() {
        let f = |other: &str, want: bool| {
            assert_eq!(is_rotation("/d/app.log".into(), Utf8Path::new(other)), want, "{other}");
        };
        f("/d/app.log.1", true);
        f("/d/app.log-20260101", true);
        f("/d/app.log.20260101-120000", true);
        f("/d/app.log.2026-01-01T12:00:00Z", true);
        f("/d/app.log.old", true);
        f("/d/app.log", false);
        f("/d/app.log.json", false);
        f("/d/app.log2", false);
        f("/d/app-worker.log", false);
        f("/d/app.log.", false);
    }

    #[test]
    fn names_say_which_is_older() {
        let f = |names: &[&str], want: &[&str]| {
            let mut files: Vec<Utf8PathBuf> = names.iter().map(Utf8PathBuf::from).collect();
            sort_by_age("/d/a.log".into(), &mut files, |file| file);
            assert_eq!(files, want);
        };
        f(
            &["/d/a.log.2", "/d/a.log.10", "/d/a.log.1"],
            &["/d/a.log.10", "/d/a.log.2", "/d/a.log.1"],
        );
        f(&["/d/a.log-20260102", "/d/a.log-20260101"], &["/d/a.log-20260101", "/d/a.log-20260102"]);
        f(
            &["/d/a.log.2", "/d/a.log.old", "/d/a.log.3"],
            &["/d/a.log.2", "/d/a.log.old", "/d/a.log.3"],
        );
    }

    #[test]
    fn compressed_files_are_known_by_their_ends() {
        let f = |path: &str, want: bool| assert_eq!(is_compressed(path.into()), want, "{path}");
        f("/d/app.log.1.gz", true);
        f("/d/app.log.ZST", true);
        f("/d/app.log.1", false);
        f("/d/gz", false);
    }
}
