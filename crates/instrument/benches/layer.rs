//! What the layer costs a request: the same handler with and without it, called as a service.
//!
//! No socket, no runtime: the future of such a handler is ready at once. Allocations are counted
//! by divan's own allocator. The budget is 2 µs a request, and no allocation for a known pair of
//! method and route (`observe_ours`).
//!
//! `observe_prometheus_client` is the road not taken: the same observation with the types of the
//! `prometheus-client` crate.

use std::io;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use divan::{AllocProfiler, Bencher, black_box};
use http::Request;
use masthead_instrument::prometheus_client::encoding::EncodeLabelSet;
use masthead_instrument::prometheus_client::metrics::counter::Counter;
use masthead_instrument::prometheus_client::metrics::exemplar::HistogramWithExemplars;
use masthead_instrument::prometheus_client::metrics::family::Family;
use masthead_instrument::prometheus_client::metrics::gauge::Gauge;
use masthead_instrument::prometheus_client::metrics::histogram::Histogram;
use masthead_instrument::recording::Recording;
use masthead_instrument::{Telemetry, logs};
use tower::Service;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

fn main() {
    divan::main();
}

fn routes() -> Router {
    Router::new().route("/items/{id}", get(async || "an item"))
}

/// A layer that does nothing.
#[derive(Clone)]
struct Empty<S> {
    route: S,
}

impl<S: Service<Request<Body>>> Service<Request<Body>> for Empty<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.route.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> S::Future {
        self.route.call(request)
    }
}

fn layered() -> Router {
    routes().layer(Telemetry::builder("bench", "1").build().layer())
}

fn run(bencher: Bencher, mut app: Router, id: Option<&'static str>) {
    let request = move || {
        let mut request = Request::builder().uri("/items/7");
        if let Some(id) = id {
            request = request.header("x-request-id", id);
        }
        request.body(Body::empty()).unwrap_or_default()
    };
    bencher.with_inputs(request).bench_local_values(|request| {
        let mut future = std::pin::pin!(app.call(request));
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(Ok(mut response)) = future.as_mut().poll(&mut context) else {
            unreachable!("the handler never waits")
        };
        // The server reads the body, and with it the request ends.
        let body =
            http_body::Body::poll_frame(std::pin::Pin::new(response.body_mut()), &mut context);
        black_box(body.is_ready())
    });
}

#[divan::bench(sample_count = 200, sample_size = 64)]
fn bare(bencher: Bencher) {
    run(bencher, routes(), None);
}

/// What axum itself takes for any layer at all: no part of ours can be below this.
#[divan::bench(sample_count = 200, sample_size = 64)]
fn bare_under_an_empty_layer(bencher: Bencher) {
    run(bencher, routes().layer(tower_layer::layer_fn(|route| Empty { route })), None);
}

#[divan::bench(sample_count = 200, sample_size = 64)]
fn layer_new_id(bencher: Bencher) {
    run(bencher, layered(), None);
}

#[divan::bench(sample_count = 200, sample_size = 64)]
fn layer_id_of_the_caller(bencher: Bencher) {
    run(bencher, layered(), Some("01890a5d-ac96-774b-bcce-b302099a8057"));
}

#[divan::bench(sample_count = 200, sample_size = 64)]
fn layer_and_json_log(bencher: Bencher) {
    with_log(bencher, "info");
}

#[divan::bench(sample_count = 200, sample_size = 64)]
fn layer_and_quiet_log(bencher: Bencher) {
    with_log(bencher, "warn");
}

fn with_log(bencher: Bencher, level: &str) {
    let Ok(config) = logs::Config::parse(Some(level), Some("json")) else {
        unreachable!("{level} is a level")
    };
    tracing::dispatcher::with_default(&config.dispatch(io::sink()), || {
        run(bencher, layered(), None);
    });
}

#[divan::bench(sample_count = 200, sample_size = 64)]
fn request_id_generate() -> masthead_instrument::RequestId {
    masthead_instrument::RequestId::generate()
}

#[divan::bench(sample_count = 200, sample_size = 64)]
fn observe_ours(bencher: Bencher) {
    let recording = Recording::new(&BOUNDS);
    bencher.bench_local(|| {
        recording.request(black_box(&http::Method::GET), black_box("/items/{id}"), 200, 0.012);
    });
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    handler: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StatusLabels {
    method: &'static str,
    handler: String,
    status: u16,
}

#[divan::bench(sample_count = 200, sample_size = 64)]
fn observe_prometheus_client(bencher: Bencher) {
    type Id = Vec<(&'static str, std::sync::Arc<str>)>;
    let requests = Family::<StatusLabels, Counter>::default();
    let in_progress = Family::<Labels, Gauge>::default();
    let duration = Family::<Labels, HistogramWithExemplars<Id>>::new_with_constructor(|| {
        HistogramWithExemplars::new(BOUNDS.into_iter())
    });
    let size = || Family::<Labels, Histogram>::new_with_constructor(|| Histogram::new(BOUNDS));
    let (request_size, response_size) = (size(), size());
    bencher.bench_local(|| {
        let handler = black_box("/items/{id}").to_owned();
        let labels = Labels { method: "GET", handler };
        in_progress.get_or_create(&labels).inc();
        let id = vec![("request_id", "01890a5d-ac96-774b-bcce-b302099a8057".into())];
        duration.get_or_create(&labels).observe(0.012, Some(id), None);
        request_size.get_or_create(&labels).observe(10.0);
        response_size.get_or_create(&labels).observe(100.0);
        in_progress.get_or_create(&labels).dec();
        let Labels { method, handler } = labels;
        requests.get_or_create(&StatusLabels { method, handler, status: 200 }).inc();
    });
}
