//! Why a collector has no rows. Never fatal: the other collectors go on.

use std::io;

use camino::Utf8PathBuf;
use masthead_model::ErrorClass;

/// Why metrics of the machine could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file is missing or may not be read; usual for what the machine does not have.
    #[error("cannot read a file of the kernel")]
    Read(#[source] io::Error),
    /// The file does not look as the kernel writes it.
    #[error("{path}: line {line}: expected {expected}")]
    Malformed {
        /// The file, below the root.
        path: Utf8PathBuf,
        /// Counted from 1.
        line: usize,
        /// What should have stood there.
        expected: &'static str,
    },
    /// More than one file may have; see `files.rs`.
    #[error("{path}: longer than the limit of {limit} bytes for one kernel file")]
    TooLong {
        /// The file, below the root.
        path: Utf8PathBuf,
        /// Bytes.
        limit: usize,
    },
    /// One of the exclude patterns.
    #[error("host.{option}: {what}")]
    Pattern {
        /// The name of the option.
        option: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// No such collector.
    #[error("there is no collector {name:?}")]
    UnknownCollector {
        /// What was asked for.
        name: String,
    },
}

impl Error {
    /// Whose fault this is.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Read(_) => ErrorClass::Unavailable,
            Self::Malformed { .. } => ErrorClass::Corrupt,
            Self::TooLong { .. } => ErrorClass::Limit,
            Self::Pattern { .. } => ErrorClass::BadInput,
            Self::UnknownCollector { .. } => ErrorClass::NotFound,
        }
    }
}
