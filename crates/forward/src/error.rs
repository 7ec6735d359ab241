//! Why a forwarder cannot start or be looked at.

use masthead_model::ErrorClass;

/// Why a forwarder cannot start or be looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The journal cannot be opened.
    #[error("cannot open the journal of what is to be sent in {dir}: {source}")]
    Journal {
        /// Where it lies.
        dir: camino::Utf8PathBuf,
        /// What is wrong.
        source: masthead_durable::Error,
    },
    /// What waits in the journal cannot be read.
    #[error("cannot read the journal of what is to be sent: {0}")]
    Read(masthead_durable::Error),
    /// The options of the client cannot be used.
    #[error("cannot send to {url}: {source}")]
    Client {
        /// Where to.
        url: String,
        /// What is wrong.
        source: masthead_http_client::Error,
    },
    /// A header that can't be sent.
    #[error("cannot send to {url}: the header {name:?} cannot be sent")]
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
            Self::Journal { source, .. } | Self::Read(source) => source.class(),
            Self::Client { source, .. } => source.class(),
            Self::Header { .. } => ErrorClass::BadInput,
        }
    }
}
