//! Why a collector cannot start.

use masthead_model::ErrorClass;
use masthead_ports::AppendError;

/// Why a collector cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The sink does not say how far files were read.
    #[error("cannot read how far files were collected before: {0}")]
    Progress(AppendError),
    /// A part of discovery cannot be set up.
    #[error("job {job:?}: {source}")]
    Discovery {
        /// The job.
        job: String,
        /// What is wrong.
        source: masthead_discovery::Error,
    },
    /// The machine has no thread left.
    #[error("cannot start the thread that collects: {0}")]
    Thread(std::io::Error),
}

impl Error {
    /// Whose fault it is.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Progress(error) => error.class,
            Self::Discovery { .. } => ErrorClass::BadInput,
            Self::Thread(_) => ErrorClass::Unavailable,
        }
    }
}
