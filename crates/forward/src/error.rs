//! Why a forwarder cannot start.

use masthead_model::ErrorClass;

/// Why a forwarder cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The journal cannot be opened.
    #[error("cannot open the journal of what is to be pushed: {0}")]
    Journal(masthead_durable::Error),
    /// The options of the client cannot be used.
    #[error("cannot push to {url}: {source}")]
    Client {
        /// Where to.
        url: String,
        /// What is wrong.
        source: masthead_http_client::Error,
    },
    /// A header that can't be sent.
    #[error("cannot push to {url}: the header {name:?} cannot be sent")]
    Header {
        /// Where to.
        url: String,
        /// Its name.
        name: String,
    },
}

impl Error {
    /// Whose fault it is.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Journal(error) => error.class(),
            Self::Client { source, .. } => source.class(),
            Self::Header { .. } => ErrorClass::BadInput,
        }
    }
}
