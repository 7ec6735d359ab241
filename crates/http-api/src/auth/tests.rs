//! The guard before a real router: who gets in, and what the others are told.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, StatusCode},
    routing::any,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::BodyExt as _;
use masthead_http_client::Secret;
use masthead_sysio::{SimClock, UnixNanos};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;

const START: UnixNanos = UnixNanos(1_800_000_000_000_000_000);

/// A router with every route of the table, behind a guard with one person of each role and one
/// token of each scope.
struct Door {
    auth: Auth,
    clock: Arc<SimClock>,
    router: Router,
    read: String,
    write: String,
    admin: String,
    expired: String,
}

fn token(config: &mut AuthConfig, name: &str, scope: Scope, expires: Option<&str>) -> String {
    let (text, hash) = new_token().unwrap();
    let expires = expires.map(str::to_owned);
    config.tokens.push(TokenConfig { name: name.to_owned(), hash, scopes: vec![scope], expires });
    text
}

fn people() -> AuthConfig {
    let viewer = UserConfig {
        name: "vera".to_owned(),
        role: Role::View,
        password_hash: Secret::from(hash_password("view-pw").unwrap().as_str()),
        password_file: None,
    };
    AuthConfig {
        admin_password: Secret::from("admin-pw"),
        users: vec![viewer],
        ..AuthConfig::default()
    }
}

fn door_of(config: &AuthConfig, options: AuthOptions) -> (Auth, Arc<SimClock>, Router) {
    let clock = Arc::new(SimClock::new(START));
    let auth = Auth::new(config, options, Arc::clone(&clock) as _).unwrap();
    let mut router = auth.router();
    let mut last = "";
    for (route, ..) in routes::ROUTES {
        if *route != last
            && !route.ends_with("/login")
            && !route.ends_with("out")
            && *route != "/api/user"
        {
            router = router.route(route, any(async || "inside"));
        }
        last = route;
    }
    let router = router.fallback(async || "page");
    (auth.clone(), clock, auth.protect(router))
}

fn door() -> Door {
    let mut config = people();
    let read = token(&mut config, "r", Scope::Read, None);
    let write = token(&mut config, "w", Scope::Write, None);
    let admin = token(&mut config, "a", Scope::Admin, None);
    let expired = token(&mut config, "x", Scope::Admin, Some("2020-01-01T00:00:00Z"));
    let (auth, clock, router) = door_of(&config, AuthOptions::default());
    Door { auth, clock, router, read, write, admin, expired }
}

async fn ask(
    router: &Router,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (StatusCode, HeaderMap, String) {
    ask_from(router, "192.0.2.1:1", method, path, headers, body).await
}

async fn ask_from(
    router: &Router,
    peer: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (StatusCode, HeaderMap, String) {
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost:3000");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::from(body.to_owned())).unwrap();
    request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer.parse().unwrap()));
    let response = router.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head.status, head.headers, String::from_utf8(body.to_vec()).unwrap())
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// Logs in as our own page does; the cookie.
async fn log_in(router: &Router, user: &str, password: &str) -> String {
    let body = json!({"user": user, "password": password}).to_string();
    let own = [("origin", "http://localhost:3000"), ("content-type", "application/json")];
    let (status, headers, said) = ask(router, "POST", "/api/login", &own, &body).await;
    assert_eq!(status, 200, "{said}");
    let cookie = headers["set-cookie"].to_str().unwrap();
    assert!(
        cookie.contains("; HttpOnly; SameSite=Strict") && !cookie.contains("Secure"),
        "{cookie}"
    );
    cookie.split(';').next().unwrap().to_owned()
}

/// A path of the route, with something in the place of its parameters.
fn path_of(route: &str) -> String {
    route.replace("{name}", "job").replace("{uid}", "u").replace("{id}", "7")
}

