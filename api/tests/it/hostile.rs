//! Hostile requests: each gets a 4xx with a problem, and leaves no item and no series behind.

use crate::support::{Api, exposition::Labels, on_each_database, request};
use axum::body::Body;
use http::{Method, Request, header};
use std::collections::BTreeSet;

#[tokio::test]
async fn hostile_bodies_are_refused_and_leave_nothing() {
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let rows: Vec<(Vec<u8>, u16)> = vec![
        (vec![], 400),
        (b"{".to_vec(), 400),
        (b"name=Anchor&price=1".to_vec(), 400),
        (b"{\"name\":\"\xff\xfe\",\"price\":1}".to_vec(), 400),
        (vec![0; 100], 400),
        (b"{\"name\":\"a\",\"price\":1} trailing".to_vec(), 400),
        (b"\"just text\"".to_vec(), 422),
        (deep.clone().into_bytes(), 422),
        (format!(r#"{{"name":{deep},"price":1}}"#).into_bytes(), 422),
        (format!(r#"{{"name":"a","price":1,"more":{deep}}}"#).into_bytes(), 422),
        (r#"{"a":"#.repeat(10_000).into_bytes(), 400),
        (br#"{"name":"a","name":"b","price":1}"#.to_vec(), 422),
        (br#"{"name":"a","price":1,"price":2}"#.to_vec(), 422),
        (br#"{"name":"a\u0000b","price":1}"#.to_vec(), 422),
        (br#"{"name":"a","description":"\u0000","price":1}"#.to_vec(), 422),
        (br#"{"name":["a"],"description":{},"price":"free"}"#.to_vec(), 422),
        (br#"{"name":"a","price":1e308}"#.to_vec(), 422),
        (br#"{"name":"a","price":-0.01}"#.to_vec(), 422),
        (br#"{"name":"a","price":99999999999}"#.to_vec(), 422),
        (br#"{"name":"a","price":0.001}"#.to_vec(), 422),
        (br#"{"name":"","price":"1"}"#.to_vec(), 422),
        (vec![b' '; 65_537], 413),
    ];
    on_each_database(move |api: Api| {
        let rows = rows.clone();
        async move {
            let path = api.create("kept").await;
            let kept = api.get(&path).await.json();
            for (body, status) in rows {
                api.post(body.clone()).await.problem(status);
                api.put(&path, body).await.problem(status);
            }
            assert_eq!(api.get(&path).await.json(), kept);
            assert_eq!(api.count().await, 1);
            let scrape = api.scrape().await;
            assert_eq!(scrape.value("items_created_total", ""), 1.0);
            assert_eq!(scrape.value("items_updated_total", ""), 0.0);
        }
    })
    .await;
}

#[tokio::test]
async fn hostile_paths_and_methods_are_refused_and_make_no_series() {
    let ids = [
        "1",
        "-1",
        "0",
        "null",
        "%00",
        "%ff",
        "..%2f..%2fetc%2fpasswd",
        "'%20OR%201=1--",
        "{id}",
        "00000000-0000-0000-0000-000000000000",
        "019C1E2F7C0070008000000000000000",
        "%7B019c1e2f-7c00-7000-8000-000000000000%7D",
        "urn:uuid:019c1e2f-7c00-7000-8000-000000000000",
    ];
    let long = "x".repeat(5_000);
    on_each_database(move |api: Api| {
        let long = long.clone();
        async move {
            // One ordinary refusal of each kind makes the series that these refusals may have.
            let nobody = "/items/019c1e2f-7c00-7000-8000-000000000000";
            api.get(nobody).await.problem(404);
            api.delete(nobody).await.problem(404);
            api.put(nobody, r#"{"name":"a","price":1}"#).await.problem(404);
            api.get("/nowhere").await.problem(404);
            api.post("{").await.problem(400);
            api.send(request(method("BREW"), "/items", Body::empty())).await.problem(405);
            api.send(request(method("BREW"), "/nowhere", Body::empty())).await.problem(404);
            api.get("/items").await;
            let before = series(&api).await;

            for id in ids.into_iter().chain([long.as_str()]) {
                let path = format!("/items/{id}");
                api.get(&path).await.problem(404);
                api.delete(&path).await.problem(404);
                api.put(&path, r#"{"name":"a","price":1}"#).await.problem(404);
            }
            for path in [
                "/",
                "/items/",
                "//items",
                "/Items",
                "/items/a/b",
                "/metrics",
                "/demo/fail",
                "/%ff",
            ] {
                api.get(path).await.problem(404);
            }
            for name in ["PROPFIND", "X-METHOD", "get", &"M".repeat(200)] {
                let answer = api.send(request(method(name), "/items", Body::empty())).await;
                answer.problem(405);
                assert_eq!(answer.header("allow"), "GET,HEAD,POST");
                api.send(request(method(name), &format!("/{name}"), Body::empty()))
                    .await
                    .problem(404);
            }
            for query in ["limit=1000000", "limit=%00", "cursor=';--", "cursor=%ff", "offset=1"] {
                api.get(&format!("/items?{query}")).await.problem(422);
            }
            assert_eq!(series(&api).await, before);
            assert_eq!(api.count().await, 0);
        }
    })
    .await;
}

#[tokio::test]
async fn a_body_that_is_not_declared_as_plain_json_is_refused() {
    on_each_database(async |api: Api| {
        let body = r#"{"name":"a","price":1}"#;
        let f = |content_type: Option<&str>, encoding: Option<&str>| {
            let mut request = Request::post("/items");
            for (name, value) in
                [(header::CONTENT_TYPE, content_type), (header::CONTENT_ENCODING, encoding)]
            {
                if let Some(value) = value {
                    request = request.header(name, value);
                }
            }
            api.send(request.body(Body::from(body)).unwrap())
        };
        f(None, None).await.problem(415);
        f(Some("text/plain"), None).await.problem(415);
        f(Some("application/x-www-form-urlencoded"), None).await.problem(415);
        f(Some("application/json"), Some("gzip")).await.problem(415);
        assert_eq!(api.count().await, 0);
        assert_eq!(f(Some("application/json; charset=utf-8"), None).await.status, 201);
    })
    .await;
}

#[tokio::test]
async fn the_errors_of_a_body_name_each_field() {
    on_each_database(async |api: Api| {
        let body = r#"{"name":"","description":7,"price":"1.234","colour":"red"}"#;
        let problem = api.post(body).await.problem(422);
        let errors = problem["errors"].as_array().unwrap();
        let fields: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert_eq!(fields, ["colour", "name", "description", "price"]);
        assert!(
            errors.iter().all(|error| error["message"].as_str().unwrap().len() > 10),
            "{errors:?}"
        );
    })
    .await;
}

async fn series(api: &Api) -> BTreeSet<(String, Labels)> {
    api.scrape().await.series().into_iter().map(without_status).collect()
}

/// The status is bounded by the code of the service; the rest of a series must not grow.
fn without_status((name, mut labels): (String, Labels)) -> (String, Labels) {
    labels.remove("status");
    (name, labels)
}

fn method(name: &str) -> Method {
    Method::from_bytes(name.as_bytes()).unwrap()
}
