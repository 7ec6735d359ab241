//! What the HTTP API shows and does beside samples: the store, the targets, the rules, the server.
//!
//! Each trait is plain data out of a part of the program that owns it, so that the API can be
//! tested without scraping, rules or a disk. Nothing here knows JSON; times that have not come yet
//! are `None`, never a magic zero.

mod dashboards;
mod discovery;
mod rules;
mod server;
mod store;
mod targets;

pub use dashboards::{DashboardInfo, DashboardsView, NoDashboards};
pub use discovery::{DiscoveryView, FoundResource, NoCluster};
pub use rules::{
    Alert, AlertState, Alertmanagers, NoRules, Rule, RuleGroup, RuleHealth, RuleKind, RulesView,
};
pub use server::{Readiness, ReloadError, RuntimeInfo, ServerView};
pub use store::{AdminError, BlockInfo, Cardinality, ReplayStatus, StoreAdmin, StoreStats};
pub use targets::{
    ActiveTarget, DroppedTarget, NoTargets, RelabelStep, RuleValue, TargetHealth, TargetMetadata,
    TargetsView,
};
