//! From a work that writes bytes on a blocking thread to a response body, chunk by chunk.
//!
//! An answer is never whole in memory unless it is smaller than one chunk: the writer hands on
//! chunks of at most [`CHUNK`] bytes through a channel that holds [`CHUNKS`] of them, and waits
//! when the client is slow. What fits one chunk is sent with its length and without a channel.
//! Compression happens on the blocking thread too. What is known to be quick is written without
//! another thread, see `quick.rs`.
//!
//! Invariant: an answer that broke off never looks complete. The body ends in an error, so that
//! the connection is closed before the last chunk.

use std::{
    io::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http_body::Frame;
use masthead_model::ErrorClass;
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};

use crate::{
    error::ApiError,
    lane::Place,
    stats::{Counters, add},
};

/// Bytes of one chunk at most.
pub(crate) const CHUNK: usize = 64 * 1024;
/// Chunks that wait for the connection at most.
pub(crate) const CHUNKS: usize = 4;
/// Shorter answers are not worth compressing.
const GZIP_MIN: usize = 1024;

/// Why a work ended without an answer.
#[derive(Debug)]
pub(crate) enum Stop {
    /// There is something to say about it.
    Failed(ApiError),
    /// Nobody listens any more.
    Gone,
}

impl<E: Into<ApiError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// How an answer travels.
pub(crate) struct Delivery {
    /// Whether the client takes gzip.
    pub(crate) gzip: bool,
    /// How long the client may take for one chunk.
    pub(crate) stall: Duration,
    pub(crate) content_type: &'static str,
    /// What an error looks like.
    pub(crate) refuse: fn(ApiError) -> Response,
    pub(crate) counters: Arc<Counters>,
    /// Set when the client goes away.
    pub(crate) cancel: Arc<AtomicBool>,
}

/// Runs `work` on a blocking thread and answers with what it writes. `place` is given back when
/// the last byte has left the thread.
pub(crate) async fn respond(
    place: Place,
    delivery: Delivery,
    work: impl FnOnce(&mut ChunkWriter) -> Result<(), Stop> + Send + 'static,
) -> Response {
    let guard = CancelGuard(Some(Arc::clone(&delivery.cancel)));
    let counters = Arc::clone(&delivery.counters);
    let refuse = delivery.refuse;
    let content_type = HeaderValue::from_static(delivery.content_type);
    let (head, answer) = oneshot::channel();
    let runtime = Handle::current();
    // The result travels through `head`; a panic shows as its sender being dropped.
    drop(tokio::task::spawn_blocking(move || {
        let _place = place;
        let counters = Arc::clone(&delivery.counters);
        let mut writer = ChunkWriter::new(delivery, runtime, head);
        let done = match work(&mut writer) {
            Ok(()) => writer.finish(),
            Err(Stop::Failed(error)) => writer.fail(error),
            Err(Stop::Gone) => Err(Gone),
        };
        if done.is_err() {
            add(&counters.abandoned, 1);
        }
    }));
    let Ok(head) = answer.await else {
        guard.disarm();
        add(&counters.panics, 1);
        let message = "the request failed; see the server's log";
        return refuse(ApiError::new(ErrorClass::Internal, message));
    };
    let (body, gzip) = match head {
        Head::Failed(error) => {
            guard.disarm();
            return refuse(error);
        }
        Head::Whole { bytes, gzip } => {
            guard.disarm();
            (Body::from(bytes), gzip)
        }
        Head::Stream { chunks, complete, gzip } => {
            (Body::new(ChannelBody { chunks, complete, _guard: guard }), gzip)
        }
    };
    with_headers(body.into_response(), content_type, gzip)
}

