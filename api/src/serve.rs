//! One listener: accepts up to a limit of connections and ends them in an orderly way.
//!
//! Instead of `axum::serve`, because that bounds neither the number of connections nor the time a
//! client may take over its headers. Every connection is a task of one set, so none outlives the
//! server. Headers are bounded by hyper: 100 of them, about 400 KiB together.

use axum::{Router, body::Body, extract::ConnectInfo};
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{net::SocketAddr, num::NonZeroUsize, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::sleep,
};
use tower_service::Service as _;

/// Longest time for the headers of a request, and longest time a connection may be idle.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// Pause after a failed accept: most often there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves `router` until `stop` is true (or its sender is gone), then closes the listener and
/// returns once the requests in flight are answered. Dropping the future cuts them off.
///
/// At most `connections` are open at once; further ones wait in the kernel's queue.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    connections: NonZeroUsize,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(connections.get()));
    let mut tasks = JoinSet::new();
    let stopped = stop.clone();
    let mut stopping = pin!(stop.wait_for(|stop| *stop));
    loop {
        let accept = async {
            // The semaphore is never closed.
            let place = places.clone().acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        tokio::select! {
            _ = &mut stopping => break,
            // An ended task gave its place back already; this frees the rest of it.
            Some(_) = tasks.join_next() => {}
            (place, accepted) = accept => match accepted {
                Ok((stream, peer)) => {
                    let connection = connection(stream, peer, router.clone(), stopped.clone());
                    tasks.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "Cannot accept a connection.");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    while tasks.join_next().await.is_some() {}
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, %peer, "Cannot set TCP_NODELAY.");
    }
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().call(request)
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service)
    );
    let stopped = async {
        // An error is a sender that is gone, which is a stop too.
        drop(stop.wait_for(|stop| *stop).await);
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = &error as &dyn std::error::Error, %peer, "Connection ended early.");
    }
}
