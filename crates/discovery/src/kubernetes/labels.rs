//! The meta labels that objects become, as upstream names them.

use masthead_model::LabelsBuilder;

use super::objects::{Container, Meta, Node, Pod, Service, TargetRef};

/// Sets `__meta_kubernetes_NAME`. A label without a value is no label.
pub(super) fn meta(labels: &mut LabelsBuilder, name: &str, value: &str) {
    labels.set(&format!("__meta_kubernetes_{name}"), value);
}

/// What a name becomes where only the characters of label names may stand.
pub(crate) fn sanitize(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect()
}

/// Labels and annotations of an object, each with a label that says it is there.
pub(super) fn of_object(labels: &mut LabelsBuilder, role: &str, object: &Meta) {
    for (what, pairs) in [("label", &object.labels), ("annotation", &object.annotations)] {
        for (name, value) in pairs {
            let name = sanitize(name);
            meta(labels, &format!("{role}_{what}_{name}"), value);
            meta(labels, &format!("{role}_{what}present_{name}"), "true");
        }
    }
}

/// Everything that a pod's targets share but the namespace.
pub(super) fn of_pod(labels: &mut LabelsBuilder, pod: &Pod) {
    let ready = pod.status.conditions.iter().find(|condition| condition.kind == "Ready");
    let ready = ready.map_or_else(|| "unknown".to_owned(), |one| one.status.to_lowercase());
    for (name, value) in [
        ("pod_name", &pod.metadata.name),
        ("pod_ip", &pod.status.pod_ip),
        ("pod_ready", &ready),
        ("pod_phase", &pod.status.phase),
        ("pod_node_name", &pod.spec.node_name),
        ("pod_host_ip", &pod.status.host_ip),
        ("pod_uid", &pod.metadata.uid),
    ] {
        meta(labels, name, value);
    }
    if let Some(owner) = pod.metadata.owner_references.iter().find(|owner| owner.controller) {
        meta(labels, "pod_controller_kind", &owner.kind);
        meta(labels, "pod_controller_name", &owner.name);
    }
    of_object(labels, "pod", &pod.metadata);
}

/// A container, without its port.
pub(super) fn of_container(labels: &mut LabelsBuilder, container: &Container, init: bool) {
    meta(labels, "pod_container_name", &container.name);
    meta(labels, "pod_container_image", &container.image);
    meta(labels, "pod_container_init", if init { "true" } else { "false" });
}

/// A port of a container.
pub(super) fn of_container_port(
    labels: &mut LabelsBuilder,
    name: &str,
    number: i32,
    protocol: &str,
) {
    meta(labels, "pod_container_port_name", name);
    meta(labels, "pod_container_port_number", &number.to_string());
    meta(labels, "pod_container_port_protocol", protocol);
}

/// Everything that a service's targets share.
pub(super) fn of_service(labels: &mut LabelsBuilder, service: &Service) {
    meta(labels, "service_name", &service.metadata.name);
    meta(labels, "namespace", &service.metadata.namespace);
    of_object(labels, "service", &service.metadata);
}

/// The node of a target, where `attach_metadata` asks for it.
pub(super) fn of_node(labels: &mut LabelsBuilder, node: &Node) {
    meta(labels, "node_name", &node.metadata.name);
    let without_annotations =
        Meta { annotations: std::collections::BTreeMap::new(), ..node.metadata.clone() };
    of_object(labels, "node", &without_annotations);
}

/// What an address leads to.
pub(super) fn of_target_ref(labels: &mut LabelsBuilder, role: &str, target: &TargetRef) {
    meta(labels, &format!("{role}_address_target_kind"), &target.kind);
    meta(labels, &format!("{role}_address_target_name"), &target.name);
}

/// `host:port`, with brackets around an IPv6 address.
pub(super) fn join(host: &str, port: impl std::fmt::Display) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_label_names_and_addresses_keep_their_colons() {
        let f = |name: &str, want: &str| assert_eq!(sanitize(name), want);
        f("app.kubernetes.io/name", "app_kubernetes_io_name");
        f("a-b_c9", "a_b_c9");
        f("größe", "gr__e");
        assert_eq!(join("10.0.0.1", 80), "10.0.0.1:80");
        assert_eq!(join("fd00::1", 80), "[fd00::1]:80");
    }
}
