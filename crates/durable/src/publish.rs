//! A directory appears whole or not at all, and goes the same way.
//!
//! ```text
//! NAME.tmp      being written; removed at the next start
//! NAME          published: its files, its names and its own name are durable
//! NAME.deleted  on its way out; removed at the next start
//! NAME.corrupt  set aside because its bytes are bad; never read, never removed by us
//! ```
//!
//! One thread writes a given name at a time; the owner of the data directory's lock sees to that.

use camino::{Utf8Path, Utf8PathBuf};
use masthead_sysio::{Fs, create_dir_all_synced, is_temporary};

use crate::Result;

const TEMPORARY: &str = ".tmp";
const DELETED: &str = ".deleted";
const CORRUPT: &str = ".corrupt";
/// Names of one text; there may be as many as there are blocks.
const NAMES_MAX: usize = 3;

/// [`create_dir_all_synced`], with this crate's error.
///
/// # Errors
/// Those of the file system.
pub fn create_dir(fs: &dyn Fs, path: &Utf8Path) -> Result<()> {
    Ok(create_dir_all_synced(fs, path)?)
}

/// Creates `parent/name.tmp`, empty, to be filled and then given to [`publish`].
///
/// # Errors
/// Those of the file system.
pub fn begin(fs: &dyn Fs, parent: &Utf8Path, name: &str) -> Result<Utf8PathBuf> {
    create_dir(fs, parent)?;
    let temporary = parent.join(format!("{name}{TEMPORARY}"));
    if fs.metadata(&temporary).is_ok() {
        fs.sync_dir(parent)?;
        fs.remove_dir_all(&temporary)?;
    }
    fs.create_dir_all(&temporary)?;
    Ok(temporary)
}

/// Publishes what [`begin`] started. Every file in it must have been synced by its writer.
///
/// # Errors
/// Those of the file system. The directory is then not published, or is published but not yet
/// durable; the caller must treat it as not published and may try again under another name.
pub fn publish(fs: &dyn Fs, parent: &Utf8Path, name: &str) -> Result<()> {
    let temporary = parent.join(format!("{name}{TEMPORARY}"));
    let published = parent.join(name);
    fs.sync_dir(&temporary)?;
    fs.rename(&temporary, &published)?;
    if let Err(error) = fs.sync_dir(parent) {
        // Published or not after a crash: take it back, so that nothing depends on the answer.
        drop(fs.rename(&published, &temporary));
        return Err(error.into());
    }
    Ok(())
}

/// Removes what [`begin`] started and will not be published; errors are left to the next sweep.
pub fn abandon(fs: &dyn Fs, parent: &Utf8Path, name: &str) {
    // If its name is not durable, what comes back may be the published one, which must be whole.
    if fs.sync_dir(parent).is_ok() {
        drop(fs.remove_dir_all(&parent.join(format!("{name}{TEMPORARY}"))));
    }
}

/// Publishes what `fill` puts into a new directory, if it says that there is something. Returns
/// whether it did; of what was not published nothing is left.
///
/// # Errors
/// Those of `fill` and of the file system, as [`publish`] has them.
pub fn build<E: From<crate::Error>>(
    fs: &dyn Fs,
    parent: &Utf8Path,
    name: &str,
    fill: impl FnOnce(&Utf8Path) -> Result<bool, E>,
) -> Result<bool, E> {
    let dir = begin(fs, parent, name)?;
    let built = fill(&dir).and_then(|some| {
        if some {
            publish(fs, parent, name)?;
        }
        Ok(some)
    });
    if !matches!(built, Ok(true)) {
        abandon(fs, parent, name);
    }
    built
}

/// Removes a published directory: after this returns it does not come back.
///
/// # Errors
/// Those of the file system; the directory may then be there, under its own name or as
/// `.deleted`.
pub fn remove(fs: &dyn Fs, parent: &Utf8Path, name: &str) -> Result<()> {
    let deleted = parent.join(format!("{name}{DELETED}"));
    fs.rename(&parent.join(name), &deleted)?;
    fs.sync_dir(parent)?;
    // From here on a crash leaves work for the sweep, nothing else.
    drop(fs.remove_dir_all(&deleted));
    Ok(())
}

