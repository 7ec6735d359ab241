//! Who may do what: sessions for browsers, HTTP basic and bearer tokens for programs.
//!
//! Every request passes [`guard`] before its handler. It looks up what the route needs in the table
//! of `auth/routes.rs`, who the caller is, and whether a browser sends it because of our own page
//! (`auth/origin.rs`). With nobody in the configuration everybody may do everything; whether that
//! is acceptable where the server listens is the binary's to decide.
//!
//! Nothing here keeps, logs or answers with a secret: passwords are argon2 hashes or keyed
//! fingerprints (`password.rs`), tokens hashes (`token.rs`), cookies fingerprints (`sessions.rs`).
//! Wrong passwords are counted by source and in all (`throttle.rs`), right ones are remembered for a
//! while (`verified.rs`), and slow hashing has few places. It reads no file: the binary hands it an
//! [`AuthConfig`], again whenever that has changed.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, PoisonError, RwLock, atomic::AtomicU64},
    time::Duration,
};

use axum::{
    Router,
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{Extensions, HeaderMap, HeaderValue, Method, header, request::Parts},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use masthead_model::Regexp;
use masthead_sysio::Clock;

use crate::{
    lane::Lane,
    stats::{add, get},
};

mod config;
mod known;
mod login;
mod origin;
mod password;
mod random;
mod refusal;
mod routes;
mod scope;
mod sessions;
mod throttle;
mod token;
mod verified;

pub use config::{AuthConfig, TokenConfig, UserConfig};
pub use password::hash_password;
pub use routes::routes;
pub use scope::{Role, Scope};
pub use token::new_token;

#[cfg(test)]
pub(crate) use login::WhoAmI;

use known::{Known, User};
use password::PASSWORD_BYTES_MAX;
pub(crate) use random::random_uid;
use random::{Fingerprint, ProcessKey};
use refusal::Refusal;
use routes::Need;
use scope::Scopes;
use sessions::Sessions;
use throttle::{Throttle, TooMany};
use verified::Verified;

/// Passwords that are hashed at one time, each of which takes tens of megabytes.
const HASHING: usize = 2;
/// Passwords that may wait to be hashed, and how long.
const HASHING_QUEUE: usize = 64;
const HASHING_PATIENCE: Duration = Duration::from_secs(10);

/// What is wrong with a configuration, or with the machine.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthError {
    /// An entry of the configuration cannot be used.
    #[error("{what} {why}")]
    Invalid {
        /// Which entry.
        what: String,
        /// Why not; never quotes a secret.
        why: String,
    },
    /// The operating system has no randomness to give.
    #[error("the operating system gives no random numbers, so no secret can be made")]
    NoRandomness,
}

/// How people and programs are let in.
#[derive(Debug, Clone)]
pub struct AuthOptions {
    /// How long a browser stays logged in (`--auth.session-lifetime`).
    pub session_lifetime: Duration,
    /// Wrong passwords a minute from one source (`--auth.max-failures`).
    pub failures: u32,
    /// Whether any name in `Host` will do where there is no password (`--insecure`).
    pub any_host: bool,
    /// Whether browsers reach the server by TLS, so that the cookie is kept to it.
    pub tls: bool,
    /// Origins of other sites whose pages may change something (`--web.cors.origin`, but for its
    /// default).
    pub origins: Option<Regexp>,
}

impl Default for AuthOptions {
    fn default() -> Self {
        Self {
            session_lifetime: Duration::from_hours(24),
            failures: 10,
            any_host: false,
            tls: false,
            origins: None,
        }
    }
}

/// The guard at the door. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Auth {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    clock: Arc<dyn Clock>,
    options: AuthOptions,
    key: ProcessKey,
    known: RwLock<Arc<Known>>,
    sessions: Sessions,
    throttle: Throttle,
    verified: Verified,
    hashing: Lane,
    counters: Counters,
}

#[derive(Debug, Default)]
struct Counters {
    logins: AtomicU64,
    hashed: AtomicU64,
    wrong_passwords: AtomicU64,
    too_many: AtomicU64,
    unauthenticated: AtomicU64,
    forbidden: AtomicU64,
}

