//! Asking an API server: lists in pages, watches line by line, single objects.

use std::{collections::VecDeque, fmt, sync::Arc, time::Duration};

use camino::Utf8Path;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use masthead_http_client::{
    Authorization, Client, HttpClientConfig, Request, Streaming, TlsConfig,
};
use masthead_sysio::{Fs, read_to_vec};
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use super::objects::{Meta, Resource, or_default};
use crate::Error;

/// Where a pod finds the API server of its cluster, and what it shows there. The name is in every
/// server's certificate.
const IN_CLUSTER: &str = "https://kubernetes.default.svc";
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const USER_AGENT: &str = concat!("Masthead/", env!("CARGO_PKG_VERSION"));
/// Objects of one page of a list.
const PAGE: &str = "500";
/// A page holds at most this; a server refuses objects above 1.5 MiB.
const PAGE_BYTES_MAX: u64 = 256 << 20;
/// One line of a watch, which is one object.
const LINE_BYTES_MAX: usize = 8 << 20;
/// A namespace's name in its file.
const NAMESPACE_BYTES_MAX: u64 = 4 << 10;
/// After so long the server ends a watch by itself, and it is begun again where it ended.
pub(super) const WATCH_SECONDS: u64 = 290;

/// How long things take.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// After the first failure; each further one waits twice as long.
    pub backoff_min: Duration,
    /// No longer than this.
    pub backoff_max: Duration,
    /// For one page of a list.
    pub answer: Duration,
    /// Between a change and what is made of it.
    pub settle: Duration,
    /// Secrets that resources refer to are read again after so long: nothing tells when they change.
    pub secrets: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            backoff_min: Duration::from_secs(1),
            backoff_max: Duration::from_secs(30),
            answer: Duration::from_mins(1),
            settle: Duration::from_millis(500),
            secrets: Duration::from_mins(1),
        }
    }
}

/// An API server, and how to reach it.
#[derive(Debug)]
pub struct Api {
    base: Url,
    config: HttpClientConfig,
    client: Client,
    fs: Arc<dyn Fs>,
    timing: Timing,
}

/// Why a question failed, as far as the asker acts on it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The version that was asked for is forgotten: list again.
    Gone,
    /// Anything else: ask again later.
    Other(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("the resource version is too old"),
            Self::Other(what) => f.write_str(what),
        }
    }
}

/// A page of a list.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
pub(crate) struct Page<T> {
    #[serde(default)]
    pub(crate) metadata: PageMeta,
    #[serde(default = "Vec::new", deserialize_with = "or_default")]
    pub(crate) items: Vec<T>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PageMeta {
    pub(crate) resource_version: String,
    /// Where the next page begins; empty on the last.
    #[serde(rename = "continue")]
    pub(crate) next: String,
}

/// What a watch tells.
#[derive(Debug)]
pub(crate) enum Event<T> {
    Set(T),
    Deleted(T),
    /// Nothing changed up to this version.
    Bookmark(String),
}

/// The server's own words about a refusal.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    message: String,
    code: u16,
}

impl Api {
    /// The server at `server`, or that of the own cluster where it is empty.
    ///
    /// # Errors
    /// [`Error::Client`] when the options can't be used, [`Error::Malformed`] for the URL.
    pub fn new(
        server: &str,
        config: &HttpClientConfig,
        fs: &Arc<dyn Fs>,
        timing: Timing,
    ) -> Result<Self, Error> {
        let (server, config) = if server.is_empty() {
            (IN_CLUSTER, of_the_service_account())
        } else {
            (server, config.clone())
        };
        let base =
            Url::parse(server).map_err(|error| Error::Malformed { what: error.to_string() })?;
        let client = Client::new(&config, Arc::clone(fs))?;
        Ok(Self { base, config, client, fs: Arc::clone(fs), timing })
    }

    /// Whether it is the same server, reached in the same way.
    pub(crate) fn is_at(&self, server: &str, config: &HttpClientConfig) -> bool {
        let own = of_the_service_account();
        let (server, config) =
            if server.is_empty() { (IN_CLUSTER, &own) } else { (server, config) };
        Url::parse(server).is_ok_and(|base| base == self.base) && *config == self.config
    }

    /// How long things take.
    pub fn timing(&self) -> Timing {
        self.timing
    }

