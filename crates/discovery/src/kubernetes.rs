//! `kubernetes_sd_configs`: targets that the API server of a cluster tells.
//!
//! Every kind of object that a role reads is listed once and then watched (`watch.rs`); jobs that
//! watch the same share one watch. Whenever something changes, all groups of the role are made
//! anew by a pure function of the objects (`roles.rs`), with upstream's meta labels. An API server
//! that is away costs no target: what was found stays until the server says otherwise.
//!
//! - `config.rs`: the section; `api.rs`: asking the server; `watch.rs`: objects as they are now.
//! - `objects.rs`: what is read of objects; `labels.rs`: the labels they become.
//! - `roles.rs`: the table of roles, a file each below it.

pub(crate) mod api;
mod config;
mod labels;
pub(crate) mod objects;
pub(crate) mod roles;
mod watch;

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use tokio::sync::Notify;

pub(crate) use self::labels::sanitize;
pub use self::{
    api::{Api, Timing},
    config::{AttachMetadata, KubernetesSdConfig, Namespaces, Role, Selector},
    objects::{ConfigMap, Meta, Namespace, Resource},
    watch::{Clusters, Watched},
};
use self::{
    objects::{EndpointSlice, Endpoints, Ingress, Node, Pod, Service},
    roles::Cluster,
};
use crate::{
    Configs, Error, TargetGroup,
    mechanisms::{Discoverer, Parts, Updates},
};

/// The targets of one section.
#[derive(Debug)]
struct Search {
    config: KubernetesSdConfig,
    api: Arc<Api>,
    clusters: Arc<Clusters>,
}

pub(crate) fn make(configs: &Configs, parts: &Parts) -> Result<Vec<Box<dyn Discoverer>>, Error> {
    let search = |config: &KubernetesSdConfig| {
        let api = parts.kubernetes.api(&config.api_server, &config.client, &parts.fs)?;
        let (config, clusters) = (config.clone(), Arc::clone(&parts.kubernetes));
        Ok(Box::new(Search { config, api, clusters }) as Box<dyn Discoverer>)
    };
    configs.kubernetes_sd_configs.iter().map(search).collect()
}

impl Discoverer for Search {
    fn mechanism(&self) -> &'static str {
        "kubernetes_sd_configs"
    }

    fn run(self: Box<Self>, updates: Updates) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let settle = self.api.timing().settle;
            let changed = Arc::new(Notify::new());
            let namespaces = match self.namespaces().await {
                Ok(namespaces) => namespaces,
                Err(error) => {
                    // Only the file of the own namespace can fail, and it does not come later.
                    updates.failed(&error);
                    return std::future::pending().await;
                }
            };
            let views: Vec<View> =
                namespaces.iter().map(|name| self.view(name.as_deref(), &changed)).collect();
            loop {
                changed.notified().await;
                // Objects change in bursts; what is made of them is made once.
                tokio::time::sleep(settle).await;
                let problem = views.iter().find_map(View::problem);
                let problem = problem.map(|what| Error::Kubernetes { what });
                // Half of the objects of a namespace would be half of the labels, so nothing is said
                // of it before all are known once. One that is refused costs the others nothing.
                let synced = views.iter().filter(|view| view.is_synced());
                let groups = |view: &View| roles::groups(self.config.role, &view.cluster());
                let groups = || -> Vec<TargetGroup> { synced.clone().flat_map(groups).collect() };
                match problem {
                    None if synced.clone().count() == views.len() => updates.replace(groups()),
                    None => {}
                    Some(error) if synced.clone().count() == 0 => updates.failed(&error),
                    Some(error) => updates.partly(groups(), &error),
                }
            }
        })
    }
}

impl Search {
    /// The namespaces that are watched, `None` for all of them.
    async fn namespaces(&self) -> Result<Vec<Option<String>>, Error> {
        let Namespaces { own_namespace, names } = &self.config.namespaces;
        let mut all: Vec<Option<String>> = names.iter().cloned().map(Some).collect();
        if *own_namespace {
            all.push(Some(self.api.own_namespace().await?));
        }
        if all.is_empty() {
            all.push(None);
        }
        Ok(all)
    }

