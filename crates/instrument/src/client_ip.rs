//! The address of the client, for the log.
//!
//! `X-Forwarded-For` is believed only when the peer is a proxy that the operator named, and then
//! only from the right: every address was written by the proxy to the right of it, so the first one
//! that is not a trusted proxy is the client, and all left of it is hearsay.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use http::{Extensions, HeaderMap};
use ipnet::IpNet;

/// No honest chain of proxies is longer; the rest of the header is not read.
const HOPS_MAX: usize = 32;

/// The client's address, or `None` for a service that runs without `ConnectInfo`.
pub(crate) fn client_ip(
    extensions: &Extensions,
    headers: &HeaderMap,
    trusted: &[IpNet],
) -> Option<IpAddr> {
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(resolve(peer.ip().to_canonical(), headers, trusted))
}

fn resolve(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    let mut client = peer;
    let hops = headers
        .get_all("x-forwarded-for")
        .iter()
        .rev()
        .flat_map(|value| value.to_str().unwrap_or("?").rsplit(','));
    for hop in hops.take(HOPS_MAX) {
        if !is_trusted(&client) {
            break;
        }
        // What can't be read ends the chain: the proxy that passed it on is the last fact.
        let Some(ip) = parse_hop(hop.trim()) else { break };
        client = ip;
    }
    client
}

/// An address, with or without a port: proxies write either.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let ip = text.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|a| a.ip()));
    ip.ok().map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarded_addresses_count_only_behind_trusted_proxies() {
        let f = |peer: &str, trusted: &[&str], forwarded: &[&str], want: &str| {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append("x-forwarded-for", value.parse().unwrap());
            }
            let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
            let got = resolve(peer.parse().unwrap(), &headers, &trusted);
            assert_eq!(got.to_string(), want, "{peer} {trusted:?} {forwarded:?}");
        };
        f("192.0.2.1", &[], &["198.51.100.7"], "192.0.2.1");
        f("192.0.2.1", &["10.0.0.0/8"], &["198.51.100.7"], "192.0.2.1");
        f("10.0.0.1", &["10.0.0.0/8"], &[], "10.0.0.1");
        f("10.0.0.1", &["10.0.0.0/8"], &["198.51.100.7"], "198.51.100.7");
        f("10.0.0.1", &["10.0.0.0/8"], &["6.6.6.6, 198.51.100.7, 10.0.0.2"], "198.51.100.7");
        f("10.0.0.1", &["10.0.0.0/8"], &["6.6.6.6", "198.51.100.7"], "198.51.100.7");
        f("10.0.0.1", &["10.0.0.0/8"], &["198.51.100.7:443"], "198.51.100.7");
        f("10.0.0.1", &["10.0.0.0/8"], &["[2001:db8::1]:443"], "2001:db8::1");
        f("10.0.0.1", &["10.0.0.0/8"], &["6.6.6.6, nonsense, 10.0.0.2"], "10.0.0.2");
        f("10.0.0.1", &["10.0.0.0/8"], &["::ffff:198.51.100.7"], "198.51.100.7");
    }

    #[test]
    fn a_header_of_many_hops_is_read_to_its_limit_only() {
        let mut headers = HeaderMap::new();
        let chain = format!("198.51.100.7{}", ", 10.0.0.9".repeat(HOPS_MAX));
        headers.insert("x-forwarded-for", chain.parse().unwrap());
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let got = resolve("10.0.0.1".parse().unwrap(), &headers, &trusted);
        assert_eq!(got.to_string(), "10.0.0.9");
    }
}
