//! What faces the network, with stores behind it or without: who may come in, the listeners, and
//! the end of what they serve. What becomes of a connection: `connections.rs`.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use axum::Router;
use masthead_sysio::{Buffers, Clock};
use tokio::{net::TcpListener, sync::watch};

use super::{
    access::{self, Access},
    certificates::{self, Certificates},
    connections::Door,
    listen,
    upkeep::Upkeep,
};
use crate::{
    cli::ServeArgs,
    tasks::{Task, Tasks},
};

/// How long requests in flight may go on after a signal.
const GRACE: Duration = Duration::from_secs(10);

/// How often free memory is given back to the kernel, and what of the program does not run.
const RELEASE_EVERY: Duration = Duration::from_secs(15);

/// Addresses that are bound, and that nobody answers at yet.
pub(super) struct Front {
    pub access: Arc<Access>,
    pub certificates: Option<Arc<Certificates>>,
    pub door: Arc<Door>,
    /// Where it listens.
    pub addresses: Vec<SocketAddr>,
    /// The first of them.
    pub own: SocketAddr,
    listeners: Vec<TcpListener>,
}

impl Front {
    /// Binds what `args` ask for.
    ///
    /// # Errors
    /// Files of passwords and certificates that are wrong; an address that is taken or too open.
    pub(super) async fn open(args: &ServeArgs, clock: &Arc<dyn Clock>) -> anyhow::Result<Self> {
        let access = Arc::new(Access::open(args, Arc::clone(clock))?);
        let certificates = Certificates::open(&args.tls)?;
        let door = Door::new(args.max_connections, args.header_timeout, certificates.clone());
        let listeners = listen::bind(args, access.auth().wanted()).await?;
        let addresses: Vec<_> =
            listeners.iter().map(TcpListener::local_addr).collect::<Result<_, _>>()?;
        let own = *addresses.first().context("BUG: no listener")?;
        Ok(Self { access, certificates, door, addresses, own, listeners })
    }

    /// Starts the threads that look at its files, and the one that gives memory back, that of
    /// `buffers` too.
    ///
    /// # Errors
    /// The machine has no thread left.
    pub(super) fn keep_up(&self, buffers: Arc<Buffers>, upkeep: &mut Upkeep) -> anyhow::Result<()> {
        let begun = AtomicBool::new(false);
        upkeep.spawn("memory", RELEASE_EVERY, move || {
            // Not while it starts.
            if begun.swap(true, Ordering::Relaxed) {
                buffers.release();
                masthead_sysio::release_free();
            }
            Ok::<_, Infallible>(())
        })?;
        access::keep_up(&self.access, upkeep)?;
        certificates::keep_up(self.certificates.as_ref(), upkeep)
    }

    /// Answers with `router` from now on.
    pub(super) fn serve(self, router: &Router, tasks: &Tasks) -> Serving {
        let (stop, stopping) = watch::channel(false);
        let serve = |listener| {
            let door = Arc::clone(&self.door);
            tasks.spawn("listener", door.serve(listener, router.clone(), stopping.clone()))
        };
        Serving { listeners: self.listeners.into_iter().map(serve).collect(), stop }
    }
}

/// Listeners at work; dropped, they end at once.
pub(super) struct Serving {
    listeners: Vec<Task>,
    stop: watch::Sender<bool>,
}

impl Serving {
    /// Takes no more requests and waits for those in flight, no longer than [`GRACE`].
    pub(super) async fn end(self) {
        self.stop.send_replace(true);
        let all = async {
            for listener in self.listeners {
                listener.done().await;
            }
        };
        if tokio::time::timeout(GRACE, all).await.is_err() {
            tracing::warn!(grace_ms = GRACE.as_millis(), "Requests were cut off.");
        }
    }
}
