//! What runs and what was slow, as an operator sees it.

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use masthead_http_api::{Limits, queries_router};
use serde_json::{Value, json};

use crate::{
    crowd::{endless, wait_for},
    fixture::{Setup, call, get, server},
};

async fn listed(router: &Router) -> Value {
    let answer = get(router, "/api/queries").await;
    assert_eq!(answer.status, StatusCode::OK);
    serde_json::from_slice(&answer.body).expect("JSON")
}

async fn cancel(router: &Router, id: &str) -> StatusCode {
    let request = Request::delete(format!("/api/queries/{id}"));
    call(router, request.body(Body::empty()).expect("a request")).await.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_running_query_is_shown_and_can_be_ended() {
    let (evaluator, server) = endless(Limits { queries: 1, ..Limits::default() });
    let queries = queries_router(&server.api);
    let ask = |query: &str| {
        let (router, path) =
            (server.router.clone(), format!("/api/v1/query?time=60&query={query}"));
        async move { get(&router, &path).await.status }
    };
    let (first, second) = (ask("up"), ask("down"));
    let watch = async {
        wait_for(|| evaluator.is_running()).await;
        for _ in 0..5000 {
            if listed(&queries).await["running"].as_array().map_or(0, Vec::len) == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let running = listed(&queries).await["running"].clone();
        let waits: Vec<&Value> = running.as_array().unwrap().iter().map(|q| &q["waits"]).collect();
        assert!(waits == [false, true] || waits == [true, false], "{running}");
        let shown = &running[0];
        assert_eq!((&shown["language"], &shown["startMs"]), (&json!("promql"), &json!(60_000)));
        assert_eq!((&shown["endMs"], &shown["stepMs"]), (&json!(60_000), &Value::Null));
        assert_eq!(cancel(&queries, "none").await, StatusCode::NOT_FOUND);
        assert_eq!(cancel(&queries, "999").await, StatusCode::NOT_FOUND);
        // Both, whichever has the place.
        for query in running.as_array().unwrap() {
            assert_eq!(cancel(&queries, &query["id"].to_string()).await, StatusCode::NO_CONTENT);
        }
    };
    let (first, second, ()) = tokio::join!(first, second, watch);
    assert_eq!((first.as_u16(), second.as_u16()), (499, 499));
    let after = listed(&queries).await;
    assert_eq!(after["running"], json!([]));
    let outcomes: Vec<&Value> =
        after["slowest"].as_array().unwrap().iter().map(|q| &q["outcome"]).collect();
    assert_eq!(outcomes, ["cancelled", "cancelled"]);
}

#[tokio::test]
async fn a_query_that_ended_stays_with_what_it_touched() {
    let server = server(Setup::default());
    let queries = queries_router(&server.api);
    let f = async |path: &str, status: u16| {
        assert_eq!(get(&server.router, path).await.status.as_u16(), status, "{path}");
    };
    f("/api/v1/query_range?query=sum(up)&start=0&end=60&step=15", 200).await;
    f("/loki/api/v1/query_range?query=%7Bapp%3D~%22.%2B%22%7D&start=0&end=120", 200).await;
    f("/api/v1/query?query=vector(7)&time=60", 200).await;
    f("/api/v1/query?query=up%20%2B%20on()%20up&time=60", 422).await;
    // What is no query is not noted.
    f("/api/v1/query?query=%28", 400).await;
    f("/api/v1/labels", 200).await;
    let slowest = listed(&queries).await["slowest"].clone();
    let slowest = slowest.as_array().unwrap();
    let of = |text: &str| {
        let found = slowest.iter().find(|query| query["query"].as_str().unwrap().contains(text));
        found.unwrap_or_else(|| panic!("{text} in {slowest:?}"))
    };
    let sum = of("sum(up)");
    assert_eq!((&sum["outcome"], &sum["stepMs"]), (&json!("done"), &json!(15_000)));
    assert!(sum["explain"]["samples"].as_u64().unwrap() > 0, "{sum}");
    assert!(sum["explain"]["spans"].as_array().unwrap().len() > 1, "{sum}");
    assert_eq!(of("app")["language"], "logql");
    // What was answered has steps, even where nothing was selected.
    for text in ["vector(7)", "sum(up)", "app"] {
        let spans = of(text)["explain"]["spans"].clone();
        assert_eq!(spans.as_array().unwrap().last().unwrap()["what"], "write the answer", "{text}");
    }
    assert_eq!(of("on()")["outcome"], "failed");
    // After an hour they are forgotten.
    server.clock.advance(Duration::from_hours(1));
    assert_eq!(listed(&queries).await["slowest"], json!([]));
}

#[tokio::test]
async fn what_is_asked_again_is_one_query_with_its_slowest_run() {
    let (evaluator, server) = endless(Limits::default());
    let queries = queries_router(&server.api);
    let run = async |path: &str, took: u64| {
        let ask = get(&server.router, path);
        let end = async {
            wait_for(|| evaluator.is_running()).await;
            server.clock.advance(Duration::from_secs(took));
            let running = listed(&queries).await["running"].clone();
            assert_eq!(running.as_array().unwrap().len(), 1, "{running}");
            assert_eq!(
                cancel(&queries, &running[0]["id"].to_string()).await,
                StatusCode::NO_CONTENT
            );
        };
        assert_eq!(tokio::join!(ask, end).0.status.as_u16(), 499);
    };
    let slowest = async || listed(&queries).await["slowest"].clone();
    run("/api/v1/query?query=up&time=60", 2).await;
    let id = slowest().await[0]["id"].clone();
    run("/api/v1/query?query=up&time=90", 5).await;
    run("/api/v1/query?query=up&time=120", 3).await;
    let found = slowest().await;
    let shown = |at: usize| {
        let one = &found[at];
        (one["query"].as_str(), one["times"].as_u64(), one["explain"]["totalSeconds"].as_f64())
    };
    assert_eq!((found.as_array().unwrap().len(), shown(0)), (1, (Some("up"), Some(3), Some(5.0))));
    assert_eq!((&found[0]["startMs"], &found[0]["id"]), (&json!(90_000), &id));
    // Another range, another step and another text are other queries.
    run("/api/v1/query_range?query=up&start=0&end=60&step=15", 1).await;
    run("/api/v1/query_range?query=up&start=30&end=90&step=15", 4).await;
    run("/api/v1/query_range?query=up&start=0&end=120&step=15", 7).await;
    run("/api/v1/query_range?query=up&start=0&end=60&step=30", 8).await;
    run("/api/v1/query?query=down&time=60", 9).await;
    let found = slowest().await;
    let times: Vec<_> = found.as_array().unwrap().iter().map(|one| one["times"].as_u64()).collect();
    assert_eq!(times, [1, 1, 1, 3, 2].map(Some), "{found}");
}

#[tokio::test]
async fn only_the_slowest_stay_and_long_texts_are_cut() {
    let server = server(Setup::default());
    let queries = queries_router(&server.api);
    for n in 0..60 {
        let path = format!("/api/v1/query?query={n}&time=60");
        assert_eq!(get(&server.router, &path).await.status.as_u16(), 200);
    }
    assert_eq!(listed(&queries).await["slowest"].as_array().unwrap().len(), 50);
    let server = crate::fixture::server(Setup::default());
    let long = format!("/api/v1/query?query=%22{}%22&time=60", "x".repeat(10_000));
    assert_eq!(get(&server.router, &long).await.status.as_u16(), 200);
    let slowest = listed(&queries_router(&server.api)).await["slowest"].clone();
    let text = slowest[0]["query"].as_str().unwrap();
    assert!(text.len() < 4_200 && text.ends_with('…'), "{}", text.len());
}
