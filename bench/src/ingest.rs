//! Sends the samples of a load by remote write 1.0, in the order of time, over a few connections.
//!
//! One thread makes the samples and the requests, one thread for each connection sends them. A
//! host stays on one connection, so that no series ever comes out of order. The queues between
//! them are bounded: a slow server makes the generator wait.
//!
//! Only a 2xx counts as acknowledged. What samples are is `data.rs`, what the bytes are `wire`.

use std::{
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use masthead_model::{Labels, Millis};
use masthead_wire::remote_write::{EncoderV1, FloatPoint, Version, compress};

use crate::{
    data::{Host, Plan},
    http::Http,
    recording::Recording,
};

/// As Prometheus' own sender has it by default (`max_samples_per_send` was 500, then 2,000).
pub(crate) const SAMPLES_PER_REQUEST_MAX: usize = 5_000;
/// Connections that send at once.
pub(crate) const CONNECTIONS: usize = 2;
/// Requests that wait for a connection.
const QUEUED_MAX: usize = 4;
/// How often a request is sent again after the server asked for it by 429 or 503.
const RETRIES_MAX: u32 = 20;

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    /// Samples in requests that were answered with success.
    pub samples: u64,
    pub wall: Duration,
}

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Load<'a> {
    Fleet(&'a Plan),
    Recorded(&'a Recording),
}

impl Load<'_> {
    /// How many samples it has.
    pub(crate) fn samples(self) -> u64 {
        match self {
            Self::Fleet(plan) => plan.samples(),
            Self::Recorded(recording) => recording.len(),
        }
    }
}

