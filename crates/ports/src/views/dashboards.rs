//! The dashboards that the browser shows, as files of Grafana's JSON.

use std::{fmt::Debug, sync::Arc};

/// Where dashboards come from: folders, what is embedded, later `ConfigMap`s.
pub trait DashboardsView: Send + Sync + Debug {
    /// Every dashboard, by folder and then by title.
    ///
    /// May read the disk; callers give it a thread of its own.
    fn list(&self) -> Vec<DashboardInfo>;

    /// The file with this uid, unchanged.
    fn get(&self, uid: &str) -> Option<(DashboardInfo, Arc<str>)>;
}

/// What a list of dashboards shows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DashboardInfo {
    /// The folder it is shown in; empty for the general one.
    pub folder: String,
    /// Its title.
    pub title: String,
    /// Its name in addresses.
    pub uid: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Where it was read, for messages.
    pub origin: String,
}

/// There are none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoDashboards;

impl DashboardsView for NoDashboards {
    fn list(&self) -> Vec<DashboardInfo> {
        Vec::new()
    }

    fn get(&self, _uid: &str) -> Option<(DashboardInfo, Arc<str>)> {
        None
    }
}
