//! Sends a corpus as pushes of Loki's protobuf, in the order of time, over a few connections.
//!
//! One thread makes the lines and the requests, one thread for each connection sends them. A
//! stream stays on one connection, so that none ever goes back in time. The queues between them
//! are bounded: a slow server makes the generator wait. Only a 2xx counts as acknowledged.

use std::{
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use masthead_model::{Labels, Nanos};
use masthead_wire::{loki::Encoder, remote_write::compress};

use super::corpus::Corpus;
use crate::http::Http;

/// As Promtail has it by default (`batchsize`).
const REQUEST_BYTES_MAX: usize = 1 << 20;
/// Connections that send at once.
const CONNECTIONS: usize = 2;
/// Requests that wait for a connection.
const QUEUED_MAX: usize = 4;
/// How often a request is sent again after the server asked for it by 429 or 503.
const RETRIES_MAX: u32 = 40;

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    /// Lines in requests that were answered with success, and their bytes.
    pub lines: u64,
    pub bytes: u64,
    pub wall: Duration,
}

/// A request's body, not yet compressed, and what is in it.
#[derive(Debug)]
struct Request {
    body: Vec<u8>,
    lines: u64,
    bytes: u64,
}

/// Sends all of `corpus` to `url`.
///
/// # Errors
/// The first request that was refused, with the server's words.
pub(crate) fn send(corpus: &Corpus, url: &str, http: &Http) -> Result<Sent> {
    let began = Instant::now();
    let (lines, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        let (mut queues, mut senders) = (Vec::new(), Vec::new());
        for _ in 0..CONNECTIONS {
            let (queue, waiting) = sync_channel(QUEUED_MAX);
            queues.push(queue);
            let (lines, bytes) = (&lines, &bytes);
            senders.push(scope.spawn(move || {
                deliver(&waiting, url, http, |request| {
                    lines.fetch_add(request.lines, Ordering::Relaxed);
                    bytes.fetch_add(request.bytes, Ordering::Relaxed);
                })
            }));
        }
        let generated = generate(corpus, &queues);
        drop(queues);
        for sender in senders {
            match sender.join() {
                Ok(outcome) => outcome?,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        generated
    })?;
    let (lines, bytes) = (lines.into_inner(), bytes.into_inner());
    Ok(Sent { lines, bytes, wall: began.elapsed() })
}

fn generate(corpus: &Corpus, queues: &[SyncSender<Request>]) -> Result<()> {
    let labels = Corpus::streams();
    let mut batches: Vec<Batch<'_>> = queues.iter().map(|_| Batch::new(&labels)).collect();
    corpus.each(|line| {
        let at = line.stream % queues.len();
        let (Some(batch), Some(queue)) = (batches.get_mut(at), queues.get(at)) else {
            return Ok(());
        };
        if batch.add(line.stream, line.at, line.text) >= REQUEST_BYTES_MAX {
            batch.flush(queue)?;
        }
        anyhow::Ok(())
    })?;
    batches.iter_mut().zip(queues).try_for_each(|(batch, queue)| batch.flush(queue))
}

/// Lines that become one request.
#[derive(Debug)]
struct Batch<'a> {
    labels: &'a [Labels],
    /// By stream: when and what.
    lines: Vec<Vec<(Nanos, String)>>,
    bytes: usize,
}

impl<'a> Batch<'a> {
    fn new(labels: &'a [Labels]) -> Self {
        Self { labels, lines: labels.iter().map(|_| Vec::new()).collect(), bytes: 0 }
    }

    /// Adds a line and returns how many bytes there are.
    fn add(&mut self, stream: usize, at: Nanos, text: &str) -> usize {
        if let Some(lines) = self.lines.get_mut(stream) {
            lines.push((at, text.to_owned()));
            self.bytes += text.len();
        }
        self.bytes
    }

    fn flush(&mut self, queue: &SyncSender<Request>) -> Result<()> {
        let (mut encoder, mut lines, none) = (Encoder::default(), 0, Labels::default());
        for (labels, entries) in self.labels.iter().zip(&mut self.lines) {
            if !entries.is_empty() {
                lines += entries.len() as u64;
                encoder
                    .stream(labels, entries.iter().map(|(at, line)| (*at, line.as_bytes(), &none)));
                entries.clear();
            }
        }
        let bytes = std::mem::take(&mut self.bytes) as u64;
        if lines > 0 {
            let request = Request { body: encoder.finish(), lines, bytes };
            queue.send(request).context("the connection ended")?;
        }
        Ok(())
    }
}

fn deliver(
    waiting: &Receiver<Request>,
    url: &str,
    http: &Http,
    acknowledged: impl Fn(&Request),
) -> Result<()> {
    let headers = [
        ("Content-Type", "application/x-protobuf"),
        ("Content-Encoding", "snappy"),
        ("User-Agent", "masthead-bench"),
    ];
    for request in waiting {
        let body = compress(&request.body)?;
        let mut tries = 0;
        loop {
            let answer = http.post(url, &headers, &body)?;
            if answer.is_success() {
                break acknowledged(&request);
            }
            tries += 1;
            if !matches!(answer.status, 429 | 503) || tries > RETRIES_MAX {
                bail!("POST {url}: {}", answer.summary());
            }
            http.patience().sleep(Duration::from_millis(250))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use masthead_wire::{Limits, loki::decode_protobuf};

    use super::*;

    #[test]
    fn requests_are_bounded_and_hold_every_line_once_in_the_order_of_its_stream() {
        let end = Nanos(1_800_000_000_000_000_000);
        let corpus = Corpus { bytes: 6 << 20, hours: 1, seed: 3, end };
        let (queue, waiting) = sync_channel(64);
        generate(&corpus, &[queue]).unwrap();
        let mut newest: HashMap<String, Nanos> = HashMap::new();
        let (mut lines, mut requests) = (0, 0);
        for request in waiting {
            assert!(request.bytes < (REQUEST_BYTES_MAX + 1_000) as u64, "{}", request.bytes);
            let push = decode_protobuf(&request.body, &Limits::default()).unwrap();
            let mut in_body = 0;
            for stream in push.streams {
                let name = format!("{:?}", stream.labels);
                for entry in &stream.entries {
                    let before = newest.insert(name.clone(), entry.timestamp);
                    assert!(before.is_none_or(|before| before < entry.timestamp));
                    in_body += 1;
                }
            }
            assert_eq!(in_body, request.lines);
            lines += in_body;
            requests += 1;
        }
        assert_eq!((lines, newest.len()), (corpus.lines(), 60));
        assert!(requests >= 6);
    }
}