/// Sends all of `load` to `url`.
///
/// # Errors
/// The first request that was refused, with the server's words.
pub(crate) fn send(load: Load<'_>, url: &str, http: &Http) -> Result<Sent> {
    let began = Instant::now();
    let samples = AtomicU64::new(0);
    thread::scope(|scope| {
        let (mut queues, mut senders) = (Vec::new(), Vec::new());
        for _ in 0..CONNECTIONS {
            let (queue, waiting) = sync_channel(QUEUED_MAX);
            queues.push(queue);
            let samples = &samples;
            senders.push(scope.spawn(move || {
                deliver(&waiting, url, http, |count| {
                    samples.fetch_add(count, Ordering::Relaxed);
                })
            }));
        }
        let generated = match load {
            Load::Fleet(plan) => generate(plan, &queues),
            Load::Recorded(recording) => replay(recording, &queues),
        };
        drop(queues);
        for sender in senders {
            match sender.join() {
                Ok(outcome) => outcome?,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        generated
    })?;
    Ok(Sent { samples: samples.into_inner(), wall: began.elapsed() })
}

/// A body, not yet compressed, with its count of samples.
type Body = (Vec<u8>, u64);

fn generate(plan: &Plan, queues: &[SyncSender<Body>]) -> Result<()> {
    let fleet = plan.fleet();
    let hosts = (0..plan.hosts).map(|number| Host::new(plan, &fleet, number));
    let mut hosts: Vec<Host> = hosts.collect();
    // Each connection takes a contiguous share of the hosts.
    let share = hosts.len().div_ceil(queues.len()).max(1);
    for _ in 0..plan.rounds {
        for (hosts, queue) in hosts.chunks_mut(share).zip(queues) {
            let mut batch = Batch::new(queue);
            for host in hosts {
                let timestamp = host.scrape(plan, &fleet);
                for (labels, value) in host.labels().iter().zip(host.values()) {
                    batch.push(labels, timestamp, *value)?;
                }
            }
            batch.flush()?;
        }
    }
    Ok(())
}

/// Sends what was recorded; series of one target stay on one connection.
fn replay(recording: &Recording, queues: &[SyncSender<Body>]) -> Result<()> {
    let mut targets: Vec<&str> = Vec::new();
    let connections: Vec<usize> = recording
        .series
        .iter()
        .map(|labels| {
            let target = labels.get("instance").unwrap_or_default();
            let known = targets.iter().rposition(|known| *known == target);
            known.unwrap_or_else(|| {
                targets.push(target);
                targets.len() - 1
            }) % queues.len()
        })
        .collect();
    let mut batches: Vec<Batch<'_>> = queues.iter().map(Batch::new).collect();
    for (series, timestamp, value) in recording.samples() {
        let series = series as usize;
        let batch = connections.get(series).and_then(|at| batches.get_mut(*at));
        if let (Some(batch), Some(labels)) = (batch, recording.series.get(series)) {
            batch.push(labels, timestamp, value)?;
        }
    }
    batches.iter_mut().try_for_each(Batch::flush)
}

struct Batch<'a> {
    queue: &'a SyncSender<Body>,
    encoder: EncoderV1,
    count: usize,
}

impl<'a> Batch<'a> {
    fn new(queue: &'a SyncSender<Body>) -> Self {
        Self { queue, encoder: EncoderV1::default(), count: 0 }
    }

    fn push(&mut self, labels: &Labels, timestamp: Millis, value: f64) -> Result<()> {
        let point = FloatPoint { timestamp, start: None, value };
        self.encoder.series(labels, &[point], &[], &[]);
        self.count += 1;
        if self.count == SAMPLES_PER_REQUEST_MAX { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        if self.count > 0 {
            let body = std::mem::take(&mut self.encoder).finish();
            let count = std::mem::take(&mut self.count) as u64;
            self.queue.send((body, count)).context("the connection ended")?;
        }
        Ok(())
    }
}

fn deliver(
    waiting: &Receiver<Body>,
    url: &str,
    http: &Http,
    acknowledged: impl Fn(u64),
) -> Result<()> {
    let headers = [
        ("Content-Type", Version::V1.content_type()),
        ("Content-Encoding", "snappy"),
        ("X-Prometheus-Remote-Write-Version", "0.1.0"),
        ("User-Agent", "masthead-bench"),
    ];
    for (body, count) in waiting {
        let body = compress(&body)?;
        let mut tries = 0;
        loop {
            let answer = http.post(url, &headers, &body)?;
            if answer.is_success() {
                break acknowledged(count);
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
    use std::{collections::HashMap, io::Read as _, net::TcpListener, sync::Arc};

    use masthead_model::Millis;
    use masthead_wire::{
        Limits,
        remote_write::{Decoder, LabelScratch, decompress},
    };

    use super::*;
    use crate::http::Patience;

    fn plan() -> Plan {
        let end = Millis(1_800_000_000_000);
        Plan { hosts: 3, series: 300, rounds: 4, jitter_percent: 5, seed: 1, end }
    }

    #[test]
    fn a_request_holds_at_most_its_limit_and_no_series_goes_back_in_time() {
        let plan = Plan { hosts: 5, series: 2_300, ..plan() };
        let (queue, waiting) = sync_channel(64);
        generate(&plan, &[queue]).unwrap();
        let mut newest: HashMap<String, Millis> = HashMap::new();
        let mut total = 0;
        for (body, count) in waiting {
            assert!(count <= SAMPLES_PER_REQUEST_MAX as u64, "{count}");
            let mut decoder = Decoder::new(&body, Version::V1, Limits::default()).unwrap();
            let mut in_body = 0;
            while let Some(series) = decoder.next_series().unwrap() {
                let labels = series.labels(&mut LabelScratch::default(), &Limits::default());
                let at = series.samples[0].timestamp;
                let before = newest.insert(labels.unwrap().to_string(), at);
                assert!(before.is_none_or(|before| before < at));
                in_body += 1;
            }
            assert_eq!(in_body, count);
            total += count;
        }
        assert_eq!((total, newest.len()), (plan.samples(), 5 * 2_300));
    }

    /// A server that answers every request with the next of `statuses`, then stops.
    fn server(statuses: Vec<u16>) -> (String, thread::JoinHandle<Vec<Vec<u8>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/write", listener.local_addr().unwrap());
        let answers = thread::spawn(move || {
            let mut bodies = Vec::new();
            for status in statuses {
                let (mut stream, _) = listener.accept().unwrap();
                let mut got = Vec::new();
                let head_end = loop {
                    let mut some = [0; 4096];
                    let read = stream.read(&mut some).unwrap();
                    got.extend_from_slice(&some[..read]);
                    if let Some(at) = got.windows(4).position(|four| four == b"\r\n\r\n") {
                        break at + 4;
                    }
                };
                let head = String::from_utf8_lossy(&got[..head_end]).to_lowercase();
                let length = head.split("content-length: ").nth(1).unwrap();
                let length: usize = length.lines().next().unwrap().parse().unwrap();
                let mut body = got.split_off(head_end);
                let missing = length - body.len();
                std::io::copy(&mut stream.by_ref().take(missing as u64), &mut body).unwrap();
                bodies.push(body);
                let answer = format!(
                    "HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: 4\r\n\r\nword"
                );
                std::io::Write::write_all(&mut stream, answer.as_bytes()).unwrap();
            }
            bodies
        });
        (url, answers)
    }

    #[test]
    fn what_is_refused_for_now_is_sent_again_and_any_other_refusal_ends_with_its_words() {
        let f = |statuses: &[u16], want: Result<u64, &str>| {
            let (url, answers) = server(statuses.to_vec());
            let stop = Arc::new(false.into());
            let http = Http::new(&Patience::new(Duration::from_secs(20), stop));
            let plan = Plan { hosts: 1, rounds: 1, ..plan() };
            let got = send(Load::Fleet(&plan), &url, &http).map(|sent| sent.samples);
            match want {
                Ok(samples) => assert_eq!(got.unwrap(), samples),
                Err(words) => assert!(got.unwrap_err().to_string().ends_with(words)),
            }
            let bodies = answers.join().unwrap();
            assert_eq!(bodies.len(), statuses.len());
            let mut plain = Vec::new();
            decompress(&bodies[0], &Limits::default(), &mut plain).unwrap();
            assert!(bodies.iter().all(|body| *body == bodies[0]));
        };
        f(&[204], Ok(300));
        f(&[503, 429, 200], Ok(300));
        f(&[400], Err("/write: status 400: word"));
    }
}
