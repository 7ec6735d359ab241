//! Requests: a client for the options of one job, a session for each server it talks to.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use masthead_sysio::Fs;
use url::Url;

use crate::{
    Error, HttpClientConfig, Response, Streaming,
    connection::{Connection, Route, Stream, address, dial, exchange, user_authorization},
    credentials::{self, Credentials},
    oauth2,
    proxy::Proxies,
    shown, tls,
};

/// As Go's client.
const REDIRECTS_MAX: usize = 10;

/// The options of one job, checked. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: HttpClientConfig,
    proxies: Proxies,
    oauth2: Option<oauth2::Source>,
    fs: Arc<dyn Fs>,
    uses_files: bool,
    /// Built from these certificates; built again when a file changes.
    tls: Mutex<Arc<tls::Settings>>,
    /// Complete where no file is involved.
    fixed: Credentials,
}

/// One conversation with one server.
#[derive(Debug)]
pub struct Session {
    client: Client,
    connection: Option<Connection>,
}

/// A `GET`.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What to ask for: `http` or `https`.
    pub url: &'a Url,
    /// Headers beside those of the options.
    pub headers: &'a HeaderMap,
    /// Bytes that the body may have as it comes over the wire.
    pub body_limit: u64,
}

/// A `POST`.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    /// Where to: `http` or `https`.
    pub url: &'a Url,
    /// Headers beside those of the options.
    pub headers: &'a HeaderMap,
    /// What is sent.
    pub body: &'a Bytes,
    /// Bytes that the body of the answer may have.
    pub body_limit: u64,
}

impl Client {
    /// Prepares the options. Certificates that they name are read and checked now, so that a bad one is
    /// told when the configuration is loaded.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Certificate`], [`Error::Header`], or [`Error::Url`] of a proxy.
    pub fn new(config: &HttpClientConfig, fs: Arc<dyn Fs>) -> Result<Self, Error> {
        let uses_files = credentials::uses_files(config);
        let fixed = if uses_files {
            // A token that is not there yet fails its requests, not the start.
            credentials::load(config, &fs).unwrap_or_default()
        } else {
            credentials::load(config, &fs)?
        };
        let tls = tls::Settings::new(&config.tls_config, fixed.pem.clone())?;
        let tls = Mutex::new(Arc::new(tls));
        let proxies = Proxies::new(config)?;
        let oauth2 =
            config.oauth2.as_ref().map(|oauth2| oauth2::Source::new(oauth2, &fs)).transpose()?;
        let config = config.clone();
        let shared = Shared { config, proxies, oauth2, fs, uses_files, tls, fixed };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Starts a conversation; nothing is dialled yet.
    pub fn session(&self) -> Session {
        Session { client: self.clone(), connection: None }
    }

    /// Opens a connection of another protocol that begins as HTTP, such as WebSocket: the bytes to
    /// and from the server of `url` itself, through a tunnel where there is a proxy, and the
    /// headers that let its first request in.
    ///
    /// # Errors
    /// Whatever keeps the connection from being made.
    pub async fn dial(&self, url: &Url) -> Result<(Box<dyn Stream>, HeaderMap), Error> {
        check(url)?;
        let (secrets, tls) = self.credentials().await?;
        let config = &self.shared.config;
        let stream = dial(&Route::new(url, &self.shared.proxies), config, &tls, true).await?;
        Ok((stream, secrets))
    }

    async fn credentials(&self) -> Result<(HeaderMap, Arc<tls::Settings>), Error> {
        let shared = Arc::clone(&self.shared);
        let loaded = if shared.uses_files {
            let reader = Arc::clone(&shared);
            tokio::task::spawn_blocking(move || credentials::load(&reader.config, &reader.fs))
                .await
                .map_err(|error| Error::File {
                    what: "credentials",
                    path: String::new(),
                    cause: error.to_string(),
                })??
        } else {
            shared.fixed.clone()
        };
        let mut headers = loaded.headers;
        if let Some(oauth2) = &shared.oauth2 {
            // Boxed, because a source of tokens has a client of its own.
            headers.insert(header::AUTHORIZATION, Box::pin(oauth2.header()).await?);
        }
        let mut built = shared.tls.lock().unwrap_or_else(PoisonError::into_inner);
        if *built.pem() != loaded.pem {
            *built = Arc::new(tls::Settings::new(&shared.config.tls_config, loaded.pem)?);
        }
        Ok((headers, Arc::clone(&built)))
    }
}

impl Session {
    /// Asks, follows redirects if the options say so, and reads the answer.
    ///
    /// Credentials and configured headers go to the first host only. A request that found its kept
    /// connection closed is sent again once on a new one.
    ///
    /// # Errors
    /// Everything in [`Error`]; any status is an answer.
    pub async fn get(&mut self, request: Request<'_>) -> Result<Response, Error> {
        let (secrets, tls) = self.client.credentials().await?;
        let follow = self.client.shared.config.follow_redirects;
        let mut url = request.url.clone();
        let origin = address(&url);
        for _ in 0..=REDIRECTS_MAX {
            check(&url)?;
            let mut headers = request.headers.clone();
            if address(&url) == origin {
                for (name, value) in &secrets {
                    headers.append(name, value.clone());
                }
            }
            let outgoing = Outgoing::get(headers);
            let response = self.exchange(&url, outgoing, &tls, request.body_limit).await?;
            let next = response
                .headers
                .get(header::LOCATION)
                .filter(|_| follow && is_redirect(response.status));
            let Some(next) = next else { return Ok(response) };
            let next = String::from_utf8_lossy(next.as_bytes()).into_owned();
            url = url.join(&next).map_err(|error| Error::Url {
                url: next,
                what: format!("in the redirect from {url}: {error}"),
            })?;
        }
        Err(Error::Redirects { url: shown(&url), limit: REDIRECTS_MAX })
    }

