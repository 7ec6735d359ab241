//! Searching and reading dashboards, over a fixed set.

use axum::{body::Body, http::Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;

#[derive(Debug)]
struct Fixed;

fn info(uid: &str, title: &str, tag: &str) -> DashboardInfo {
    DashboardInfo {
        folder: String::new(),
        title: title.to_owned(),
        uid: uid.to_owned(),
        tags: vec![tag.to_owned()],
        origin: format!("{uid}.json"),
    }
}

impl DashboardsView for Fixed {
    fn list(&self) -> Vec<DashboardInfo> {
        vec![info("api", "API Overview!", "api"), info("host", "Host", "machine")]
    }

    fn get(&self, uid: &str) -> Option<(DashboardInfo, Arc<str>)> {
        (uid == "api")
            .then(|| (info("api", "API Overview!", "api"), "{\"panels\": [],  \"n\": 1.0}".into()))
    }
}

async fn ask(path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let response = dashboards_router(Arc::new(Fixed)).oneshot(request).await.expect("answers");
    let status = response.status();
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    (status, String::from_utf8(body.to_vec()).expect("text"))
}

#[tokio::test]
async fn a_search_finds_by_title_and_tag() {
    let titles = async |path: &str| {
        let (status, body) = ask(path).await;
        assert_eq!(status, StatusCode::OK);
        let hits: Vec<Value> = serde_json::from_str(&body).expect("a list");
        hits.iter().map(|hit| hit["title"].as_str().unwrap_or("").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(titles("/api/search").await, ["API Overview!", "Host"]);
    assert_eq!(titles("/api/search?query=OVER&type=dash-db").await, ["API Overview!"]);
    assert_eq!(titles("/api/search?tag=machine").await, ["Host"]);
    assert_eq!(titles("/api/search?limit=1").await.len(), 1);
    assert!(titles("/api/search?type=dash-folder").await.is_empty());
    let (_, body) = ask("/api/search?query=api").await;
    let hits: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(hits[0]["url"], json!("/d/api/api-overview"));
}

#[tokio::test]
async fn a_file_comes_back_as_it_was_written() {
    let (status, body) = ask("/api/dashboards/uid/api").await;
    assert_eq!(status, StatusCode::OK);
    assert!(body.ends_with("\"dashboard\":{\"panels\": [],  \"n\": 1.0}}"), "{body}");
    let answer: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(answer["meta"]["provisionedExternalId"], json!("api.json"));
}

#[tokio::test]
async fn an_unknown_uid_is_not_found_in_grafanas_words() {
    for path in ["/api/dashboards/uid/none", "/api/dashboards/uid/..%2F..%2Fetc%2Fpasswd"] {
        let (status, body) = ask(path).await;
        assert_eq!(
            (status, &*body),
            (StatusCode::NOT_FOUND, "{\"message\":\"Dashboard not found\"}")
        );
    }
}

#[test]
fn slugs_are_plain() {
    let f = |title: &str, want: &str| assert_eq!(slug(title), want, "{title:?}");
    f("API Overview!", "api-overview");
    f("  Ä / b  ", "ä-b");
    f("!!", "dashboard");
}
