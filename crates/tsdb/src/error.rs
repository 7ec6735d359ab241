//! What can go wrong in the store, and whose fault it is.

use masthead_model::ErrorClass;
use masthead_ports::{AppendError, QueryError};

/// Short for what every call here returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a store could not be opened, written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Files, journal or index.
    #[error(transparent)]
    Durable(#[from] masthead_durable::Error),
    /// The head is not in memory yet.
    #[error(
        "the store is starting: the newest samples are still being read; try again in a moment"
    )]
    Loading,
    /// The options contradict each other.
    #[error("bad storage options: {0}")]
    Options(&'static str),
}

impl Error {
    /// Whose fault it is.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Durable(error) => error.class(),
            Self::Options(_) => ErrorClass::BadInput,
            Self::Loading => ErrorClass::Unavailable,
        }
    }

    /// Whether a later version of this program wrote the file.
    pub(crate) fn is_version(&self) -> bool {
        matches!(self, Self::Durable(masthead_durable::Error::Version { .. }))
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Durable(error.into())
    }
}

impl From<Error> for AppendError {
    fn from(error: Error) -> Self {
        Self { class: error.class(), message: error.to_string() }
    }
}

impl From<Error> for QueryError {
    fn from(error: Error) -> Self {
        Self::Store { class: error.class(), message: error.to_string() }
    }
}
