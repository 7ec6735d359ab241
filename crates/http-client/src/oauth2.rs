//! `oauth2`: tokens by the client credentials grant (RFC 6749, section 4.4), fetched when one is
//! needed and kept until shortly before they expire.
//!
//! One fetch at a time: whoever needs a token meanwhile waits for it. As Go's `clientcredentials`,
//! the client shows itself by HTTP basic first, and in the body where a server wants that. No error
//! holds the secret or the token.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use masthead_sysio::Fs;
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};
use url::{Url, form_urlencoded};

use crate::{
    Client, Error, HttpClientConfig, OAuth2, Post, Response, Secret,
    credentials::{basic_header, text},
    shown,
};

/// As Go's `oauth2`.
const ANSWER_BYTES_MAX: u64 = 1 << 20;
/// A token is not used so close to its end, because a request takes its time.
const EARLY: Duration = Duration::from_secs(10);
/// No token is kept longer, whatever its server says; it also keeps clocks from overflowing.
const LIFE_MAX: Duration = Duration::from_hours(365 * 24);

/// Where the tokens of one client come from.
#[derive(Debug)]
pub(crate) struct Source {
    config: OAuth2,
    url: Url,
    client: Client,
    fs: Arc<dyn Fs>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Token>,
    /// What the server was found to want: the client in the body.
    in_body: bool,
}

#[derive(Debug)]
struct Token {
    header: HeaderValue,
    until: Option<Instant>,
    /// Made with this secret; a new one in the file makes a new token.
    secret: Secret,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    access_token: String,
    #[serde(default)]
    token_type: String,
    expires_in: Option<serde_json::Value>,
    error: Option<String>,
    error_description: Option<String>,
}

impl Source {
    /// # Errors
    /// As [`Client::new`]; a URL that is none.
    pub(crate) fn new(config: &OAuth2, fs: &Arc<dyn Fs>) -> Result<Self, Error> {
        let url = Url::parse(&config.token_url).map_err(|error| Error::Url {
            url: "oauth2.token_url".to_owned(),
            what: error.to_string(),
        })?;
        let client = HttpClientConfig {
            tls_config: config.tls_config.clone(),
            proxy_url: config.proxy_url.clone(),
            no_proxy: config.no_proxy.clone(),
            proxy_from_environment: config.proxy_from_environment,
            proxy_connect_header: config.proxy_connect_header.clone(),
            ..HttpClientConfig::default()
        };
        let client = Client::new(&client, Arc::clone(fs))?;
        let (config, fs) = (config.clone(), Arc::clone(fs));
        Ok(Self { config, url, client, fs, state: Mutex::default() })
    }

    /// The header that shows a token that holds.
    ///
    /// # Errors
    /// [`Error::Token`], and [`Error::File`] for the secret.
    pub(crate) async fn header(&self) -> Result<HeaderValue, Error> {
        let secret = self.secret().await?;
        let mut state = self.state.lock().await;
        if let Some(token) = &state.token
            && token.secret.expose() == secret
            && token.until.is_none_or(|until| Instant::now() < until)
        {
            return Ok(token.header.clone());
        }
        state.token = None;
        let (header, life) = match self.fetch(&secret, state.in_body).await {
            Ok(fetched) => fetched,
            // Asked the other way, once; what it says then counts only if it is a token.
            Err((first, true)) => match self.fetch(&secret, !state.in_body).await {
                Ok(fetched) => {
                    state.in_body = !state.in_body;
                    fetched
                }
                Err(_) => return Err(first),
            },
            Err((error, false)) => return Err(error),
        };
        let until = life.map(|life| Instant::now() + life.min(LIFE_MAX).saturating_sub(EARLY));
        let secret = Secret::from(secret.as_str());
        state.token = Some(Token { header: header.clone(), until, secret });
        Ok(header)
    }

    async fn secret(&self) -> Result<String, Error> {
        if self.config.client_secret_file.is_empty() {
            return Ok(self.config.client_secret.expose().to_owned());
        }
        let (fs, file) = (Arc::clone(&self.fs), self.config.client_secret_file.clone());
        tokio::task::spawn_blocking(move || text(&fs, "client secret", "", &file))
            .await
            .map_err(|error| self.failed(&error.to_string(), ""))?
    }

