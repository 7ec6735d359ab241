//! `POST /api/dashboards/db`: an upload, a copy or a changed dashboard, in Grafana's body.
//!
//! Who changes a dashboard that has changed since they read it is told so, unless they ask for it
//! with `overwrite`: the version inside the dashboard counts.

use std::{sync::Arc, time::Duration};

use masthead_model::ErrorClass;
use masthead_ports::DashboardsView;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Request, Response, State, StatusCode, answer, message, slug};
use crate::{
    auth::random_uid,
    error,
    limits::Limits,
    upload::{self, Budget, Limit},
};

/// Bodies that are held at one time.
const BODIES_MAX: usize = 4;

/// What saving needs.
#[derive(Debug, Clone)]
pub(super) struct Saving {
    view: Arc<dyn DashboardsView>,
    budget: Arc<Budget>,
    limit: Limit,
    stall: Duration,
}

impl Saving {
    pub(super) fn new(view: Arc<dyn DashboardsView>, limits: &Limits) -> Self {
        let limit = Limit { bytes: limits.form, flag: "--web.max-form-size" };
        let budget = Arc::new(Budget::new(limits.form.saturating_mul(BODIES_MAX)));
        Self { view, budget, limit, stall: limits.stall }
    }
}

/// Grafana's body, of which more is of no consequence here.
#[derive(Deserialize)]
struct Body {
    dashboard: Map<String, Value>,
    #[serde(default)]
    overwrite: bool,
}

pub(super) async fn save(State(saving): State<Saving>, request: Request) -> Response {
    let Saving { view, budget, limit, stall } = saving;
    let upload = match upload::read(request.into_body(), limit, &budget, stall).await {
        Ok(upload) => upload,
        Err(refused) => return message(error::answer(refused.class).0, &refused.message),
    };
    let done = tokio::task::spawn_blocking(move || keep(&*view, &upload.bytes)).await;
    done.unwrap_or_else(|_| {
        message(StatusCode::INTERNAL_SERVER_ERROR, "the dashboard could not be saved")
    })
}

fn keep(view: &dyn DashboardsView, body: &[u8]) -> Response {
    let bad = |text: &str| message(StatusCode::BAD_REQUEST, text);
    let Body { mut dashboard, overwrite } = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(error) => {
            return bad(&format!("send {{\"dashboard\": {{…}}, \"overwrite\": false}}: {error}"));
        }
    };
    let title = dashboard.get("title").and_then(Value::as_str).unwrap_or("").trim().to_owned();
    if title.is_empty() {
        return bad("Dashboard title cannot be empty");
    }
    if dashboard.contains_key("spec") && !dashboard.contains_key("panels") {
        return bad("this is a dashboard of Grafana's second schema, which is not supported");
    }
    let uid = match dashboard.get("uid").and_then(Value::as_str).unwrap_or("") {
        "" => match random_uid() {
            Ok(uid) => uid,
            Err(error) => return message(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        },
        uid => uid.to_owned(),
    };
    let kept = view.get(&uid).filter(|(info, _)| info.kept);
    let was = kept.as_ref().map_or(0, |(_, text)| version(text));
    if kept.is_some() && !overwrite && dashboard.get("version").and_then(Value::as_u64) != Some(was)
    {
        let body = serde_json::json!({
            "status": "version-mismatch",
            "message": "The dashboard has been changed by someone else",
        });
        return answer(StatusCode::PRECONDITION_FAILED, &body);
    }
    let version = was.saturating_add(1);
    dashboard.insert("uid".to_owned(), uid.as_str().into());
    dashboard.insert("version".to_owned(), version.into());
    // Grafana's number of the row in its database; of no meaning anywhere else.
    dashboard.insert("id".to_owned(), Value::Null);
    let Ok(text) = serde_json::to_string_pretty(&dashboard) else {
        return bad("the dashboard cannot be written as JSON");
    };
    if let Err(refused) = view.save(&uid, &text) {
        let status = match refused.class {
            // The message says what is wrong with the dashboard, not with the way it came.
            ErrorClass::TooLarge => StatusCode::UNPROCESSABLE_ENTITY,
            class => error::answer(class).0,
        };
        return message(status, &refused.message);
    }
    let slug = slug(&title);
    let body = serde_json::json!({
        "uid": uid,
        "url": format!("/d/{uid}/{slug}"),
        "status": "success",
        "version": version,
        "slug": slug,
    });
    answer(StatusCode::OK, &body)
}

/// The version inside a dashboard.
fn version(text: &str) -> u64 {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        version: u64,
    }
    serde_json::from_str::<Head>(text).map_or(0, |head| head.version)
}
