//! The client options as prometheus.yml writes them, with upstream's checks and texts
//! (`prometheus/common config/http_config.go`).
//!
//! `HttpClientConfig` is spread over the keys of a scrape or discovery section there, so those
//! sections list these keys as their own and put them together.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use crate::{Secret, proxy::NoProxy};

/// How to reach a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HttpClientConfig {
    /// A user's name and password.
    pub basic_auth: Option<BasicAuth>,
    /// Any other `Authorization` header; a bearer token as a rule.
    pub authorization: Option<Authorization>,
    /// Certificates and how to check them.
    pub tls_config: TlsConfig,
    /// Whether redirects are followed; they are by default.
    pub follow_redirects: bool,
    /// The proxy to use, `http://[user:password@]host:port`; none if empty.
    #[serde(serialize_with = "without_password")]
    pub proxy_url: String,
    /// Hosts that are reached without the proxy, separated by commas.
    pub no_proxy: String,
    /// Headers sent to the proxy with `CONNECT`.
    pub proxy_connect_header: BTreeMap<String, Vec<Secret>>,
    /// Headers sent with every request.
    pub http_headers: BTreeMap<String, HeaderValues>,
}

impl Default for HttpClientConfig {
    fn default() -> Self {
        Self {
            basic_auth: None,
            authorization: None,
            tls_config: TlsConfig::default(),
            follow_redirects: true,
            proxy_url: String::new(),
            no_proxy: String::new(),
            proxy_connect_header: BTreeMap::new(),
            http_headers: BTreeMap::new(),
        }
    }
}

/// A user's name and password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BasicAuth {
    /// The name.
    pub username: String,
    /// A file that holds the name.
    pub username_file: String,
    /// The password.
    pub password: Secret,
    /// A file that holds the password, read for every request.
    pub password_file: String,
}

/// An `Authorization` header.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Authorization {
    /// The word before the credentials; `Bearer` if empty.
    #[serde(rename = "type")]
    pub kind: String,
    /// What comes after it.
    pub credentials: Secret,
    /// A file that holds it, read for every request.
    pub credentials_file: String,
}

/// Certificates and how to check them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// PEM of the authorities to trust instead of the machine's own.
    pub ca: String,
    /// The same as a file.
    pub ca_file: String,
    /// PEM of the certificate to show.
    pub cert: String,
    /// The same as a file.
    pub cert_file: String,
    /// PEM of its key.
    pub key: Secret,
    /// The same as a file.
    pub key_file: String,
    /// The name that the server's certificate must bear, if not the host's.
    pub server_name: String,
    /// Takes any certificate; for tests only.
    pub insecure_skip_verify: bool,
    /// The oldest version to speak: `TLS12` or `TLS13`.
    pub min_version: String,
    /// The newest version to speak.
    pub max_version: String,
}

/// The values of one header.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeaderValues {
    /// Shown in the configuration page.
    pub values: Vec<String>,
    /// Not shown.
    pub secrets: Vec<Secret>,
    /// Files that hold a value each.
    pub files: Vec<String>,
}

/// Why options were refused, with upstream's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct InvalidConfig {
    /// The option, such as `tls_config.ca_file`.
    pub key: &'static str,
    /// What is wrong.
    pub what: String,
}

/// Headers that the client sets itself.
const RESERVED_HEADERS: &[&str] = &[
    "authorization",
    "host",
    "content-encoding",
    "content-length",
    "content-type",
    "user-agent",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "www-authenticate",
    "accept-encoding",
    "x-prometheus-remote-write-version",
    "x-prometheus-remote-read-version",
    "x-prometheus-scrape-timeout-seconds",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-content-sha256",
];

