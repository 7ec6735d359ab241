//! The client options as prometheus.yml writes them, with upstream's checks and texts
//! (`prometheus/common config/http_config.go`).
//!
//! There they stand among the keys of a scrape or discovery section; `section.rs` tells them apart.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use crate::{Secret, proxy, shown};

/// How to reach a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HttpClientConfig {
    /// A user's name and password.
    pub basic_auth: Option<BasicAuth>,
    /// Any other `Authorization` header; a bearer token as a rule.
    pub authorization: Option<Authorization>,
    /// A token that is fetched.
    pub oauth2: Option<OAuth2>,
    /// The old way to write `authorization`; empty once it is validated.
    #[serde(skip_serializing)]
    pub bearer_token: Secret,
    /// The same for a file.
    #[serde(skip_serializing)]
    pub bearer_token_file: String,
    /// Certificates and how to check them.
    pub tls_config: TlsConfig,
    /// Whether redirects are followed; they are by default.
    pub follow_redirects: bool,
    /// The proxy to use, `http[s]://` or `socks5://` and `[user:password@]host:port`; none if empty.
    #[serde(serialize_with = "without_password")]
    pub proxy_url: String,
    /// Hosts that are reached without the proxy, separated by commas.
    pub no_proxy: String,
    /// Whether `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` of the environment say all this.
    pub proxy_from_environment: bool,
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
            oauth2: None,
            bearer_token: Secret::default(),
            bearer_token_file: String::new(),
            tls_config: TlsConfig::default(),
            follow_redirects: true,
            proxy_url: String::new(),
            no_proxy: String::new(),
            proxy_from_environment: false,
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

impl Authorization {
    /// The word before the credentials, as it is sent.
    pub(crate) fn scheme(&self) -> &str {
        match self.kind.trim() {
            "" => "Bearer",
            kind => kind,
        }
    }
}

/// A token by the client credentials grant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct OAuth2 {
    /// Who we are to the server of tokens.
    pub client_id: String,
    /// What proves it.
    pub client_secret: Secret,
    /// A file that holds it, read for every request.
    pub client_secret_file: String,
    /// What the token is to be good for.
    pub scopes: Vec<String>,
    /// Where tokens are had.
    pub token_url: String,
    /// What else its server wants to know.
    #[serde(serialize_with = "names_only")]
    pub endpoint_params: BTreeMap<String, String>,
    /// Certificates on the way there, and how to check them.
    pub tls_config: TlsConfig,
    /// The proxy on the way there, as that of the client.
    #[serde(serialize_with = "without_password")]
    pub proxy_url: String,
    /// Hosts that are reached without it.
    pub no_proxy: String,
    /// Whether the environment says all this.
    pub proxy_from_environment: bool,
    /// Headers sent to the proxy with `CONNECT`.
    pub proxy_connect_header: BTreeMap<String, Vec<Secret>>,
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
    /// Checks what upstream checks, fills `authorization.type` and makes a bearer token one.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn validate(&mut self) -> Result<(), InvalidConfig> {
        let refuse = |key: &'static str, what: &str| Err(InvalidConfig { key, what: what.into() });
        let (token, file) = (!self.bearer_token.is_empty(), !self.bearer_token_file.is_empty());
        if token && file {
            let what = "at most one of bearer_token & bearer_token_file must be configured";
            return refuse("bearer_token", what);
        }
        if (token || file) && (self.basic_auth.is_some() || self.oauth2.is_some()) {
            let what = "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must \
                        be configured";
            return refuse("bearer_token", what);
        }
        if (token || file) && self.authorization.is_some() {
            let what = "authorization is not compatible with bearer_token & bearer_token_file";
            return refuse("authorization", what);
        }
        if token || file {
            self.authorization = Some(Authorization {
                kind: String::new(),
                credentials: std::mem::take(&mut self.bearer_token),
                credentials_file: std::mem::take(&mut self.bearer_token_file),
            });
        }
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
            other.kind = other.scheme().to_owned();
            if other.kind.eq_ignore_ascii_case("basic") {
                return refuse(
                    "authorization.type",
                    r#"authorization type cannot be set to "basic", use "basic_auth" instead"#,
                );
            }
            if self.basic_auth.is_some() || self.oauth2.is_some() {
                return refuse(
                    "authorization",
                    "at most one of basic_auth, oauth2 & authorization must be configured",
                );
            }
        }
        if let Some(oauth2) = &self.oauth2 {
            if self.basic_auth.is_some() {
                return refuse(
                    "oauth2",
                    "at most one of basic_auth, oauth2 & authorization must be configured",
                );
            }
            oauth2.validate()?;
        }
        self.tls_config.validate()?;
        Proxy {
            url: &self.proxy_url,
            no_proxy: &self.no_proxy,
            from_environment: self.proxy_from_environment,
            has_headers: !self.proxy_connect_header.is_empty(),
        }
        .validate()?;
        for name in self.http_headers.keys() {
            if RESERVED_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
                let what = format!("setting header {name:?} is not allowed");
                return Err(InvalidConfig { key: "http_headers", what });
            }
        }
        Ok(())
    }

    /// Takes relative file names as relative to `dir`, the directory of the configuration file.
    pub fn set_directory(&mut self, dir: &Utf8Path) {
        self.tls_config.set_directory(dir);
        join(dir, &mut self.bearer_token_file);
        if let Some(oauth2) = &mut self.oauth2 {
            oauth2.tls_config.set_directory(dir);
            join(dir, &mut oauth2.client_secret_file);
        }
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

/// What is said of proxies, of a client or on the way to tokens.
#[expect(clippy::struct_field_names, reason = "the key, as it is written")]
struct Proxy<'a> {
    url: &'a str,
    no_proxy: &'a str,
    from_environment: bool,
    has_headers: bool,
}

