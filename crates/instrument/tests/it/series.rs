//! Which series requests make, and what they count, on every way a request can end.

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use masthead_instrument::Telemetry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::Layer;

use crate::support::{Page, get as fetch, open, request, scrape, send};

type Polled = std::task::Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>>;

/// Yields five bytes twice, then does what `end` says for ever.
struct Chunks {
    left: u8,
    end: fn() -> Polled,
}

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> Polled {
        if self.left == 0 {
            return (self.end)();
        }
        self.left -= 1;
        std::task::Poll::Ready(Some(Ok(http_body::Frame::data(Bytes::from_static(b"12345")))))
    }
}

fn chunks(end: fn() -> Polled) -> Response<Body> {
    Response::new(Body::new(Chunks { left: 2, end }))
}

fn service() -> (Telemetry, Router) {
    let telemetry = Telemetry::builder("test", "1.2.3").build();
    let nested = Router::new().route("/leaf/{name}", get(async || "leaf"));
    let app = Router::new()
        .route("/items/{id}", get(async || "item").delete(async || StatusCode::NO_CONTENT))
        .route("/echo", post(async |body: Bytes| body))
        .route("/slow", get(pending::<()>))
        .route("/panic", get(async || panics()))
        .route("/stream", get(async || chunks(|| std::task::Poll::Ready(None))))
        .route("/endless", get(async || chunks(|| std::task::Poll::Pending)))
        .route("/breaks", get(async || chunks(|| panic!("the body broke"))))
        .nest("/nested/{tenant}", nested)
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(telemetry.layer());
    (telemetry, app)
}

fn panics() {
    panic!("the handler broke");
}

fn requests(page: &Page, method: &str, handler: &str, status: &str) -> f64 {
    let labels = [("method", method), ("handler", handler), ("status", status)];
    page.value("http_requests_total", &labels).unwrap_or(0.0)
}

fn value(page: &Page, name: &str, method: &str, handler: &str) -> f64 {
    page.value(name, &[("method", method), ("handler", handler)]).unwrap_or(f64::NAN)
}

fn near(got: f64, want: f64) {
    assert!((got - want).abs() < 1e-9, "got {got}, want {want}");
}

#[tokio::test]
async fn the_handler_is_the_template_of_the_route_and_never_the_path() {
    let (telemetry, app) = service();
    for path in ["/items/1", "/items/2", "/items/a%22b%5c"] {
        assert_eq!(fetch(&app, path).await.status(), 200);
    }
    assert_eq!(send(&app, request("PUT", "/items/1")).await.status(), 405);
    fetch(&app, "/nested/acme/leaf/7").await;
    for path in ["/secret", "/items", "/items/1/2", "/nested/acme/none", "/%00"] {
        assert_eq!(fetch(&app, path).await.status(), 404, "{path}");
    }
    let page = scrape(&telemetry).await;
    near(requests(&page, "GET", "/items/{id}", "200"), 3.0);
    near(requests(&page, "PUT", "/items/{id}", "405"), 1.0);
    near(requests(&page, "GET", "/nested/{tenant}/leaf/{name}", "200"), 1.0);
    near(requests(&page, "GET", "none", "404"), 5.0);
    let handlers = page.label_values("handler");
    let want = ["/items/{id}", "/nested/{tenant}/leaf/{name}", "none"];
    assert_eq!(handlers.into_iter().collect::<Vec<_>>(), want);
}

#[tokio::test]
async fn one_service_at_two_routes_has_two_templates() {
    let telemetry = Telemetry::builder("test", "1").build();
    // The clone shares what the first one remembers.
    let service = telemetry.layer().layer(tower::service_fn(async |_: Request<Body>| {
        Ok::<_, Infallible>(Response::<Body>::default())
    }));
    let app = Router::new().route_service("/a/{id}", service.clone()).route_service("/b", service);
    for path in ["/a/1", "/b", "/b"] {
        assert_eq!(fetch(&app, path).await.status(), 200);
    }
    let page = scrape(&telemetry).await;
    near(requests(&page, "GET", "/a/{id}", "200"), 1.0);
    near(requests(&page, "GET", "/b", "200"), 2.0);
}

#[tokio::test]
async fn no_request_grows_the_number_of_series() {
    let (telemetry, app) = service();
    let flood = async |seed: u32| {
        for method in ["GET", "BREW", "get", "X-UNHEARD-OF", "PROPFIND"] {
            for path in ["/items/", "/nested/x/leaf/", "/wp-admin/"] {
                let mut request = request(method, &format!("{path}{seed}?q={seed}"));
                for header in ["host", "user-agent", "x-request-id", "x-forwarded-for"] {
                    request.headers_mut().insert(header, seed.into());
                }
                send(&app, request).await;
            }
        }
    };
    flood(0).await;
    let before = scrape(&telemetry).await;
    for seed in 1..20 {
        flood(seed).await;
    }
    let after = scrape(&telemetry).await;
    assert_eq!(before.samples.len(), after.samples.len());
    assert_eq!(after.label_values("method").into_iter().collect::<Vec<_>>(), ["GET", "OTHER"]);
    near(requests(&after, "OTHER", "none", "404"), 80.0);
}

