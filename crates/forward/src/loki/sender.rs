//! From the journal to Loki: in order, with back-off, for as long as it takes.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use masthead_durable::{self as durable, journal::Cursor};
use masthead_http_client::{Client, HttpClientConfig, Post, Session, shown};
use masthead_model::Labels;
use masthead_ports::LogBatch;
use masthead_sysio::{Clock, Fs};
use masthead_wire::{loki::Encoder, remote_write};
use tracing::{error, info, warn};
use url::Url;

use super::frame;
use crate::{
    Error, LokiSink, TENANT_LABEL,
    backlog::{Frames, items},
    request::{self, Answer},
};

const TENANT_HEADER: &str = "x-scope-orgid";

/// A Loki to push to.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where to push.
    pub url: Url,
    /// How to reach it.
    pub client: HttpClientConfig,
    /// How long lines gather before they are sent.
    pub batch_wait: Duration,
    /// Bytes of the journal that are sent at once, about.
    pub batch_bytes: usize,
    /// Between two attempts: the first pause.
    pub backoff_min: Duration,
    /// The longest pause.
    pub backoff_max: Duration,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Labels of every stream that has no label of the name.
    pub external_labels: Labels,
    /// For whom lines are; empty for no header.
    pub tenant: String,
    /// Headers of every request.
    pub headers: BTreeMap<String, String>,
    /// Whether lines that are refused with status 429 are lost instead of sent again.
    pub drop_rate_limited: bool,
}

/// Pushes what a [`LokiSink`] holds.
#[derive(Debug)]
pub struct Sender {
    sink: Arc<LokiSink>,
    target: Target,
    headers: HeaderMap,
    session: Session,
    clock: Arc<dyn Clock>,
}

impl Sender {
    /// Prepares to push; certificates are read now.
    ///
    /// # Errors
    /// [`Error::Client`], [`Error::Header`].
    pub fn new(
        sink: Arc<LokiSink>,
        target: Target,
        fs: Arc<dyn Fs>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let url = shown(&target.url);
        let client = Client::new(&target.client, fs)
            .map_err(|source| Error::Client { url: url.clone(), source })?;
        let mut headers = request::headers(&url, &target.headers)?;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        Ok(Self { sink, target, headers, session: client.session(), clock })
    }

    /// Pushes for ever; it is stopped by dropping the future. What was not pushed then is pushed
    /// by the next sender.
    pub async fn run(mut self) {
        let mut cursor = self.sink.backlog.cursor();
        loop {
            let next = read(Arc::clone(&self.sink), cursor, self.target.batch_bytes);
            let (frames, behind) = match next.await {
                Ok(read) => read,
                Err(error) => {
                    error!(%error, url = shown(&self.target.url), "Cannot read the journal of a client.");
                    tokio::time::sleep(self.target.backoff_max).await;
                    continue;
                }
            };
            let moved = behind != cursor;
            cursor = behind;
            if frames.is_empty() && moved {
                continue;
            }
            if frames.is_empty() {
                self.sink.backlog.news.notified().await;
                tokio::time::sleep(self.target.batch_wait).await;
                continue;
            }
            self.push_frames(&frames).await;
            let sink = Arc::clone(&self.sink);
            let noted = tokio::task::spawn_blocking(move || {
                let noted = sink.backlog.sent(cursor);
                sink.stats.journal_bytes.set(sink.backlog.bytes());
                noted
            });
            let noted = noted.await;
            if let Ok(Err(error)) = noted {
                // It is pushed again after a restart, and kept once there.
                warn!(%error, "Cannot note in the journal what was pushed.");
            }
        }
    }

    /// Pushes the lines of some frames, one request for each tenant. Lines that are dropped from the
    /// journal meanwhile are not pushed again, and count as lost.
    async fn push_frames(&mut self, frames: &[(u64, Vec<u8>)]) {
        let Some((last, _)) = frames.last() else { return };
        let counted = self.sink.backlog.claim(*last);
        let behind = frames.partition_point(|(seq, _)| *seq <= counted);
        let frames = frames.get(behind..).unwrap_or_default();
        let (requests, corrupt) = self.requests(frames);
        if corrupt > 0 {
            self.sink.stats.dropped("corrupt", corrupt);
        }
        for (tenant, request) in requests {
            let mut next = Some(request);
            while let Some(request) = next.take() {
                let lines = request.lines;
                if self.push(tenant.as_deref(), request).await {
                    break;
                }
                next = self.requests(frames).0.remove(&tenant);
                let lost = lines - next.as_ref().map_or(0, |left| left.lines);
                self.sink.stats.dropped("journal_full", lost);
                error!(lines = lost, "Lines are lost: the journal of a client is full.");
            }
        }
    }

