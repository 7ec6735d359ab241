//! What can go wrong below the stores, and whose fault it is.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use masthead_model::ErrorClass;

/// Short for what every call here returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a file or a journal could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system said no; the text names operation and path.
    #[error("{0}")]
    Io(io::Error),
    /// The bytes are not what was written. Never retried; what it names goes aside.
    #[error("{path}: corrupt {what} at byte {offset}")]
    Corrupt {
        /// The file.
        path: Utf8PathBuf,
        /// Which part of it.
        what: &'static str,
        /// Where in the file, or in the part when the file is not known.
        offset: u64,
    },
    /// A column that cannot be encoded or decoded.
    #[error("{path}: {source}")]
    Column {
        /// The file that it is in, or the directory of the store.
        path: Utf8PathBuf,
        /// What is wrong.
        source: masthead_chunk::Error,
    },
    /// Written by a later version, or not ours.
    #[error(
        "{path}: format version {found}, and this program reads up to {known}; use a newer one"
    )]
    Version {
        /// The file.
        path: Utf8PathBuf,
        /// What its header says.
        found: u32,
        /// The newest that is understood.
        known: u32,
    },
    /// More of something than a named limit.
    #[error("{what}: {found}, and the limit is {limit}")]
    Limit {
        /// What is counted.
        what: &'static str,
        /// How many there would be.
        found: u64,
        /// How many there may be.
        limit: u64,
    },
    /// Whoever asked for series was not to go on.
    #[error("the search for series was ended")]
    Ended,
    /// An earlier write of the journal failed and what it was to hold still waits to be written.
    #[error("the journal cannot be written now, try again later: {0}")]
    JournalStopped(String),
}

impl Error {
    /// Whose fault it is.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::NotFound => ErrorClass::NotFound,
            Self::Io(_) | Self::JournalStopped(_) => ErrorClass::Unavailable,
            Self::Corrupt { .. } | Self::Version { .. } => ErrorClass::Corrupt,
            Self::Column { source, .. } => source.class(),
            Self::Limit { .. } => ErrorClass::Limit,
            Self::Ended => ErrorClass::Cancelled,
        }
    }

    /// The refusal of bytes at `offset` of a part of `path`.
    pub fn corrupt(path: &Utf8Path, what: &'static str, offset: u64) -> Self {
        Self::Corrupt { path: path.to_owned(), what, offset }
    }

    /// The refusal of a column of `path`.
    pub fn column(path: &Utf8Path, source: masthead_chunk::Error) -> Self {
        Self::Column { path: path.to_owned(), source }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_can_be_tried_again_and_rot_cannot() {
        let full = Error::from(io::Error::new(io::ErrorKind::StorageFull, "full"));
        assert!(full.class().is_retryable());
        assert!(Error::JournalStopped("full".into()).class().is_retryable());
        let rot = Error::corrupt(Utf8Path::new("/x"), "page", 7);
        assert!(!rot.class().is_retryable());
        assert_eq!(rot.to_string(), "/x: corrupt page at byte 7");
    }
}
