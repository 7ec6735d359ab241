//! What can go wrong in the store, and whose fault it is.

use camino::Utf8Path;
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
    /// The options contradict each other.
    #[error("bad log options: {0}")]
    Options(&'static str),
}

impl Error {
    /// Whose fault it is.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Durable(error) => error.class(),
            Self::Options(_) => ErrorClass::BadInput,
        }
    }

    pub(crate) fn column(path: &Utf8Path, source: masthead_chunk::Error) -> Self {
        Self::Durable(masthead_durable::Error::column(path, source))
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
