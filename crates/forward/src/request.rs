//! One attempt to send, and what its answer means.

use std::{collections::BTreeMap, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use masthead_http_client::{Post, Session};

use crate::Error;

/// An answer may have this many bytes; it is only read for the log.
const ANSWER_BYTES_MAX: u64 = 64 << 10;
/// Of an answer, so much is logged.
const ANSWER_SHOWN: usize = 300;
/// Nobody is waited for longer than this, whatever it asks for.
const RETRY_AFTER_MAX: Duration = Duration::from_mins(5);

/// What became of an attempt.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It was taken; what the other end says about it.
    Taken(HeaderMap),
    /// Not now.
    Later {
        /// The status, if there was an answer.
        status: Option<StatusCode>,
        reason: String,
        /// How long the other end asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// Never.
    Refused { status: StatusCode, reason: String },
}

/// The headers of every request: those that were configured, and who asks.
pub(crate) fn headers(
    url: &str,
    configured: &BTreeMap<String, String>,
) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in configured {
        let refuse = || Error::Header { url: url.to_owned(), name: name.clone() };
        let value = HeaderValue::from_str(value).map_err(|_| refuse())?;
        headers.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| refuse())?, value);
    }
    let agent = concat!("masthead/", env!("CARGO_PKG_VERSION"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
    Ok(headers)
}

/// Sends once. Too many requests, faults of the server and of the way there are for later; of the
/// rest only success is taken.
pub(crate) async fn attempt(session: &mut Session, post: Post<'_>, timeout: Duration) -> Answer {
    let later = |reason| Answer::Later { status: None, reason, retry_after: None };
    let post = Post { body_limit: ANSWER_BYTES_MAX, ..post };
    let response = match tokio::time::timeout(timeout, session.post(post)).await {
        Err(_) => return later(format!("no answer in {timeout:?}")),
        Ok(Err(error)) => return later(error.to_string()),
        Ok(Ok(response)) => response,
    };
    let status = response.status;
    if status.is_success() {
        return Answer::Taken(response.headers);
    }
    let mut text = Vec::new();
    drop(response.read_body(ANSWER_BYTES_MAX, &mut text));
    let text = String::from_utf8_lossy(text.get(..ANSWER_SHOWN).unwrap_or(&text));
    let reason = format!("{}: {}", response.status_line(), text.trim());
    let retry_after = retry_after(&response.headers);
    if status == StatusCode::TOO_MANY_REQUESTS
        || status.is_server_error()
        || status.is_redirection()
    {
        Answer::Later { status: Some(status), reason, retry_after }
    } else {
        Answer::Refused { status, reason }
    }
}

/// Seconds only: a date would need a clock that both ends agree on.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    let seconds: u64 = text.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_that_is_asked_for_is_bounded() {
        let f = |value: &'static str, want: Option<u64>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(value));
            assert_eq!(retry_after(&headers), want.map(Duration::from_secs), "{value}");
        };
        f("3", Some(3));
        f("0", Some(0));
        f("86400", Some(300));
        f("-1", None);
        f("Wed, 21 Oct 2026 07:28:00 GMT", None);
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn headers_that_cannot_be_sent_are_named() {
        let f = |name: &str, value: &str| {
            headers("http://x/", &[(name.to_owned(), value.to_owned())].into())
        };
        assert_eq!(f("X-Mine", "1").unwrap().len(), 2);
        assert!(f("X Mine", "1").unwrap_err().to_string().contains("\"X Mine\""));
        assert!(f("X-Mine", "a\nb").is_err());
    }
}
