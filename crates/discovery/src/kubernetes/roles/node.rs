//! `role: node`: the kubelet of each node.

use masthead_model::LabelsBuilder;

use super::{Cluster, group, target};
use crate::{
    TargetGroup,
    kubernetes::{
        labels::{join, meta, of_object, sanitize},
        objects::Node,
    },
};

/// The addresses that are taken, the best first.
const PREFERRED: [&str; 6] =
    ["InternalIP", "InternalDNS", "ExternalIP", "ExternalDNS", "LegacyHostIP", "Hostname"];

pub(super) fn groups(cluster: &Cluster) -> Vec<TargetGroup> {
    let one = |(key, node): (&crate::kubernetes::objects::Key, &std::sync::Arc<Node>)| {
        let address = address(node)?;
        let mut labels = LabelsBuilder::default();
        meta(&mut labels, "node_name", &node.metadata.name);
        meta(&mut labels, "node_provider_id", &node.spec.provider_id);
        of_object(&mut labels, "node", &node.metadata);
        let port = node.status.daemon_endpoints.kubelet_endpoint.port;
        let mut target = target(&join(address, port));
        target.set("instance", &node.metadata.name);
        for known in node.status.addresses.iter().rev() {
            // The first of a kind wins.
            let name = format!("node_address_{}", sanitize(&known.kind));
            meta(&mut target, &name, &known.address);
        }
        Some(group("node", key, &labels, vec![target.build()]))
    };
    cluster.nodes.iter().filter_map(one).collect()
}

fn address(node: &Node) -> Option<&str> {
    let all = &node.status.addresses;
    let of_kind = |kind: &&str| all.iter().find(|address| address.kind == **kind);
    PREFERRED.iter().find_map(of_kind).map(|address| address.address.as_str())
}
