//! Sends a corpus as pushes of Loki's, in the order of time, over a few connections.
//!
//! One thread makes the lines and the requests, one thread for each connection sends them. A
//! stream stays on one connection, so that none ever goes back in time. The queues between them
//! are bounded: a slow server makes the generator wait. Only a 2xx counts as acknowledged.

use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
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

/// What a push is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Encoding {
    /// Protobuf in a block of snappy, as collectors do.
    #[default]
    Protobuf,
    /// JSON as it is, as scripts do.
    Json,
}

impl Encoding {
    /// As the table calls it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Protobuf => "protobuf",
            Self::Json => "JSON",
        }
    }

    fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Protobuf => &[
                ("Content-Type", "application/x-protobuf"),
                ("Content-Encoding", "snappy"),
                ("User-Agent", "masthead-bench"),
            ],
            Self::Json => &[("Content-Type", "application/json"), ("User-Agent", "masthead-bench")],
        }
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    /// Lines in requests that were answered with success, and their bytes.
    pub lines: u64,
    pub bytes: u64,
    pub wall: Duration,
}

/// A request's body, not yet compressed where it is to be, and what is in it.
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
pub(crate) fn send(corpus: &Corpus, encoding: Encoding, url: &str, http: &Http) -> Result<Sent> {
    let began = Instant::now();
    let (lines, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        let (mut queues, mut senders) = (Vec::new(), Vec::new());
        for _ in 0..CONNECTIONS {
            let (queue, waiting) = sync_channel(QUEUED_MAX);
            queues.push(queue);
            let (lines, bytes) = (&lines, &bytes);
            senders.push(scope.spawn(move || {
                deliver(&waiting, encoding, (url, http), |request| {
                    lines.fetch_add(request.lines, Ordering::Relaxed);
                    bytes.fetch_add(request.bytes, Ordering::Relaxed);
                })
            }));
        }
        let generated = generate(corpus, encoding, &queues);
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

fn generate(corpus: &Corpus, encoding: Encoding, queues: &[SyncSender<Request>]) -> Result<()> {
    let labels = Corpus::streams();
    let mut batches: Vec<Batch<'_>> = queues.iter().map(|_| Batch::new(&labels)).collect();
    corpus.each(|line| {
        let at = line.stream % queues.len();
        let (Some(batch), Some(queue)) = (batches.get_mut(at), queues.get(at)) else {
            return Ok(());
        };
        if batch.add(line.stream, line.at, line.text) >= REQUEST_BYTES_MAX {
            batch.flush(encoding, queue)?;
        }
        anyhow::Ok(())
    })?;
    batches.iter_mut().zip(queues).try_for_each(|(batch, queue)| batch.flush(encoding, queue))
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

    fn flush(&mut self, encoding: Encoding, queue: &SyncSender<Request>) -> Result<()> {
        let lines = self.lines.iter().map(|entries| entries.len() as u64).sum();
        let bytes = std::mem::take(&mut self.bytes) as u64;
        if lines > 0 {
            let body = match encoding {
                Encoding::Protobuf => self.protobuf(),
                Encoding::Json => self.json()?,
            };
            queue.send(Request { body, lines, bytes }).context("the connection ended")?;
        }
        self.lines.iter_mut().for_each(Vec::clear);
        Ok(())
    }

    /// Streams that have lines, with those.
    fn streams(&self) -> impl Iterator<Item = (&Labels, &Vec<(Nanos, String)>)> {
        self.labels.iter().zip(&self.lines).filter(|(_, entries)| !entries.is_empty())
    }

    fn protobuf(&self) -> Vec<u8> {
        let (mut encoder, none) = (Encoder::default(), Labels::default());
        for (labels, entries) in self.streams() {
            encoder.stream(labels, entries.iter().map(|(at, line)| (*at, line.as_bytes(), &none)));
        }
        encoder.finish()
    }

    fn json(&self) -> Result<Vec<u8>> {
        let streams = self.streams().map(|(labels, entries)| {
            let stream: BTreeMap<&str, &str> =
                labels.iter().map(|label| (label.name, label.value)).collect();
            let values: Vec<(String, &str)> =
                entries.iter().map(|(at, line)| (at.0.to_string(), line.as_str())).collect();
            serde_json::json!({ "stream": stream, "values": values })
        });
        let push = serde_json::json!({ "streams": streams.collect::<Vec<_>>() });
        serde_json::to_vec(&push).context("cannot write a push")
    }
}

fn deliver(
    waiting: &Receiver<Request>,
    encoding: Encoding,
    (url, http): (&str, &Http),
    acknowledged: impl Fn(&Request),
) -> Result<()> {
    for request in waiting {
        let compressed = match encoding {
            Encoding::Protobuf => Some(compress(&request.body)?),
            Encoding::Json => None,
        };
        let body = compressed.as_ref().unwrap_or(&request.body);
        let mut tries = 0;
        loop {
            let answer = http.post(url, encoding.headers(), body)?;
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

    use masthead_wire::{
        Limits,
        loki::{decode_json, decode_protobuf},
    };

    use super::*;

    #[test]
    fn requests_are_bounded_and_hold_every_line_once_in_the_order_of_its_stream() {
        for encoding in [Encoding::Protobuf, Encoding::Json] {
            check(encoding);
        }
    }

    fn check(encoding: Encoding) {
        let end = Nanos(1_800_000_000_000_000_000);
        let corpus = Corpus { bytes: 3 << 20, hours: 1, seed: 3, end };
        let (queue, waiting) = sync_channel(64);
        generate(&corpus, encoding, &[queue]).unwrap();
        let mut newest: HashMap<String, Nanos> = HashMap::new();
        let (mut lines, mut requests) = (0, 0);
        for mut request in waiting {
            assert!(request.bytes < (REQUEST_BYTES_MAX + 1_000) as u64, "{}", request.bytes);
            let push = match encoding {
                Encoding::Protobuf => decode_protobuf(&request.body, &Limits::default()),
                Encoding::Json => decode_json(&mut request.body, &Limits::default()),
            };
            let mut in_body = 0;
            for stream in push.unwrap().streams {
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
        assert!(requests >= 3);
    }
}