/// Runs `work` here and now, and answers with what it writes; nothing if that fails or fills a
/// chunk, whereupon [`respond`] is to be asked for it.
pub(crate) fn at_once(
    delivery: Delivery,
    work: impl FnOnce(&mut ChunkWriter) -> Result<(), Stop>,
) -> Option<Response> {
    let content_type = HeaderValue::from_static(delivery.content_type);
    let (head, mut answer) = oneshot::channel();
    let mut writer = ChunkWriter::new(delivery, Handle::current(), head);
    writer.at_once = true;
    // After a panic nothing of what it was about is used, and the second run says what happened.
    let done = catch_unwind(AssertUnwindSafe(|| work(&mut writer)));
    done.ok()?.ok()?;
    writer.finish().ok()?;
    match answer.try_recv() {
        Ok(Head::Whole { bytes, gzip }) => {
            Some(with_headers(Body::from(bytes).into_response(), content_type, gzip))
        }
        Ok(Head::Failed(_) | Head::Stream { .. }) | Err(_) => None,
    }
}

fn with_headers(mut response: Response, content_type: HeaderValue, gzip: bool) -> Response {
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    // Whoever keeps answers must not give a zipped one to a client that does not take it.
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if gzip {
        let gzip = HeaderValue::from_static("gzip");
        response.headers_mut().insert(header::CONTENT_ENCODING, gzip);
    }
    response
}

/// Whether the client takes gzip, by its `Accept-Encoding`.
pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).into_iter();
    lists.filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(',')).any(|part| {
        let mut parts = part.split(';').map(str::trim);
        let name = parts.next().unwrap_or("");
        let refused = parts.any(|p| p.strip_prefix("q=").is_some_and(is_zero));
        name.eq_ignore_ascii_case("gzip") && !refused
    })
}

fn is_zero(quality: &str) -> bool {
    quality.parse::<f32>().is_ok_and(|q| q == 0.0)
}

/// What is known of an answer when its first chunk is full or it is complete.
enum Head {
    Failed(ApiError),
    Whole { bytes: Vec<u8>, gzip: bool },
    Stream { chunks: mpsc::Receiver<Bytes>, complete: Arc<AtomicBool>, gzip: bool },
}

/// Nobody listens any more.
#[derive(Debug)]
pub(crate) struct Gone;

/// Where a work writes its answer.
pub(crate) struct ChunkWriter {
    /// Write here, then call [`ChunkWriter::check`].
    pub(crate) buf: Vec<u8>,
    delivery: Delivery,
    runtime: Handle,
    /// There until the first chunk is full.
    head: Option<oneshot::Sender<Head>>,
    chunks: Option<mpsc::Sender<Bytes>>,
    complete: Arc<AtomicBool>,
    gzip: Option<GzEncoder<Vec<u8>>>,
    /// Nobody can wait here for the client.
    at_once: bool,
}

impl ChunkWriter {
    fn new(delivery: Delivery, runtime: Handle, head: oneshot::Sender<Head>) -> Self {
        Self {
            buf: Vec::with_capacity(4096),
            delivery,
            runtime,
            head: Some(head),
            chunks: None,
            complete: Arc::default(),
            gzip: None,
            at_once: false,
        }
    }

    /// Hands on what has been written once it fills a chunk. Call it after each element.
    pub(crate) fn check(&mut self) -> Result<(), Stop> {
        if self.buf.len() < CHUNK { Ok(()) } else { self.flush().map_err(|Gone| Stop::Gone) }
    }