/// Sets a directory or file with bad bytes aside; returns the name it has now.
///
/// # Errors
/// Those of the file system.
pub fn quarantine(fs: &dyn Fs, parent: &Utf8Path, name: &str) -> Result<String> {
    let mut aside = format!("{name}{CORRUPT}");
    let mut number = 1;
    while fs.metadata(&parent.join(&aside)).is_ok() {
        number += 1;
        aside = format!("{name}.{number}{CORRUPT}");
    }
    fs.rename(&parent.join(name), &parent.join(&aside))?;
    fs.sync_dir(parent)?;
    Ok(aside)
}

/// What [`sweep`] found in a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Names of what is published, sorted.
    pub published: Vec<String>,
    /// Names of what was set aside, now or earlier.
    pub corrupt: Vec<String>,
    /// How many leftovers were removed.
    pub removed: usize,
}

/// Removes what interrupted work left in `parent`, and lists the rest. A missing directory is an
/// empty one.
///
/// # Errors
/// Those of listing; a leftover that cannot be removed stays and is no error.
pub fn sweep(fs: &dyn Fs, parent: &Utf8Path) -> Result<Swept> {
    let names = match fs.read_dir(parent) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Swept::default()),
        names => names?,
    };
    let mut swept = Swept::default();
    // A leftover whose name is not durable may come back under its old name, and must be whole.
    fs.sync_dir(parent)?;
    for name in names {
        if is_temporary(&name) || name.ends_with(DELETED) {
            let path = parent.join(&name);
            let is_dir = fs.metadata(&path).is_ok_and(|found| found.is_dir);
            let gone = if is_dir { fs.remove_dir_all(&path) } else { fs.remove_file(&path) };
            swept.removed += usize::from(gone.is_ok());
        } else if name.ends_with(CORRUPT) {
            swept.corrupt.push(name);
        } else {
            swept.published.push(name);
        }
    }
    Ok(swept)
}

/// The first names of what is set aside, and how many more there are; nothing where nothing is.
pub fn set_aside_names(names: &[String]) -> Option<String> {
    let shown = names.iter().take(NAMES_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len() {
        0 => None,
        count if count > NAMES_MAX => Some(format!("{shown} and {} more", count - NAMES_MAX)),
        _ => Some(shown),
    }
}

#[cfg(test)]
mod tests {
    use masthead_sysio::{SimFs, atomic_write};

    use super::*;

    const PARENT: &str = "/data/blocks";

    fn write(fs: &SimFs, name: &str) -> Result<()> {
        build(fs, PARENT.into(), name, |dir| {
            atomic_write(fs, &dir.join("file"), b"content")?;
            Ok(true)
        })
        .map(|_| ())
    }

    #[test]
    fn power_lost_at_any_operation_leaves_all_or_nothing() {
        for nth in 1..40 {
            let fs = SimFs::new(nth);
            fs.fail_from(nth, std::io::ErrorKind::Other);
            let done = write(&fs, "b1").is_ok();
            let fs = fs.crash();
            let swept = sweep(&fs, PARENT.into()).unwrap();
            assert!(!done || swept.published == ["b1"], "{nth}");
            if swept.published == ["b1"] {
                let path = Utf8Path::new(PARENT).join("b1/file");
                assert_eq!(masthead_sysio::read_to_vec(&fs, &path, 99).unwrap(), b"content");
            }
            assert_eq!(sweep(&fs, PARENT.into()).unwrap().removed, 0, "{nth}: swept once");
            write(&fs, "b2").unwrap();
        }
    }

    #[test]
    fn what_is_removed_stays_away_and_what_is_bad_is_kept_aside() {
        let fs = SimFs::new(1);
        write(&fs, "b1").unwrap();
        write(&fs, "b2").unwrap();
        remove(&fs, PARENT.into(), "b1").unwrap();
        assert_eq!(quarantine(&fs, PARENT.into(), "b2").unwrap(), "b2.corrupt");
        write(&fs, "b2").unwrap();
        assert_eq!(quarantine(&fs, PARENT.into(), "b2").unwrap(), "b2.2.corrupt");
        let fs = fs.crash();
        let swept = sweep(&fs, PARENT.into()).unwrap();
        assert_eq!((swept.published.len(), swept.corrupt.len()), (0, 2));
        assert_eq!(set_aside_names(&swept.corrupt).as_deref(), Some("b2.2.corrupt, b2.corrupt"));
        let many = ["a", "b", "c", "d", "e"].map(str::to_owned);
        assert_eq!(set_aside_names(&many).as_deref(), Some("a, b, c and 2 more"));
        assert_eq!(set_aside_names(&[]), None);
    }
}