impl Proxy<'_> {
    fn validate(&self) -> Result<(), InvalidConfig> {
        let refuse = |key: &'static str, what: &str| Err(InvalidConfig { key, what: what.into() });
        if self.has_headers && !self.from_environment && self.url.is_empty() {
            let what = "if proxy_connect_header is configured, proxy_url or \
                        proxy_from_environment must also be configured";
            return refuse("proxy_connect_header", what);
        }
        if self.from_environment && !self.url.is_empty() {
            let what = "if proxy_from_environment is configured, proxy_url must not be configured";
            return refuse("proxy_from_environment", what);
        }
        if self.from_environment && !self.no_proxy.is_empty() {
            let what = "if proxy_from_environment is configured, no_proxy must not be configured";
            return refuse("proxy_from_environment", what);
        }
        if self.url.is_empty() {
            return match self.no_proxy {
                "" => Ok(()),
                _ => refuse(
                    "no_proxy",
                    "if no_proxy is configured, proxy_url must also be configured",
                ),
            };
        }
        let checked = url::Url::parse(self.url)
            .map_err(|error| error.to_string())
            .and_then(|url| proxy::check(&url));
        checked.map_err(|what| InvalidConfig { key: "proxy_url", what })
    }
}

impl OAuth2 {
    fn validate(&self) -> Result<(), InvalidConfig> {
        let refuse = |key: &'static str, what: &str| Err(InvalidConfig { key, what: what.into() });
        if self.client_id.is_empty() {
            return refuse("oauth2.client_id", "oauth2 client_id must be configured");
        }
        if self.token_url.is_empty() {
            return refuse("oauth2.token_url", "oauth2 token_url must be configured");
        }
        if !self.client_secret.is_empty() && !self.client_secret_file.is_empty() {
            let what = "at most one of oauth2 client_secret, client_secret_file & \
                        client_secret_ref must be configured";
            return refuse("oauth2.client_secret", what);
        }
        match url::Url::parse(&self.token_url) {
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                let what = "has a name or password in it; use client_id and client_secret";
                return refuse("oauth2.token_url", what);
            }
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {}
            Ok(_) => return refuse("oauth2.token_url", "must be http:// or https:// with a host"),
            Err(error) => return refuse("oauth2.token_url", &error.to_string()),
        }
        let below = |error: InvalidConfig| InvalidConfig { key: "oauth2", what: error.what };
        self.tls_config.validate().map_err(below)?;
        let proxy = Proxy {
            url: &self.proxy_url,
            no_proxy: &self.no_proxy,
            from_environment: self.proxy_from_environment,
            has_headers: !self.proxy_connect_header.is_empty(),
        };
        proxy.validate().map_err(below)
    }
}

impl TlsConfig {
    fn set_directory(&mut self, dir: &Utf8Path) {
        for file in [&mut self.ca_file, &mut self.cert_file, &mut self.key_file] {
            join(dir, file);
        }
    }

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

/// Values may be secrets, as those that some servers want instead of `client_secret`.
fn names_only<S: serde::Serializer>(
    params: &BTreeMap<String, String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(params.keys().map(|name| (name, Secret::default())))
}

fn without_password<S: serde::Serializer>(url: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let parsed = url::Url::parse(url).ok().filter(|url| url.password().is_some());
    serializer.serialize_str(&parsed.map_or_else(|| url.to_owned(), |url| shown(&url)))
}