    /// Sends a body. A redirect is an answer like any other: what was sent to one host is not for
    /// the next.
    ///
    /// A request that found its kept connection closed is sent again once on a new one, so the
    /// other end may see it twice.
    ///
    /// # Errors
    /// Everything in [`Error`]; any status is an answer.
    pub async fn post(&mut self, post: Post<'_>) -> Result<Response, Error> {
        let (secrets, tls) = self.client.credentials().await?;
        check(post.url)?;
        let mut headers = post.headers.clone();
        for (name, value) in &secrets {
            headers.append(name, value.clone());
        }
        let outgoing = Outgoing { method: Method::POST, headers, body: post.body.clone() };
        self.exchange(post.url, outgoing, &tls, post.body_limit).await
    }

    /// Asks, and hands out the body while it comes, for answers that do not end by themselves. A
    /// redirect is an answer like any other. It has a connection of its own, which ends with it.
    ///
    /// # Errors
    /// Everything in [`Error`]; any status is an answer.
    pub async fn open(&mut self, url: &Url, headers: &HeaderMap) -> Result<Streaming, Error> {
        let (secrets, tls) = self.client.credentials().await?;
        check(url)?;
        let mut headers = headers.clone();
        for (name, value) in &secrets {
            headers.append(name, value.clone());
        }
        let config = &self.client.shared.config;
        let route = Route::new(url, &self.client.shared.proxies);
        let connection = Connection::open(&route, config, &tls).await?;
        let outgoing = Outgoing::get(headers);
        let request = build(&route, outgoing, connection.absolute_form)?;
        let (mut sender, mut half) = connection.split();
        let response = Connection::drive(&mut half, sender.send_request(request))
            .await
            .map_err(|error| exchange(url, &error))?;
        let (parts, body) = response.into_parts();
        Ok(Streaming::new(url, parts, body, sender, half))
    }

