//! From the journal to the remote end, round by round, for as long as it takes.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::future::join_all;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use masthead_durable::{self as durable, journal::Cursor};
use masthead_http_client::{Client, Post, Session, shown};
use masthead_model::Millis;
use masthead_sysio::{Clock, Fs};
use masthead_wire::remote_write::{self, EncoderV1, Version};
use tracing::{debug, error, info, warn};

use super::{
    RemoteWriteConfig, RemoteWriteSink, Stats, frame,
    round::{Plan, Request, Round},
    sink::Families,
};
use crate::{
    Error,
    backlog::{Frames, items},
    request::{self, Answer},
};

/// Bytes of the journal that a round reads, about.
const ROUND_BYTES: usize = 4 << 20;
/// Read at once.
const READ_BYTES: usize = 256 << 10;
const VERSION_HEADER: &str = "x-prometheus-remote-write-version";
/// What a receiver of version 2 says that it kept.
const WRITTEN_HEADERS: [&str; 2] =
    ["x-prometheus-remote-write-samples-written", "x-prometheus-remote-write-histograms-written"];

/// Sends what a [`RemoteWriteSink`] holds.
#[derive(Debug)]
pub struct Sender {
    line: Line,
    client: Client,
    /// One for each shard; they keep their connections from round to round.
    sessions: Vec<Session>,
    /// When families are described next, on the monotonic clock.
    describe_at: Duration,
}

/// What all shards share.
#[derive(Debug)]
struct Line {
    sink: Arc<RemoteWriteSink>,
    config: RemoteWriteConfig,
    headers: HeaderMap,
    version: Version,
    clock: Arc<dyn Clock>,
}

/// The other end does not understand version 2.
struct TooNew;

impl Sender {
    /// Prepares to send; certificates are read now.
    ///
    /// # Errors
    /// [`Error::Client`], [`Error::Header`].
    pub fn new(
        sink: Arc<RemoteWriteSink>,
        config: &RemoteWriteConfig,
        fs: Arc<dyn Fs>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let url = shown(&config.url);
        let headers = request::headers(&url, &config.headers)?;
        let client =
            Client::new(&config.client, fs).map_err(|source| Error::Client { url, source })?;
        let describe_at = clock.monotonic();
        let (config, version) = (config.clone(), config.version);
        let line = Line { sink, config, headers, version, clock };
        Ok(Self { line, client, sessions: Vec::new(), describe_at })
    }

    /// Sends for ever; it is stopped by dropping the future. What was not sent then is sent by the
    /// next sender.
    pub async fn run(mut self) {
        let mut cursor = self.line.sink.backlog.cursor();
        loop {
            self.describe_families().await;
            let (frames, behind) = match self.line.read(cursor).await {
                Ok(read) => read,
                Err(error) => {
                    error!(name = self.line.config.name, %error, "Cannot read the journal of a remote end.");
                    tokio::time::sleep(self.line.config.queue.max_backoff).await;
                    continue;
                }
            };
            let moved = std::mem::replace(&mut cursor, behind) != behind;
            if frames.is_empty() {
                // What was passed over are marks, or it was dropped and is marked already: a mark of
                // that would be something to pass over again, for ever.
                if !moved {
                    self.line.wait_for_news(self.describe_at).await;
                }
                continue;
            }
            self.send_frames(frames).await;
            let sink = Arc::clone(&self.line.sink);
            let marked = tokio::task::spawn_blocking(move || {
                let marked = sink.backlog.sent(cursor);
                sink.stats.journal_bytes.set(sink.backlog.bytes());
                marked
            });
            if let Ok(Err(error)) = marked.await {
                // It is sent again after a restart, and kept once there.
                warn!(name = self.line.config.name, %error, "Cannot note in the journal what was sent.");
            }
        }
    }

    /// Sends the samples of `frames`: until all of them were taken, refused or dropped.
    async fn send_frames(&mut self, frames: Frames) {
        let frames = Arc::new(frames);
        loop {
            let round = self.line.build(Arc::clone(&frames)).await;
            let shards = round.shards.len();
            self.line.sink.stats.shards.set(shards as u64);
            while self.sessions.len() < shards {
                self.sessions.push(self.client.session());
            }
            // Those of a busier time close their connections.
            self.sessions.truncate(shards);
            let mut sessions = std::mem::take(&mut self.sessions);
            let sent = {
                let line = &self.line;
                let shards = sessions.iter_mut().zip(&round.shards);
                join_all(shards.map(|(session, requests)| line.send_shard(session, requests))).await
            };
            self.sessions = sessions;
            if sent.iter().all(Result::is_ok) {
                for (reason, samples) in round.lost {
                    self.line.lose(reason, samples);
                }
                return;
            }
            // Receivers keep once what some shards have sent already.
            warn!(
                name = self.line.config.name,
                "The remote end does not understand remote write 2.0; it gets 1.0 from now on."
            );
            self.line.version = Version::V1;
            self.describe_at = self.line.clock.monotonic();
        }
    }

