//! `role: endpoints`: the addresses behind each service, ready or not.

use super::{Cluster, backends::Backends, group, target};
use crate::{
    TargetGroup,
    kubernetes::{
        labels::{join, meta, of_object, of_service, of_target_ref},
        objects::{Address, Endpoints, Key, ServicePort},
    },
};

pub(super) fn groups(cluster: &Cluster) -> Vec<TargetGroup> {
    cluster.endpoints.iter().map(|(key, endpoints)| of(cluster, key, endpoints)).collect()
}

fn of(cluster: &Cluster, key: &Key, endpoints: &Endpoints) -> TargetGroup {
    let mut labels = cluster.in_namespace(&endpoints.metadata.namespace);
    meta(&mut labels, "endpoints_name", &endpoints.metadata.name);
    of_object(&mut labels, "endpoints", &endpoints.metadata);
    // The service has the same name.
    if let Some(service) = cluster.services.get(key) {
        of_service(&mut labels, service);
    }
    let mut backends = Backends::new(cluster);
    let mut add = |address: &Address, port: &ServicePort, ready: &str| {
        let mut target = target(&join(&address.ip, port.port));
        meta(&mut target, "endpoint_port_name", &port.name);
        meta(&mut target, "endpoint_port_protocol", &port.protocol);
        meta(&mut target, "endpoint_ready", ready);
        if let Some(leads_to) = &address.target_ref {
            of_target_ref(&mut target, "endpoint", leads_to);
        }
        meta(&mut target, "endpoint_node_name", address.node_name.as_deref().unwrap_or(""));
        meta(&mut target, "endpoint_hostname", &address.hostname);
        let (leads_to, node) = (address.target_ref.as_ref(), address.node_name.as_deref());
        backends.add(target, leads_to, node, Some(port.port), Some(&port.protocol));
    };
    for subset in &endpoints.subsets {
        for port in &subset.ports {
            subset.addresses.iter().for_each(|address| add(address, port, "true"));
            subset.not_ready_addresses.iter().for_each(|address| add(address, port, "false"));
        }
    }
    group("endpoints", key, &labels, backends.finish())
}