#[tokio::test]
async fn every_route_refuses_who_may_not_and_lets_in_who_may() {
    let Door { router, read, write, admin, expired, .. } = door();
    let vera = log_in(&router, "vera", "view-pw").await;
    let root = log_in(&router, "admin", "admin-pw").await;
    for (route, methods, need) in routes::ROUTES {
        let Need::Scope(scope) = *need else { continue };
        let path = path_of(route);
        let methods: &[&str] = match (*methods, *route) {
            ("*", "/api/dashboards/uid/{uid}") => &["GET"],
            ("*", _) => &["GET", "POST", "PUT", "DELETE"],
            (method, _) => &[method],
        };
        for method in methods {
            let of =
                async |headers: &[(&str, &str)]| ask(&router, method, &path, headers, "").await;
            let f = async |headers: &[(&str, &str)], want: u16| {
                let (status, answer, said) = of(headers).await;
                assert_eq!(status, want, "{method} {path} {headers:?}: {said}");
                assert_eq!(
                    status == 401,
                    answer.contains_key("www-authenticate"),
                    "{method} {path}"
                );
                assert_eq!(status == 200, said == "inside", "{method} {path}: {said}");
                if path.starts_with("/api/v1/") && status != 200 {
                    let said: Value = serde_json::from_str(&said).unwrap();
                    assert_eq!(said["status"], "error");
                }
            };
            let bearer = |token: &str| format!("Bearer {token}");
            let may = |scopes: &[Scope]| if scopes.contains(&scope) { 200 } else { 403 };
            f(&[], 401).await;
            f(&[("authorization", "Bearer mht_wrong")], 401).await;
            f(&[("authorization", &bearer(&expired))], 401).await;
            f(&[("authorization", "Digest x")], 401).await;
            f(&[("authorization", "Basic !!!")], 401).await;
            f(&[("cookie", "masthead_session=guess")], 401).await;
            f(&[("authorization", &bearer(&read))], may(&[Scope::Read])).await;
            f(&[("authorization", &bearer(&write))], may(&[Scope::Write])).await;
            f(&[("authorization", &bearer(&admin))], 200).await;
            f(&[("authorization", &basic("token", &read))], may(&[Scope::Read])).await;
            f(&[("authorization", &basic("admin", &expired))], 401).await;
            f(&[("authorization", &basic("vera", "view-pw"))], may(&[Scope::Read])).await;
            f(&[("authorization", &basic("admin", "admin-pw"))], 200).await;
            let own = ("sec-fetch-site", "same-origin");
            f(&[("cookie", &vera), own], may(&[Scope::Read])).await;
            f(&[("cookie", &root), own], 200).await;
            // A good cookie does not save bad credentials.
            f(&[("cookie", &root), own, ("authorization", "Bearer mht_wrong")], 401).await;
            let changes = scope != Scope::Read && (*method != "GET" || *route == "/flush");
            let proof = if changes { 403 } else { 200 };
            let other = ("origin", "http://localhost:8000");
            f(&[("cookie", &root)], proof).await;
            f(&[("cookie", &root), other], proof).await;
            f(&[("cookie", &root), ("sec-fetch-site", "same-site")], proof).await;
            f(&[("authorization", &basic("admin", "admin-pw")), other], proof).await;
            f(&[("authorization", &bearer(&admin)), other], 200).await;
        }
    }
}

#[tokio::test]
async fn what_everybody_needs_is_open() {
    let Door { router, .. } = door();
    for path in ["/-/healthy", "/-/ready", "/ready", "/api/user", "/", "/d/x/y", "/assets/a.js"] {
        assert_eq!(ask(&router, "GET", path, &[], "").await.0, 200, "{path}");
    }
    // Leave for scripts of other origins is asked for without credentials.
    assert_eq!(ask(&router, "OPTIONS", "/api/v1/query", &[], "").await.0, 200);
}

