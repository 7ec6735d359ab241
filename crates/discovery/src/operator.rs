//! What the custom resources of prometheus-operator say, as scrape configurations.
//!
//! [`translate`] is a pure function from a ServiceMonitor, PodMonitor, Probe or `ScrapeConfig` to
//! the sections of a prometheus.yml that the operator (0.93) writes for it, relabelling rules in its
//! order. A resource that cannot be taken is refused whole, with the reason. Reading resources from
//! a cluster is `cluster.rs`.
//!
//! - `spec.rs`: the resources; `rules.rs`: relabelling rules; `secrets.rs`: what they refer to.
//! - `monitors.rs`, `probe.rs`, `scrape_config.rs`: one translation each; `common.rs`: what they
//!   share.

mod cluster;
mod common;
mod monitors;
mod probe;
mod rules;
mod scrape_config;
mod secrets;
mod spec;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

pub use self::{
    cluster::{Found, Operator, RuleFile, Selection, Status},
    secrets::{Reference, Secrets, Store},
};
use crate::kubernetes::Meta;

/// Kinds of resources that become scrape configurations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Endpoints of services.
    ServiceMonitor,
    /// Pods.
    PodMonitor,
    /// Static targets or ingresses through a prober.
    Probe,
    /// A scrape configuration as it is.
    ScrapeConfig,
}

impl Kind {
    /// As `kubectl` writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ServiceMonitor => "ServiceMonitor",
            Self::PodMonitor => "PodMonitor",
            Self::Probe => "Probe",
            Self::ScrapeConfig => "ScrapeConfig",
        }
    }
}

/// Why a resource is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Rejected(pub String);

/// The scrape configurations of one resource, each with its `job_name`.
///
/// # Errors
/// What keeps the operator from taking it, and what this server does not do.
pub fn translate(
    kind: Kind,
    meta: &Meta,
    spec: &Value,
    secrets: &dyn Secrets,
) -> Result<Vec<Map<String, Value>>, Rejected> {
    match kind {
        Kind::ServiceMonitor => monitors::service(meta, &read(spec)?, secrets),
        Kind::PodMonitor => monitors::pod(meta, &read(spec)?, secrets),
        Kind::Probe => probe::translate(meta, &read(spec)?, secrets).map(|job| vec![job]),
        Kind::ScrapeConfig => {
            scrape_config::translate(meta, read(spec)?, secrets).map(|job| vec![job])
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(spec: &Value) -> Result<T, Rejected> {
    serde_path_to_error::deserialize(spec)
        .map_err(|error| Rejected(format!("spec.{}: {}", error.path(), error.inner())))
}
