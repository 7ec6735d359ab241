//! What the tests share: a service, a client, a log that is kept, and a strict reader of pages.

pub(crate) mod page;

use std::io::{self, Write};
use std::sync::{Arc, LazyLock, Mutex};

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use http_body_util::BodyExt;
use masthead_instrument::{Telemetry, logs};
use serde_json::Value;
use tower::ServiceExt;
use tracing::Dispatch;

pub(crate) use page::Page;

/// Sends a request through the router and reads the whole answer.
pub(crate) async fn send(app: &Router, request: Request<Body>) -> Response<Vec<u8>> {
    let (parts, body) = open(app, request).await.into_parts();
    // Of a body that breaks, the error is what is read.
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => error.to_string().into(),
    };
    Response::from_parts(parts, body.to_vec())
}

/// Sends a request through the router; the body of the answer is still to be read.
pub(crate) async fn open(app: &Router, request: Request<Body>) -> Response<Body> {
    app.clone().oneshot(request).await.unwrap()
}

pub(crate) fn request(method: &str, path: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
}

pub(crate) async fn get(app: &Router, path: &str) -> Response<Vec<u8>> {
    send(app, request("GET", path)).await
}

/// What the service exposes, in both formats; they must agree on every sample.
pub(crate) async fn scrape(telemetry: &Telemetry) -> Page {
    let router = telemetry.metrics_router();
    let mut pages = Vec::new();
    for (accept, format) in [
        ("text/plain;version=0.0.4", page::Format::Text),
        ("application/openmetrics-text;version=1.0.0", page::Format::OpenMetrics),
    ] {
        let mut request = request("GET", "/metrics");
        request.headers_mut().insert("accept", accept.parse().unwrap());
        let response = send(&router, request).await;
        assert_eq!(response.status(), 200);
        pages.push(Page::parse(std::str::from_utf8(response.body()).unwrap(), format));
    }
    let open_metrics = pages.pop().unwrap();
    let names = |page: &Page| page.samples.iter().map(page::Sample::key).collect::<Vec<_>>();
    assert_eq!(names(&pages[0]), names(&open_metrics));
    open_metrics
}

/// A place for log lines.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Vec<u8>>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Sends what this thread logs here, until the guard is dropped.
    pub(crate) fn start(level: &str, format: &str) -> (Self, tracing::dispatcher::DefaultGuard) {
        // While a process has just one dispatcher, `tracing-core` asks the thread at hand whether
        // a new callsite matters to anyone, and remembers its "no" for all threads.
        static OTHERS: LazyLock<[Dispatch; 2]> = LazyLock::new(|| {
            let config = logs::Config::parse(Some("trace"), None).unwrap();
            [config.dispatch(io::sink()), config.dispatch(io::sink())]
        });
        LazyLock::force(&OTHERS);
        let log = Self::default();
        let config = logs::Config::parse(Some(level), Some(format)).unwrap();
        let guard = tracing::dispatcher::set_default(&config.dispatch(log.clone()));
        (log, guard)
    }

    /// The lines; each must have come in one write and hold no control character.
    pub(crate) fn text(&self) -> Vec<String> {
        let writes = self.0.lock().unwrap();
        let lines = writes.iter().map(|write| {
            let text = String::from_utf8(write.clone()).unwrap();
            let line = text.strip_suffix('\n').expect("a line ends with a line feed");
            assert!(!line.contains(char::is_control), "a control character: {line:?}");
            line.to_owned()
        });
        lines.collect()
    }

    /// The lines as JSON objects; none may have a key twice.
    pub(crate) fn json(&self) -> Vec<Value> {
        self.text().iter().map(|line| page::strict_json(line)).collect()
    }
}