#[tokio::test]
async fn a_browser_comes_in_knows_who_it_is_and_leaves() {
    let Door { router, auth, clock, .. } = door();
    let who = async |headers: &[(&str, &str)]| {
        let (status, _, said) = ask(&router, "GET", "/api/user", headers, "").await;
        assert_eq!(status, 200, "{said}");
        serde_json::from_str::<Value>(&said).unwrap()
    };
    let nobody = json!({"loginWanted": true, "user": null, "role": null, "session": false});
    assert_eq!(who(&[]).await, nobody);
    assert_eq!(who(&[("cookie", "masthead_session=old")]).await, nobody);
    let cookie = log_in(&router, "vera", "view-pw").await;
    let vera = json!({"loginWanted": true, "user": "vera", "role": "view", "session": true});
    assert_eq!(who(&[("cookie", &cookie)]).await, vera);
    assert_eq!(who(&[("cookie", &format!("a=b; {cookie}; c=d"))]).await, vera);
    let by_password = basic("admin", "admin-pw");
    let admin = json!({"loginWanted": true, "user": "admin", "role": "admin", "session": false});
    assert_eq!(who(&[("authorization", &by_password)]).await, admin);
    // Another login in the same browser ends the first session.
    let own = ("origin", "http://localhost:3000");
    let body = json!({"user": "admin", "password": "admin-pw"}).to_string();
    ask(&router, "POST", "/api/login", &[own, ("cookie", &cookie)], &body).await;
    assert_eq!(who(&[("cookie", &cookie)]).await, nobody);

    let cookie = log_in(&router, "admin", "admin-pw").await;
    let other = [("cookie", cookie.as_str()), ("origin", "http://evil.example")];
    assert_eq!(ask(&router, "POST", "/api/logout", &other, "").await.0, 403);
    assert_eq!(ask(&router, "POST", "/api/login", &other, &body).await.0, 403);
    let (status, headers, _) =
        ask(&router, "POST", "/api/logout", &[("cookie", &cookie), own], "").await;
    assert_eq!(status, 204);
    assert!(headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(who(&[("cookie", &cookie)]).await, nobody);

    let cookie = log_in(&router, "vera", "view-pw").await;
    clock.advance(Duration::from_hours(24));
    assert_eq!(who(&[("cookie", &cookie)]).await, nobody, "it has expired");

    // A change of the person ends their session; of another person, it does not.
    let (vera, root) =
        (log_in(&router, "vera", "view-pw").await, log_in(&router, "admin", "admin-pw").await);
    let mut config = people();
    config.users[0].role = Role::Admin;
    auth.put(auth.check(&config).unwrap());
    assert_eq!(who(&[("cookie", &vera)]).await, nobody);
    assert_eq!(who(&[("cookie", &root)]).await["user"], "admin");
    // A configuration that would let everybody in is not taken.
    assert!(auth.check(&AuthConfig::default()).is_err());
    assert_eq!(who(&[]).await, nobody);
}

#[tokio::test]
async fn a_login_that_makes_no_sense_is_refused_without_its_words() {
    let Door { router, .. } = door();
    let f = async |body: &str, want: u16| {
        let own = [("origin", "http://localhost:3000")];
        let (status, headers, said) = ask(&router, "POST", "/api/login", &own, body).await;
        assert_eq!(status, want, "{said}");
        assert!(!headers.contains_key("set-cookie") && !said.contains("hunter2"), "{said}");
    };
    f("", 400).await;
    f("{\"user\":7,\"password\":\"hunter2\"}", 400).await;
    f("{\"password\":\"hunter2\"}", 400).await;
    f(&json!({"user": "a", "password": "hunter2".repeat(2000)}).to_string(), 400).await;
    f(&json!({"user": "admin", "password": "hunter2"}).to_string(), 401).await;
    f(&json!({"user": "hunter2", "password": "admin-pw"}).to_string(), 401).await;
    f(&json!({"user": "admin", "password": "hunter2".repeat(200)}).to_string(), 401).await;
}

#[tokio::test]
async fn too_many_wrong_passwords_make_a_source_wait_and_no_other() {
    let Door { router, auth, clock, read, .. } = door();
    let cookie = log_in(&router, "admin", "admin-pw").await;
    let (right, wrong) = (basic("admin", "admin-pw"), basic("admin", "guess"));
    let f = async |peer: &str, authorization: &str, want: u16| {
        let headers = [("authorization", authorization)];
        let (status, headers, said) =
            ask_from(&router, peer, "GET", "/api/v1/labels", &headers, "").await;
        assert_eq!(status, want, "{said}");
        headers.get("retry-after").map(|wait| wait.to_str().unwrap().to_owned())
    };
    let (bad, good) = ("192.0.2.1:1", "192.0.2.2:1");
    f(bad, &right, 200).await;
    for _ in 0..10 {
        assert_eq!(f(bad, &wrong, 401).await, None);
    }
    assert_eq!(f(bad, &wrong, 429).await.as_deref(), Some("6"));
    // Also for a right one that was right before: else guessing could go on.
    f(bad, &right, 429).await;
    let body = json!({"user": "admin", "password": "admin-pw"}).to_string();
    assert_eq!(ask(&router, "POST", "/api/login", &[], &body).await.0, 429);
    // What cannot be guessed goes on, and so does everybody else.
    f(bad, &format!("Bearer {read}"), 200).await;
    assert_eq!(ask(&router, "GET", "/api/v1/labels", &[("cookie", &cookie)], "").await.0, 200);
    f(good, &right, 200).await;
    clock.advance(Duration::from_secs(7));
    f(bad, &right, 200).await;
    let stats = auth.stats();
    assert_eq!((stats.wrong_passwords, stats.too_many, stats.sessions), (10, 3, 1));
}

#[tokio::test]
async fn a_right_password_is_hashed_once_however_many_come() {
    let Door { router, auth, .. } = door();
    let authorization = basic("vera", "view-pw");
    let headers = [("authorization", authorization.as_str())];
    let all = (0..30).map(|_| ask(&router, "GET", "/api/v1/labels", &headers, ""));
    for (status, _, said) in futures::future::join_all(all).await {
        assert_eq!(status, 200, "{said}");
    }
    let hashed = auth.stats().hashed;
    assert!((1..=2).contains(&hashed), "{hashed} places, so at most so many at first");
    assert_eq!(ask(&router, "GET", "/api/v1/labels", &headers, "").await.0, 200);
    assert_eq!(auth.stats().hashed, hashed);
    // A stranger costs as much as somebody who is known, so that neither is told apart.
    let stranger = basic("nobody", "view-pw");
    let headers = [("authorization", stranger.as_str())];
    assert_eq!(ask(&router, "GET", "/api/v1/labels", &headers, "").await.0, 401);
    assert_eq!(auth.stats().hashed, hashed + 1);
}

#[tokio::test]
async fn without_passwords_everybody_may_but_not_a_page_of_another_site() {
    let (auth, _, router) = door_of(&AuthConfig::default(), AuthOptions::default());
    assert!(!auth.wanted());
    let f = async |method: &str, path: &str, headers: &[(&str, &str)], want: u16| {
        let (status, _, said) = ask(&router, method, path, headers, "").await;
        assert_eq!(status, want, "{method} {path} {headers:?}: {said}");
        said
    };
    let who = f("GET", "/api/user", &[], 200).await;
    let who: Value = serde_json::from_str(&who).unwrap();
    assert_eq!(who, json!({"loginWanted": false, "user": null, "role": "admin", "session": false}));
    f("POST", "/api/login", &[], 400).await;
    f("POST", "/-/reload", &[], 200).await;
    f("POST", "/loki/api/v1/push", &[], 200).await;
    let other = [("origin", "http://evil.example")];
    f("POST", "/loki/api/v1/push", &other, 403).await;
    f("POST", "/-/quit", &other, 403).await;
    f("GET", "/flush", &[("sec-fetch-site", "cross-site")], 403).await;
    f("GET", "/loki/api/v1/tail", &[other[0], ("upgrade", "websocket")], 403).await;
    f("GET", "/loki/api/v1/tail", &[("upgrade", "websocket")], 200).await;
    f("POST", "/api/v1/query", &other, 200).await;
    // What the operator named may.
    let options = AuthOptions {
        origins: Some(Regexp::new("http://evil[.]example").unwrap()),
        ..AuthOptions::default()
    };
    let (_, _, router) = door_of(&AuthConfig::default(), options);
    assert_eq!(ask(&router, "POST", "/loki/api/v1/push", &other, "").await.0, 200);
}

#[tokio::test]
async fn without_passwords_the_name_of_the_machine_must_be_its_own() {
    let f = async |any_host: bool, host: &str, path: &str, want: u16| {
        let options = AuthOptions { any_host, ..AuthOptions::default() };
        let (_, _, router) = door_of(&AuthConfig::default(), options);
        let request = Request::builder().method(Method::GET).uri(path).header("host", host);
        let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), want, "{host} {path}");
    };
    f(false, "localhost:3000", "/api/v1/labels", 200).await;
    f(false, "[::1]:3000", "/metrics", 200).await;
    f(false, "rebound.example:3000", "/api/v1/labels", 403).await;
    f(false, "rebound.example:3000", "/-/healthy", 200).await;
    f(true, "rebound.example:3000", "/api/v1/labels", 200).await;
}

