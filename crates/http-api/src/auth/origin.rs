//! Whether a browser sends a request because of our own page, or because of somebody else's.
//!
//! A browser sends cookies, and passwords that were typed into its own prompt, whoever asks for it;
//! and everybody's browser can reach what listens on loopback. So what changes something must have
//! come from our own page. Browsers tell: `Sec-Fetch-Site` where the connection can be trusted,
//! `Origin` with every request that is not a plain GET.
//!
//! A page whose name was made to mean this machine (DNS rebinding) is of the same origin as far as
//! a browser knows. Where no password stands in the way, the name in `Host` is looked at.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};
use masthead_model::Regexp;

/// Where a request comes from, as the browser says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// Our own page, or one that `--web.cors.origin` names.
    Own,
    /// Another site's page.
    Other,
    /// Not told: no browser, or a GET of an old one.
    Unknown,
}

/// Reads the browser's headers. `allowed` are origins that the operator has named.
pub(super) fn from(headers: &HeaderMap, allowed: Option<&Regexp>) -> From {
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    let origin = text(header::ORIGIN);
    if origin.is_some_and(|origin| allowed.is_some_and(|allowed| allowed.is_match(origin))) {
        return From::Own;
    }
    match text(header::HeaderName::from_static("sec-fetch-site")) {
        // `none` is an address that the user typed.
        Some("same-origin" | "none") => return From::Own,
        Some(_) => return From::Other,
        None => {}
    }
    if !headers.contains_key(header::ORIGIN) {
        return From::Unknown;
    }
    // A proxy may have put another name in `Host`; a page of another site cannot set the second.
    let hosts = [header::HOST, header::HeaderName::from_static("x-forwarded-host")];
    let own = origin.and_then(|origin| origin.split_once("://")).is_some_and(|(scheme, name)| {
        let same = |host: &str| bare(scheme, name).eq_ignore_ascii_case(bare(scheme, host));
        hosts.into_iter().filter_map(text).any(same)
    });
    if own { From::Own } else { From::Other }
}

/// A host without the port that its scheme implies.
fn bare<'a>(scheme: &str, host: &'a str) -> &'a str {
    let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    host.strip_suffix(port).unwrap_or(host)
}

/// Whether the name in `Host` can mean this machine only because it is this machine: an address, or
/// a name that no stranger can register.
pub(super) fn is_local_name(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST) else { return true };
    let Ok(host) = host.to_str() else { return false };
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().is_some_and(|ip| ip.parse::<IpAddr>().is_ok());
    }
    let name = host.split(':').next().unwrap_or("").trim_end_matches('.');
    let label = name.rsplit('.').next().unwrap_or("");
    name.parse::<IpAddr>().is_ok() || !name.contains('.') || label.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn what_a_browser_says_is_read() {
        let named = Regexp::new("https://grafana[.]example").expect("valid");
        let f = |pairs: &[(&'static str, &'static str)], want| {
            assert_eq!(from(&headers(pairs), Some(&named)), want, "{pairs:?}");
        };
        f(&[("host", "a:3000")], From::Unknown);
        f(&[("host", "a:3000"), ("sec-fetch-site", "same-origin")], From::Own);
        f(&[("host", "a:3000"), ("sec-fetch-site", "none")], From::Own);
        f(&[("host", "a:3000"), ("sec-fetch-site", "same-site")], From::Other);
        f(&[("host", "a:3000"), ("sec-fetch-site", "cross-site")], From::Other);
        f(&[("host", "a:3000"), ("origin", "http://a:3000")], From::Own);
        f(&[("host", "A:3000"), ("origin", "http://a:3000")], From::Own);
        f(&[("host", "a"), ("origin", "http://a:80")], From::Own);
        f(&[("host", "a:443"), ("origin", "https://a")], From::Own);
        f(&[("host", "a:3000"), ("origin", "http://a:8000")], From::Other);
        f(&[("host", "a:3000"), ("origin", "http://evil")], From::Other);
        f(&[("host", "a:3000"), ("origin", "null")], From::Other);
        f(&[("host", "in:1"), ("x-forwarded-host", "a"), ("origin", "https://a")], From::Own);
        // One that the operator has named, whatever the browser thinks of it.
        let cross = [("host", "a"), ("origin", "https://grafana.example")];
        f(&cross, From::Own);
        f(&[cross[0], cross[1], ("sec-fetch-site", "cross-site")], From::Own);
        // What the browser says outweighs what a page could make of `Origin`.
        f(&[cross[0], ("origin", "http://a"), ("sec-fetch-site", "cross-site")], From::Other);
    }

    #[test]
    fn a_name_that_a_stranger_can_register_is_not_local() {
        let f = |host: &'static str, want| {
            assert_eq!(is_local_name(&headers(&[("host", host)])), want, "{host}");
        };
        assert!(is_local_name(&HeaderMap::new()));
        f("localhost:3000", true);
        f("127.0.0.1:3000", true);
        f("[::1]:3000", true);
        f("laptop", true);
        f("masthead.localhost:3000", true);
        f("evil.example:3000", false);
        f("127.0.0.1.evil.example", false);
        f("[::1.evil.example]", false);
        f("localhost.", true);
    }
}
