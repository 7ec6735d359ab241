//! Through a SOCKS 5 proxy: a connection to the server that the proxy makes (RFC 1928), with a user
//! and password where its URL has them (RFC 1929).
//!
//! The proxy finds the address of the server's name, for `socks5` as for `socks5h`, as Go does. Its
//! answers have a fixed form of at most 262 bytes, of which nothing is kept but the verdict. Errors
//! never hold the password.

use std::net::IpAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use url::{Host, Url};

use crate::{
    Error,
    connection::{Stream, address, user_of},
    shown,
};

const VERSION: u8 = 5;
const PASSWORD_VERSION: u8 = 1;
const NO_PASSWORD: u8 = 0;
const BY_PASSWORD: u8 = 2;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Asks `proxy`, to which `stream` leads, for a connection to the server of `url`.
pub(crate) async fn connect(
    url: &Url,
    proxy: &Url,
    mut stream: Box<dyn Stream>,
) -> Result<Box<dyn Stream>, Error> {
    match exchange(url, proxy, &mut stream).await {
        Ok(()) => Ok(stream),
        Err(what) => {
            let (url, proxy, target) = (shown(url), address(proxy), address(url));
            Err(Error::Socks { url, proxy, target, what })
        }
    }
}

async fn exchange(url: &Url, proxy: &Url, stream: &mut Box<dyn Stream>) -> Result<(), String> {
    let user = user_of(proxy);
    let methods: &[u8] = if user.is_some() { &[NO_PASSWORD, BY_PASSWORD] } else { &[NO_PASSWORD] };
    let [version, method] = ask(stream, &[&[VERSION, count(methods)?], methods].concat()).await?;
    if version != VERSION {
        return Err(format!("it speaks no SOCKS 5 (version {version})"));
    }
    match (method, user) {
        (NO_PASSWORD, _) => {}
        (BY_PASSWORD, Some((user, password))) => {
            let (user, password) = (user.as_bytes(), password.as_bytes());
            let mut words = vec![PASSWORD_VERSION, count(user)?];
            words.extend_from_slice(user);
            words.push(count(password)?);
            words.extend_from_slice(password);
            let [_, verdict] = ask(stream, &words).await?;
            if verdict != 0 {
                return Err("username/password authentication failed".to_owned());
            }
        }
        _ => return Err("no acceptable authentication methods".to_owned()),
    }
    let [version, verdict, _, kind] = ask(stream, &request(url)?).await?;
    if version != VERSION {
        return Err(format!("unexpected protocol version {version}"));
    }
    if verdict != 0 {
        return Err(words(verdict));
    }
    // Where the proxy's own end is, which nobody needs.
    let bytes = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => usize::from(read::<1>(stream).await?[0]),
        kind => return Err(format!("unknown address type {kind}")),
    };
    let mut rest = vec![0; bytes + 2];
    stream.read_exact(&mut rest).await.map(drop).map_err(|error| error.to_string())
}

/// The request for a connection to the server.
fn request(url: &Url) -> Result<Vec<u8>, String> {
    let mut out = vec![VERSION, CONNECT, 0];
    let ip = match url.host() {
        Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
        Some(Host::Domain(_)) | None => None,
    };
    match ip {
        Some(IpAddr::V4(ip)) => {
            out.push(IPV4);
            out.extend(ip.octets());
        }
        Some(IpAddr::V6(ip)) => {
            out.push(IPV6);
            out.extend(ip.octets());
        }
        None => {
            let name = url.host_str().unwrap_or("").as_bytes();
            out.extend([NAME, count(name)?]);
            out.extend_from_slice(name);
        }
    }
    out.extend(url.port_or_known_default().unwrap_or(80).to_be_bytes());
    Ok(out)
}

fn count(bytes: &[u8]) -> Result<u8, String> {
    let long = |_| format!("a name or password of {} bytes is longer than 255", bytes.len());
    u8::try_from(bytes.len()).map_err(long)
}

async fn ask<const N: usize>(
    stream: &mut Box<dyn Stream>,
    question: &[u8],
) -> Result<[u8; N], String> {
    let sent = async {
        stream.write_all(question).await?;
        stream.flush().await
    };
    sent.await.map_err(|error| error.to_string())?;
    read(stream).await
}

async fn read<const N: usize>(stream: &mut Box<dyn Stream>) -> Result<[u8; N], String> {
    let mut answer = [0; N];
    stream.read_exact(&mut answer).await.map_err(|error| error.to_string())?;
    Ok(answer)
}

/// Go's words for the verdicts of RFC 1928.
fn words(verdict: u8) -> String {
    let words = match verdict {
        1 => "general SOCKS server failure",
        2 => "connection not allowed by ruleset",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "TTL expired",
        7 => "command not supported",
        8 => "address type not supported",
        other => return format!("unknown code: {other}"),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_named_as_they_are_written() {
        let f = |url: &str, want: &[u8]| {
            let got = request(&Url::parse(url).expect("a URL")).expect("short");
            assert_eq!(got.get(3..), Some(want), "{url}");
        };
        f("http://ab:90/", &[3, 2, b'a', b'b', 0, 90]);
        f("https://ab/", &[3, 2, b'a', b'b', 1, 187]);
        f("http://1.2.3.4/", &[1, 1, 2, 3, 4, 0, 80]);
        f("http://[::1]/", &[4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 80]);
        let long = format!("http://{}/", "a.".repeat(200));
        assert!(request(&Url::parse(&long).expect("a URL")).is_err());
    }

    #[tokio::test]
    async fn whatever_a_proxy_answers_is_a_verdict() {
        let good: &[u8] = &[5, 2, 1, 0, 5, 0, 0, 3, 2, b'x', b'y', 0, 80];
        let ask = async |answer: Vec<u8>| {
            let (ours, mut theirs) = tokio::io::duplex(4096);
            theirs.write_all(&answer).await.expect("room");
            theirs.shutdown().await.expect("open");
            let proxy = Url::parse("socks5://me:hunter2@proxy").expect("a URL");
            let url = Url::parse("http://server/").expect("a URL");
            let said = connect(&url, &proxy, Box::new(ours)).await.map(drop);
            said.map_err(|error| error.to_string())
        };
        assert_eq!(ask(good.to_vec()).await, Ok(()));
        for end in 0..good.len() {
            let cut = ask(good.get(..end).unwrap_or_default().to_vec()).await;
            assert!(cut.is_err_and(|error| error.contains("socks connect")), "{end}");
        }
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut flipped = good.to_vec();
                flipped[at] ^= 1 << bit;
                // Some bytes mean nothing to us.
                let error = ask(flipped).await.err().unwrap_or_default();
                assert!(!error.contains("hunter2"), "{error}");
            }
        }
    }
}
