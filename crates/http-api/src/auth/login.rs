//! `/api/login`, `/api/logout` and `/api/user`: how the browser comes in, leaves and knows who it is.

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use http_body_util::{BodyExt as _, Limited};
use masthead_http_client::Secret;
use serde::{Deserialize, Serialize};

use super::{
    Auth, AuthError, Caller, origin,
    random::secret_text,
    refusal::{Refusal, grafana},
    scope::Role,
    source,
};
use crate::{json, stats::add};

/// The cookie of a session.
const COOKIE: &str = "masthead_session";
/// Bytes of the body of a login.
const BODY_BYTES_MAX: usize = 8 * 1024;
/// How long it may take to come.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);

pub(super) fn routes() -> Router<Auth> {
    Router::new()
        .route("/api/login", post(login))
        .route("/api/logout", post(logout))
        .route("/api/user", get(user))
}

#[derive(Deserialize)]
struct Login {
    user: String,
    password: Secret,
}

/// Who the browser is to the server.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub(crate) struct WhoAmI {
    /// Whether the server has passwords at all. If not, everybody may do everything.
    pub(crate) login_wanted: bool,
    /// Who is logged in; nothing for nobody, and where no login is wanted.
    pub(crate) user: Option<String>,
    /// What they may do; nothing for nobody.
    pub(crate) role: Option<Role>,
    /// Whether there is a session that `POST /api/logout` ends.
    pub(crate) session: bool,
}

/// `POST /api/login` with `{"user":…,"password":…}`: a session cookie, and who one is now.
async fn login(State(auth): State<Auth>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let refuse = |refusal: Refusal| refusal.answer("/api/login", &head.headers);
    if origin::from(&head.headers, auth.inner.options.origins.as_ref()) == origin::From::Other {
        return refuse(auth.refused(Refusal::OtherSite));
    }
    if !auth.wanted() {
        let message = "this server has no passwords, so there is nothing to log in to";
        return grafana(StatusCode::BAD_REQUEST, message);
    }
    let Some(login) = read(body).await else {
        let message = "send {\"user\": \"…\", \"password\": \"…\"} as JSON, at most 8 KiB";
        return grafana(StatusCode::BAD_REQUEST, message);
    };
    let password = login.password.expose().as_bytes();
    let source = source(&head.extensions);
    let person = match auth.check_password(&login.user, password, source).await {
        Ok(person) => person,
        Err(refusal) => return refuse(auth.refused(refusal)),
    };
    let Ok(text) = secret_text() else {
        return grafana(StatusCode::INTERNAL_SERVER_ERROR, &AuthError::NoRandomness.to_string());
    };
    let inner = &auth.inner;
    let lifetime = inner.options.session_lifetime;
    let id = inner.key.fingerprint(&[text.as_bytes()]);
    let now = inner.clock.monotonic();
    if let Some(old) = cookie(&head.headers) {
        inner.sessions.end(&inner.key.fingerprint(&[old.as_bytes()]));
    }
    inner.sessions.begin(id, person.name.clone(), person.mark, now, lifetime);
    add(&inner.counters.logins, 1);
    tracing::info!(user = %person.name, %source, "Somebody has logged in.");
    let who = WhoAmI {
        login_wanted: true,
        user: Some(person.name.to_string()),
        role: Some(person.role),
        session: true,
    };
    with_cookie(answer(&who), &auth, &head.headers, &text, lifetime)
}

/// `POST /api/logout`
async fn logout(State(auth): State<Auth>, headers: HeaderMap) -> Response {
    if origin::from(&headers, auth.inner.options.origins.as_ref()) == origin::From::Other {
        return auth.refused(Refusal::OtherSite).answer("/api/logout", &headers);
    }
    if let Some(text) = cookie(&headers) {
        auth.inner.sessions.end(&auth.inner.key.fingerprint(&[text.as_bytes()]));
    }
    let response = StatusCode::NO_CONTENT.into_response();
    with_cookie(response, &auth, &headers, "", Duration::ZERO)
}

/// `GET /api/user`
async fn user(State(auth): State<Auth>, request: Request) -> Response {
    let nobody = WhoAmI { login_wanted: auth.wanted(), user: None, role: None, session: false };
    if !nobody.login_wanted {
        return answer(&WhoAmI { role: Some(Role::Admin), ..nobody });
    }
    let (head, _) = request.into_parts();
    match auth.identify(&head.headers, source(&head.extensions)).await {
        Ok(Some(Caller { name, scopes, by })) => answer(&WhoAmI {
            user: Some(name.to_string()),
            role: Some(scopes.role()),
            session: by == super::By::Session,
            ..nobody
        }),
        Ok(None) => answer(&nobody),
        Err(refusal) => auth.refused(refusal).answer("/api/user", &head.headers),
    }
}

/// The body of a login. What is wrong with it is not said: the words could hold the password.
async fn read(body: Body) -> Option<Login> {
    let body = Limited::new(body, BODY_BYTES_MAX).collect();
    let body = tokio::time::timeout(BODY_TIME_MAX, body).await.ok()?.ok()?.to_bytes();
    serde_json::from_slice(&body).ok()
}

fn answer(who: &WhoAmI) -> Response {
    let kind = HeaderValue::from_static("application/json");
    let mut response = ([(header::CONTENT_TYPE, kind)], json::to_vec(who)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Sets the cookie to `text`, or takes it away if that is empty. No script can read it, no other
/// site's page makes the browser send it, and under TLS it never leaves in the clear.
fn with_cookie(
    mut response: Response,
    auth: &Auth,
    headers: &HeaderMap,
    text: &str,
    lifetime: Duration,
) -> Response {
    let proxied = headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
    let secure = if auth.inner.options.tls || proxied { "; Secure" } else { "" };
    let age = lifetime.as_secs();
    let text = format!("{COOKIE}={text}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}");
    if let Ok(value) = HeaderValue::try_from(text) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

/// The text of our cookie.
pub(super) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lists = headers.get_all(header::COOKIE).into_iter().filter_map(|list| list.to_str().ok());
    let mut pairs = lists.flat_map(|list| list.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}