/// Counts since the start, unless a name says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AuthStats {
    /// Sessions of browsers now; some may have expired.
    pub sessions: u64,
    /// Browsers that logged in.
    pub logins: u64,
    /// Passwords that were hashed to be compared.
    pub hashed: u64,
    /// Passwords that were wrong.
    pub wrong_passwords: u64,
    /// Requests refused because of too many wrong passwords.
    pub too_many: u64,
    /// Requests refused for missing or wrong credentials.
    pub unauthenticated: u64,
    /// Requests refused because the credentials were not enough, or for where they came from.
    pub forbidden: u64,
}

/// Somebody who is known.
#[derive(Debug, Clone)]
struct Caller {
    name: Arc<str>,
    scopes: Scopes,
    by: By,
}

/// How they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Session,
    Password,
    Token,
}

/// A person whose password was right.
#[derive(Debug, Clone)]
struct Person {
    name: Arc<str>,
    role: Role,
    mark: Fingerprint,
}

/// A configuration that [`Auth::check`] found right.
#[derive(Debug)]
pub struct CheckedAuth(Arc<Known>);

impl Auth {
    /// A guard that lets in who is in `config`.
    ///
    /// # Errors
    /// [`AuthError`].
    pub fn new(
        config: &AuthConfig,
        options: AuthOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AuthError> {
        let key = ProcessKey::new()?;
        let known = Known::new(config, &key)?;
        let inner = Inner {
            throttle: Throttle::new(options.failures, clock.monotonic()),
            known: RwLock::new(Arc::new(known)),
            sessions: Sessions::default(),
            verified: Verified::default(),
            hashing: Lane::new(HASHING, HASHING_QUEUE),
            counters: Counters::default(),
            clock,
            options,
            key,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Checks a changed configuration, for [`put`](Self::put). Changes nothing.
    ///
    /// # Errors
    /// [`AuthError`]. That nobody is left is an error too where there was somebody: it would open
    /// the door to all.
    pub fn check(&self, config: &AuthConfig) -> Result<CheckedAuth, AuthError> {
        let new = Known::new(config, &self.inner.key)?;
        if self.wanted() && !new.wanted() {
            let why =
                "are gone, so that everybody could come in; restart to run without".to_owned();
            return Err(AuthError::Invalid { what: "all users and tokens".to_owned(), why });
        }
        Ok(CheckedAuth(Arc::new(new)))
    }

    /// Lets in who is in a configuration that was checked. Sessions go on for people who are in it
    /// as they were.
    pub fn put(&self, CheckedAuth(new): CheckedAuth) {
        *self.inner.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&new);
        self.inner.verified.clear();
        self.inner.sessions.retain(|session| {
            new.user(&session.user).is_some_and(|user| user.mark == session.mark)
        });
    }

    /// Whether there are passwords or tokens at all.
    pub fn wanted(&self) -> bool {
        self.known().wanted()
    }

    /// `/api/login`, `/api/logout` and `/api/user`.
    pub fn router(&self) -> Router {
        login::routes().with_state(self.clone())
    }

    /// Puts the guard before all of `router`.
    pub fn protect(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), guard))
    }

    /// What it has counted so far.
    pub fn stats(&self) -> AuthStats {
        let Counters { logins, hashed, wrong_passwords, too_many, unauthenticated, forbidden } =
            &self.inner.counters;
        AuthStats {
            sessions: u64::try_from(self.inner.sessions.count()).unwrap_or(u64::MAX),
            logins: get(logins),
            hashed: get(hashed),
            wrong_passwords: get(wrong_passwords),
            too_many: get(too_many),
            unauthenticated: get(unauthenticated),
            forbidden: get(forbidden),
        }
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.inner.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts a refusal and hands it on.
    fn refused(&self, refusal: Refusal) -> Refusal {
        let counters = &self.inner.counters;
        match refusal.status().as_u16() {
            401 => add(&counters.unauthenticated, 1),
            429 | 503 => add(&counters.too_many, 1),
            _ => add(&counters.forbidden, 1),
        }
        refusal
    }

    /// Who sends these headers: nobody, if they have no credentials.
    async fn identify(
        &self,
        headers: &HeaderMap,
        source: IpAddr,
    ) -> Result<Option<Caller>, Refusal> {
        // Who shows a password or a token wants it to count, so there is no way around a wrong one.
        if let Some(shown) = headers.get(header::AUTHORIZATION) {
            let (scheme, rest) =
                shown.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(Refusal::Scheme)?;
            return if scheme.eq_ignore_ascii_case("bearer") {
                self.by_token(rest.trim()).map(Some)
            } else if scheme.eq_ignore_ascii_case("basic") {
                self.by_password(rest.trim(), source).await.map(Some)
            } else {
                Err(Refusal::Scheme)
            };
        }
        Ok(login::cookie(headers).and_then(|text| self.by_session(text)))
    }

    fn by_session(&self, text: &str) -> Option<Caller> {
        let Inner { sessions, key, clock, .. } = &*self.inner;
        let session = sessions.find(&key.fingerprint(&[text.as_bytes()]), clock.monotonic())?;
        let known = self.known();
        let user = known.user(&session.user).filter(|user| user.mark == session.mark)?;
        Some(Caller { name: Arc::clone(&user.name), scopes: user.role.into(), by: By::Session })
    }

    fn by_token(&self, text: &str) -> Result<Caller, Refusal> {
        let known = self.known();
        let token = known.token(text, &self.inner.key).ok_or(Refusal::Token)?;
        if token.expires.is_some_and(|expires| self.inner.clock.now().0 >= expires) {
            return Err(Refusal::Expired);
        }
        Ok(Caller { name: Arc::clone(&token.name), scopes: token.scopes, by: By::Token })
    }

    async fn by_password(&self, encoded: &str, source: IpAddr) -> Result<Caller, Refusal> {
        let decoded = STANDARD.decode(encoded).map_err(|_| Refusal::Scheme)?;
        let colon = decoded.iter().position(|byte| *byte == b':').ok_or(Refusal::Scheme)?;
        let (name, password) = decoded.split_at(colon);
        let password = password.get(1..).unwrap_or_default();
        // A token in the place of a password, for clients that know nothing else.
        if let Some(token) = std::str::from_utf8(password).ok().filter(|text| token::is_one(text)) {
            let caller = self.by_token(token)?;
            return Ok(Caller { by: By::Password, ..caller });
        }
        let name = std::str::from_utf8(name).map_err(|_| Refusal::Password)?;
        let person = self.check_password(name, password, source).await?;
        Ok(Caller { name: person.name, scopes: person.role.into(), by: By::Password })
    }

    /// The person of this name, if this is their password.
    ///
    /// A source with too many wrong ones is not even told of a right one: else it could go on
    /// guessing. What was right a moment ago from the same source is not hashed again.
    async fn check_password(
        &self,
        name: &str,
        password: &[u8],
        source: IpAddr,
    ) -> Result<Person, Refusal> {
        let inner = &self.inner;
        let too_many = |TooMany(wait)| Refusal::TooMany(wait);
        inner.throttle.check(source, inner.clock.monotonic()).map_err(too_many)?;
        let known = self.known();
        let user = known.user(name);
        let entry = user.map(|user| Verified::entry(&inner.key, source, &user.mark, password));
        let remembered = || {
            let now = inner.clock.monotonic();
            let user = user.filter(|_| entry.is_some_and(|entry| inner.verified.has(&entry, now)));
            user.map(Person::from)
        };
        if let Some(person) = remembered() {
            return Ok(person);
        }
        // Who does not exist takes as long as who does.
        let verifier = user.map(|user| &user.verifier).or(known.stranger());
        let costly = verifier.is_some_and(password::Verifier::is_costly);
        let _place = if costly {
            let place = inner.hashing.enter(HASHING_PATIENCE).await;
            let place = place.map_err(|_| Refusal::Busy)?;
            // Of many requests that came at once, the first may have answered for the others.
            if let Some(person) = remembered() {
                return Ok(person);
            }
            Some(place)
        } else {
            None
        };
        inner.throttle.take(source, inner.clock.monotonic()).map_err(too_many)?;
        let right = password.len() <= PASSWORD_BYTES_MAX
            && match verifier.cloned() {
                None => false,
                Some(verifier) if costly => {
                    add(&inner.counters.hashed, 1);
                    let (auth, password) = (self.clone(), password.to_vec());
                    let work = move || verifier.fits(&password, &auth.inner.key);
                    tokio::task::spawn_blocking(work).await.unwrap_or(false)
                }
                Some(verifier) => verifier.fits(password, &inner.key),
            };
        match (user, entry) {
            (Some(user), Some(entry)) if right => {
                inner.throttle.put_back(source);
                inner.verified.add(entry, inner.clock.monotonic());
                Ok(user.into())
            }
            _ => {
                add(&inner.counters.wrong_passwords, 1);
                if inner.throttle.check(source, inner.clock.monotonic()).is_err() {
                    tracing::warn!(%source, "Too many wrong passwords: a source must wait.");
                }
                Err(Refusal::Password)
            }
        }
    }

    /// Whether this request may reach its handler.
    async fn admit(&self, request: &Parts, route: Option<&str>) -> Result<(), Refusal> {
        let options = &self.inner.options;
        let rule = routes::rule(route, &request.method);
        // Leave for scripts is asked for without credentials, by the browser's design.
        let Need::Scope(scope) = rule.need else { return Ok(()) };
        if request.method == Method::OPTIONS {
            return Ok(());
        }
        let headers = &request.headers;
        let caller = if self.wanted() {
            let found = self.identify(headers, source(&request.extensions)).await?;
            let caller = found.ok_or(Refusal::Missing)?;
            if !caller.scopes.allow(scope) {
                return Err(Refusal::Scope(scope.name()));
            }
            Some(caller)
        } else if options.any_host || origin::is_local_name(headers) {
            None
        } else {
            return Err(Refusal::Host);
        };
        // A web socket is asked for with a GET, and no rule keeps its answers to our own page.
        let by = caller.as_ref().map(|caller| caller.by);
        if (rule.changes || headers.contains_key(header::UPGRADE)) && by != Some(By::Token) {
            match origin::from(headers, options.origins.as_ref()) {
                origin::From::Other => return Err(Refusal::OtherSite),
                // A browser with a cookie always tells; a program has neither.
                origin::From::Unknown if by == Some(By::Session) => return Err(Refusal::NoOrigin),
                origin::From::Own | origin::From::Unknown => {}
            }
        }
        if let Some(caller) = caller.filter(|_| rule.changes && scope == Scope::Admin) {
            let route = route.unwrap_or_default();
            tracing::info!(user = %caller.name, method = %request.method, route, "An administrator's act.");
        }
        Ok(())
    }
}

impl From<&User> for Person {
    fn from(user: &User) -> Self {
        Self { name: Arc::clone(&user.name), role: user.role, mark: user.mark }
    }
}

/// Where a request comes from, as far as wrong passwords are counted.
fn source(extensions: &Extensions) -> IpAddr {
    extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip().to_canonical())
}

async fn guard(State(auth): State<Auth>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let route = head.extensions.get::<MatchedPath>().cloned();
    if let Err(refusal) = auth.admit(&head, route.as_ref().map(MatchedPath::as_str)).await {
        return auth.refused(refusal).answer(head.uri.path(), &head.headers);
    }
    let mut response = next.run(Request::from_parts(head, body)).await;
    if route.is_some() && auth.wanted() {
        // What one may see must not stay in a cache that others ask.
        let private = HeaderValue::from_static("private, no-cache");
        response.headers_mut().entry(header::CACHE_CONTROL).or_insert(private);
    }
    response
}

#[cfg(test)]
mod tests;
