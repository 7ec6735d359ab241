//! Searching and reading dashboards, over a fixed set.

use axum::{body::Body, http::Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use masthead_model::ErrorClass;
use masthead_ports::AdminError;

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
        kept: false,
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
    let response = dashboards_router(Arc::new(Fixed), &Limits::default())
        .oneshot(request)
        .await
        .expect("answers");
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

/// Keeps what is saved; a uid that begins with `given` is somebody else's.
#[derive(Debug, Default)]
struct Keeping(std::sync::Mutex<std::collections::BTreeMap<String, String>>);

impl DashboardsView for Keeping {
    fn list(&self) -> Vec<DashboardInfo> {
        Vec::new()
    }

    fn get(&self, uid: &str) -> Option<(DashboardInfo, Arc<str>)> {
        let text = self.0.lock().unwrap().get(uid)?.as_str().into();
        Some((DashboardInfo { kept: true, ..info(uid, "Kept", "") }, text))
    }

    fn save(&self, uid: &str, json: &str) -> Result<(), AdminError> {
        if uid.starts_with("given") {
            let message = "provisioned".to_owned();
            return Err(AdminError { class: ErrorClass::BadInput, message });
        }
        self.0.lock().unwrap().insert(uid.to_owned(), json.to_owned());
        Ok(())
    }

    fn delete(&self, uid: &str) -> Result<DashboardInfo, AdminError> {
        match self.0.lock().unwrap().remove(uid) {
            Some(_) => Ok(info(uid, "Kept", "")),
            None => Err(AdminError { class: ErrorClass::NotFound, message: "none".to_owned() }),
        }
    }
}

#[tokio::test]
async fn a_dashboard_is_saved_changed_and_deleted() {
    let view = Arc::new(Keeping::default());
    let limits = Limits { form: 2_000, ..Limits::default() };
    let router = dashboards_router(Arc::clone(&view) as _, &limits);
    let send = async |method: &str, path: &str, body: String| {
        let request = Request::builder().method(method).uri(path).body(Body::from(body)).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice::<Value>(&body).unwrap())
    };
    let save = async |body: Value| send("POST", "/api/dashboards/db", body.to_string()).await;
    let board =
        |version: u64| json!({"uid": "a", "title": "My Board", "id": 7, "version": version});
    let (status, said) = save(json!({"dashboard": board(0), "folderUid": "x"})).await;
    let want = json!({"uid": "a", "url": "/d/a/my-board", "status": "success", "version": 1, "slug": "my-board"});
    assert_eq!((status, said), (200, want));
    let kept: Value = serde_json::from_str(&view.get("a").unwrap().1).unwrap();
    assert_eq!(kept, json!({"uid": "a", "title": "My Board", "id": null, "version": 1}));
    let (_, shown) = send("GET", "/api/dashboards/uid/a", String::new()).await;
    assert_eq!(
        (&shown["meta"]["canSave"], &shown["meta"]["provisioned"]),
        (&json!(true), &json!(false))
    );
    // Somebody else's change in between is not lost.
    let (status, said) = save(json!({"dashboard": board(0)})).await;
    assert_eq!((status, &said["status"]), (412, &json!("version-mismatch")));
    assert_eq!(save(json!({"dashboard": board(1)})).await.1["version"], 2);
    assert_eq!(save(json!({"dashboard": board(0), "overwrite": true})).await.1["version"], 3);
    // Without a uid it gets one.
    let (_, said) = save(json!({"dashboard": {"title": "New"}})).await;
    let uid = said["uid"].as_str().unwrap();
    assert!(uid.len() == 14 && view.get(uid).is_some(), "{said}");

    let f = async |body: Value, status: u16, word: &str| {
        let (got, said) = save(body).await;
        assert_eq!(got, status, "{said}");
        assert!(said["message"].as_str().unwrap().contains(word), "{said}");
    };
    f(json!({}), 400, "dashboard").await;
    f(json!({"dashboard": []}), 400, "dashboard").await;
    f(json!({"dashboard": {"title": " "}}), 400, "title").await;
    f(json!({"dashboard": {"title": "x", "spec": {}}}), 400, "second schema").await;
    f(json!({"dashboard": {"title": "x", "uid": "given"}}), 400, "provisioned").await;
    f(json!({"dashboard": {"title": "x".repeat(3_000)}}), 413, "--web.max-form-size").await;
    let (status, said) = send("DELETE", "/api/dashboards/uid/a", String::new()).await;
    assert_eq!((status, &said["message"]), (200, &json!("Dashboard Kept deleted")));
    assert_eq!(send("DELETE", "/api/dashboards/uid/a", String::new()).await.0, 404);
}
