//! Which hosts are reached through which proxy: the rules of Go's `golang.org/x/net/http/httpproxy`.

use std::net::IpAddr;

use ipnet::IpNet;
use url::Url;

use crate::{Error, HttpClientConfig};

/// The proxies of one client.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies {
    http: Option<Url>,
    https: Option<Url>,
    except: NoProxy,
}

impl Proxies {
    /// Those of the options, or of the environment as it is now.
    ///
    /// # Errors
    /// [`Error::Url`] for a variable that holds no proxy; its text is not repeated.
    #[expect(clippy::disallowed_methods, reason = "the option is to read the environment")]
    pub(crate) fn new(config: &HttpClientConfig) -> Result<Self, Error> {
        if config.proxy_from_environment {
            return Self::from_variables(|name| std::env::var(name).ok());
        }
        let one = Url::parse(&config.proxy_url).ok();
        let except = match config.no_proxy.as_str() {
            "" => NoProxy::default(),
            rules => NoProxy::parse(rules),
        };
        Ok(Self { http: one.clone(), https: one, except })
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let either = |name: &str| {
            let lower = name.to_ascii_lowercase();
            let given = |name: &str| variable(name).filter(|value| !value.is_empty());
            given(name).or_else(|| given(&lower))
        };
        let proxy = |name: &'static str| {
            either(name).map(|text| parse(&text).map_err(|what| invalid(name, what))).transpose()
        };
        let except = NoProxy::parse(&either("NO_PROXY").unwrap_or_default());
        Ok(Self { http: proxy("HTTP_PROXY")?, https: proxy("HTTPS_PROXY")?, except })
    }

    /// The proxy on the way to `url`.
    pub(crate) fn of(&self, url: &Url) -> Option<&Url> {
        let proxy = if url.scheme() == "https" { &self.https } else { &self.http };
        let port = url.port_or_known_default().unwrap_or(80);
        proxy.as_ref().filter(|_| !self.except.bypasses(url.host_str().unwrap_or(""), port))
    }
}

/// A proxy as variables have it: without a scheme it is `http`.
fn parse(text: &str) -> Result<Url, String> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&whole).map_err(|error| error.to_string())?;
    check(&url)?;
    Ok(url)
}

/// Whether we know how to speak to it.
pub(crate) fn check(proxy: &Url) -> Result<(), String> {
    match proxy.scheme() {
        "http" | "https" | "socks5" | "socks5h" if proxy.has_host() => Ok(()),
        scheme => Err(format!(
            "not supported: proxies of scheme {scheme:?}; use http://, https:// or socks5:// with \
             host:port"
        )),
    }
}

/// Whether it speaks SOCKS.
pub(crate) fn is_socks(proxy: &Url) -> bool {
    matches!(proxy.scheme(), "socks5" | "socks5h")
}

fn invalid(name: &str, what: String) -> Error {
    Error::Url { url: format!("in the variable {name}"), what }
}

/// A parsed `no_proxy`; the default one excepts nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct NoProxy {
    /// Loopback too.
    loopback: bool,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
enum Rule {
    Everything,
    Net(IpNet),
    Address {
        ip: IpAddr,
        port: Option<u16>,
    },
    /// `suffix` starts with a dot; the domain itself matches unless the entry began with the dot.
    Domain {
        suffix: String,
        itself: bool,
        port: Option<u16>,
    },
}

impl NoProxy {
    /// Reads entries separated by commas; what makes no sense is ignored, as upstream.
    pub(crate) fn parse(text: &str) -> Self {
        let rules = text
            .split(',')
            .map(|entry| entry.trim().to_ascii_lowercase())
            .filter(|entry| !entry.is_empty())
            .map(|entry| rule(&entry))
            .collect();
        Self { loopback: true, rules }
    }

    /// Whether `host` at `port` is reached without the proxy. A `no_proxy` excepts loopback too, and
    /// so does the environment; a proxy of the options alone is for every host, as upstream's
    /// `http.ProxyURL`.
    pub(crate) fn bypasses(&self, host: &str, port: u16) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let ip: Option<IpAddr> = host.parse().ok();
        if self.loopback && (host == "localhost" || ip.is_some_and(|ip| ip.is_loopback())) {
            return true;
        }
        let port_fits = |wanted: &Option<u16>| wanted.is_none_or(|wanted| wanted == port);
        self.rules.iter().any(|rule| match rule {
            Rule::Everything => true,
            Rule::Net(net) => ip.is_some_and(|ip| net.contains(&ip)),
            Rule::Address { ip: wanted, port } => ip == Some(*wanted) && port_fits(port),
            Rule::Domain { suffix, itself, port } => {
                port_fits(port)
                    && (host.ends_with(suffix.as_str())
                        || (*itself && suffix.get(1..) == Some(&host)))
            }
        })
    }
}

