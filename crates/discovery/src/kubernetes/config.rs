//! The section `kubernetes_sd_configs`, with upstream's keys, checks and texts
//! (`discovery/kubernetes/kubernetes.go`).

use masthead_http_client::{HttpClientConfig, WithClient};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::InvalidConfig;

/// What targets are made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The kubelet of each node.
    Node,
    /// Ports of containers.
    #[default]
    Pod,
    /// Ports of services.
    Service,
    /// Addresses behind services.
    Endpoints,
    /// The same in parts.
    Endpointslice,
    /// Paths of ingresses.
    Ingress,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Pod => "pod",
            Self::Service => "service",
            Self::Endpoints => "endpoints",
            Self::Endpointslice => "endpointslice",
            Self::Ingress => "ingress",
        }
    }

    /// The roles whose objects it reads, so that they can be selected.
    fn reads(self) -> Vec<Self> {
        match self {
            Self::Endpoints | Self::Endpointslice => {
                vec![Self::Pod, Self::Service, self, Self::Node]
            }
            Self::Pod => vec![Self::Pod, Self::Node],
            other => vec![other],
        }
    }
}

/// Which namespaces; all of them where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Namespaces {
    /// That of this process' own pod.
    pub own_namespace: bool,
    /// By name.
    pub names: Vec<String>,
}

/// Which objects of a role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selector {
    /// Of the role.
    pub role: Role,
    /// A label selector, as `kubectl -l` takes it.
    pub label: String,
    /// A field selector, such as `spec.nodeName=node-1`.
    pub field: String,
}

/// What else targets bear.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AttachMetadata {
    /// The labels of their nodes.
    pub node: bool,
    /// The labels and annotations of their namespaces.
    pub namespace: bool,
}

/// One section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KubernetesSdConfig {
    /// The API server; that of this process' own cluster if empty.
    pub api_server: String,
    /// What targets are made of.
    pub role: Role,
    /// Where they are looked for.
    pub namespaces: Namespaces,
    /// Which of them.
    pub selectors: Vec<Selector>,
    /// What else they bear.
    pub attach_metadata: AttachMetadata,
    /// How the API server is reached, where one is named.
    pub client: HttpClientConfig,
}

impl KubernetesSdConfig {
    /// Checks what upstream checks.
    pub(crate) fn validate(&mut self, key: &str) -> Result<(), InvalidConfig> {
        let refuse =
            |below: &str, what: String| Err(InvalidConfig { key: format!("{key}{below}"), what });
        if self.api_server.is_empty() {
            if self.client != HttpClientConfig::default() {
                let what = "to use custom HTTP client configuration please provide the \
                            'api_server' URL explicitly";
                return refuse("", what.to_owned());
            }
        } else {
            match Url::parse(&self.api_server) {
                Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {}
                Ok(_) => return refuse(".api_server", "not an http or https URL".to_owned()),
                Err(error) => return refuse(".api_server", error.to_string()),
            }
        }
        self.client.validate().map_err(|error| InvalidConfig {
            key: format!("{key}.{}", error.key),
            what: error.what,
        })?;
        for (at, selector) in self.selectors.iter().enumerate() {
            let below = format!(".selectors[{at}]");
            if self.selectors.iter().take(at).any(|earlier| earlier.role == selector.role) {
                return refuse(
                    &below,
                    format!("duplicated selector role: {}", selector.role.name()),
                );
            }
            let reads = self.role.reads();
            if !reads.contains(&selector.role) {
                let names: Vec<&str> = reads.into_iter().map(Role::name).collect();
                let (role, names) = (self.role.name(), names.join(", "));
                return refuse(&below, format!("{role} role supports only {names} selectors"));
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for KubernetesSdConfig {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, rename = "kubernetes_sd_config")]
        struct Written {
            #[serde(default)]
            api_server: String,
            role: Role,
            /// Not read: a kubeconfig can run programs, which this process never does.
            kubeconfig_file: Option<String>,
            #[serde(default)]
            namespaces: Namespaces,
            #[serde(default)]
            selectors: Vec<Selector>,
            #[serde(default)]
            attach_metadata: AttachMetadata,
        }
        let WithClient { section, client } = WithClient::<Written>::deserialize(deserializer)?;
        if section.kubeconfig_file.is_some_and(|file| !file.is_empty()) {
            return Err(serde::de::Error::custom(
                "kubeconfig_file is not supported; name api_server and how to reach it",
            ));
        }
        Ok(Self {
            api_server: section.api_server,
            role: section.role,
            namespaces: section.namespaces,
            selectors: section.selectors,
            attach_metadata: section.attach_metadata,
            client,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Configs, yaml};

    #[test]
    fn sections_are_checked_as_upstream_checks_them() {
        let f = |text: &str, want: &str| {
            let kubernetes_sd_configs = yaml::parse(text).expect("well formed");
            let mut configs = Configs { kubernetes_sd_configs, ..Configs::default() };
            let error = configs.validate().err().map(|e| format!("{}: {e}", e.key));
            assert_eq!(error.unwrap_or_default(), want, "{text}");
        };
        let at = "kubernetes_sd_configs[0]";
        f("[{role: pod}]", "");
        f("[{role: endpoints, selectors: [{role: pod, label: a=b}, {role: service}]}]", "");
        f("[{role: node, api_server: 'https://k:6443', attach_metadata: {node: true}}]", "");
        f(
            "[{role: pod, selectors: [{role: pod}, {role: pod}]}]",
            &format!("{at}.selectors[1]: duplicated selector role: pod"),
        );
        f(
            "[{role: node, selectors: [{role: pod}]}]",
            &format!("{at}.selectors[0]: node role supports only node selectors"),
        );
        f(
            "[{role: pod, follow_redirects: false}]",
            &format!(
                "{at}: to use custom HTTP client configuration please provide the 'api_server' URL explicitly"
            ),
        );
        f(
            "[{role: pod, api_server: 'ftp://x'}]",
            &format!("{at}.api_server: not an http or https URL"),
        );
    }

    #[test]
    fn unknown_roles_and_keys_are_refused_with_their_place() {
        let f = |text: &str, want: &str| {
            let error = yaml::parse::<Vec<KubernetesSdConfig>>(text).expect_err("refused");
            assert!(error.to_string().contains(want), "{error}");
        };
        f("- role: pods", "pods");
        f("- namespaces: {names: [a]}", "role");
        f("- {role: pod, kubeconfig_file: /x}", "kubeconfig_file is not supported");
        f("- {role: pod, namespace: x}", "namespace");
    }
}