    /// The namespace of this process' own pod.
    ///
    /// # Errors
    /// [`Error::Read`] where there is none.
    pub async fn own_namespace(&self) -> Result<String, Error> {
        let fs = Arc::clone(&self.fs);
        let read = move || {
            let path = Utf8Path::new(SERVICE_ACCOUNT).join("namespace");
            read_to_vec(fs.as_ref(), &path, NAMESPACE_BYTES_MAX)
        };
        let bytes = tokio::task::spawn_blocking(read)
            .await
            .map_err(|error| Error::Malformed { what: error.to_string() })??;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    /// One object, or nothing where there is none of that name.
    ///
    /// # Errors
    /// [`Error::Kubernetes`] in the server's words, [`Error::Away`] where there are none.
    pub async fn get<T: Resource>(&self, namespace: &str, name: &str) -> Result<Option<T>, Error> {
        let url = self.url::<T>(Some(namespace), Some(name), &[]);
        match self.ask(&url).await {
            Ok(body) => serde_json::from_slice(&body)
                .map(Some)
                .map_err(|error| Error::Malformed { what: format!("{url}: {error}") }),
            Err((Some(StatusCode::NOT_FOUND), _)) => Ok(None),
            Err((Some(_), what)) => Err(Error::Kubernetes { what }),
            Err((None, what)) => Err(Error::Away { what }),
        }
    }

    /// One page of a list.
    pub(crate) async fn page<T: Resource>(
        &self,
        namespace: Option<&str>,
        selectors: &[(&str, &str)],
        next: &str,
    ) -> Result<Page<T>, Failure> {
        let mut query = vec![("limit", PAGE)];
        query.extend_from_slice(selectors);
        if !next.is_empty() {
            query.push(("continue", next));
        }
        let url = self.url::<T>(namespace, None, &query);
        let body = self.ask(&url).await.map_err(failure)?;
        serde_json::from_slice(&body).map_err(|error| Failure::Other(format!("{url}: {error}")))
    }

    /// Begins to watch what changes after `version`.
    pub(crate) async fn watch<T: Resource>(
        &self,
        namespace: Option<&str>,
        selectors: &[(&str, &str)],
        version: &str,
    ) -> Result<Watch, Failure> {
        let seconds = WATCH_SECONDS.to_string();
        let mut query = vec![
            ("watch", "1"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", version),
            ("timeoutSeconds", &seconds),
        ];
        query.extend_from_slice(selectors);
        let url = self.url::<T>(namespace, None, &query);
        let (mut session, headers) = (self.client.session(), headers());
        let opened = tokio::time::timeout(self.timing.answer, session.open(&url, &headers)).await;
        let mut streaming = opened
            .map_err(|_| Failure::Other(format!("{url}: no answer")))?
            .map_err(|error| Failure::Other(error.to_string()))?;
        if streaming.status == StatusCode::OK {
            return Ok(Watch { streaming, lines: Lines::default() });
        }
        let status = streaming.status;
        let body = tokio::time::timeout(self.timing.answer, streaming.chunk()).await;
        let body = body.ok().and_then(Result::ok).flatten().unwrap_or_default();
        Err(failure((Some(status), refusal(&url, status, &body))))
    }

    async fn ask(&self, url: &Url) -> Result<Vec<u8>, (Option<StatusCode>, String)> {
        let (mut session, headers) = (self.client.session(), headers());
        let request = Request { url, headers: &headers, body_limit: PAGE_BYTES_MAX };
        let answer = tokio::time::timeout(self.timing.answer, session.get(request)).await;
        let answer = answer
            .map_err(|_| (None, format!("{url}: no answer")))?
            .map_err(|error| (None, error.to_string()))?;
        let mut body = Vec::new();
        answer.read_body(PAGE_BYTES_MAX, &mut body).map_err(|e| (None, e.to_string()))?;
        if answer.status == StatusCode::OK {
            return Ok(body);
        }
        Err((Some(answer.status), refusal(url, answer.status, &body)))
    }

    fn url<T: Resource>(
        &self,
        namespace: Option<&str>,
        name: Option<&str>,
        query: &[(&str, &str)],
    ) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            // Names are escaped where they hold anything but themselves.
            path.pop_if_empty().extend(T::GROUP.split('/').filter(|part| !part.is_empty()));
            if let Some(namespace) = namespace {
                path.extend(["namespaces", namespace]);
            }
            path.push(T::PLURAL).extend(name);
        }
        if !query.is_empty() {
            let written = query.iter().filter(|(_, value)| !value.is_empty());
            url.query_pairs_mut().extend_pairs(written);
        }
        url
    }
}

