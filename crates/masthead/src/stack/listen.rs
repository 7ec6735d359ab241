//! Where the server listens, and serving until it is told to stop.

use std::{io, net::SocketAddr};

use anyhow::Context as _;
use axum::Router;
use tokio::{net::TcpListener, sync::watch};

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

/// Answers requests on `listener` until `stopping` is true and those in flight are over.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let served: io::Result<()> = axum::serve(listener, service)
        .with_graceful_shutdown(async move {
            // A sender that is gone means the same as one that says stop.
            drop(stopping.wait_for(|stop| *stop).await);
        })
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "A listener failed.");
    }
}
