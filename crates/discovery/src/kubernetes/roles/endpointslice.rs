//! `role: endpointslice`: the addresses behind each service, in parts.

use super::{Cluster, backends::Backends, group, target};
use crate::{
    TargetGroup,
    kubernetes::{
        labels::{join, meta, of_object, of_service, of_target_ref, sanitize},
        objects::{Endpoint, EndpointSlice, Key, SlicePort},
    },
};

/// The label that names the service of a slice.
const SERVICE_NAME: &str = "kubernetes.io/service-name";

pub(super) fn groups(cluster: &Cluster) -> Vec<TargetGroup> {
    cluster.slices.iter().map(|(key, slice)| of(cluster, key, slice)).collect()
}

fn of(cluster: &Cluster, key: &Key, slice: &EndpointSlice) -> TargetGroup {
    let mut labels = cluster.in_namespace(&slice.metadata.namespace);
    meta(&mut labels, "endpointslice_name", &slice.metadata.name);
    meta(&mut labels, "endpointslice_address_type", &slice.address_type);
    of_object(&mut labels, "endpointslice", &slice.metadata);
    let service = slice.metadata.labels.get(SERVICE_NAME);
    let service = service.map(|name| (slice.metadata.namespace.clone(), name.clone()));
    if let Some(service) = service.and_then(|key| cluster.services.get(&key)) {
        of_service(&mut labels, service);
    }
    let mut backends = Backends::new(cluster);
    for endpoint in &slice.endpoints {
        for port in &slice.ports {
            for address in &endpoint.addresses {
                let target = of_address(address, endpoint, port);
                let (leads_to, node) =
                    (endpoint.target_ref.as_ref(), endpoint.node_name.as_deref());
                backends.add(target, leads_to, node, port.port, None);
            }
        }
    }
    group("endpointslice", key, &labels, backends.finish())
}

fn of_address(
    address: &str,
    endpoint: &Endpoint,
    port: &SlicePort,
) -> masthead_model::LabelsBuilder {
    let joined = port.port.map_or_else(|| address.to_owned(), |port| join(address, port));
    let mut labels = target(&joined);
    let number = port.port.map(|port| port.to_string());
    let truth = |value: Option<bool>| value.map(|value| value.to_string());
    for (name, value) in [
        ("port_name", port.name.clone()),
        ("port_protocol", port.protocol.clone()),
        ("port", number),
        ("port_app_protocol", port.app_protocol.clone()),
        ("endpoint_conditions_ready", truth(endpoint.conditions.ready)),
        ("endpoint_conditions_serving", truth(endpoint.conditions.serving)),
        ("endpoint_conditions_terminating", truth(endpoint.conditions.terminating)),
        ("endpoint_hostname", endpoint.hostname.clone()),
        ("endpoint_node_name", endpoint.node_name.clone()),
        ("endpoint_zone", endpoint.zone.clone()),
    ] {
        meta(&mut labels, &format!("endpointslice_{name}"), value.as_deref().unwrap_or(""));
    }
    if let Some(leads_to) = &endpoint.target_ref {
        of_target_ref(&mut labels, "endpointslice", leads_to);
    }
    for (name, value) in &endpoint.deprecated_topology {
        let name = sanitize(name);
        meta(&mut labels, &format!("endpointslice_endpoint_topology_{name}"), value);
        meta(&mut labels, &format!("endpointslice_endpoint_topology_present_{name}"), "true");
    }
    labels
}
