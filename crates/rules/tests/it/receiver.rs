//! An Alertmanager in this process: takes messages, remembers them, answers what it is told to.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// A listener on loopback; it ends with the runtime of its test.
#[derive(Debug, Clone)]
pub(crate) struct Receiver {
    pub(crate) address: String,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Debug, Default)]
struct Heard {
    requests: Vec<(String, serde_json::Value)>,
    status: u16,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let address = listener.local_addr().expect("bound").to_string();
        let heard = Arc::new(Mutex::new(Heard { status: 200, ..Heard::default() }));
        let shared = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { address, heard }
    }

    pub(crate) fn answer_with(&self, status: u16) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).status = status;
    }

    /// Every request: head and body.
    pub(crate) fn requests(&self) -> Vec<(String, serde_json::Value)> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).requests.clone()
    }

    /// All alerts of all messages.
    pub(crate) fn alerts(&self) -> Vec<serde_json::Value> {
        let list = |(_, body): (_, serde_json::Value)| body.as_array().cloned().unwrap_or_default();
        self.requests().into_iter().flat_map(list).collect()
    }
}

async fn serve(mut stream: TcpStream, heard: Arc<Mutex<Heard>>) {
    let mut bytes = Vec::new();
    loop {
        let head = loop {
            if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break String::from_utf8_lossy(&bytes.drain(..at + 4).collect::<Vec<_>>())
                    .into_owned();
            }
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let length = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.trim().parse::<usize>().ok())
            .unwrap_or(0);
        while bytes.len() < length {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let body: Vec<u8> = bytes.drain(..length).collect();
        let status = {
            let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            let json = serde_json::from_slice(&body).unwrap_or_default();
            heard.requests.push((head, json));
            heard.status
        };
        let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}
