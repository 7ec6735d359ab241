//! A blocking HTTP client for the systems under test, and the patience of the whole run.
//!
//! It talks to loopback only, reads bodies up to a limit and leaves their meaning to its callers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

/// The largest answer that is read.
const BODY_BYTES_MAX: u64 = 256 << 20;
/// The longest that one request may take.
const REQUEST_TIME_MAX: Duration = Duration::from_mins(2);

/// How long the run may go on: until its time is over or somebody ends it.
#[derive(Clone, Debug)]
pub(crate) struct Patience {
    stop: Arc<AtomicBool>,
    deadline: Instant,
}

impl Patience {
    /// Ends after `time`, or as soon as `stop` is true.
    pub(crate) fn new(time: Duration, stop: Arc<AtomicBool>) -> Self {
        Self { stop, deadline: Instant::now() + time }
    }

    /// # Errors
    /// When the run is to end now.
    pub(crate) fn check(&self) -> Result<()> {
        if self.stop.load(Ordering::Relaxed) {
            bail!("ended by a signal");
        }
        if Instant::now() >= self.deadline {
            bail!("the whole run may not take longer; raise --time-limit or choose less data");
        }
        Ok(())
    }

    /// Waits, and returns early when the run is to end.
    ///
    /// # Errors
    /// Those of [`Patience::check`].
    pub(crate) fn sleep(&self, time: Duration) -> Result<()> {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            self.check()?;
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
        self.check()
    }
}

/// Connections that are kept between requests, closed when this is dropped.
#[derive(Debug)]
pub(crate) struct Http {
    agent: ureq::Agent,
    patience: Patience,
}

/// What a server said, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The status and the beginning of the body, for an error.
    pub(crate) fn summary(&self) -> String {
        let text = String::from_utf8_lossy(self.body.get(..300).unwrap_or(&self.body)).into_owned();
        format!("status {}: {}", self.status, text.trim())
    }
}

impl Http {
    pub(crate) fn new(patience: &Patience) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(REQUEST_TIME_MAX))
            .build();
        Self { agent: ureq::Agent::new_with_config(config), patience: patience.clone() }
    }

    pub(crate) fn patience(&self) -> &Patience {
        &self.patience
    }

    /// # Errors
    /// When there is no whole answer, naming the URL.
    pub(crate) fn get(&self, url: &str, parameters: &[(&str, &str)]) -> Result<Answer> {
        self.patience.check()?;
        let request = self.agent.get(url).query_pairs(parameters.iter().copied());
        read(request.call()).with_context(|| format!("GET {url}"))
    }

    /// # Errors
    /// When there is no whole answer, naming the URL.
    pub(crate) fn post(&self, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
        self.patience.check()?;
        let request = self.agent.post(url);
        let request = headers.iter().fold(request, |r, (name, value)| r.header(*name, *value));
        read(request.send(body)).with_context(|| format!("POST {url}"))
    }
}

fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer> {
    let mut answer = answer?;
    let status = answer.status().as_u16();
    let body = answer.body_mut().with_config().limit(BODY_BYTES_MAX).read_to_vec()?;
    Ok(Answer { status, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_ends_by_signal_or_by_time_and_says_which() {
        let f = |time: u64, stop: bool, want: &str| {
            let patience = Patience::new(Duration::from_secs(time), Arc::new(stop.into()));
            let got = patience.sleep(Duration::from_millis(1)).err().map(|e| e.to_string());
            assert!(got.clone().unwrap_or_default().starts_with(want), "{got:?}");
            assert_eq!(got.is_none(), want.is_empty());
        };
        f(60, false, "");
        f(60, true, "ended by a signal");
        f(0, false, "the whole run may not take longer");
    }
}
