//! What can go wrong while history is moved, and whose fault it is.

use std::io;

use camino::Utf8PathBuf;
use masthead_model::ErrorClass;
use masthead_ports::{AppendError, QueryError};

/// Short for what every call here returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an import or an export ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text to import is not as it should be.
    #[error("line {line}: {message}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        message: String,
    },
    /// A file to import is not as it should be.
    #[error("{path}: {problem}")]
    File {
        /// Which one.
        path: Utf8PathBuf,
        /// What is wrong with it.
        problem: masthead_wire::Error,
    },
    /// A directory to import has nothing in it that can be.
    #[error("{path}: {why}")]
    Directory {
        /// Which one.
        path: Utf8PathBuf,
        /// What was expected.
        why: String,
    },
    /// More of something than a named limit.
    #[error("{what}: {found}, and the limit is {limit}")]
    Limit {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: u64,
        /// How many there may be.
        limit: u64,
    },
    /// The store that is imported into.
    #[error(transparent)]
    Store(#[from] masthead_tsdb::Error),
    /// Metadata could not be kept.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// What is exported could not be read.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// What is imported could not be read.
    #[error("cannot read: {0}")]
    Read(io::Error),
    /// What is exported could not be written.
    #[error("cannot write: {0}")]
    Write(io::Error),
    /// The Parquet library refused.
    #[error("cannot write Parquet: {0}")]
    Parquet(parquet::errors::ParquetError),
}

impl Error {
    /// Whose fault it is.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Line { .. } | Self::Directory { .. } => ErrorClass::BadInput,
            Self::File { problem, .. } => problem.class(),
            Self::Limit { .. } => ErrorClass::Limit,
            Self::Store(error) => error.class(),
            Self::Append(error) => error.class,
            Self::Query(error) => error.class(),
            Self::Read(_) | Self::Write(_) => ErrorClass::Unavailable,
            Self::Parquet(_) => ErrorClass::Internal,
        }
    }
}