#[tokio::test]
async fn in_progress_goes_down_however_a_request_ends() {
    let (telemetry, app) = service();
    let in_progress = async |handler: &str| {
        value(&scrape(&telemetry).await, "http_requests_in_progress", "GET", handler)
    };

    // The client goes away while the handler works.
    let slow = open(&app, request("GET", "/slow"));
    assert!(tokio::time::timeout(Duration::from_millis(20), slow).await.is_err());
    near(in_progress("/slow").await, 0.0);

    // The handler panics.
    assert_eq!(fetch(&app, "/panic").await.status(), 500);
    near(in_progress("/panic").await, 0.0);

    // The body is dropped half way.
    let mut response = open(&app, request("GET", "/endless")).await;
    response.body_mut().frame().await.unwrap().unwrap();
    near(in_progress("/endless").await, 1.0);
    drop(response);
    near(in_progress("/endless").await, 0.0);

    // The body panics; asked again it is over, and nothing is counted twice.
    let mut response = open(&app, request("GET", "/breaks")).await;
    for want in [true, true, false] {
        assert_eq!(response.body_mut().frame().await.unwrap().is_ok(), want);
    }
    assert!(response.body_mut().frame().await.is_none());
    drop(response);
    near(in_progress("/breaks").await, 0.0);

    let page = scrape(&telemetry).await;
    near(requests(&page, "GET", "/slow", "499"), 1.0);
    near(requests(&page, "GET", "/panic", "500"), 1.0);
    near(requests(&page, "GET", "/endless", "200"), 1.0);
    near(requests(&page, "GET", "/breaks", "200"), 1.0);
    near(page.value("http_panics_total", &[]).unwrap(), 2.0);
    near(value(&page, "http_response_size_bytes_sum", "GET", "/endless"), 5.0);
    near(value(&page, "http_response_size_bytes_sum", "GET", "/breaks"), 10.0);
}

#[tokio::test]
async fn in_progress_is_up_while_the_handler_works() {
    let (telemetry, app) = service();
    let looks = async {
        tokio::task::yield_now().await;
        value(&scrape(&telemetry).await, "http_requests_in_progress", "GET", "/slow")
    };
    tokio::select! {
        biased;
        _ = open(&app, request("GET", "/slow")) => unreachable!("it never ends"),
        seen = looks => near(seen, 1.0),
    }
}

#[tokio::test]
async fn a_client_that_disconnects_is_seen_over_a_socket() {
    let (telemetry, app) = service();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let client = async {
        let in_progress = async |want: f64| {
            for _ in 0..500 {
                let page = scrape(&telemetry).await;
                let seen = value(&page, "http_requests_in_progress", "GET", "/slow");
                if (seen - want).abs() < 1e-9 {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            panic!("in progress is not {want}");
        };
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /slow HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
        in_progress(1.0).await;
        drop(stream);
        in_progress(0.0).await;

        // The same server goes on, and a HEAD is answered in full without a body.
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream
            .write_all(b"HEAD /items/1 HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains("content-length: 4"),
            "{answer}"
        );
    };
    tokio::select! {
        served = axum::serve(listener, app) => panic!("the server ended: {served:?}"),
        () = client => {}
    }
    let page = scrape(&telemetry).await;
    near(requests(&page, "GET", "/slow", "499"), 1.0);
    near(value(&page, "http_response_size_bytes_sum", "HEAD", "/items/{id}"), 0.0);
}

#[tokio::test]
async fn sizes_are_the_bytes_that_went_through() {
    let (telemetry, app) = service();
    let body = Body::new(http_body_util::Full::new(Bytes::from_static(&[7; 3000])));
    let echo = Request::builder().method("POST").uri("/echo").body(body).unwrap();
    assert_eq!(send(&app, echo).await.body().len(), 3000);
    assert_eq!(fetch(&app, "/stream").await.body(), b"1234512345");
    assert_eq!(send(&app, request("DELETE", "/items/1")).await.status(), 204);
    // A promise of bytes that never come counts for nothing.
    let mut lie = request("POST", "/echo");
    lie.headers_mut().insert("content-length", 999_999_999.into());
    send(&app, lie).await;

    let page = scrape(&telemetry).await;
    let f = |name: &str, method: &str, handler: &str, want: f64| {
        near(value(&page, &format!("{name}_sum"), method, handler), want);
    };
    f("http_request_size_bytes", "POST", "/echo", 3000.0);
    f("http_response_size_bytes", "POST", "/echo", 3000.0);
    f("http_request_size_bytes", "GET", "/stream", 0.0);
    f("http_response_size_bytes", "GET", "/stream", 10.0);
    f("http_response_size_bytes", "DELETE", "/items/{id}", 0.0);
    let buckets = [("method", "GET"), ("handler", "/stream"), ("le", "256.0")];
    near(page.value("http_response_size_bytes_bucket", &buckets).unwrap(), 1.0);
}

#[tokio::test]
async fn a_measured_body_keeps_its_exact_length() {
    let (_, app) = service();
    let response = open(&app, request("GET", "/items/1")).await;
    assert_eq!(http_body::Body::size_hint(response.body()).exact(), Some(4));
}
