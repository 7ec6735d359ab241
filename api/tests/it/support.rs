//! What the tests share: a router on a fresh database, requests to it, scrapes of it.

pub(crate) mod exposition;
pub(crate) mod postgres;
pub(crate) mod service;

use axum::{Router, body::Body};
use exposition::Exposition;
use http::{Method, Request, Response, header};
use http_body_util::BodyExt;
use items_api::{app::App, database::Database, items::Store, metrics::Metrics, settings::Settings};
use masthead_instrument::Telemetry;
use serde_json::Value;
use std::{ffi::OsString, fmt};
use tower::ServiceExt;

/// A router on a database of its own.
pub(crate) struct Api {
    pub(crate) router: Router,
    pub(crate) app: App,
    pub(crate) store: Store,
    pub(crate) database: Database,
    telemetry: Telemetry,
    url: String,
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Runs `test` once on SQLite and once on PostgreSQL, each with an empty database.
pub(crate) async fn on_each_database<F>(test: impl Fn(Api) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    on_each_database_with(&[], test).await;
}

/// As [`on_each_database`], with variables set.
pub(crate) async fn on_each_database_with<F>(variables: &[(&str, &str)], test: impl Fn(Api) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", dir.path().join("items.db").display());
    test(Api::open(&url, variables).await).await;
    if let Some(database) = postgres::fresh_database().await {
        // A task of its own, so that the database is dropped even when the test panics.
        let mut task = tokio::task::JoinSet::new();
        task.spawn(test(Api::open(&database.url, variables).await));
        let outcome = task.join_next().await.unwrap();
        database.drop().await;
        outcome.unwrap();
    }
}

impl Api {
    pub(crate) async fn open(url: &str, variables: &[(&str, &str)]) -> Self {
        let settings = Settings::read(|name| {
            let pair = variables.iter().find(|(key, _)| *key == name);
            let value = if name == "DATABASE_URL" { Some(url) } else { pair.map(|pair| pair.1) };
            value.map(OsString::from)
        });
        let settings = settings.unwrap();
        let telemetry = Telemetry::builder("items-api", "0").build();
        let metrics = telemetry.register(Metrics::register);
        let database = Database::open(&settings.database, metrics.clone()).await.unwrap();
        let store = Store::open(database.clone(), metrics).await.unwrap();
        let app = App::new(store.clone(), settings.limits, settings.database.timeout);
        let router = app.router(&telemetry, settings.demo_faults);
        Self { router, app, store, database, telemetry, url: url.to_owned() }
    }

    /// As a second process on the same database.
    pub(crate) async fn sibling(&self) -> Self {
        Self::open(&self.url, &[]).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        Answer::read(self.router.clone().oneshot(request).await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(request(Method::GET, path, Body::empty())).await
    }

    pub(crate) async fn post(&self, body: impl Into<Body>) -> Answer {
        self.send(request(Method::POST, "/items", body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(request(Method::PUT, path, body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(request(Method::DELETE, path, Body::empty())).await
    }

    /// Creates an item and returns its path.
    pub(crate) async fn create(&self, name: &str) -> String {
        let body = serde_json::json!({"name": name, "price": "1.50"}).to_string();
        let answer = self.post(body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.header("location").to_owned()
    }

    /// Every item there is.
    pub(crate) async fn count(&self) -> usize {
        self.store.list(uuid::Uuid::nil(), 1000).await.unwrap().len()
    }

    pub(crate) async fn scrape(&self) -> Exposition {
        let request = Request::get("/metrics").body(Body::empty()).unwrap();
        let answer = self.telemetry.metrics_router().oneshot(request).await.unwrap();
        let answer = Answer::read(answer).await;
        assert_eq!(answer.status, 200);
        Exposition::parse(str::from_utf8(&answer.body).unwrap())
    }
}

/// A request with a JSON content type.
pub(crate) fn request(method: Method, path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.into())
        .unwrap()
}

impl Answer {
    async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Self { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Checks that this is a problem with `status` and the request's id, and returns its body.
    pub(crate) fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let body = self.json();
        assert_eq!(body["status"], status, "{self:?}");
        assert!(body["title"].is_string() && body["type"].is_string(), "{self:?}");
        assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{self:?}");
        assert!(!self.header("x-request-id").is_empty(), "{self:?}");
        assert_eq!(body["request_id"], self.header("x-request-id"), "{self:?}");
        body
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {}", self.status, self.headers, String::from_utf8_lossy(&self.body))
    }
}
