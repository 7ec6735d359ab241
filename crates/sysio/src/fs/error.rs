//! What failed, and where: the context that every [`io::Error`] of this crate carries.
//!
//! The kind of the outer error is the kind of the cause, so that callers can match on it. The cause
//! is part of the text and is therefore no `source()`: a chain that is printed whole says it once.

use std::{error::Error, fmt, io};

use camino::{Utf8Path, Utf8PathBuf};

/// The content of an [`io::Error`] returned by [`crate::Fs`] and [`crate::File`].
#[derive(Debug)]
pub struct PathError {
    operation: &'static str,
    path: Utf8PathBuf,
    target: Option<Utf8PathBuf>,
    cause: io::Error,
}

impl PathError {
    /// Returns the context of `error`, if it came from this crate.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// Returns the refusal to read a file of `len` bytes where at most `limit` are expected.
    pub(crate) fn too_large(path: &Utf8Path, len: u64, limit: u64) -> io::Error {
        let text = format!("it has {len} bytes, and the limit is {limit}");
        at("read", path)(io::Error::new(io::ErrorKind::FileTooLarge, text))
    }

    /// Returns the file or directory that the operation was about.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Returns the error itself, with its `raw_os_error` when it came from the operating system.
    pub fn cause(&self) -> &io::Error {
        &self.cause
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, path, target, cause } = self;
        match target {
            None => write!(f, "cannot {operation} {path}: {cause}"),
            Some(target) => write!(f, "cannot {operation} {path} to {target}: {cause}"),
        }
    }
}

impl Error for PathError {}

/// Returns a function that adds `operation` (a verb) and `path` to an error.
pub(super) fn at(operation: &'static str, path: &Utf8Path) -> impl FnOnce(io::Error) -> io::Error {
    move |cause| wrap(operation, path, None, cause)
}

/// As [`at`], for an operation that has a second path.
pub(super) fn between(
    operation: &'static str,
    from: &Utf8Path,
    to: &Utf8Path,
) -> impl FnOnce(io::Error) -> io::Error {
    move |cause| wrap(operation, from, Some(to), cause)
}

/// Returns the refusal to take a lock twice.
pub(super) fn held_elsewhere() -> io::Error {
    io::Error::new(
        io::ErrorKind::WouldBlock,
        "it is held, most likely by another process; stop that one or use another directory",
    )
}

fn wrap(
    operation: &'static str,
    path: &Utf8Path,
    target: Option<&Utf8Path>,
    cause: io::Error,
) -> io::Error {
    let kind = cause.kind();
    let (path, target) = (path.to_owned(), target.map(Utf8Path::to_owned));
    io::Error::new(kind, PathError { operation, path, target, cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_says_what_where_and_why_once() {
        let f = |error: io::Error, want: &str| {
            assert_eq!(error.to_string(), want);
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
            assert!(error.source().is_none(), "{want}");
        };
        let cause = || io::Error::new(io::ErrorKind::NotFound, "gone");
        f(at("open", "a/b".into())(cause()), "cannot open a/b: gone");
        f(between("rename", "a".into(), "b".into())(cause()), "cannot rename a to b: gone");
    }

    #[test]
    fn cause_and_path_can_be_recovered() {
        let error = at("write", "x".into())(io::Error::from_raw_os_error(28));
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        let context = PathError::of(&error).unwrap();
        assert_eq!(context.path(), "x");
        assert_eq!(context.cause().raw_os_error(), Some(28));
        assert!(PathError::of(&io::Error::other("stranger")).is_none());
    }
}
