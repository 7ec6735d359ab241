//! Where the server listens. What happens to a connection: `connections.rs`.

use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::net::TcpListener;

use crate::cli::{LOKI_DEFAULT, Listen, ServeArgs, UsageError};

/// The port where clients of Prometheus look first.
const PROMETHEUS_DEFAULT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9090);

/// Binds every address that was asked for; the usual ports of Prometheus and Loki only if they are
/// free.
///
/// # Errors
/// An address that is taken or not this machine's; one beyond loopback without a password
/// (`guarded`) or `--insecure`.
pub(super) async fn bind(args: &ServeArgs, guarded: bool) -> anyhow::Result<Vec<TcpListener>> {
    let aliases = [
        (args.prometheus_listen, PROMETHEUS_DEFAULT, "--prometheus-listen"),
        (args.logs.loki_listen, LOKI_DEFAULT, "--loki-listen"),
    ];
    let asked = aliases.iter().filter_map(|(alias, ..)| match alias {
        Some(Listen::At(address)) => Some(*address),
        Some(Listen::Off) | None => None,
    });
    for address in std::iter::once(args.listen).chain(asked) {
        if address.ip().to_canonical().is_loopback() {
            continue;
        }
        if !guarded && !args.insecure {
            return Err(UsageError(format!(
                "{address} can be reached from other machines, and there is no password: anyone could read and write; set MASTHEAD_AUTH_ADMIN_PASSWORD or --auth.admin-password-file, listen on 127.0.0.1, or accept it with --insecure"
            ))
            .into());
        }
        if guarded && args.tls.cert.is_none() {
            tracing::warn!(%address, "Passwords and tokens travel in the clear here: use --tls.cert-file, or a proxy that speaks TLS.");
        }
    }
    let mut listeners = vec![listen(args.listen, "--listen").await?];
    for (alias, usual, flag) in aliases {
        match alias {
            Some(Listen::At(address)) => listeners.push(listen(address, flag).await?),
            Some(Listen::Off) => {}
            // Nobody asked for this one; another server may have it.
            None => match TcpListener::bind(usual).await {
                Ok(listener) => listeners.push(listener),
                Err(error) => {
                    tracing::warn!(address = %usual, flag, %error, "Not listening at a usual port.");
                }
            },
        }
    }
    for listener in &listeners {
        tracing::info!(address = %listener.local_addr()?, "Listening.");
    }
    Ok(listeners)
}

async fn listen(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| match address.port() {
        0 => format!("cannot listen on {address} ({flag})"),
        port => format!("cannot listen on {address} ({flag}); is port {port} taken?"),
    })
}
