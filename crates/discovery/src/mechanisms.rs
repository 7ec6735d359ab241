//! The table of mechanisms: how each is made of its configuration.
//!
//! A mechanism is a file here and a line in [`MECHANISMS`].

use std::{fmt::Debug, future::Future, pin::Pin, sync::Arc};

use masthead_sysio::Fs;

use crate::{
    Configs, Error, TargetGroup,
    discovery::Publisher,
    kubernetes::{self, Clusters},
};

mod file;
mod http;
mod list;

pub use file::expand;
pub(crate) use file::read as read_file;

/// What mechanisms need from outside.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Where files are.
    pub fs: Arc<dyn Fs>,
    /// What is watched of clusters; shared by all jobs.
    pub kubernetes: Arc<Clusters>,
}

impl Parts {
    /// Parts of one's own.
    pub fn new(fs: Arc<dyn Fs>) -> Self {
        Self { fs, kubernetes: Arc::default() }
    }
}

/// One source of target groups.
pub trait Discoverer: Send + Debug {
    /// The key of its configuration, for logs and metrics.
    fn mechanism(&self) -> &'static str;

    /// Looks for targets and says so to `updates`, for ever or until there is nothing left to find.
    /// It is stopped by dropping the future.
    fn run(self: Box<Self>, updates: Updates) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// Where a discoverer says what it has found.
#[derive(Debug)]
pub struct Updates {
    pub(crate) publisher: Arc<Publisher>,
    pub(crate) source: usize,
}

impl Updates {
    /// Replaces all that this source has said before.
    pub fn replace(&self, groups: Vec<TargetGroup>) {
        self.publisher.replace(self.source, groups);
    }

    /// Replaces all that this source has said before, though a part of it could not be refreshed.
    pub fn partly(&self, groups: Vec<TargetGroup>, error: &Error) {
        self.publisher.partly(self.source, groups, error);
    }

    /// Tells that a refresh failed. What was found before stays.
    pub fn failed(&self, error: &Error) {
        self.publisher.failed(self.source, error);
    }
}

type Make = fn(&Configs, &Parts) -> Result<Vec<Box<dyn Discoverer>>, Error>;

/// Every mechanism by the key of its configuration.
pub(crate) const MECHANISMS: &[(&str, Make)] = &[
    ("static_configs", list::make),
    ("file_sd_configs", file::make),
    ("http_sd_configs", http::make),
    ("kubernetes_sd_configs", kubernetes::make),
];
