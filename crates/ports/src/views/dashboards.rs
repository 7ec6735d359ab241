//! The dashboards that the browser shows, as files of Grafana's JSON.

use std::{fmt::Debug, sync::Arc};

use masthead_model::ErrorClass;

use super::AdminError;

/// Where dashboards come from: folders, what is embedded, later `ConfigMap`s.
pub trait DashboardsView: Send + Sync + Debug {
    /// Every dashboard, by folder and then by title.
    ///
    /// May read the disk; callers give it a thread of its own.
    fn list(&self) -> Vec<DashboardInfo>;

    /// The file with this uid, unchanged.
    fn get(&self, uid: &str) -> Option<(DashboardInfo, Arc<str>)>;

    /// Keeps this dashboard, in the place of one with its uid that was kept before.
    ///
    /// `uid` has letters, digits, `-` and `_` alone, and `json` is an object that has it.
    ///
    /// # Errors
    /// One of that uid came from elsewhere and is not to be changed; a limit; the file system.
    fn save(&self, uid: &str, json: &str) -> Result<(), AdminError> {
        let (_, _) = (uid, json);
        Err(nowhere())
    }

    /// Forgets a dashboard that was kept.
    ///
    /// # Errors
    /// There is none of that uid; it came from elsewhere; the file system.
    fn delete(&self, uid: &str) -> Result<DashboardInfo, AdminError> {
        let _ = uid;
        Err(nowhere())
    }
}

fn nowhere() -> AdminError {
    let message = "this server has no place for dashboards".to_owned();
    AdminError { class: ErrorClass::Unavailable, message }
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
    /// Whether it was saved here, so that it can be changed and deleted here.
    pub kept: bool,
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
