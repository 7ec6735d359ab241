//! Dashboards in the shapes of Grafana's HTTP API: listing, reading, saving, deleting.
//!
//! `GET /api/search` lists them, `GET /api/dashboards/uid/UID` answers one file unchanged beside
//! what is known of it, so that tools which read dashboards from Grafana can read them here.
//! `POST /api/dashboards/db` keeps one, `DELETE` of its address forgets it; what is provisioned stays
//! as it is. Nothing a request says reaches a file system: a uid is looked up among those that were found.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use masthead_ports::{DashboardInfo, DashboardsView};
use serde::Serialize;

use crate::{error, json, limits::Limits};

mod save;

/// The routes over these dashboards. Of `limits` the size of a form bounds what is saved.
pub fn dashboards_router(view: Arc<dyn DashboardsView>, limits: &Limits) -> Router {
    let saving = save::Saving::new(Arc::clone(&view), limits);
    Router::new()
        .route("/api/search", get(search))
        .route("/api/dashboards/uid/{uid}", get(by_uid).delete(delete))
        .with_state(view)
        .merge(Router::new().route("/api/dashboards/db", post(save::save)).with_state(saving))
}

type View = State<Arc<dyn DashboardsView>>;

/// Dashboards that one answer lists at most, and without a `limit`; Grafana's own figures.
const HITS_MAX: usize = 5_000;
const HITS: usize = 1_000;

/// Parameters of a search; others of Grafana's are of no consequence here.
#[derive(Debug, Default)]
struct Search {
    query: String,
    tag: String,
    limit: Option<usize>,
    kind: String,
}

impl Search {
    fn of(uri: &Uri) -> Self {
        let mut wanted = Self::default();
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or("").as_bytes()) {
            match &*name {
                "query" => wanted.query = value.to_lowercase(),
                "tag" => wanted.tag = value.into_owned(),
                "type" => wanted.kind = value.into_owned(),
                "limit" => wanted.limit = value.parse().ok(),
                _ => {}
            }
        }
        wanted
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Hit {
    uid: String,
    title: String,
    uri: String,
    url: String,
    #[serde(rename = "type")]
    kind: &'static str,
    tags: Vec<String>,
    is_starred: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    folder_title: String,
}

async fn search(State(view): View, uri: Uri) -> Response {
    let wanted = Search::of(&uri);
    if wanted.kind == "dash-folder" {
        return answer(StatusCode::OK, &Vec::<Hit>::new());
    }
    let Ok(all) = tokio::task::spawn_blocking(move || view.list()).await else {
        return message(StatusCode::INTERNAL_SERVER_ERROR, "the dashboards could not be listed");
    };
    let hits: Vec<_> = all
        .into_iter()
        .filter(|info| info.title.to_lowercase().contains(&wanted.query))
        .filter(|info| wanted.tag.is_empty() || info.tags.contains(&wanted.tag))
        .take(wanted.limit.unwrap_or(HITS).min(HITS_MAX))
        .map(hit)
        .collect();
    answer(StatusCode::OK, &hits)
}

fn hit(info: DashboardInfo) -> Hit {
    let slug = slug(&info.title);
    Hit {
        url: format!("/d/{}/{slug}", info.uid),
        uri: format!("db/{slug}"),
        uid: info.uid,
        title: info.title,
        kind: "dash-db",
        tags: info.tags,
        is_starred: false,
        folder_title: info.folder,
    }
}

async fn by_uid(State(view): View, Path(uid): Path<String>) -> Response {
    let found = tokio::task::spawn_blocking(move || view.get(&uid)).await;
    let Ok(Some((info, json))) = found else {
        return message(StatusCode::NOT_FOUND, "Dashboard not found");
    };
    let meta = serde_json::json!({
        "type": "db",
        "canSave": info.kept,
        "canEdit": info.kept,
        "canDelete": info.kept,
        "canAdmin": false,
        "slug": slug(&info.title),
        "url": format!("/d/{}/{}", info.uid, slug(&info.title)),
        "folderTitle": if info.folder.is_empty() { "General" } else { &info.folder },
        "provisioned": !info.kept,
        "provisionedExternalId": info.origin,
    });
    // The file is put in as it is: what was written by hand comes back as it was written.
    let body = format!("{{\"meta\":{meta},\"dashboard\":{json}}}");
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}

async fn delete(State(view): View, Path(uid): Path<String>) -> Response {
    let Ok(done) = tokio::task::spawn_blocking(move || view.delete(&uid)).await else {
        return message(StatusCode::INTERNAL_SERVER_ERROR, "the dashboard could not be deleted");
    };
    match done {
        Ok(info) => {
            let text = format!("Dashboard {} deleted", info.title);
            let body = serde_json::json!({"title": info.title, "message": text, "uid": info.uid});
            answer(StatusCode::OK, &body)
        }
        Err(refused) => message(error::answer(refused.class).0, &refused.message),
    }
}

fn message(status: StatusCode, text: &str) -> Response {
    answer(status, &serde_json::json!({ "message": text }))
}

fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    let kind = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, kind)], json::to_vec(body)).into_response()
}

/// `API Overview!` as `api-overview`.
fn slug(title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let end = slug.trim_end_matches('-').len();
    slug.truncate(end);
    if slug.is_empty() { "dashboard".to_owned() } else { slug }
}

#[cfg(test)]
mod tests;