/// What a pod shows to the server of its own cluster; the token is read for every request, because
/// it is changed every hour.
pub(super) fn of_the_service_account() -> HttpClientConfig {
    HttpClientConfig {
        authorization: Some(Authorization {
            credentials_file: format!("{SERVICE_ACCOUNT}/token"),
            ..Authorization::default()
        }),
        tls_config: TlsConfig {
            ca_file: format!("{SERVICE_ACCOUNT}/ca.crt"),
            ..TlsConfig::default()
        },
        ..HttpClientConfig::default()
    }
}

fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers
}

fn refusal(url: &Url, status: StatusCode, body: &[u8]) -> String {
    let said: Status = serde_json::from_slice(body).unwrap_or_default();
    // Of all kinds, Secrets alone are read by name and never listed.
    let is_secret = url.path().contains("/secrets/");
    let hint = match status {
        StatusCode::UNAUTHORIZED => "; the token is not taken",
        StatusCode::FORBIDDEN if is_secret => "; the service account needs get on it",
        StatusCode::FORBIDDEN => "; the service account needs get, list and watch on it",
        StatusCode::NOT_FOUND => "; the cluster has no such kind: are its CRDs installed?",
        _ => "",
    };
    let path = url.path();
    if said.message.is_empty() {
        format!("{path}: {status}{hint}")
    } else {
        format!("{path}: {status}: {}{hint}", said.message)
    }
}

fn failure((status, what): (Option<StatusCode>, String)) -> Failure {
    if status == Some(StatusCode::GONE) { Failure::Gone } else { Failure::Other(what) }
}

/// A watch that goes on.
#[derive(Debug)]
pub(crate) struct Watch {
    streaming: Streaming,
    lines: Lines,
}

impl Watch {
    /// The next event, nothing when the server has ended the watch. Safe to drop half way.
    pub(crate) async fn next<T: Resource>(&mut self) -> Result<Option<Event<T>>, Failure> {
        loop {
            if let Some(line) = self.lines.next() {
                match event(&line)? {
                    Some(event) => return Ok(Some(event)),
                    None => continue,
                }
            }
            match self.streaming.chunk().await {
                Ok(Some(bytes)) => self.lines.take(&bytes)?,
                Ok(None) => return Ok(None),
                Err(error) => return Err(Failure::Other(error.to_string())),
            }
        }
    }
}

/// Lines as they come, in pieces.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The beginning of a line.
    begun: Vec<u8>,
    whole: VecDeque<Vec<u8>>,
}

impl Lines {
    pub(crate) fn next(&mut self) -> Option<Vec<u8>> {
        self.whole.pop_front()
    }

    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let mut parts = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            if self.begun.len() + part.len() > LINE_BYTES_MAX {
                let what = format!("an event of a watch is longer than {LINE_BYTES_MAX} bytes");
                return Err(Failure::Other(what));
            }
            self.begun.extend_from_slice(part);
            if parts.peek().is_some() {
                self.whole.push_back(std::mem::take(&mut self.begun));
            }
        }
        Ok(())
    }
}

/// Reads one line of a watch; nothing for a blank one or for an event of a kind to come.
pub(crate) fn event<T: Resource>(line: &[u8]) -> Result<Option<Event<T>>, Failure> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(rename = "type")]
        kind: String,
        #[serde(borrow)]
        object: &'a serde_json::value::RawValue,
    }
    #[derive(Deserialize)]
    struct Marked {
        metadata: Meta,
    }
    if line.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let malformed = |error: serde_json::Error| Failure::Other(format!("an event: {error}"));
    let Envelope { kind, object } = serde_json::from_slice(line).map_err(malformed)?;
    let object = object.get();
    Ok(match kind.as_str() {
        "ADDED" | "MODIFIED" => Some(Event::Set(serde_json::from_str(object).map_err(malformed)?)),
        "DELETED" => Some(Event::Deleted(serde_json::from_str(object).map_err(malformed)?)),
        "BOOKMARK" => {
            let marked: Marked = serde_json::from_str(object).map_err(malformed)?;
            Some(Event::Bookmark(marked.metadata.resource_version))
        }
        "ERROR" => {
            let status: Status = serde_json::from_str(object).unwrap_or_default();
            let gone = status.code == StatusCode::GONE.as_u16();
            return Err(if gone { Failure::Gone } else { Failure::Other(status.message) });
        }
        _ => None,
    })
}