#[tokio::test]
async fn a_cookie_is_kept_to_tls_where_there_is_some() {
    let options = AuthOptions { tls: true, ..AuthOptions::default() };
    let body = json!({"user": "admin", "password": "admin-pw"}).to_string();
    let (_, _, router) = door_of(&people(), options);
    let (_, headers, _) = ask(&router, "POST", "/api/login", &[], &body).await;
    assert!(headers["set-cookie"].to_str().unwrap().ends_with("; Secure"));
    let (_, _, router) = door_of(&people(), AuthOptions::default());
    let proxied = [("x-forwarded-proto", "https")];
    let (_, headers, _) = ask(&router, "POST", "/api/login", &proxied, &body).await;
    assert!(headers["set-cookie"].to_str().unwrap().ends_with("; Secure"));
}

#[tokio::test]
async fn a_script_is_not_asked_by_the_browsers_own_prompt() {
    let Door { router, .. } = door();
    let f = async |headers: &[(&str, &str)], want: usize| {
        let (_, headers, _) = ask(&router, "GET", "/api/v1/labels", headers, "").await;
        assert_eq!(headers.get_all("www-authenticate").iter().count(), want);
        assert!(headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
    };
    f(&[], 2).await;
    f(&[("sec-fetch-mode", "navigate")], 2).await;
    f(&[("sec-fetch-mode", "cors")], 1).await;
}

#[test]
fn nothing_secret_is_printed() {
    let Door { auth, read, .. } = door();
    let shown = format!("{auth:?}");
    for secret in ["admin-pw", "view-pw", "$argon2", read.as_str()] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert_eq!(auth.inner.clock.now(), START);
}
