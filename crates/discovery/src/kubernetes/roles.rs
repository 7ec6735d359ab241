//! The table of roles: what each reads of a cluster, and the pure function that makes its groups.
//!
//! Labels, addresses and which targets there are: upstream's documentation of
//! `kubernetes_sd_config` and its behaviour (`discovery/kubernetes/*.go` of Prometheus 3).

mod backends;
mod endpoints;
mod endpointslice;
mod ingress;
mod node;
mod pod;
mod service;

use masthead_model::{Labels, LabelsBuilder};

use super::{
    config::Role,
    labels::{meta, of_node},
    objects::{EndpointSlice, Endpoints, Ingress, Namespace, Node, Objects, Pod, Service},
};
use crate::{ADDRESS_LABEL, TargetGroup};

/// The objects that a role reads.
#[derive(Debug, Default)]
pub(crate) struct Cluster {
    pub(crate) nodes: Objects<Node>,
    pub(crate) namespaces: Objects<Namespace>,
    pub(crate) pods: Objects<Pod>,
    pub(crate) services: Objects<Service>,
    pub(crate) endpoints: Objects<Endpoints>,
    pub(crate) slices: Objects<EndpointSlice>,
    pub(crate) ingresses: Objects<Ingress>,
}

/// What a role reads beside its own objects.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needs {
    pub(super) pods: bool,
    pub(super) services: bool,
    /// Whether targets can bear the labels of their nodes.
    pub(super) nodes: bool,
}

type Make = fn(&Cluster) -> Vec<TargetGroup>;

/// Every role.
pub(crate) const ROLES: [(Role, Needs, Make); 6] = [
    (Role::Node, Needs { pods: false, services: false, nodes: true }, node::groups),
    (Role::Pod, Needs { pods: true, services: false, nodes: true }, pod::groups),
    (Role::Service, Needs { pods: false, services: true, nodes: false }, service::groups),
    (Role::Endpoints, Needs { pods: true, services: true, nodes: true }, endpoints::groups),
    (Role::Endpointslice, Needs { pods: true, services: true, nodes: true }, endpointslice::groups),
    (Role::Ingress, Needs { pods: false, services: false, nodes: false }, ingress::groups),
];

pub(super) fn needs(role: Role) -> Needs {
    let row = ROLES.iter().find(|row| row.0 == role);
    row.map_or(Needs { pods: false, services: false, nodes: false }, |row| row.1)
}

/// All groups of a role.
pub(crate) fn groups(role: Role, cluster: &Cluster) -> Vec<TargetGroup> {
    ROLES.iter().find(|row| row.0 == role).map_or_else(Vec::new, |row| (row.2)(cluster))
}

impl Cluster {
    /// The labels of a group in a namespace: its name, and what `attach_metadata` asks for.
    fn in_namespace(&self, namespace: &str) -> LabelsBuilder {
        let mut labels = LabelsBuilder::default();
        meta(&mut labels, "namespace", namespace);
        let key = (String::new(), namespace.to_owned());
        if let Some(object) = self.namespaces.get(&key) {
            super::labels::of_object(&mut labels, "namespace", &object.metadata);
        }
        labels
    }

    /// Adds the labels of a node, where it is known.
    fn attach_node(&self, labels: &mut LabelsBuilder, name: Option<&str>) {
        let key = name.map(|name| (String::new(), name.to_owned()));
        if let Some(node) = key.and_then(|key| self.nodes.get(&key)) {
            of_node(labels, node);
        }
    }
}

/// A target with nothing but its address.
fn target(address: &str) -> LabelsBuilder {
    let mut labels = LabelsBuilder::default();
    labels.set(ADDRESS_LABEL, address);
    labels
}

fn group(
    kind: &str,
    key: &super::objects::Key,
    labels: &LabelsBuilder,
    targets: Vec<Labels>,
) -> TargetGroup {
    let (namespace, name) = key;
    let source = if namespace.is_empty() {
        format!("{kind}/{name}")
    } else {
        format!("{kind}/{namespace}/{name}")
    };
    TargetGroup { source, labels: labels.build(), targets }
}
