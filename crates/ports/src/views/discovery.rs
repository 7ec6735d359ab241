//! What was found that says what to scrape, and what became of it.

use std::fmt::Debug;

/// The custom resources of a cluster, as far as this server follows them.
pub trait DiscoveryView: Send + Sync + Debug {
    /// All of them, in the order of kind, namespace and name.
    fn resources(&self) -> Vec<FoundResource>;

    /// Why some are not up to date, in the cluster's words.
    fn problems(&self) -> Vec<String>;
}

/// What became of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundResource {
    /// Such as `ServiceMonitor`.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The scrape pools that it became.
    pub pools: Vec<String>,
    /// Where its pools look for targets, in words, such as `endpoints in namespace shop`.
    pub looks: String,
    /// How many rules or files it brought, where that is what its kind brings.
    pub brought: Option<usize>,
    /// Why it is not taken, if it is not.
    pub rejected: Option<String>,
}

/// No cluster is followed.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCluster;

impl DiscoveryView for NoCluster {
    fn resources(&self) -> Vec<FoundResource> {
        Vec::new()
    }

    fn problems(&self) -> Vec<String> {
        Vec::new()
    }
}