    async fn exchange(
        &mut self,
        url: &Url,
        outgoing: Outgoing,
        tls: &tls::Settings,
        limit: u64,
    ) -> Result<Response, Error> {
        let config = Arc::clone(&self.client.shared);
        let route = Route::new(url, &config.proxies);
        let key = route.key();
        let kept = self.connection.take().filter(|kept| kept.key == key && !kept.is_finished());
        if let Some(kept) = kept {
            match self.send(kept, &route, outgoing.clone(), limit).await {
                // Nothing of an answer came: the server hung up while the connection rested.
                Err(Error::Exchange { .. }) => {}
                other => return other,
            }
        }
        let fresh = Connection::open(&route, &config.config, tls).await?;
        self.send(fresh, &route, outgoing, limit).await
    }

    pub(crate) async fn send(
        &mut self,
        connection: Connection,
        route: &Route<'_>,
        outgoing: Outgoing,
        limit: u64,
    ) -> Result<Response, Error> {
        let url = route.url;
        let (key, absolute_form) = (connection.key.clone(), connection.absolute_form);
        let (mut sender, mut half) = connection.split();
        let request = build(route, outgoing, absolute_form)?;
        let failed = |error: hyper::Error| exchange(url, &error);
        let response = Connection::drive(&mut half, async {
            sender.ready().await?;
            sender.send_request(request).await
        })
        .await
        .map_err(failed)?;
        let (parts, mut body) = response.into_parts();
        let mut bytes = BytesMut::new();
        while let Some(frame) = Connection::drive(&mut half, body.frame()).await {
            let frame = frame.map_err(|error| Error::Exchange {
                url: shown(url),
                what: format!("the body broke off: {error}"),
            })?;
            if let Ok(data) = frame.into_data() {
                if (bytes.len() + data.len()) as u64 > limit {
                    // Reading on only to keep the connection would be what the limit forbids.
                    return Err(Error::BodyTooLarge { limit });
                }
                bytes.extend_from_slice(&data);
            }
        }
        self.connection = Some(Connection::join(key, absolute_form, sender, half));
        Ok(Response { status: parts.status, headers: parts.headers, body: bytes.freeze() })
    }
}

/// What is asked, before it is known on which connection.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    method: Method,
    headers: HeaderMap,
    body: Bytes,
}

impl Outgoing {
    pub(crate) fn get(headers: HeaderMap) -> Self {
        Self { method: Method::GET, headers, body: Bytes::new() }
    }
}

fn build(
    route: &Route<'_>,
    outgoing: Outgoing,
    absolute_form: bool,
) -> Result<http::Request<Full<Bytes>>, Error> {
    let Outgoing { method, mut headers, body } = outgoing;
    let url = route.url;
    let refuse = |what: String| Error::Url { url: shown(url), what };
    let target = if absolute_form {
        let mut whole = url.clone();
        whole.set_fragment(None);
        // As in Go, what is in it of a user goes to the server alone, in a header.
        whole.set_username("").and(whole.set_password(None)).unwrap_or_default();
        whole.to_string()
    } else {
        url[url::Position::BeforePath..url::Position::AfterQuery].to_owned()
    };
    let host = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap_or("")),
        None => url.host_str().unwrap_or("").to_owned(),
    };
    let host = HeaderValue::from_str(&host).map_err(|error| refuse(error.to_string()))?;
    headers.entry(header::HOST).or_insert(host);
    if absolute_form && let Some(value) = route.proxy.and_then(user_authorization) {
        insert(&mut headers, header::PROXY_AUTHORIZATION, &value);
    }
    if !headers.contains_key(header::AUTHORIZATION)
        && let Some(value) = user_authorization(url)
    {
        insert(&mut headers, header::AUTHORIZATION, &value);
    }
    let mut request = http::Request::builder()
        .method(method)
        .uri(target)
        .body(Full::new(body))
        .map_err(|error| refuse(error.to_string()))?;
    *request.headers_mut() = headers;
    Ok(request)
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn check(url: &Url) -> Result<(), Error> {
    let refuse = |what: &str| Err(Error::Url { url: shown(url), what: what.to_owned() });
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(()),
        "http" | "https" => refuse("no host in it"),
        _ => refuse("unsupported protocol scheme"),
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}
