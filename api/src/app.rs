//! The public router: every route, the bounds around them, the answers when no route fits.
//!
//! From the outside in: telemetry (so that refusals are counted and have an id), then the routes.
//! All but the probes pass a gate that sheds load and ends requests that take too long; a probe
//! that was shed would have a busy service restarted. `/metrics` is not here and never will be.

use crate::{
    demo, health,
    items::{Store, routes},
    openapi,
    problem::{self, Rejection},
    settings::Limits,
};
use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http::Method;
use masthead_instrument::Telemetry;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{sync::Semaphore, time::timeout};

/// What handlers share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    pub(crate) store: Store,
    pub(crate) limits: Limits,
    /// Longest wait of a readiness probe for the database.
    pub(crate) probe_timeout: Duration,
    draining: Arc<AtomicBool>,
}

impl App {
    pub fn new(store: Store, limits: Limits, probe_timeout: Duration) -> Self {
        Self { store, limits, probe_timeout, draining: Arc::default() }
    }

    /// From now on `/readyz` says 503; everything else is answered as before.
    pub fn drain(&self) {
        self.draining.store(true, SeqCst);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(SeqCst)
    }

    /// The public routes, instrumented; with `demo_faults` also those of `demo`.
    pub fn router(&self, telemetry: &Telemetry, demo_faults: bool) -> Router {
        let mut gated = routes::router().merge(openapi::router());
        if demo_faults {
            gated = gated.merge(demo::router());
        }
        let gate = Gate {
            places: Arc::new(Semaphore::new(self.limits.concurrency.get())),
            timeout: self.limits.request_timeout,
        };
        gated
            .layer(middleware::from_fn_with_state(gate, pass_gate))
            .merge(health::router())
            .fallback(async || Rejection::from(problem::no_such_path()))
            .method_not_allowed_fallback(async |method: Method| {
                Rejection::from(problem::method_not_allowed(&method))
            })
            .layer(telemetry.layer())
            .with_state(self.clone())
    }
}

/// Set while a request's body is still arriving: being late is then the sender's doing.
#[derive(Debug, Clone, Default)]
pub(crate) struct BodyArriving(Arc<AtomicBool>);

impl BodyArriving {
    /// The body is arriving until the guard is dropped by whoever reads it to its end. A request
    /// that is cut off by the timeout drops it too, so the flag is read before that.
    pub(crate) fn begin(&self) -> impl Drop + use<> {
        self.0.store(true, SeqCst);
        Arrived(self.clone())
    }
}

struct Arrived(BodyArriving);

impl Drop for Arrived {
    fn drop(&mut self) {
        self.0.0.store(false, SeqCst);
    }
}

#[derive(Clone)]
struct Gate {
    places: Arc<Semaphore>,
    timeout: Duration,
}

async fn pass_gate(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let Ok(_place) = gate.places.try_acquire() else {
        return refuse(problem::unavailable(
            "too many requests at once; CONCURRENCY_LIMIT is the limit",
        ));
    };
    let body = BodyArriving::default();
    request.extensions_mut().insert(body.clone());
    let mut answer = Box::pin(next.run(request));
    match timeout(gate.timeout, &mut answer).await {
        Ok(response) => response,
        // `answer` is still alive here, and so is its guard.
        Err(_) if body.0.load(SeqCst) => refuse(problem::too_slow()),
        Err(_) => refuse(problem::unavailable("no answer in time; REQUEST_TIMEOUT is the limit")),
    }
}

fn refuse(problem: masthead_instrument::problem::Problem) -> Response {
    Rejection::from(problem).into_response()
}
