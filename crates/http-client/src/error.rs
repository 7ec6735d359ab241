//! Why a request has no answer. Texts begin as Go's do, because people search for them.

use masthead_model::ErrorClass;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The connection could not be made.
    #[error("Get {url:?}: dial tcp {address}: {what}")]
    Dial {
        /// What was asked for.
        url: String,
        /// Host and port of the server or the proxy.
        address: String,
        /// What the operating system says.
        what: String,
    },
    /// The certificate was refused, or the other end does not speak TLS.
    #[error("Get {url:?}: tls: {what}")]
    Tls {
        /// What was asked for.
        url: String,
        /// What went wrong.
        what: String,
    },
    /// The proxy would not connect.
    #[error("Get {url:?}: proxy {proxy} answered {status} to CONNECT")]
    Proxy {
        /// What was asked for.
        url: String,
        /// The proxy, without its password.
        proxy: String,
        /// Its status line.
        status: String,
    },
    /// The SOCKS proxy would not connect.
    #[error("Get {url:?}: socks connect tcp {proxy}->{target}: {what}")]
    Socks {
        /// What was asked for.
        url: String,
        /// The proxy, without its password.
        proxy: String,
        /// Host and port of the server.
        target: String,
        /// What went wrong.
        what: String,
    },
    /// The connection broke, or what came is not HTTP.
    #[error("Get {url:?}: {what}")]
    Exchange {
        /// What was asked for.
        url: String,
        /// What went wrong.
        what: String,
    },
    /// The address can't be asked for.
    #[error("invalid URL {url:?}: {what}")]
    Url {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        what: String,
    },
    /// Redirects without an end.
    #[error("Get {url:?}: stopped after {limit} redirects")]
    Redirects {
        /// The last address.
        url: String,
        /// How many are followed.
        limit: usize,
    },
    /// The caller's limit on the body, after decompression.
    #[error("body size limit exceeded")]
    BodyTooLarge {
        /// Bytes.
        limit: u64,
    },
    /// The body claims to be gzip and is not.
    #[error("gzip: {0}")]
    Gzip(String),
    /// A file with a credential or a certificate.
    #[error("unable to read {what} file {path}: {cause}")]
    File {
        /// What the file holds.
        what: &'static str,
        /// Where it is.
        path: String,
        /// What the operating system says.
        cause: String,
    },
    /// A certificate or key that can't be used.
    #[error("unable to use specified {what}: {cause}")]
    Certificate {
        /// Which one.
        what: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// No token could be had.
    #[error("oauth2: cannot fetch a token from {url}: {what}")]
    Token {
        /// Where it was asked for.
        url: String,
        /// What went wrong, without secrets.
        what: String,
    },
    /// A header that can't be sent.
    #[error("invalid value of header {name:?}")]
    Header {
        /// Its name.
        name: String,
    },
}

impl Error {
    /// Whose fault this is.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Dial { .. }
            | Self::Tls { .. }
            | Self::Proxy { .. }
            | Self::Socks { .. }
            | Self::Exchange { .. }
            | Self::Redirects { .. }
            | Self::Token { .. }
            | Self::File { .. } => ErrorClass::Unavailable,
            Self::BodyTooLarge { .. } => ErrorClass::TooLarge,
            Self::Gzip(_) => ErrorClass::Corrupt,
            Self::Url { .. } | Self::Certificate { .. } | Self::Header { .. } => {
                ErrorClass::BadInput
            }
        }
    }
}