    /// Version 1 tells what families mean in requests of their own, now and then. They are not
    /// tried again before the next time: samples must not wait for them.
    async fn describe_families(&mut self) {
        let now = self.line.clock.monotonic();
        if !self.line.describes() || now < self.describe_at {
            return;
        }
        let families = self.line.sink.backlog.with(Families::all);
        if families.is_empty() {
            // Nothing was scraped yet; the first samples bring them.
            self.describe_at = now + self.line.config.metadata.send_interval.min(FIRST_FAMILIES);
            return;
        }
        self.describe_at = now + self.line.config.metadata.send_interval;
        let mut session = self.sessions.pop().unwrap_or_else(|| self.client.session());
        let headers = self.line.request_headers();
        for piece in families.chunks(self.line.config.metadata.max_samples_per_send) {
            let mut encoder = EncoderV1::default();
            for metadata in piece {
                encoder.metadata(&frame::described(metadata));
            }
            let Ok(body) = remote_write::compress(&encoder.finish()) else { continue };
            let body = Bytes::from(body);
            match self.line.attempt(&mut session, &headers, &body).await {
                Answer::Taken(_) => {
                    self.line.sink.stats.metadata_sent.add(piece.len() as u64);
                    self.line.sink.stats.bytes_sent.add(body.len() as u64);
                }
                Answer::Later { reason, .. } | Answer::Refused { reason, .. } => {
                    let name = &self.line.config.name;
                    debug!(name, reason, "Families were not described; they are the next time.");
                    break;
                }
            }
        }
        self.sessions.push(session);
    }
}

impl Line {
    /// The frames of a round, and the place behind them.
    async fn read(&self, cursor: Cursor) -> durable::Result<(Frames, Cursor)> {
        let queue = &self.config.queue;
        let samples_max = queue.capacity.saturating_mul(queue.max_shards) as u64;
        let sink = Arc::clone(&self.sink);
        let read = tokio::task::spawn_blocking(move || {
            let (mut cursor, mut frames) = (cursor, Frames::new());
            let (mut samples, mut bytes) = (0, 0);
            while samples < samples_max && bytes < ROUND_BYTES {
                let (more, behind) = sink.backlog.read(cursor, READ_BYTES)?;
                if behind == cursor {
                    break;
                }
                cursor = behind;
                samples += more.iter().map(|(_, frame)| items(frame)).sum::<u64>();
                bytes += more.iter().map(|(_, frame)| frame.len()).sum::<usize>();
                frames.extend(more);
            }
            frames.retain(|(seq, _)| !sink.backlog.was_dropped(*seq));
            Ok((frames, cursor))
        });
        match read.await {
            Ok(read) => read,
            Err(error) => Err(std::io::Error::other(error).into()),
        }
    }

    /// Until there is something to send, or families are to be described; then until there is
    /// enough for a request, or the deadline.
    async fn wait_for_news(&self, describe_at: Duration) {
        let queue = &self.config.queue;
        let news = &self.sink.backlog.news;
        let next = describe_at.saturating_sub(self.clock.monotonic());
        tokio::select! {
            () = news.notified() => {}
            () = tokio::time::sleep(next), if self.describes() => return,
        }
        let deadline = tokio::time::sleep(queue.batch_send_deadline);
        tokio::pin!(deadline);
        while self.sink.stats.samples_waiting.get() < queue.max_samples_per_send as u64 {
            tokio::select! {
                () = &mut deadline => return,
                () = news.notified() => {}
            }
        }
    }

