//! `role: ingress`: every path of every rule.

use super::{Cluster, group, target};
use crate::{
    TargetGroup,
    kubernetes::{
        labels::{meta, of_object},
        objects::{Ingress, IngressRule},
    },
};

pub(super) fn groups(cluster: &Cluster) -> Vec<TargetGroup> {
    let one = |(key, ingress): (&_, &std::sync::Arc<Ingress>)| {
        let mut labels = cluster.in_namespace(&ingress.metadata.namespace);
        meta(&mut labels, "ingress_name", &ingress.metadata.name);
        let class = ingress.spec.ingress_class_name.as_deref();
        meta(&mut labels, "ingress_class_name", class.unwrap_or(""));
        of_object(&mut labels, "ingress", &ingress.metadata);
        let mut targets = Vec::new();
        for rule in &ingress.spec.rules {
            let mut hosts = ingress.spec.tls.iter().flat_map(|tls| &tls.hosts);
            let secure = hosts.any(|pattern| covers(pattern, &rule.host));
            for path in paths(rule) {
                let mut target = target(&rule.host);
                meta(&mut target, "ingress_scheme", if secure { "https" } else { "http" });
                meta(&mut target, "ingress_host", &rule.host);
                meta(&mut target, "ingress_path", path);
                targets.push(target.build());
            }
        }
        group("ingress", key, &labels, targets)
    };
    cluster.ingresses.iter().map(one).collect()
}

/// The paths of a rule; a rule without any is about `/`.
fn paths(rule: &IngressRule) -> Vec<&str> {
    let Some(http) = &rule.http else { return vec!["/"] };
    http.paths.iter().map(|one| if one.path.is_empty() { "/" } else { one.path.as_str() }).collect()
}

/// Whether a name of a certificate, which may begin with `*.`, is that of a host.
fn covers(pattern: &str, host: &str) -> bool {
    let below = |name: &str| name.split_once('.').map(|(_, rest)| rest.to_owned());
    pattern == host || (pattern.starts_with("*.") && below(pattern) == below(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_part() {
        let f = |pattern: &str, host: &str, want: bool| assert_eq!(covers(pattern, host), want);
        f("a.example", "a.example", true);
        f("*.example", "a.example", true);
        f("*.example", "b.a.example", false);
        f("*.example", "example", false);
        f("b.example", "a.example", false);
    }
}
