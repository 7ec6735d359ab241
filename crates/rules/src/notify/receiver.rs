//! One Alertmanager: its queue, and the messages to it.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use masthead_http_client::{Client, Post};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tracing::warn;
use url::Url;

use super::{Outgoing, QUEUE_MAX};

/// Alerts in one message: upstream's `maxBatchSize`.
const BATCH_MAX: usize = 256;
/// An answer holds at most this; nobody reads it.
const ANSWER_BYTES_MAX: u64 = 1 << 20;
const USER_AGENT: &str = concat!("Masthead/", env!("CARGO_PKG_VERSION"));

/// One Alertmanager.
#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) url: Url,
    queue: Mutex<VecDeque<Outgoing>>,
    /// Rung when something was put in.
    rung: Notify,
    sent: AtomicU64,
    errors: AtomicU64,
    dropped: AtomicU64,
}

/// What was counted for one Alertmanager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiverStats {
    /// Its address.
    pub url: String,
    /// Alerts that it took.
    pub sent: u64,
    /// Alerts in messages that failed.
    pub errors: u64,
    /// Alerts that were given up after a message failed.
    pub dropped: u64,
    /// Alerts that wait.
    pub waiting: u64,
}

impl Receiver {
    pub(super) fn new(url: Url) -> Self {
        Self {
            url,
            queue: Mutex::default(),
            rung: Notify::new(),
            sent: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        }
    }

    /// Puts alerts in the queue; returns how many old ones it cost.
    pub(super) fn push(&self, alerts: impl Iterator<Item = Outgoing>) -> u64 {
        let mut queue = self.queue.lock();
        let mut dropped = 0;
        for alert in alerts {
            if queue.len() >= QUEUE_MAX {
                queue.pop_front();
                dropped += 1;
            }
            queue.push_back(alert);
        }
        drop(queue);
        self.rung.notify_one();
        if dropped > 0 {
            warn!(url = %self.url, dropped, limit = QUEUE_MAX, "The queue of alerts is full.");
        }
        dropped
    }

    /// Sends what is put in, for ever.
    pub(super) async fn run(self: Arc<Self>, client: Client, timeout: Duration) {
        loop {
            self.send_all(&client, timeout).await;
            self.rung.notified().await;
        }
    }

    /// Sends until the queue is empty.
    pub(super) async fn send_all(&self, client: &Client, timeout: Duration) {
        let mut session = client.session();
        loop {
            let mut taken = Taken { receiver: self, alerts: self.take() };
            let count = taken.alerts.len() as u64;
            if count == 0 {
                return;
            }
            let alerts: Vec<_> = taken.alerts.iter().map(|alert| &alert.json).collect();
            let body = Bytes::from(serde_json::to_vec(&alerts).unwrap_or_default());
            let headers = headers();
            let post = Post {
                url: &self.url,
                headers: &headers,
                body: &body,
                body_limit: ANSWER_BYTES_MAX,
            };
            let failure = match tokio::time::timeout(timeout, session.post(post)).await {
                Ok(Ok(response)) if response.status.is_success() => None,
                Ok(Ok(response)) => Some(format!("bad response status {}", response.status_line())),
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some(format!("no answer within {timeout:?}")),
            };
            taken.alerts.clear();
            match failure {
                None => {
                    self.sent.fetch_add(count, Ordering::Relaxed);
                }
                Some(error) => {
                    self.errors.fetch_add(count, Ordering::Relaxed);
                    self.dropped.fetch_add(count, Ordering::Relaxed);
                    warn!(url = %self.url, count, %error, "Cannot tell an Alertmanager of alerts.");
                }
            }
        }
    }

    fn take(&self) -> VecDeque<Outgoing> {
        let mut queue = self.queue.lock();
        let count = queue.len().min(BATCH_MAX);
        queue.drain(..count).collect()
    }

    pub(super) fn stats(&self) -> ReceiverStats {
        ReceiverStats {
            url: self.url.to_string(),
            sent: self.sent.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            waiting: self.queue.lock().len() as u64,
        }
    }
}

/// Alerts of a message that is under way; put back if it is given up half way.
struct Taken<'a> {
    receiver: &'a Receiver,
    alerts: VecDeque<Outgoing>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut queue = self.receiver.queue.lock();
        while let Some(alert) = self.alerts.pop_back() {
            if queue.len() < QUEUE_MAX {
                queue.push_front(alert);
            }
        }
    }
}

fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers
}