    /// Begins to watch what the role reads in a namespace.
    fn view(&self, namespace: Option<&str>, changed: &Arc<Notify>) -> View {
        let role = self.config.role;
        let metadata = self.config.attach_metadata;
        let needs = roles::needs(role);
        let selector = |role| {
            let own = self.config.selectors.iter().find(|selector| selector.role == role);
            own.cloned().unwrap_or_else(|| Selector { role, ..Selector::default() })
        };
        View {
            nodes: (role == Role::Node || (metadata.node && needs.nodes))
                .then(|| self.watch(None, &selector(Role::Node), changed)),
            namespaces: (metadata.namespace && role != Role::Node)
                .then(|| self.watch(None, &Selector::default(), changed)),
            pods: needs.pods.then(|| self.watch(namespace, &selector(Role::Pod), changed)),
            services: needs
                .services
                .then(|| self.watch(namespace, &selector(Role::Service), changed)),
            endpoints: (role == Role::Endpoints)
                .then(|| self.watch(namespace, &selector(Role::Endpoints), changed)),
            slices: (role == Role::Endpointslice)
                .then(|| self.watch(namespace, &selector(Role::Endpointslice), changed)),
            ingresses: (role == Role::Ingress)
                .then(|| self.watch(namespace, &selector(Role::Ingress), changed)),
        }
    }

    fn watch<T: Resource>(
        &self,
        namespace: Option<&str>,
        selector: &Selector,
        changed: &Arc<Notify>,
    ) -> Arc<Watched<T>> {
        let watched = self.clusters.watch(&self.api, namespace, &selector.label, &selector.field);
        watched.tell(changed);
        watched
    }
}

/// What one role watches in one namespace.
#[derive(Debug)]
struct View {
    nodes: Option<Arc<Watched<Node>>>,
    namespaces: Option<Arc<Watched<Namespace>>>,
    pods: Option<Arc<Watched<Pod>>>,
    services: Option<Arc<Watched<Service>>>,
    endpoints: Option<Arc<Watched<Endpoints>>>,
    slices: Option<Arc<Watched<EndpointSlice>>>,
    ingresses: Option<Arc<Watched<Ingress>>>,
}

impl View {
    fn is_synced(&self) -> bool {
        fn synced<T: Resource>(watched: Option<&Arc<Watched<T>>>) -> bool {
            watched.is_none_or(|watched| watched.is_synced())
        }
        synced(self.nodes.as_ref())
            && synced(self.namespaces.as_ref())
            && synced(self.pods.as_ref())
            && synced(self.services.as_ref())
            && synced(self.endpoints.as_ref())
            && synced(self.slices.as_ref())
            && synced(self.ingresses.as_ref())
    }

    /// Why one of them is not up to date, the first.
    fn problem(&self) -> Option<String> {
        fn problem<T: Resource>(watched: Option<&Arc<Watched<T>>>) -> Option<String> {
            watched.and_then(|watched| watched.problem())
        }
        problem(self.nodes.as_ref())
            .or_else(|| problem(self.namespaces.as_ref()))
            .or_else(|| problem(self.pods.as_ref()))
            .or_else(|| problem(self.services.as_ref()))
            .or_else(|| problem(self.endpoints.as_ref()))
            .or_else(|| problem(self.slices.as_ref()))
            .or_else(|| problem(self.ingresses.as_ref()))
    }

    fn cluster(&self) -> Cluster {
        fn objects<T: Resource>(watched: Option<&Arc<Watched<T>>>) -> objects::Objects<T> {
            watched.map(|watched| watched.objects()).unwrap_or_default()
        }
        Cluster {
            nodes: objects(self.nodes.as_ref()),
            namespaces: objects(self.namespaces.as_ref()),
            pods: objects(self.pods.as_ref()),
            services: objects(self.services.as_ref()),
            endpoints: objects(self.endpoints.as_ref()),
            slices: objects(self.slices.as_ref()),
            ingresses: objects(self.ingresses.as_ref()),
        }
    }
}

/// How long a server may say nothing on a watch: longer than [`api::WATCH_SECONDS`], after which it
/// ends the watch by itself.
const SILENCE_MAX: Duration = Duration::from_secs(api::WATCH_SECONDS + 30);