    async fn build(&self, frames: Arc<Frames>) -> Round {
        let queue = &self.config.queue;
        let samples: u64 = frames.iter().map(|(_, frame)| items(frame)).sum();
        let wanted = usize::try_from(samples.div_ceil(queue.capacity as u64)).unwrap_or(usize::MAX);
        let plan = Plan {
            version: self.version,
            shards: wanted.clamp(queue.min_shards, queue.max_shards),
            samples_max: queue.max_samples_per_send,
            oldest: self.oldest(),
            families: self.sink.backlog.with(Clone::clone),
        };
        let built = tokio::task::spawn_blocking(move || plan.build(&frames)).await;
        match built {
            Ok(round) => round,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The process is ending: nothing may be marked as sent any more.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// One request after another, so that samples of a series arrive in their order.
    async fn send_shard(&self, session: &mut Session, requests: &[Request]) -> Result<(), TooNew> {
        for request in requests {
            self.send_request(session, request).await?;
        }
        Ok(())
    }

    /// Sends until it is taken or given up.
    async fn send_request(&self, session: &mut Session, request: &Request) -> Result<(), TooNew> {
        let (queue, stats) = (&self.config.queue, &self.sink.stats);
        let headers = self.request_headers();
        let mut pause = queue.min_backoff;
        let mut failed = false;
        loop {
            if self.sink.backlog.was_dropped(request.last_seq) {
                // It was counted when it was dropped.
                return Ok(());
            }
            if self.oldest().is_some_and(|oldest| request.newest < oldest) {
                self.lose("too_old", request.samples);
                return Ok(());
            }
            match self.attempt(session, &headers, &request.body).await {
                Answer::Taken(answer) => {
                    if self.version == Version::V2 {
                        self.check_written(&answer, request.samples)?;
                    }
                    if failed {
                        info!(name = self.config.name, "A remote end takes samples again.");
                    }
                    self.count(stats, request);
                    return Ok(());
                }
                Answer::Refused { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, .. }
                    if self.version == Version::V2 =>
                {
                    return Err(TooNew);
                }
                Answer::Refused { reason, .. } => {
                    self.refused(request.samples, &reason);
                    return Ok(());
                }
                Answer::Later { status: Some(StatusCode::TOO_MANY_REQUESTS), reason, .. }
                    if !queue.retry_on_http_429 =>
                {
                    self.refused(request.samples, &reason);
                    return Ok(());
                }
                Answer::Later { reason, retry_after, .. } => {
                    stats.requests_failed.add(1);
                    if !std::mem::replace(&mut failed, true) {
                        let name = &self.config.name;
                        warn!(name, reason, "Cannot send samples; it is tried again.");
                    }
                    let wanted = retry_after.filter(|wanted| !wanted.is_zero());
                    let wait = wanted.unwrap_or(pause);
                    tokio::time::sleep(wait).await;
                    pause = (wait * 2).clamp(queue.min_backoff, queue.max_backoff);
                }
            }
        }
    }

    async fn attempt(&self, session: &mut Session, headers: &HeaderMap, body: &Bytes) -> Answer {
        let post = Post { url: &self.config.url, headers, body, body_limit: 0 };
        request::attempt(session, post, self.config.timeout).await
    }

    fn request_headers(&self) -> HeaderMap {
        let mut headers = self.headers.clone();
        let version = match self.version {
            Version::V1 => "0.1.0",
            Version::V2 => "2.0.0",
        };
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("snappy"));
        let content_type = HeaderValue::from_static(self.version.content_type());
        headers.insert(header::CONTENT_TYPE, content_type);
        headers.insert(HeaderName::from_static(VERSION_HEADER), HeaderValue::from_static(version));
        headers
    }

    /// A receiver that says nothing of what it wrote took version 2 for version 1, and found nothing
    /// in it.
    fn check_written(&self, answer: &HeaderMap, samples: u64) -> Result<(), TooNew> {
        let number = |name| answer.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        let written: Vec<u64> = WRITTEN_HEADERS.into_iter().filter_map(number).collect();
        if written.is_empty() {
            return Err(TooNew);
        }
        let missing = samples.saturating_sub(written.iter().sum());
        if missing > 0 {
            self.sink.stats.samples_refused_partly.add(missing);
            debug!(
                name = self.config.name,
                missing, "A remote end kept fewer samples than it got."
            );
        }
        Ok(())
    }

    fn count(&self, stats: &Stats, request: &Request) {
        stats.requests.add(1);
        stats.samples_sent.add(request.samples);
        stats.samples_waiting.subtract(request.samples);
        stats.bytes_sent.add(request.body.len() as u64);
        stats.newest_sent_ms.raise(u64::try_from(request.newest.0).unwrap_or(0));
        stats.last_request_ms.set(u64::try_from(self.now().0).unwrap_or(0));
    }

    fn refused(&self, samples: u64, reason: &str) {
        let name = &self.config.name;
        error!(name, samples, reason, "Samples are lost: they were refused for good.");
        self.lose("refused", samples);
    }

    fn lose(&self, reason: &'static str, samples: u64) {
        self.sink.stats.lost.add(reason, samples);
        self.sink.stats.samples_waiting.subtract(samples);
    }

    fn now(&self) -> Millis {
        Millis(self.clock.now().0.div_euclid(1_000_000))
    }

    /// What is older is not sent.
    fn oldest(&self) -> Option<Millis> {
        let limit = self.config.queue.sample_age_limit;
        let limit = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
        (limit > 0).then(|| Millis(self.now().0.saturating_sub(limit)))
    }

    fn describes(&self) -> bool {
        self.version == Version::V1 && self.config.metadata.send
    }
}

/// How soon families are described that nothing was known of at the start.
const FIRST_FAMILIES: Duration = Duration::from_secs(5);
