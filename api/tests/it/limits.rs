//! The bounds of a request, and what is said while the database is away.

use crate::support::{Api, on_each_database, on_each_database_with, request};
use axum::body::Body;
use bytes::Bytes;
use http::Method;
use hyper::body::Frame;
use sqlx::{Connection, SqliteConnection};
use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// A body of unknown length, in pieces; after the last it ends, or stays silent for ever.
struct Pieces {
    pieces: VecDeque<Bytes>,
    ends: bool,
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.pieces.pop_front() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None if self.ends => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

#[tokio::test]
async fn a_body_up_to_the_limit_is_read_and_one_byte_more_is_not() {
    on_each_database_with(&[("BODY_LIMIT", "2KiB")], async |api: Api| {
        let body = |bytes: usize| format!("{:<bytes$}", r#"{"name":"a","price":1}"#);
        assert_eq!(api.post(body(2048)).await.status, 201);
        let problem = api.post(body(2049)).await.problem(413);
        assert!(problem["detail"].to_string().contains("2048 bytes"), "{problem}");
        // Without an announced length the bytes themselves are counted.
        let pieces = body(2049).into_bytes().chunks(100).map(Bytes::copy_from_slice).collect();
        let pieces = Body::new(Pieces { pieces, ends: true });
        let answer = api.send(request(Method::POST, "/items", pieces)).await;
        answer.problem(413);
        assert_eq!(api.count().await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_ended() {
    let variables = [("REQUEST_TIMEOUT", "100ms"), ("DEMO_FAULTS", "1")];
    on_each_database_with(&variables, async |api: Api| {
        let answer = api.get("/demo/slow?ms=5000").await;
        answer.problem(503);
        assert_eq!(answer.header("retry-after"), "1");
        assert_eq!(api.get("/demo/slow?ms=1").await.status, 200);
        // The sender's slowness is not the service's fault.
        let silent = Body::new(Pieces { pieces: [Bytes::from_static(b"{")].into(), ends: false });
        api.send(request(Method::POST, "/items", silent)).await.problem(408);
        assert_eq!(api.count().await, 0);
    })
    .await;
}

#[tokio::test]
async fn above_the_concurrency_limit_requests_are_shed_but_probes_are_not() {
    let variables = [("CONCURRENCY_LIMIT", "1"), ("DEMO_FAULTS", "1")];
    on_each_database_with(&variables, async |api: Api| {
        let slow = api.get("/demo/slow?ms=300");
        let meanwhile = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let shed = api.get("/items").await;
            shed.problem(503);
            assert_eq!(shed.header("retry-after"), "1");
            assert_eq!(api.get("/healthz").await.status, 200);
            assert_eq!(api.get("/readyz").await.status, 200);
        };
        let (slow, ()) = tokio::join!(slow, meanwhile);
        assert_eq!(slow.status, 200);
        assert_eq!(api.get("/items").await.status, 200, "the place was not given back");
        let scrape = api.scrape().await;
        assert_eq!(
            scrape.value("http_requests_total", "method=GET,handler=/items,status=503"),
            1.0
        );
    })
    .await;
}

#[tokio::test]
async fn a_database_that_is_away_is_a_503_and_the_cause_is_not_told() {
    on_each_database(async |api: Api| {
        let path = api.create("Anchor").await;
        assert_eq!(api.get("/readyz").await.status, 200);
        api.database.close().await;
        let item = r#"{"name":"a","price":1}"#;
        for answer in [
            api.get("/items").await,
            api.get(&path).await,
            api.post(item).await,
            api.put(&path, item).await,
            api.delete(&path).await,
            api.get("/readyz").await,
        ] {
            let problem = answer.problem(503);
            assert_eq!(answer.header("retry-after"), "1");
            assert_eq!(problem["detail"], "the database does not answer");
        }
        // Restarting this process would not bring the database back.
        assert_eq!(api.get("/healthz").await.status, 200);
        let scrape = api.scrape().await;
        assert_eq!(scrape.value("db_query_errors_total", "query=item_insert"), 1.0);
        assert_eq!(scrape.value("items_created_total", ""), 1.0);
        assert_eq!(scrape.value("items_stored", ""), 1.0);
    })
    .await;
}

#[tokio::test]
async fn a_sqlite_file_that_another_process_holds_is_a_503() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", dir.path().join("items.db").display());
    let api = Api::open(&url, &[("DATABASE_TIMEOUT", "100ms")]).await;
    let mut other = SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
    let item = r#"{"name":"a","price":1}"#;
    api.post(item).await.problem(503);
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    assert_eq!(api.post(item).await.status, 201);
    assert_eq!(api.count().await, 1);
}

#[tokio::test]
async fn a_postgres_that_goes_away_and_comes_back_is_503_then_200() {
    let Some(database) = crate::support::postgres::fresh_database().await else { return };
    let api = Api::open(&database.url, &[("DATABASE_TIMEOUT", "300ms")]).await;
    assert_eq!(api.get("/items").await.status, 200);
    // Ends the open sessions; new ones are refused.
    database.drop().await;
    for _ in 0..3 {
        api.get("/items").await.problem(503);
    }
    database.create().await;
    Api::open(&database.url, &[]).await;
    assert_eq!(api.get("/items").await.status, 200);
    database.drop().await;
}

#[tokio::test]
async fn readiness_ends_with_the_drain_and_requests_are_still_answered() {
    on_each_database(async |api: Api| {
        api.app.drain();
        api.get("/readyz").await.problem(503);
        assert_eq!(api.get("/healthz").await.status, 200);
        assert_eq!(api.get("/items").await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn the_demo_endpoints_exist_only_when_asked_for() {
    on_each_database(async |api: Api| {
        api.get("/demo/fail").await.problem(404);
        api.get("/demo/slow?ms=1").await.problem(404);
    })
    .await;
    on_each_database_with(&[("DEMO_FAULTS", "1")], async |api: Api| {
        api.get("/demo/fail").await.problem(500);
        assert_eq!(api.get("/demo/slow?ms=5").await.json()["slept_ms"], 5);
        for query in ["", "?ms=5001", "?ms=-1", "?ms=soon"] {
            api.get(&format!("/demo/slow{query}")).await.problem(422);
        }
    })
    .await;
}