fn rule(entry: &str) -> Rule {
    if entry == "*" {
        return Rule::Everything;
    }
    if let Ok(net) = entry.parse() {
        return Rule::Net(net);
    }
    let (host, port) = match entry.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            (host, port.parse().ok())
        }
        _ => (entry, None),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = host.parse() {
        return Rule::Address { ip, port };
    }
    let host = host.strip_prefix('*').unwrap_or(host);
    match host.strip_prefix('.') {
        Some(_) => Rule::Domain { suffix: host.to_owned(), itself: false, port },
        None => Rule::Domain { suffix: format!(".{host}"), itself: true, port },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_which_proxy_unless_it_is_said_to_be_none() {
        let f = |variables: &[(&str, &str)], url: &str, want: Option<&str>| {
            let lookup = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            let proxies = Proxies::from_variables(lookup).expect("proxies");
            let url = Url::parse(url).expect("a URL");
            assert_eq!(proxies.of(&url).map(Url::as_str), want, "{variables:?} {url}");
        };
        let (http, https) = (("HTTP_PROXY", "http://a:1"), ("https_proxy", "https://b:2"));
        f(&[], "http://x/", None);
        f(&[http, https], "http://x/", Some("http://a:1/"));
        f(&[http, https], "https://x/", Some("https://b:2/"));
        f(&[http], "https://x/", None);
        f(&[http, ("http_proxy", "http://c:3")], "http://x/", Some("http://a:1/"));
        f(&[("HTTP_PROXY", ""), ("http_proxy", "c:3")], "http://x/", Some("http://c:3/"));
        f(&[http], "http://127.0.0.1:9090/", None);
        f(&[http, ("NO_PROXY", "x,y")], "http://a.x/", None);
        f(&[http, ("no_proxy", "x:81")], "http://x/", Some("http://a:1/"));
        f(&[("HTTP_PROXY", "socks5://me@s:1")], "http://x/", Some("socks5://me@s:1"));
        let wrong = Proxies::from_variables(|_| Some("socks4://me:hunter2@h".to_owned()));
        let error = wrong.expect_err("no such proxies").to_string();
        assert!(error.contains("HTTP_PROXY") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_proxy_of_the_options_is_for_loopback_too_unless_something_is_excepted() {
        let f = |no_proxy: &str, url: &str, want: bool| {
            let config = HttpClientConfig {
                proxy_url: "http://p:1".into(),
                no_proxy: no_proxy.into(),
                ..HttpClientConfig::default()
            };
            let url = Url::parse(url).expect("a URL");
            let proxies = Proxies::new(&config).expect("proxies");
            assert_eq!(proxies.of(&url).is_some(), want, "{no_proxy} {url}");
        };
        f("", "http://127.0.0.1:9100/metrics", true);
        f("", "http://localhost/", true);
        f("x", "http://localhost/", false);
        f("x", "http://y/", true);
        f("x", "http://x/", false);
    }

    #[test]
    fn no_proxy_follows_the_rules_of_go() {
        let f = |rules: &str, host: &str, want: bool| {
            assert_eq!(NoProxy::parse(rules).bypasses(host, 80), want, "{rules} {host}");
        };
        f("", "example.com", false);
        f("", "127.0.0.1", true);
        f("", "localhost", true);
        f("*", "example.com", true);
        f("example.com", "example.com", true);
        f("example.com", "a.example.com", true);
        f("example.com", "badexample.com", false);
        f(".example.com", "example.com", false);
        f(".example.com", "a.example.com", true);
        f("*.example.com", "a.example.com", true);
        f("example.com:81", "example.com", false);
        f("example.com:80, other", "example.com", true);
        f("10.0.0.0/8", "10.1.2.3", true);
        f("10.0.0.0/8", "11.1.2.3", false);
        f("10.0.0.1", "10.0.0.1", true);
        f("[fd00::1]:80", "[fd00::1]", true);
        f("fd00::/8", "[fd00::1]", true);
    }
}