    /// Header and life of a new token; with an error, whether the server said it.
    async fn fetch(
        &self,
        secret: &str,
        in_body: bool,
    ) -> Result<(HeaderValue, Option<Duration>), (Error, bool)> {
        let (headers, body) = self.question(secret, in_body).map_err(|error| (error, false))?;
        let post =
            Post { url: &self.url, headers: &headers, body: &body, body_limit: ANSWER_BYTES_MAX };
        let mut session = self.client.session();
        let answer = session.post(post).await;
        let answer = answer.map_err(|error| (self.failed(&error.to_string(), secret), false))?;
        self.read(&answer, secret).map_err(|error| (error, true))
    }

    fn question(&self, secret: &str, in_body: bool) -> Result<(HeaderMap, Bytes), Error> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        if !self.config.endpoint_params.contains_key("grant_type") {
            form.append_pair("grant_type", "client_credentials");
        }
        if !self.config.scopes.is_empty() {
            form.append_pair("scope", &self.config.scopes.join(" "));
        }
        form.extend_pairs(&self.config.endpoint_params);
        let mut headers = HeaderMap::from_iter([
            (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
            (ACCEPT, HeaderValue::from_static("application/json")),
        ]);
        if in_body {
            form.append_pair("client_id", &self.config.client_id);
            if !secret.is_empty() {
                form.append_pair("client_secret", secret);
            }
        } else {
            let escape = |text: &str| -> String {
                form_urlencoded::byte_serialize(text.as_bytes()).collect()
            };
            let shown = basic_header(&escape(&self.config.client_id), &escape(secret))?;
            headers.insert(AUTHORIZATION, shown);
        }
        Ok((headers, Bytes::from(form.finish())))
    }

    pub(crate) fn read(
        &self,
        response: &Response,
        secret: &str,
    ) -> Result<(HeaderValue, Option<Duration>), Error> {
        let mut body = Vec::new();
        response.read_body(ANSWER_BYTES_MAX + 1, &mut body)?;
        let answer: Option<Answer> =
            if response.content_type().starts_with("application/x-www-form") {
                let pairs = form_urlencoded::parse(&body);
                let map = pairs.map(|(name, value)| (name.into_owned(), value.into_owned().into()));
                serde_json::from_value(serde_json::Value::Object(map.collect())).ok()
            } else {
                serde_json::from_slice(&body).ok()
            };
        let status = response.status_line();
        let Some(answer) = answer else {
            return Err(self.failed(&format!("answered {status} without a token"), secret));
        };
        if !response.status.is_success() || answer.access_token.is_empty() {
            let said = [answer.error, answer.error_description].into_iter().flatten();
            let said: String = said.flat_map(|text| [": ".to_owned(), text]).collect();
            let said: String = said.chars().take(300).collect();
            return Err(self.failed(&format!("answered {status} without a token{said}"), secret));
        }
        let kind = match answer.token_type.to_ascii_lowercase().as_str() {
            "" | "bearer" => "Bearer",
            "mac" => "MAC",
            "basic" => "Basic",
            _ => answer.token_type.as_str(),
        };
        let mut header = HeaderValue::try_from(format!("{kind} {}", answer.access_token))
            .map_err(|_| self.failed("answered with a token that no header can have", secret))?;
        header.set_sensitive(true);
        // A number, or a number in quotes as some write it; nothing and 0 are for ever.
        let seconds = answer.expires_in.and_then(|value| match value {
            serde_json::Value::String(text) => text.parse::<f64>().ok(),
            other => other.as_f64(),
        });
        let life = seconds.filter(|seconds| *seconds > 0.0);
        let life = life.map(|life| Duration::try_from_secs_f64(life).unwrap_or(LIFE_MAX));
        Ok((header, life))
    }

    /// What went wrong, with the address and without what may be secret in it.
    fn failed(&self, what: &str, secret: &str) -> Error {
        let mut url = self.url.clone();
        url.set_query(None);
        let what = what.replace(self.url.as_str(), url.as_str());
        let what = if secret.is_empty() { what } else { what.replace(secret, "<secret>") };
        Error::Token { url: shown(&url), what }
    }
}
