//! Which hosts are reached without the proxy: the rules of Go's `golang.org/x/net/http/httpproxy`.

use std::net::IpAddr;

use ipnet::IpNet;

/// A parsed `no_proxy`.
#[derive(Debug, Clone, Default)]
pub(crate) struct NoProxy {
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
        Self { rules }
    }

    /// Whether `host` at `port` is reached without the proxy. Loopback always is.
    pub(crate) fn bypasses(&self, host: &str, port: u16) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let ip: Option<IpAddr> = host.parse().ok();
        if host == "localhost" || ip.is_some_and(|ip| ip.is_loopback()) {
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
