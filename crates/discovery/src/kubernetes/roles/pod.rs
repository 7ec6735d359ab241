//! `role: pod`: every declared port of every container, and containers without ports.

use super::{Cluster, group, target};
use crate::{
    TargetGroup,
    kubernetes::{
        labels::{join, meta, of_container, of_container_port, of_pod},
        objects::{Key, Pod},
    },
};

pub(super) fn groups(cluster: &Cluster) -> Vec<TargetGroup> {
    cluster.pods.iter().map(|(key, pod)| of(cluster, key, pod)).collect()
}

fn of(cluster: &Cluster, key: &Key, pod: &Pod) -> TargetGroup {
    let mut labels = cluster.in_namespace(&pod.metadata.namespace);
    let ip = pod.status.pod_ip.as_str();
    // A pod that starts or was evicted has no address yet.
    if ip.is_empty() {
        return group("pod", key, &labels, Vec::new());
    }
    of_pod(&mut labels, pod);
    cluster.attach_node(&mut labels, Some(&pod.spec.node_name));
    let mut targets = Vec::new();
    for (container, init) in pod.spec.all_containers() {
        let id = container_id(pod, &container.name, init);
        let mut add = |address: &str, port: Option<&crate::kubernetes::objects::ContainerPort>| {
            let mut labels = target(address);
            of_container(&mut labels, container, init);
            meta(&mut labels, "pod_container_id", id);
            if let Some(port) = port {
                of_container_port(&mut labels, &port.name, port.number, &port.protocol);
            }
            targets.push(labels.build());
        };
        if container.ports.is_empty() {
            // The user adds the port by a relabelling.
            add(ip, None);
        }
        for port in &container.ports {
            add(&join(ip, port.number), Some(port));
        }
    }
    group("pod", key, &labels, targets)
}

fn container_id<'a>(pod: &'a Pod, name: &str, init: bool) -> &'a str {
    let status = &pod.status;
    let all = if init { &status.init_container_statuses } else { &status.container_statuses };
    all.iter().find(|one| one.name == name).map_or("", |one| one.container_id.as_str())
}
