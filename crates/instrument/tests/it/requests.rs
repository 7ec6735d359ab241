//! The id of a request, end to end, and what a panic leaves behind.

use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use http::{HeaderMap, StatusCode};
use masthead_instrument::problem::Problem;
use masthead_instrument::{RequestId, Telemetry, propagate};
use serde_json::Value;
use uuid::Uuid;

use crate::support::{Log, request, send};

fn app() -> Router {
    let telemetry = Telemetry::builder("test", "1").build();
    Router::new()
        .route("/id", get(async |id: RequestId| id.to_string()))
        .route("/extension", get(async |Extension(id): Extension<RequestId>| id.to_string()))
        .route("/outgoing", get(outgoing))
        .route("/fails", get(async || Problem::new(StatusCode::BAD_GATEWAY).detail("upstream")))
        .route("/panic", get(async || panics("a String panic", true)))
        .route("/panic-str", get(async || panics("a str panic", false)))
        .route("/forges", get(async || [("x-request-id", "forged")]))
        .layer(telemetry.layer())
}

async fn outgoing() -> Response {
    let mut headers = HeaderMap::new();
    propagate(&mut headers);
    let spawned = RequestId::current().unwrap().scope(async { RequestId::current() });
    assert!(spawned.await.is_some());
    tracing::info!("inside");
    headers["x-request-id"].to_str().unwrap().to_owned().into_response()
}

fn panics(text: &'static str, owned: bool) {
    if owned { panic!("{text}\n{}", 1 + 1) } else { panic!("a str panic") }
}

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

#[tokio::test]
async fn one_id_goes_from_header_to_handler_log_error_body_and_next_service() {
    let (log, _guard) = Log::start("info", "json");
    let app = app();
    for path in ["/id", "/extension", "/outgoing", "/fails", "/panic", "/forges", "/nowhere"] {
        let mut request = request("GET", path);
        request.headers_mut().insert("x-request-id", "from-the-caller".parse().unwrap());
        let response = send(&app, request).await;
        assert_eq!(response.headers()["x-request-id"], "from-the-caller", "{path}");
        assert_eq!(response.headers().get_all("x-request-id").iter().count(), 1, "{path}");
        let body = std::str::from_utf8(response.body()).unwrap();
        match path {
            "/id" | "/extension" | "/outgoing" => assert_eq!(body, "from-the-caller", "{path}"),
            "/fails" | "/panic" => {
                assert_eq!(response.headers()["content-type"], "application/problem+json");
                assert_eq!(json(response.body())["request_id"], "from-the-caller", "{path}");
            }
            _ => {}
        }
    }
    let lines = log.json();
    assert_eq!(lines.len(), 9, "one for each request, one inside, one for the panic");
    assert!(lines.iter().all(|line| line["request_id"] == "from-the-caller"), "{lines:#?}");
}

#[tokio::test]
async fn an_id_that_could_do_harm_is_replaced_by_a_uuid_of_version_7() {
    let (log, _guard) = Log::start("info", "json");
    let app = app();
    let f = async |value: &[u8], kept: bool| {
        let mut request = request("GET", "/id");
        request.headers_mut().insert("x-request-id", http::HeaderValue::from_bytes(value).unwrap());
        let response = send(&app, request).await;
        let id = response.headers()["x-request-id"].to_str().unwrap();
        assert_eq!(id.as_bytes() == value, kept, "{value:?}");
        assert!(kept || Uuid::parse_str(id).unwrap().get_version_num() == 7, "{id}");
        assert_eq!(response.body(), id.as_bytes());
    };
    f(b"short", true).await;
    f(&[b'a'; 128], true).await;
    f(&[b'a'; 129], false).await;
    f(b"", false).await;
    f(b"with space", false).await;
    f(b"\xe4\xb8\xad", false).await;
    assert!(log.json().iter().all(|line| line["request_id"].as_str().unwrap().len() <= 128));
    let none = send(&app, request("GET", "/id")).await;
    assert!(Uuid::parse_str(none.headers()["x-request-id"].to_str().unwrap()).is_ok());
}

#[tokio::test]
async fn a_panic_is_a_500_and_an_error_line_and_the_service_lives() {
    let (log, _guard) = Log::start("info", "json");
    let app = app();
    for (path, message) in [("/panic", "a String panic\n2"), ("/panic-str", "a str panic")] {
        let response = send(&app, request("GET", path)).await;
        assert_eq!(response.status(), 500);
        let body = json(response.body());
        assert_eq!(body["status"], 500);
        assert_eq!(body["title"], "Internal Server Error");
        assert_eq!(body["request_id"], response.headers()["x-request-id"].to_str().unwrap());
        assert!(
            !body.to_string().contains("a st") && !body.to_string().contains("String"),
            "{body}"
        );
        let lines = log.json();
        let [.., panic, finished] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!(panic["message"], "Handler panicked.");
        assert_eq!((&panic["level"], &panic["error"]), (&"ERROR".into(), &message.into()));
        assert_eq!((&finished["level"], &finished["status"]), (&"ERROR".into(), &500.into()));
        assert_eq!(finished["request_id"], body["request_id"]);
    }
    assert_eq!(send(&app, request("GET", "/id")).await.status(), 200);
}

#[tokio::test]
async fn a_service_that_panics_before_its_future_is_caught_too() {
    let telemetry = Telemetry::builder("test", "1").build();
    let service = tower::service_fn(|_: http::Request<axum::body::Body>| {
        panics("early", false);
        std::future::ready(Ok::<Response, std::convert::Infallible>(Response::default()))
    });
    let app = Router::new().fallback_service(service).layer(telemetry.layer());
    let response = send(&app, request("GET", "/")).await;
    assert_eq!(response.status(), 500);
    assert_eq!(
        json(response.body())["request_id"],
        response.headers()["x-request-id"].to_str().unwrap()
    );
}