    /// The requests for frames that are still in the journal, by tenant, and how many lines cannot
    /// be read.
    fn requests(&self, frames: &[(u64, Vec<u8>)]) -> (BTreeMap<Option<String>, Request>, u64) {
        let (mut requests, mut corrupt) = (BTreeMap::new(), 0);
        for (seq, payload) in frames {
            if self.sink.backlog.was_dropped(*seq) {
                continue;
            }
            match frame::decode(payload) {
                Ok(batch) => self.encode(*seq, &batch, &mut requests),
                Err(_) => corrupt += items(payload),
            }
        }
        (requests, corrupt)
    }

    fn encode(
        &self,
        seq: u64,
        batch: &LogBatch<'_>,
        requests: &mut BTreeMap<Option<String>, Request>,
    ) {
        for stream in &batch.streams {
            let tenant = stream.labels.get(TENANT_LABEL).map(str::to_owned);
            let mut labels = stream.labels.to_builder();
            labels.remove(TENANT_LABEL);
            for label in &self.target.external_labels {
                if stream.labels.get(label.name).is_none() {
                    labels.set(label.name, label.value);
                }
            }
            let first = || Request { body: Encoder::default(), lines: 0, first_seq: seq };
            let request = requests.entry(tenant).or_insert_with(first);
            let rows = stream.rows.iter();
            let rows = rows.map(|row| (row.timestamp, &*row.line, &row.structured_metadata));
            request.body.stream(&labels.build(), rows);
            request.lines += stream.rows.len() as u64;
        }
    }

    /// Pushes until it is taken or refused for good; false when some of it was dropped before it was.
    async fn push(&mut self, tenant: Option<&str>, request: Request) -> bool {
        let stats = Arc::clone(&self.sink.stats);
        let mut headers = self.headers.clone();
        let tenant = tenant.unwrap_or(&self.target.tenant);
        if let Ok(value) = HeaderValue::from_str(tenant)
            && !tenant.is_empty()
        {
            headers.insert(HeaderName::from_static(TENANT_HEADER), value);
        }
        let body = match remote_write::compress(&request.body.finish()) {
            Ok(body) => Bytes::from(body),
            Err(error) => {
                error!(lines = request.lines, %error, "Lines are lost: they cannot be compressed.");
                stats.dropped("refused", request.lines);
                return true;
            }
        };
        let mut pause = self.target.backoff_min;
        let mut failed = false;
        while !self.sink.backlog.was_dropped(request.first_seq) {
            let post =
                Post { url: &self.target.url, headers: &headers, body: &body, body_limit: 0 };
            match request::attempt(&mut self.session, post, self.target.timeout).await {
                Answer::Taken(_) => {
                    if failed {
                        info!(url = shown(&self.target.url), "A client takes lines again.");
                    }
                    stats.pushes.add(1);
                    stats.lines_sent.add(request.lines);
                    stats.bytes_sent.add(body.len() as u64);
                    let now = self.clock.now().0 / 1_000_000;
                    stats.last_push_ms.set(u64::try_from(now).unwrap_or(0));
                    return true;
                }
                Answer::Refused { reason, .. } => {
                    let (lines, url) = (request.lines, shown(&self.target.url));
                    error!(lines, url, reason, "Lines are lost: they were refused for good.");
                    stats.dropped("refused", request.lines);
                    return true;
                }
                Answer::Later { status: Some(StatusCode::TOO_MANY_REQUESTS), reason, .. }
                    if self.target.drop_rate_limited =>
                {
                    let (lines, url) = (request.lines, shown(&self.target.url));
                    error!(lines, url, reason, "Lines are lost: the client takes no more now.");
                    stats.pushes_failed.add(1);
                    stats.dropped("rate_limited", request.lines);
                    return true;
                }
                Answer::Later { reason, retry_after, .. } => {
                    stats.pushes_failed.add(1);
                    if !std::mem::replace(&mut failed, true) {
                        warn!(
                            url = shown(&self.target.url),
                            reason, "Cannot push lines; it is tried again."
                        );
                    }
                    tokio::time::sleep(retry_after.map_or(pause, |wanted| wanted.max(pause))).await;
                    pause = (pause * 2).min(self.target.backoff_max);
                }
            }
        }
        false
    }
}

#[derive(Debug)]
struct Request {
    body: Encoder,
    lines: u64,
    /// The first frame that it has lines of: the oldest are dropped first.
    first_seq: u64,
}

/// The next frames, and the place behind them.
async fn read(
    sink: Arc<LokiSink>,
    cursor: Cursor,
    bytes: usize,
) -> durable::Result<(Frames, Cursor)> {
    let read = tokio::task::spawn_blocking(move || sink.backlog.read(cursor, bytes));
    match read.await {
        Ok(read) => read,
        Err(error) => Err(std::io::Error::other(error).into()),
    }
}