    /// Writes a list, one element after the other.
    pub(crate) fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut push: impl FnMut(&mut Vec<u8>, T),
    ) -> Result<(), Stop> {
        self.buf.push(b'[');
        for (at, item) in items.into_iter().enumerate() {
            if at > 0 {
                self.buf.push(b',');
            }
            push(&mut self.buf, item);
            self.check()?;
        }
        self.buf.push(b']');
        Ok(())
    }

    /// Whether all there is so far is in the first chunk.
    pub(crate) fn fits(&self) -> bool {
        self.head.is_some()
    }

    fn flush(&mut self) -> Result<(), Gone> {
        if self.at_once {
            return Err(Gone);
        }
        if let Some(head) = self.head.take() {
            let (sender, chunks) = mpsc::channel(CHUNKS);
            self.chunks = Some(sender);
            let gzip = self.delivery.gzip;
            self.gzip = gzip.then(encoder);
            let complete = Arc::clone(&self.complete);
            head.send(Head::Stream { chunks, complete, gzip }).map_err(|_| Gone)?;
        }
        let Some(gzip) = &mut self.gzip else {
            // Whole chunks but for the last; what is left over begins the next.
            let mut rest = Vec::with_capacity(CHUNK + 4096);
            if self.buf.len() > CHUNK {
                let whole = self.buf.len() - self.buf.len() % CHUNK;
                rest.extend(self.buf.drain(whole..));
            }
            let full = std::mem::replace(&mut self.buf, rest);
            return self.send(full);
        };
        // Writing to memory does not fail; if it ever did, the answer would be broken off.
        gzip.write_all(&self.buf).map_err(|_| Gone)?;
        self.buf.clear();
        if gzip.get_ref().len() < CHUNK / 2 {
            return Ok(());
        }
        let full = std::mem::take(gzip.get_mut());
        self.send(full)
    }

    fn send(&mut self, bytes: Vec<u8>) -> Result<(), Gone> {
        let Some(chunks) = &self.chunks else { return Err(Gone) };
        let mut bytes = Bytes::from(bytes);
        while !bytes.is_empty() {
            // One element, such as a long label, may be longer than a chunk.
            let chunk = bytes.split_to(bytes.len().min(CHUNK));
            add(&self.delivery.counters.streamed_bytes, chunk.len());
            let wait = tokio::time::timeout(self.delivery.stall, chunks.send(chunk));
            match self.runtime.block_on(wait) {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return Err(Gone),
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), Gone> {
        if let Some(head) = self.head.take() {
            let mut bytes = std::mem::take(&mut self.buf);
            let gzip = self.delivery.gzip && bytes.len() >= GZIP_MIN;
            if gzip {
                let mut encoder = encoder();
                encoder.write_all(&bytes).map_err(|_| Gone)?;
                bytes = encoder.finish().map_err(|_| Gone)?;
            }
            add(&self.delivery.counters.streamed_bytes, bytes.len());
            return head.send(Head::Whole { bytes, gzip }).map_err(|_| Gone);
        }
        while !self.buf.is_empty() {
            self.flush()?;
        }
        if let Some(gzip) = self.gzip.take() {
            let rest = gzip.finish().map_err(|_| Gone)?;
            self.send(rest)?;
        }
        // The store happens before the sender is dropped, which ends the body.
        self.complete.store(true, Ordering::Release);
        Ok(())
    }

    /// Says why there is no answer, if nothing of it has left yet.
    fn fail(mut self, error: ApiError) -> Result<(), Gone> {
        let head = self.head.take().ok_or(Gone)?;
        head.send(Head::Failed(error)).map_err(|_| Gone)
    }
}

/// The fastest level: JSON of numbers shrinks nearly as well as with the slow ones.
fn encoder() -> GzEncoder<Vec<u8>> {
    GzEncoder::new(Vec::new(), Compression::fast())
}

/// Sets the flag when it is dropped before it is disarmed: the client went away.
struct CancelGuard(Option<Arc<AtomicBool>>);

impl CancelGuard {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for CancelGuard {
    fn drop(&mut self) {
        if let Some(cancel) = &self.0 {
            cancel.store(true, Ordering::Relaxed);
        }
    }
}

/// The receiving end as a body. Dropping it cancels the work.
struct ChannelBody {
    chunks: mpsc::Receiver<Bytes>,
    complete: Arc<AtomicBool>,
    _guard: CancelGuard,
}

/// The writer ended before the answer did.
#[derive(Debug, thiserror::Error)]
#[error("the answer broke off")]
struct BrokenOff;

impl http_body::Body for ChannelBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        self.chunks.poll_recv(context).map(|chunk| match chunk {
            Some(chunk) => Some(Ok(Frame::data(chunk))),
            None if self.complete.load(Ordering::Acquire) => None,
            None => Some(Err(BrokenOff)),
        })
    }
}

#[cfg(test)]
mod tests;
