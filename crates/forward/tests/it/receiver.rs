//! A receiver of remote write that remembers what it took, and misbehaves as told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use masthead_wire::{
    Limits,
    remote_write::{Decoder, LabelScratch, Version, decompress},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What the receiver does with one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mood {
    Takes,
    /// Takes it, and answers as if it did not: the answer is lost on the way.
    TakesAndHangsUp,
    Answers(u16, &'static str),
    /// Reads half of the body and hangs up.
    BreaksOff,
    /// Never answers.
    Hangs,
}

/// One sample that was taken.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Taken {
    pub labels: String,
    pub timestamp: i64,
    pub value: f64,
    pub histogram: bool,
    pub exemplars: usize,
    pub start: Option<i64>,
    pub help: Option<String>,
}

#[derive(Debug, Default)]
struct Inner {
    /// For the next requests; then `after`.
    moods: VecDeque<Mood>,
    after: Option<Mood>,
    taken: Vec<Taken>,
    families: Vec<String>,
    /// The first line and the headers of every request, in small letters.
    requests: Vec<String>,
    /// Whether version 2 is understood, and whether it is said so.
    old: bool,
    silent: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Receiver {
    pub port: u16,
    inner: Arc<Mutex<Inner>>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        Self::start_at(0).await
    }

    #[expect(clippy::disallowed_methods, reason = "a server of the test, which ends with it")]
    pub(crate) async fn start_at(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let receiver = Self { port, inner: Arc::default() };
        let inner = Arc::clone(&receiver.inner);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&inner)));
            }
        });
        receiver
    }

    /// The next requests meet these moods.
    pub(crate) fn next(&self, moods: &[Mood]) {
        self.inner.lock().unwrap().moods.extend(moods.iter().cloned());
    }

    /// All requests from now on meet this mood.
    pub(crate) fn always(&self, mood: Mood) {
        let mut inner = self.inner.lock().unwrap();
        inner.moods.clear();
        inner.after = Some(mood);
    }

    /// Answers version 2 with 415.
    pub(crate) fn is_old(&self) {
        self.inner.lock().unwrap().old = true;
    }

    /// Answers version 2 as if it had been understood, without a word of what was written.
    pub(crate) fn is_silent(&self) {
        self.inner.lock().unwrap().silent = true;
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.inner.lock().unwrap().taken.clone()
    }

    pub(crate) fn families(&self) -> Vec<String> {
        self.inner.lock().unwrap().families.clone()
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.inner.lock().unwrap().requests.clone()
    }

    pub(crate) async fn wait_for(&self, samples: usize) -> Vec<Taken> {
        self.wait(|inner| inner.taken.len() >= samples).await;
        self.taken()
    }

    pub(crate) async fn wait_for_requests(&self, requests: usize) {
        self.wait(|inner| inner.requests.len() >= requests).await;
    }

    pub(crate) async fn wait_for_families(&self, families: usize) {
        self.wait(|inner| inner.families.len() >= families).await;
    }

    async fn wait(&self, done: impl Fn(&Inner) -> bool) {
        for _ in 0..6000 {
            if done(&self.inner.lock().unwrap()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("in vain; {:?}", self.inner.lock().unwrap());
    }
}

async fn serve(mut stream: TcpStream, inner: Arc<Mutex<Inner>>) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            head.push(byte);
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let value = |name: &str| {
            head.lines().find_map(|line| line.strip_prefix(name)).map(|text| text.trim().to_owned())
        };
        let len: usize = value("content-length:").unwrap().parse().unwrap();
        let mood = {
            let mut inner = inner.lock().unwrap();
            inner.requests.push(head.clone());
            let after = inner.after.clone().unwrap_or(Mood::Takes);
            inner.moods.pop_front().unwrap_or(after)
        };
        let mut body = vec![0; if mood == Mood::BreaksOff { len / 2 } else { len }];
        if stream.read_exact(&mut body).await.is_err() || mood == Mood::BreaksOff {
            return;
        }
        let content_type = value("content-type:").unwrap();
        let version = match content_type.as_str() {
            "application/x-protobuf" => Version::V1,
            "application/x-protobuf;proto=io.prometheus.write.v2.request" => Version::V2,
            other => panic!("{other}"),
        };
        let answer = match mood {
            Mood::Hangs => {
                tokio::time::sleep(Duration::from_mins(10)).await;
                return;
            }
            Mood::Answers(status, headers) => {
                format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: 3\r\n\r\nwhy")
            }
            Mood::BreaksOff => return,
            Mood::Takes | Mood::TakesAndHangsUp => {
                let mut inner = inner.lock().unwrap();
                if version == Version::V2 && inner.old {
                    "HTTP/1.1 415 X\r\nContent-Length: 3\r\n\r\nold".to_owned()
                } else if version == Version::V2 && inner.silent {
                    "HTTP/1.1 204 No Content\r\n\r\n".to_owned()
                } else {
                    let count = take(&body, version, &mut inner);
                    let written = "X-Prometheus-Remote-Write-Samples-Written";
                    format!("HTTP/1.1 204 No Content\r\n{written}: {count}\r\n\r\n")
                }
            }
        };
        if mood == Mood::TakesAndHangsUp || stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn take(body: &[u8], version: Version, inner: &mut Inner) -> usize {
    let mut raw = Vec::new();
    decompress(body, &Limits::default(), &mut raw).unwrap();
    let mut decoder = Decoder::new(&raw, version, Limits::default()).unwrap();
    let mut scratch = LabelScratch::default();
    let mut count = 0;
    while let Some(series) = decoder.next_series().unwrap() {
        let labels = series.labels(&mut scratch, &Limits::default()).unwrap().to_string();
        let exemplars = series.exemplars.len();
        let help = series.metadata.map(|metadata| metadata.help.to_owned());
        let floats =
            series.samples.iter().map(|point| (point.timestamp, point.value, point.start, false));
        let histograms = series
            .histograms
            .iter()
            .map(|point| (point.timestamp, point.histogram.sum, point.start, true));
        for (timestamp, value, start, histogram) in floats.chain(histograms) {
            let (timestamp, start) = (timestamp.0, start.map(|start| start.0));
            let (labels, help) = (labels.clone(), help.clone());
            inner.taken.push(Taken { labels, timestamp, value, histogram, exemplars, start, help });
            count += 1;
        }
    }
    let families = decoder.metadata().iter();
    inner.families.extend(families.map(|metadata| metadata.family.to_owned()));
    count
}
