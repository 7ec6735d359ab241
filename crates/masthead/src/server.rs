//! A server that a command asks: Masthead itself or another, by TLS or not, with credentials.
//!
//! The flags are `cli/access.rs`; the requests are `masthead-http-client`'s, so that a command
//! reaches what a scrape with the same options reaches. Every call has a deadline and every body a
//! limit. What is printed of a server never holds a secret.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use masthead_http_client::{
    Authorization, BasicAuth, Client, Error, HeaderValues, HttpClientConfig, Post, Request,
    Response, Secret, Session, Stream, TlsConfig,
};
use masthead_sysio::RealFs;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{self, client::IntoClientRequest as _, protocol::WebSocketConfig},
};
use url::Url;

use crate::{
    cli::{AccessArgs, UsageError},
    client::{Answer, Limits},
    terminal,
};

const USER_AGENT: &str = concat!("Masthead/", env!("CARGO_PKG_VERSION"));
/// The longest that the first answer of a WebSocket may take.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(30);

/// A server, and the connections to it that rest.
#[derive(Debug)]
pub(crate) struct Server {
    base: Url,
    client: Client,
    limits: Limits,
    idle: Mutex<Vec<Session>>,
}

/// What came of asking for a WebSocket.
pub(crate) enum Socket {
    Open(Box<WebSocketStream<Box<dyn Stream>>>),
    /// The server's own words.
    Refused(String),
    /// There was no answer.
    Away(anyhow::Error),
}

impl AccessArgs {
    /// The same as options of the client.
    ///
    /// # Errors
    /// What cannot be, with the flag.
    pub(crate) fn client_config(&self) -> Result<HttpClientConfig, UsageError> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let bearer = (self.token.is_some() || self.token_file.is_some()).then(|| Authorization {
            credentials: self.token.as_ref().map_or("", |token| token.expose()).into(),
            credentials_file: text(&self.token_file),
            ..Authorization::default()
        });
        let basic = self.user.as_ref().map(|user| BasicAuth {
            username: user.clone(),
            password: self.password.as_ref().map_or("", |password| password.expose()).into(),
            password_file: text(&self.password_file),
            ..BasicAuth::default()
        });
        let mut http_headers: BTreeMap<String, HeaderValues> = BTreeMap::new();
        for (name, value) in &self.headers {
            let secret = Secret::from(value.expose());
            http_headers.entry(name.clone()).or_default().secrets.push(secret);
        }
        let mut config = HttpClientConfig {
            basic_auth: basic,
            authorization: bearer,
            tls_config: TlsConfig {
                ca_file: text(&self.ca_file),
                cert_file: text(&self.cert_file),
                key_file: text(&self.key_file),
                server_name: text(&self.server_name),
                insecure_skip_verify: self.insecure_skip_verify,
                ..TlsConfig::default()
            },
            http_headers,
            proxy_from_environment: true,
            ..HttpClientConfig::default()
        };
        let flag = |key: &str| match key {
            "http_headers" => "--header".to_owned(),
            key => format!("--{}", key.trim_start_matches("tls_config.").replace('_', "-")),
        };
        config
            .validate()
            .map_err(|error| UsageError(format!("{}: {}", flag(error.key), error.what)))?;
        Ok(config)
    }
}

impl Server {
    /// # Errors
    /// Flags that cannot be, a token that no header can have, credentials in the address.
    pub(crate) fn new(base: &Url, access: &AccessArgs, limits: Limits) -> Result<Self, UsageError> {
        without_credentials(base)?;
        let client = Client::new(&access.client_config()?, Arc::new(RealFs))
            .map_err(|error| UsageError(error.to_string()))?;
        Ok(Self { base: base.clone(), client, limits, idle: Mutex::default() })
    }

