//! A small HTTP/1.1 client with kept-alive connections for many requests beside each other on this
//! machine: no TLS, no credentials, no redirects. Servers of others are asked by `server.rs`.
//!
//! Every call has a deadline and every body a limit.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::TokioExecutor,
};

/// What one call may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// From the first byte sent to the last byte read.
    pub time: Duration,
    /// The largest body read.
    pub body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(10), body_bytes: 4 * 1024 * 1024 }
    }
}

/// Idle connections kept; more than the traffic has requests in flight is of no use.
const IDLE_CONNECTIONS_MAX: usize = 16;

/// Clones share their connections.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pool: Pool<HttpConnector, Full<Bytes>>,
    limits: Limits,
}

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
}

impl Client {
    pub(crate) fn new(limits: Limits) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let pool = Pool::builder(TokioExecutor::new())
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build(connector);
        Self { pool, limits }
    }

    /// Sends `request` (with an absolute URI) and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// When there is no whole answer within the limits.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        let call = async {
            let (head, body) = self.pool.request(request).await?.into_parts();
            let body = Limited::new(body, self.limits.body_bytes).collect().await;
            // `Limited` has a boxed error, which is no `std::error::Error` itself.
            let body = body.map_err(anyhow::Error::from_boxed).context("cannot read the body")?;
            Ok(Answer { status: head.status, body: body.to_bytes() })
        };
        tokio::time::timeout(self.limits.time, call)
            .await
            .with_context(|| format!("no whole answer within {} s", self.limits.time.as_secs()))?
    }

    /// Gets the exposition at `url` in the text format 0.0.4.
    ///
    /// # Errors
    /// Those of [`Client::send`], a status other than 200, a body that is not UTF-8.
    pub(crate) async fn metrics(&self, url: &str) -> anyhow::Result<String> {
        let answer = async {
            let request = Request::get(url)
                .header(http::header::ACCEPT, "text/plain;version=0.0.4")
                .body(Full::default())?;
            let answer = self.send(request).await?;
            anyhow::ensure!(answer.status == StatusCode::OK, "answered {}", answer.status);
            Ok(String::from_utf8(answer.body.to_vec())?)
        };
        answer.await.with_context(|| format!("cannot read {url}"))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// Answers one request with `answer`, byte for byte, and says where.
    async fn server(answer: String) -> (String, crate::tasks::Task) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/metrics", listener.local_addr().unwrap());
        let task = crate::tasks::Tasks::new().spawn("server", async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let read = stream.read(&mut [0; 4096]).await.unwrap();
            assert!(read > 0);
            // The client may hang up early.
            drop(stream.write_all(answer.as_bytes()).await);
        });
        (url, task)
    }

    fn answer(status: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    }

    #[tokio::test]
    async fn metrics_are_a_200_within_the_limit() {
        let f = async |answer: String, want: &str| {
            let (url, _server) = server(answer).await;
            let got = match Client::new(Limits::default()).metrics(&url).await {
                Ok(text) => text,
                Err(error) => format!("{error:#}").replace(&url, "URL"),
            };
            assert!(got.starts_with(want), "{got:?}");
        };
        f(answer("200 OK", "up 1\n"), "up 1\n").await;
        f(answer("503 Away", ""), "cannot read URL: answered 503").await;
        f(
            answer("200 OK", &"x".repeat(Limits::default().body_bytes + 1)),
            "cannot read URL: cannot read the body: length limit",
        )
        .await;
        f("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nup".to_owned(), "cannot read URL").await;
    }
}