impl HttpClientConfig {
    /// Checks what upstream checks, and fills `authorization.type`.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn validate(&mut self) -> Result<(), InvalidConfig> {
        let refuse = |key: &'static str, what: &str| Err(InvalidConfig { key, what: what.into() });
        if let Some(basic) = &self.basic_auth {
            if !basic.username.is_empty() && !basic.username_file.is_empty() {
                return refuse(
                    "basic_auth",
                    "at most one of basic_auth username, username_file & username_ref must be configured",
                );
            }
            if !basic.password.is_empty() && !basic.password_file.is_empty() {
                return refuse(
                    "basic_auth",
                    "at most one of basic_auth password, password_file & password_ref must be configured",
                );
            }
        }
        if let Some(other) = &mut self.authorization {
            if !other.credentials.is_empty() && !other.credentials_file.is_empty() {
                return refuse(
                    "authorization",
                    "at most one of authorization credentials & credentials_file must be configured",
                );
            }
            other.kind = match other.kind.trim() {
                "" => "Bearer".to_owned(),
                kind => kind.to_owned(),
            };
            if other.kind.eq_ignore_ascii_case("basic") {
                return refuse(
                    "authorization.type",
                    r#"authorization type cannot be set to "basic", use "basic_auth" instead"#,
                );
            }
            if self.basic_auth.is_some() {
                return refuse(
                    "authorization",
                    "at most one of basic_auth, oauth2 & authorization must be configured",
                );
            }
        }
        self.tls_config.validate()?;
        self.validate_proxy()?;
        for name in self.http_headers.keys() {
            if RESERVED_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
                let what = format!("setting header {name:?} is not allowed");
                return Err(InvalidConfig { key: "http_headers", what });
            }
        }
        Ok(())
    }

    fn validate_proxy(&self) -> Result<(), InvalidConfig> {
        let refuse = |key: &'static str, what: String| Err(InvalidConfig { key, what });
        if self.proxy_url.is_empty() {
            if !self.proxy_connect_header.is_empty() {
                return refuse(
                    "proxy_connect_header",
                    "if proxy_connect_header is configured, proxy_url or proxy_from_environment \
                     must also be configured"
                        .into(),
                );
            }
            if !self.no_proxy.is_empty() {
                return refuse(
                    "no_proxy",
                    "if no_proxy is configured, proxy_url must also be configured".into(),
                );
            }
            return Ok(());
        }
        match url::Url::parse(&self.proxy_url) {
            Ok(url) if url.scheme() == "http" && url.has_host() => {}
            Ok(url) => {
                let scheme = url.scheme();
                return refuse(
                    "proxy_url",
                    format!("not supported: proxies of scheme {scheme:?}; use http://host:port"),
                );
            }
            Err(error) => return refuse("proxy_url", error.to_string()),
        }
        NoProxy::parse(&self.no_proxy);
        Ok(())
    }

    /// Takes relative file names as relative to `dir`, the directory of the configuration file.
    pub fn set_directory(&mut self, dir: &Utf8Path) {
        let tls = &mut self.tls_config;
        join(dir, &mut tls.ca_file);
        join(dir, &mut tls.cert_file);
        join(dir, &mut tls.key_file);
        if let Some(basic) = &mut self.basic_auth {
            join(dir, &mut basic.username_file);
            join(dir, &mut basic.password_file);
        }
        if let Some(other) = &mut self.authorization {
            join(dir, &mut other.credentials_file);
        }
        for file in self.http_headers.values_mut().flat_map(|values| &mut values.files) {
            join(dir, file);
        }
    }
}

impl TlsConfig {
    fn validate(&self) -> Result<(), InvalidConfig> {
        let refuse = |key: &'static str, what: &str| Err(InvalidConfig { key, what: what.into() });
        let both = |inline: bool, file: &str| inline && !file.is_empty();
        if both(!self.ca.is_empty(), &self.ca_file) {
            return refuse(
                "tls_config.ca",
                "at most one of ca, ca_file & ca_ref must be configured",
            );
        }
        if both(!self.cert.is_empty(), &self.cert_file) {
            return refuse(
                "tls_config.cert",
                "at most one of cert, cert_file & cert_ref must be configured",
            );
        }
        if both(!self.key.is_empty(), &self.key_file) {
            return refuse("tls_config.key", "at most one of key and key_file must be configured");
        }
        let has_cert = !self.cert.is_empty() || !self.cert_file.is_empty();
        let has_key = !self.key.is_empty() || !self.key_file.is_empty();
        if has_cert && !has_key {
            return refuse(
                "tls_config.cert",
                "exactly one of key or key_file must be configured when a client certificate is \
                 configured",
            );
        }
        if has_key && !has_cert {
            return refuse(
                "tls_config.key",
                "exactly one of cert or cert_file must be configured when a client key is configured",
            );
        }
        for (key, version) in [
            ("tls_config.min_version", &self.min_version),
            ("tls_config.max_version", &self.max_version),
        ] {
            match version.as_str() {
                "" | "TLS12" | "TLS13" => {}
                "TLS10" | "TLS11" => {
                    let what = format!("not supported: {version}; the oldest is TLS12");
                    return Err(InvalidConfig { key, what });
                }
                other => {
                    return Err(InvalidConfig {
                        key,
                        what: format!("unknown TLS version: {other}"),
                    });
                }
            }
        }
        if self.min_version == "TLS13" && self.max_version == "TLS12" {
            return refuse(
                "tls_config.max_version",
                "tls_config.max_version must be greater than or equal to tls_config.min_version if \
                 both are specified",
            );
        }
        Ok(())
    }
}

fn join(dir: &Utf8Path, file: &mut String) {
    if !file.is_empty() && !Utf8Path::new(file.as_str()).is_absolute() {
        *file = dir.join(file.as_str()).into_string();
    }
}

fn without_password<S: serde::Serializer>(url: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let mut shown = url.to_owned();
    if let Ok(mut url) = url::Url::parse(url)
        && url.password().is_some()
    {
        // The only failure is a URL that can bear no password, and this one does.
        if url.set_password(Some("xxxxx")).is_ok() {
            shown = url.to_string();
        }
    }
    serializer.serialize_str(&shown)
}
