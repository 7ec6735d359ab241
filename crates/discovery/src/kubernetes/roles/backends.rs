//! What endpoints and endpoint slices share: the pods behind addresses, and their other ports.

use std::{collections::BTreeMap, sync::Arc};

use masthead_model::{Labels, LabelsBuilder};

use super::{Cluster, target};
use crate::kubernetes::{
    labels::{join, of_container, of_container_port, of_pod},
    objects::{Key, Pod, TargetRef},
};

/// The targets of one group while they are made.
#[derive(Debug)]
pub(super) struct Backends<'a> {
    cluster: &'a Cluster,
    targets: Vec<Labels>,
    /// The pods behind them, each with the ports that are targets already.
    pods: BTreeMap<Key, (Arc<Pod>, Vec<i32>)>,
}

impl<'a> Backends<'a> {
    pub(super) fn new(cluster: &'a Cluster) -> Self {
        Self { cluster, targets: Vec::new(), pods: BTreeMap::new() }
    }

    /// Adds a target; where it leads to a pod, with the pod's labels and those of the container
    /// that declares the port.
    pub(super) fn add(
        &mut self,
        mut labels: LabelsBuilder,
        leads_to: Option<&TargetRef>,
        node: Option<&str>,
        port: Option<i32>,
        protocol: Option<&str>,
    ) {
        let to_node = leads_to.filter(|target| target.kind == "Node");
        self.cluster.attach_node(&mut labels, to_node.map(|t| t.name.as_str()).or(node));
        let key = leads_to
            .filter(|target| target.kind == "Pod")
            .map(|target| (target.namespace.clone(), target.name.clone()));
        let pod = key.and_then(|key| Some((self.cluster.pods.get(&key)?, key)));
        if let Some((pod, key)) = pod {
            of_pod(&mut labels, pod);
            let declared = pod.spec.all_containers().find_map(|(container, init)| {
                let port = container.ports.iter().find(|own| Some(own.number) == port)?;
                Some((container, init, port))
            });
            if let Some((container, init, port)) = declared {
                of_container(&mut labels, container, init);
                let protocol = protocol.unwrap_or(&port.protocol);
                of_container_port(&mut labels, &port.name, port.number, protocol);
            }
            let seen = self.pods.entry(key).or_insert_with(|| (Arc::clone(pod), Vec::new()));
            seen.1.extend(port);
        }
        self.targets.push(labels.build());
    }

    /// All targets: those that were added, and each port of their pods that was not among them.
    pub(super) fn finish(mut self) -> Vec<Labels> {
        for (pod, seen) in self.pods.values() {
            let ip = pod.status.pod_ip.as_str();
            if ip.is_empty() {
                continue;
            }
            for (container, init) in pod.spec.all_containers() {
                for port in container.ports.iter().filter(|p| !seen.contains(&p.number)) {
                    let mut labels = target(&join(ip, port.number));
                    of_pod(&mut labels, pod);
                    of_container(&mut labels, container, init);
                    of_container_port(&mut labels, &port.name, port.number, &port.protocol);
                    self.targets.push(labels.build());
                }
            }
        }
        self.targets
    }
}
