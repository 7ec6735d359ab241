//! From an accepted connection to answered requests: how many, how slow, and by TLS or not.
//!
//! A client that sends its head slowly, or nothing at all, gives its place back after
//! `--web.header-timeout`. What is slow later (bodies, answers) has its limits in `http-api`.

use std::{
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo};
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

use super::certificates::Certificates;

/// How long to wait when the system gives no more connections.
const PAUSE: Duration = Duration::from_millis(100);

/// What all listeners share.
#[derive(Debug)]
pub(super) struct Door {
    places: Arc<Semaphore>,
    size: usize,
    header_timeout: Duration,
    certificates: Option<Arc<Certificates>>,
    stats: Arc<ConnectionStats>,
}

/// Counts since the start.
#[derive(Debug, Default)]
pub(super) struct ConnectionStats {
    pub(super) accepted: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) handshakes_failed: AtomicU64,
    pub(super) open: AtomicU64,
}

impl Door {
    /// Lets `size` connections in at one time.
    pub(super) fn new(
        size: usize,
        header_timeout: Duration,
        certificates: Option<Arc<Certificates>>,
    ) -> Arc<Self> {
        let size = size.clamp(1, Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(size));
        let stats = Arc::default();
        Arc::new(Self { places, size, header_timeout, certificates, stats })
    }

    pub(super) fn stats(&self) -> Arc<ConnectionStats> {
        Arc::clone(&self.stats)
    }

    /// Answers requests on `listener` until `stopping` is true and those in flight are over.
    pub(super) async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        router: Router,
        mut stopping: watch::Receiver<bool>,
    ) {
        let mut connections = JoinSet::new();
        let until = stopping.clone();
        loop {
            let accepted = tokio::select! {
                () = told(&mut stopping) => break,
                Some(ended) = connections.join_next() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "A connection ended in a panic.");
                    }
                    continue;
                }
                accepted = listener.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Most are the client's; of files that have run out, more will not come soon.
                    tracing::debug!(%error, "A connection could not be accepted.");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
                self.refuse(&stream);
                continue;
            };
            self.stats.accepted.fetch_add(1, Ordering::Relaxed);
            let (door, router, until) = (Arc::clone(&self), router.clone(), until.clone());
            connections.spawn(async move {
                let _place = place;
                let _open = Open::new(&door.stats);
                if let Err(error) = door.answer(stream, peer, router, until).await {
                    tracing::debug!(%error, %peer, "A connection ended early.");
                }
            });
        }
        drop(listener);
        while connections.join_next().await.is_some() {}
    }

    /// Says why there is no place, as far as that can be said without waiting.
    fn refuse(&self, stream: &TcpStream) {
        if self.stats.refused.fetch_add(1, Ordering::Relaxed).is_multiple_of(1_000) {
            let limit = self.size;
            tracing::warn!(limit, "Connections are refused (--web.max-connections).");
        }
        if self.certificates.is_some() {
            return;
        }
        let text = format!(
            "{} connections are open, which is the limit (see --web.max-connections)\n",
            self.size
        );
        let answer = format!(
            "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\r\n{text}",
            text.len()
        );
        // A client that takes nothing is not waited for.
        drop(stream.try_write(answer.as_bytes()));
    }

    async fn answer(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        router: Router,
        stopping: watch::Receiver<bool>,
    ) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let Some(certificates) = &self.certificates else {
            return self.requests(stream, peer, router, stopping).await;
        };
        let handshake = TlsAcceptor::from(certificates.current()).accept(stream);
        let stream = match tokio::time::timeout(self.header_timeout, handshake).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                self.stats.handshakes_failed.fetch_add(1, Ordering::Relaxed);
                return Err(error);
            }
            Err(_) => {
                self.stats.handshakes_failed.fetch_add(1, Ordering::Relaxed);
                return Err(io::ErrorKind::TimedOut.into());
            }
        };
        self.requests(stream, peer, router, stopping).await
    }

    async fn requests(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: SocketAddr,
        router: Router,
        mut stopping: watch::Receiver<bool>,
    ) -> io::Result<()> {
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.header_timeout)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = told(&mut stopping) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        ended.map_err(io::Error::other)
    }
}

/// Waits until it is told to stop. A sender that is gone says the same.
async fn told(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|stop| *stop).await);
}

/// Counts a connection while it is open.
struct Open<'a>(&'a ConnectionStats);

impl<'a> Open<'a> {
    fn new(stats: &'a ConnectionStats) -> Self {
        stats.open.fetch_add(1, Ordering::Relaxed);
        Self(stats)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