    /// The address as it was given.
    pub(crate) fn base(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Below the address, which may have a path of its own: the endpoint, with its parameters.
    fn at(&self, endpoint: &str) -> anyhow::Result<Url> {
        let url = format!("{}{endpoint}", self.base());
        Url::parse(&url).with_context(|| format!("{url} is no address"))
    }

    /// Gets an endpoint, with parameters behind it where there are any.
    ///
    /// # Errors
    /// No whole answer within the limits; any status is an answer.
    pub(crate) async fn get(&self, endpoint: &str) -> anyhow::Result<Answer> {
        let url = self.at(endpoint)?;
        let headers = headers();
        let body_limit = self.limits.body_bytes as u64;
        self.call(async |session| {
            session.get(Request { url: &url, headers: &headers, body_limit }).await
        })
        .await
    }

    /// Posts a form to an endpoint; `more` are headers of this request.
    ///
    /// # Errors
    /// As [`Server::get`].
    pub(crate) async fn post(
        &self,
        endpoint: &str,
        form: String,
        more: &[(&'static str, &'static str)],
    ) -> anyhow::Result<Answer> {
        let form_type = "application/x-www-form-urlencoded";
        let body = Bytes::from(form);
        self.send(endpoint, &body, &[&[("content-type", form_type)], more].concat()).await
    }

    /// Posts a body to an endpoint.
    ///
    /// # Errors
    /// As [`Server::get`].
    pub(crate) async fn send(
        &self,
        endpoint: &str,
        body: &Bytes,
        more: &[(&'static str, &'static str)],
    ) -> anyhow::Result<Answer> {
        let url = self.at(endpoint)?;
        let mut headers = headers();
        for (name, value) in more {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let body_limit = self.limits.body_bytes as u64;
        self.call(async |session| {
            session.post(Post { url: &url, headers: &headers, body, body_limit }).await
        })
        .await
    }

    /// Asks over a connection that rests, or a new one.
    async fn call(
        &self,
        ask: impl AsyncFnOnce(&mut Session) -> Result<Response, Error>,
    ) -> anyhow::Result<Answer> {
        let rests = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut session = rests.unwrap_or_else(|| self.client.session());
        let response = tokio::time::timeout(self.limits.time, ask(&mut session))
            .await
            .with_context(|| format!("no whole answer within {} s", self.limits.time.as_secs()))?
            .map_err(explain)?;
        let mut body = Vec::new();
        // The client stops above its limit, this at it.
        response.read_body(self.limits.body_bytes as u64 + 1, &mut body)?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        Ok(Answer { status: response.status, body: Bytes::from(body) })
    }

    /// Opens a WebSocket at an endpoint, with its parameters behind it.
    ///
    /// # Errors
    /// An address that can't be asked for.
    pub(crate) async fn socket(
        &self,
        endpoint: &str,
        more: &[(&'static str, &'static str)],
        message_bytes_max: usize,
    ) -> anyhow::Result<Socket> {
        let url = self.at(endpoint)?;
        let mut request = url.as_str().replacen("http", "ws", 1).into_client_request()?;
        let opening = async {
            let (stream, secrets) = self.client.dial(&url).await.map_err(explain)?;
            for (name, value) in headers().into_iter().chain(secrets) {
                // Of a header with several values only the first bears its name.
                if let Some(name) = name {
                    request.headers_mut().append(name, value);
                }
            }
            for (name, value) in more {
                let (name, value) =
                    (HeaderName::from_static(name), HeaderValue::from_static(value));
                request.headers_mut().insert(name, value);
            }
            let config = WebSocketConfig::default().max_message_size(Some(message_bytes_max));
            Ok(client_async_with_config(request, stream, Some(config)).await)
        };
        let opened = tokio::time::timeout(HANDSHAKE_TIME_MAX, opening).await;
        Ok(match opened.context("no answer in time").and_then(|opened: anyhow::Result<_>| opened) {
            Ok(Ok((socket, _))) => Socket::Open(Box::new(socket)),
            Ok(Err(tungstenite::Error::Http(response))) => {
                let status = response.status();
                Socket::Refused(refusal(status, response.body().as_deref().unwrap_or_default()))
            }
            Ok(Err(error)) => Socket::Away(error.into()),
            Err(error) => Socket::Away(error),
        })
    }
}

/// Addresses are shown and logged, so that no secret may be in one.
///
/// # Errors
/// There is one.
pub(crate) fn without_credentials(url: &Url) -> Result<(), UsageError> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(());
    }
    let what = "the URL has a name or password in it; use --user and --password-file";
    Err(UsageError(what.to_owned()))
}

/// What a server says that answers no question.
pub(crate) fn refusal(status: StatusCode, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    format!("{} (status {})", terminal::lines(text.trim()), status.as_u16())
}

fn headers() -> HeaderMap {
    HeaderMap::from_iter([(header::USER_AGENT, HeaderValue::from_static(USER_AGENT))])
}

/// With the flag that may mend it.
fn explain(error: Error) -> anyhow::Error {
    let advice = match &error {
        Error::Tls { .. } => {
            "--ca-file names the authority that signed the server's certificate, --server-name the \
             name in it; is it https at all?"
        }
        _ => return error.into(),
    };
    anyhow::anyhow!("{error}; {advice}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::SecretText;

    #[test]
    fn a_refusal_is_told_in_its_own_lines() {
        let told = refusal(StatusCode::BAD_REQUEST, b" parse error:\n\x1b[31mhere\n");
        assert_eq!(told, "parse error:\n\\u{1b}[31mhere (status 400)");
    }

    #[test]
    fn an_endpoint_lies_below_the_path_of_the_address() {
        let f = |base: &str, want: &str| {
            let base = Url::parse(base).expect("an address");
            let server = Server::new(&base, &AccessArgs::default(), Limits::default());
            let url = server.expect("made").at("/api/v1/query?a=b").expect("an address");
            assert_eq!(url.as_str(), want);
        };
        f("http://db:9090", "http://db:9090/api/v1/query?a=b");
        f("https://db/prometheus/", "https://db/prometheus/api/v1/query?a=b");
    }

    #[test]
    fn flags_become_options_and_are_refused_by_their_names() {
        let secret = |text: &str| Some(SecretText::from(text.to_owned()));
        let args = AccessArgs {
            user: Some("me".to_owned()),
            password: secret("pw"),
            headers: vec![("X-Scope-OrgID".to_owned(), "one".to_owned().into())],
            ..AccessArgs::default()
        };
        let config = args.client_config().expect("valid");
        assert_eq!(config.basic_auth.map(|basic| basic.password), Some(Secret::from("pw")));
        assert_eq!(config.http_headers["X-Scope-OrgID"].secrets, [Secret::from("one")]);
        let reserved = AccessArgs {
            headers: vec![("Authorization".to_owned(), "x".to_owned().into())],
            ..AccessArgs::default()
        };
        let error = reserved.client_config().expect_err("reserved").to_string();
        assert_eq!(error, "--header: setting header \"Authorization\" is not allowed");
    }
}
