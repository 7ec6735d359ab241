//! The configuration of each mechanism, as prometheus.yml writes it. Checks and texts are upstream's
//! (`discovery/file/file.go`, `discovery/http/http.go`).

use std::{collections::BTreeMap, time::Duration};

use camino::Utf8Path;
use masthead_http_client::{HttpClientConfig, WithClient};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{KubernetesSdConfig, yaml};

/// Everything that one job finds its targets by.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[expect(clippy::struct_field_names, reason = "the keys of a scrape config, as they are written")]
pub struct Configs {
    /// Lists.
    pub static_configs: Vec<StaticConfig>,
    /// Files.
    pub file_sd_configs: Vec<FileSdConfig>,
    /// Servers.
    pub http_sd_configs: Vec<HttpSdConfig>,
    /// Clusters.
    pub kubernetes_sd_configs: Vec<KubernetesSdConfig>,
}

/// A list of addresses with labels.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct StaticConfig {
    /// Host and port of each.
    pub targets: Vec<String>,
    /// Labels of all.
    pub labels: BTreeMap<String, String>,
}

/// Files that hold lists.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FileSdConfig {
    /// Paths; the last part may hold one `*`.
    pub files: Vec<String>,
    /// How often they are read whether they changed or not; five minutes by default.
    #[serde(default = "file_refresh", with = "yaml::duration")]
    pub refresh_interval: Duration,
}

/// A server that answers with lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HttpSdConfig {
    /// What to ask.
    pub url: String,
    /// How often it is asked, and how long an answer may take; a minute by default.
    #[serde(with = "yaml::duration")]
    pub refresh_interval: Duration,
    /// How to reach it.
    pub client: HttpClientConfig,
}

/// Why a configuration was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct InvalidConfig {
    /// The key, below the job's section.
    pub key: String,
    /// What is wrong.
    pub what: String,
}

fn file_refresh() -> Duration {
    Duration::from_mins(5)
}

fn http_refresh() -> Duration {
    Duration::from_mins(1)
}

impl Configs {
    /// Whether nothing is configured.
    pub fn is_empty(&self) -> bool {
        self.static_configs.is_empty()
            && self.file_sd_configs.is_empty()
            && self.http_sd_configs.is_empty()
            && self.kubernetes_sd_configs.is_empty()
    }

    /// Checks what upstream checks.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn validate(&mut self) -> Result<(), InvalidConfig> {
        let refuse = |key: String, what: String| Err(InvalidConfig { key, what });
        for (at, config) in self.file_sd_configs.iter().enumerate() {
            let key = format!("file_sd_configs[{at}].files");
            if config.files.is_empty() {
                let what = "file service discovery config must contain at least one path name";
                return refuse(key, what.into());
            }
            if let Some(name) = config.files.iter().find(|name| !is_file_pattern(name)) {
                return refuse(key, format!("path name {name:?} is not valid for file discovery"));
            }
            if config.refresh_interval.is_zero() {
                let what = "refresh_interval must be greater than 0";
                return refuse(format!("file_sd_configs[{at}].refresh_interval"), what.into());
            }
        }
        for (at, config) in self.http_sd_configs.iter_mut().enumerate() {
            let key = format!("http_sd_configs[{at}]");
            if config.url.is_empty() {
                return refuse(format!("{key}.url"), "URL is missing".into());
            }
            match Url::parse(&config.url) {
                Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                    let what = "URL scheme must be 'http' or 'https'";
                    return refuse(format!("{key}.url"), what.into());
                }
                Ok(url) if url.has_host() => {}
                Ok(_) => return refuse(format!("{key}.url"), "host is missing in URL".into()),
                Err(error) => return refuse(format!("{key}.url"), error.to_string()),
            }
            if config.refresh_interval.is_zero() {
                let what = "refresh_interval must be greater than 0";
                return refuse(format!("{key}.refresh_interval"), what.into());
            }
            config.client.validate().map_err(|error| InvalidConfig {
                key: format!("{key}.{}", error.key),
                what: error.what,
            })?;
        }
        for (at, config) in self.kubernetes_sd_configs.iter_mut().enumerate() {
            config.validate(&format!("kubernetes_sd_configs[{at}]"))?;
        }
        Ok(())
    }

    /// Takes relative file names as relative to `dir`, the directory of the configuration file.
    pub fn set_directory(&mut self, dir: &Utf8Path) {
        for file in self.file_sd_configs.iter_mut().flat_map(|config| &mut config.files) {
            if !Utf8Path::new(file.as_str()).is_absolute() {
                *file = dir.join(file.as_str()).into_string();
            }
        }
        for config in &mut self.http_sd_configs {
            config.client.set_directory(dir);
        }
        for config in &mut self.kubernetes_sd_configs {
            config.client.set_directory(dir);
        }
    }
}

/// `^[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)$`
fn is_file_pattern(name: &str) -> bool {
    let Some((stem, "json" | "yml" | "yaml" | "JSON" | "YML" | "YAML")) = name.rsplit_once('.')
    else {
        return false;
    };
    stem.split_once('*').is_none_or(|(_, after)| !after.contains('/'))
}

impl<'de> Deserialize<'de> for HttpSdConfig {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, rename = "http_sd_config")]
        struct Written {
            #[serde(default)]
            url: String,
            #[serde(default = "http_refresh", with = "yaml::duration")]
            refresh_interval: Duration,
        }
        let WithClient { section, client } = WithClient::<Written>::deserialize(deserializer)?;
        Ok(Self { url: section.url, refresh_interval: section.refresh_interval, client })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_those_upstream_takes() {
        let f = |name: &str, want: bool| assert_eq!(is_file_pattern(name), want, "{name}");
        f("a.json", true);
        f("/etc/targets/*.yml", true);
        f("/etc/targets/web-*.YAML", true);
        f("/etc/*/web.yml", false);
        f("/etc/*/*.yml", false);
        f("a.txt", false);
        f("json", false);
    }

    #[test]
    fn configurations_are_refused_with_upstream_texts() {
        let f = |text: &str, want: &str| {
            let mut configs = Configs {
                http_sd_configs: yaml::parse(text).expect("well formed"),
                ..Configs::default()
            };
            let error = configs.validate().err().map(|e| format!("{}: {e}", e.key));
            assert_eq!(error.unwrap_or_default(), want, "{text}");
        };
        f("[{url: 'http://x/y', refresh_interval: 10s}]", "");
        f("[{}]", "http_sd_configs[0].url: URL is missing");
        f("[{url: 'ftp://x'}]", "http_sd_configs[0].url: URL scheme must be 'http' or 'https'");
        f(
            "[{url: 'http://x', tls_config: {min_version: TLS8}}]",
            "http_sd_configs[0].tls_config.min_version: unknown TLS version: TLS8",
        );
    }

    #[test]
    fn unknown_keys_are_refused_with_their_place() {
        let error = yaml::parse::<Vec<FileSdConfig>>("- files: [a.json]\n  fils: 1\n");
        let error = error.expect_err("no such key");
        assert_eq!((error.line, error.key.as_str()), (2, "[0].fils"), "{error}");
    }
}
