//! `role: service`: every port of every service, by its name in DNS.

use super::{Cluster, group, target};
use crate::{
    TargetGroup,
    kubernetes::labels::{join, meta, of_service},
};

pub(super) fn groups(cluster: &Cluster) -> Vec<TargetGroup> {
    let one = |(key, service): (&_, &std::sync::Arc<crate::kubernetes::objects::Service>)| {
        let mut labels = cluster.in_namespace(&service.metadata.namespace);
        of_service(&mut labels, service);
        let host = format!("{}.{}.svc", service.metadata.name, service.metadata.namespace);
        let spec = &service.spec;
        let of_port = |port: &crate::kubernetes::objects::ServicePort| {
            let mut target = target(&join(&host, port.port));
            meta(&mut target, "service_port_name", &port.name);
            meta(&mut target, "service_port_number", &port.port.to_string());
            meta(&mut target, "service_port_protocol", &port.protocol);
            meta(&mut target, "service_type", &spec.kind);
            match spec.kind.as_str() {
                "ExternalName" => meta(&mut target, "service_external_name", &spec.external_name),
                _ => meta(&mut target, "service_cluster_ip", &spec.cluster_ip),
            }
            if spec.kind == "LoadBalancer" {
                meta(&mut target, "service_loadbalancer_ip", &spec.load_balancer_ip);
            }
            target.build()
        };
        group("svc", key, &labels, spec.ports.iter().map(of_port).collect())
    };
    cluster.services.iter().map(one).collect()
}
