//! Finds scrape targets: lists in the configuration, watched files, HTTP, Kubernetes.
//!
//! [`discover`] starts what a job's configuration names and hands out a [`Discovery`]: at any moment
//! the full set of the job's target groups, and a signal when it changes. A source that fails keeps
//! what it said last, so that an outage of a discovery server costs no target. Nothing here scrapes,
//! relabels or decides what a target is.
//!
//! - `config.rs`: the configuration, in upstream's words; `yaml.rs`: reading it with positions.
//! - `mechanisms.rs`: the table of mechanisms, one line each; `group.rs`: what they find.
//! - `discovery.rs`: putting several sources together.
//! - `kubernetes.rs`: objects of a cluster; `operator.rs`: the resources of prometheus-operator.
//! - `fuzzing.rs`: what others may say, for the fuzzer.

#![forbid(unsafe_code)]

mod config;
mod discovery;
#[doc(hidden)]
pub mod fuzzing;
mod group;
pub mod kubernetes;
mod mechanisms;
pub mod operator;
pub mod yaml;

pub use config::{Configs, FileSdConfig, HttpSdConfig, InvalidConfig, StaticConfig};
pub use discovery::{Discovery, SourceStats, discover};
pub use group::{ADDRESS_LABEL, TargetGroup};
pub use kubernetes::KubernetesSdConfig;
pub use mechanisms::{Discoverer, Parts, Updates, expand};

/// Why discovery could not be started, or why one refresh failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The options of the HTTP client.
    #[error(transparent)]
    Client(#[from] masthead_http_client::Error),
    /// A server that answered something else than 200.
    #[error("server returned HTTP status {status}")]
    Status {
        /// Code and reason.
        status: String,
    },
    /// An answer that is not JSON by its own word.
    #[error("unsupported content type {content_type:?}")]
    ContentType {
        /// What it says it is.
        content_type: String,
    },
    /// An answer or file that is no list of target groups.
    #[error("{what}")]
    Malformed {
        /// What is wrong, with the position.
        what: String,
    },
    /// A file or directory that can't be read.
    #[error("cannot read target groups")]
    Read(#[from] std::io::Error),
    /// The API server of a cluster, in its own words.
    #[error("{what}")]
    Kubernetes {
        /// What it refused or why it did not answer.
        what: String,
    },
    /// The API server of a cluster did not answer.
    #[error("{what}")]
    Away {
        /// Why, as far as it is known.
        what: String,
    },
    /// No answer within the refresh interval.
    #[error("context deadline exceeded")]
    Timeout,
}

impl Error {
    /// Whose fault this is.
    pub fn class(&self) -> masthead_model::ErrorClass {
        use masthead_model::ErrorClass;
        match self {
            Self::Client(error) => error.class(),
            Self::Status { .. } | Self::Read(_) | Self::Kubernetes { .. } | Self::Away { .. } => {
                ErrorClass::Unavailable
            }
            Self::ContentType { .. } | Self::Malformed { .. } => ErrorClass::BadInput,
            Self::Timeout => ErrorClass::Timeout,
        }
    }
}
