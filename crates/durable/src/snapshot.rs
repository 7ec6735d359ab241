//! What a snapshot of a store is made with: its name, links to what never changes, copies of what
//! does.
//!
//! Each store knows which of its files are which, and holds its own locks; nothing here does.

use camino::{Utf8Path, Utf8PathBuf};
use masthead_sysio::{Fs, OpenOptions, UnixNanos, is_temporary};

use crate::{Error, Result, publish};

/// Bytes that are in memory at one time while a file is copied.
const COPY_BYTES: usize = 1 << 20;

/// A name that says the moment, as `20261122T100000Z-0123456789abcdef`, so that names sort by time.
pub fn name(now: UnixNanos) -> String {
    format!("{}-{:016x}", basic_iso(now.0.div_euclid(1_000_000_000)), now.0)
}

/// Why there can be no new snapshot `name` in `parent`, if it is so.
pub fn problem(fs: &dyn Fs, parent: &Utf8Path, name: &str) -> Option<&'static str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(plain) {
        Some("a snapshot's name has letters, digits, - and _ alone")
    } else if fs.metadata(&parent.join(name)).is_ok() {
        Some("there is a snapshot of this name already")
    } else {
        None
    }
}

/// Publishes what `fill` puts into the directory `parent/name`, and returns that.
///
/// # Errors
/// Those of `fill` and of the file system; then nothing is left of it.
pub fn make<E: From<Error>>(
    fs: &dyn Fs,
    parent: &Utf8Path,
    name: &str,
    fill: impl FnOnce(&Utf8Path) -> Result<(), E>,
) -> Result<Utf8PathBuf, E> {
    publish::sweep(fs, parent)?;
    publish::build(fs, parent, name, |dir| fill(dir).map(|()| true))?;
    Ok(parent.join(name))
}

/// Gives every file in `from`, of which none is ever changed, a second name in `to`, which is made.
///
/// # Errors
/// Those of the file system.
pub fn link_dir(fs: &dyn Fs, from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    fs.create_dir_all(to)?;
    for file in fs.read_dir(from)? {
        if !is_temporary(&file) {
            fs.hard_link(&from.join(&file), &to.join(&file))?;
        }
    }
    Ok(fs.sync_dir(to)?)
}

/// Copies every file in `from` to `to`, which is made, in the order of their names. A file that
/// grows meanwhile is copied up to some byte, and one that is made meanwhile is left out.
///
/// # Errors
/// Those of the file system.
pub fn copy_dir(fs: &dyn Fs, from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    fs.create_dir_all(to)?;
    for file in fs.read_dir(from)? {
        if !is_temporary(&file) {
            copy_file(fs, &from.join(&file), &to.join(&file))?;
        }
    }
    Ok(fs.sync_dir(to)?)
}

fn copy_file(fs: &dyn Fs, from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    let source = fs.open(from, OpenOptions::READ)?;
    let copy = fs.open(to, OpenOptions::CREATE_NEW)?;
    let mut piece = vec![0; COPY_BYTES];
    let mut at = 0;
    loop {
        let count = source.read_at(&mut piece, at)?;
        if count == 0 {
            return Ok(copy.sync_all()?);
        }
        copy.write_all_at(piece.get(..count).unwrap_or_default(), at)?;
        at += count as u64;
    }
}

/// `20261122T100000Z` of seconds since 1970 (Howard Hinnant's `civil_from_days`).
fn basic_iso(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use masthead_sysio::{SimFs, atomic_write};

    use super::*;

    #[test]
    fn moments_are_written_in_the_basic_form() {
        let f = |seconds: i64, want: &str| assert_eq!(basic_iso(seconds), want);
        f(0, "19700101T000000Z");
        f(1_795_341_600, "20261122T100000Z");
        f(951_782_399, "20000228T235959Z");
        f(951_782_400, "20000229T000000Z");
        f(-1, "19691231T235959Z");
        assert_eq!(name(UnixNanos(1)), "19700101T000000Z-0000000000000001");
    }

    #[test]
    fn names_lead_nowhere_else() {
        let fs = SimFs::new(1);
        let f = |text: &str, want: bool| {
            assert_eq!(problem(&fs, "/".into(), text).is_none(), want, "{text:?}");
        };
        f("20261122T100000Z-0123", true);
        f("a_b", true);
        f("", false);
        f("..", false);
        f("a/b", false);
    }

    #[test]
    fn a_copy_does_not_change_with_its_source_and_a_link_is_the_same_file() {
        let fs = SimFs::new(1);
        let (from, copy, link) = ("/a".into(), "/b".into(), "/c".into());
        fs.create_dir_all(from).unwrap();
        let content = vec![7; COPY_BYTES + 3];
        atomic_write(&fs, &from.join("file"), &content).unwrap();
        atomic_write(&fs, &from.join("other.tmp"), b"not yet").unwrap();
        fs.short_reads(true);
        copy_dir(&fs, from, copy).unwrap();
        link_dir(&fs, from, link).unwrap();
        fs.short_reads(false);
        fs.open(&from.join("file"), OpenOptions::APPEND).unwrap().append_all(b"more").unwrap();
        let read = |dir: &Utf8Path| fs.metadata(&dir.join("file")).unwrap().len;
        assert_eq!((read(copy), read(link)), (content.len() as u64, content.len() as u64 + 4));
        for dir in [copy, link] {
            assert_eq!(fs.read_dir(dir).unwrap(), ["file"]);
        }
        assert!(copy_dir(&fs, from, copy).is_err(), "nothing is written over");
    }
}
