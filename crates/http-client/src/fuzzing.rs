//! What other ends may say, for the fuzzer: bytes from memory where a connection would be.
//!
//! Nothing else uses it.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use http::{HeaderMap, HeaderValue, StatusCode, header};
use masthead_sysio::{Fs, SimFs};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use url::Url;

use crate::{
    Client, HttpClientConfig, OAuth2, Response, TlsConfig,
    connection::{Connection, Route, Stream, ask_for_tunnel},
    credentials::Pem,
    oauth2,
    proxy::Proxies,
    session::Outgoing,
    socks, tls,
};

/// Bytes of a body, before and after it is decompressed.
const BODY_BYTES_MAX: u64 = 1 << 20;

/// A server or proxy that says `bytes` once it is spoken to, then hangs up: the first byte chooses
/// what it is taken for.
pub fn answer(bytes: &[u8]) {
    let Some((kind, said)) = bytes.split_first() else { return };
    let said = Box::new(Scripted { said: said.to_vec(), at: 0, asked: false, waiting: None });
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return };
    runtime.block_on(async {
        match kind % 3 {
            0 => through_socks(said).await,
            1 => through_http(said).await,
            _ => plain(said).await,
        }
    });
}

/// What a server of tokens answers: with status 200 and a kind that the first byte chooses.
pub fn token(bytes: &[u8]) {
    let Some((kind, body)) = bytes.split_first() else { return };
    let config = OAuth2 {
        token_url: "http://server/token".to_owned(),
        tls_config: any_certificate(),
        ..OAuth2::default()
    };
    let Ok(source) = oauth2::Source::new(&config, &files()) else { return };
    let kind = if kind % 2 == 0 { "application/json" } else { "application/x-www-form-urlencoded" };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let response = Response { status: StatusCode::OK, headers, body: body.to_vec().into() };
    if let Err(error) = source.read(&response, "hunter2") {
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

/// Certificates and a key, all three the same bytes.
pub fn pem(bytes: &[u8]) {
    let some = || Some(bytes.to_vec());
    let trusted = Pem { ca: some(), ..Pem::default() };
    drop(tls::client_config(&TlsConfig::default(), &trusted));
    let own = Pem { cert: some(), key: some(), ..Pem::default() };
    drop(tls::client_config(&any_certificate(), &own));
}

async fn through_socks(stream: Box<dyn Stream>) {
    let proxy = url("socks5://me:hunter2@proxy");
    if let Err(error) = socks::connect(&url("http://server/"), &proxy, stream).await {
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

async fn through_http(stream: Box<dyn Stream>) {
    let (url, proxy) = (url("https://server/"), url("http://me:hunter2@proxy"));
    let route = Route { url: &url, proxy: Some(&proxy) };
    if let Err(error) = ask_for_tunnel(&route, &proxy, &HttpClientConfig::default(), stream).await {
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

async fn plain(stream: Box<dyn Stream>) {
    let config = HttpClientConfig { tls_config: any_certificate(), ..HttpClientConfig::default() };
    let url = url("http://server/");
    let (Ok(client), Ok(proxies)) = (Client::new(&config, files()), Proxies::new(&config)) else {
        return;
    };
    let route = Route::new(&url, &proxies);
    let Ok(connection) = Connection::over(stream, &route).await else { return };
    let mut session = client.session();
    let got =
        session.send(connection, &route, Outgoing::get(HeaderMap::new()), BODY_BYTES_MAX).await;
    let Ok(response) = got else { return };
    assert!(response.compressed_len() as u64 <= BODY_BYTES_MAX);
    let mut body = Vec::new();
    if response.read_body(BODY_BYTES_MAX, &mut body).is_ok() {
        assert!((body.len() as u64) < BODY_BYTES_MAX);
    }
}

/// Does without the machine's certificates, which take long to read.
fn any_certificate() -> TlsConfig {
    TlsConfig { insecure_skip_verify: true, ..TlsConfig::default() }
}

fn files() -> Arc<dyn Fs> {
    Arc::new(SimFs::new(1))
}

fn url(text: &str) -> Url {
    Url::parse(text).expect("BUG: a URL")
}

/// An end that is silent until it is spoken to.
#[derive(Debug)]
struct Scripted {
    said: Vec<u8>,
    at: usize,
    asked: bool,
    waiting: Option<Waker>,
}

impl AsyncRead for Scripted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.asked {
            self.waiting = Some(context.waker().clone());
            return Poll::Pending;
        }
        let rest = self.said.get(self.at..).unwrap_or_default();
        let count = rest.len().min(into.remaining());
        into.put_slice(rest.get(..count).unwrap_or_default());
        self.at += count;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Scripted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.asked = true;
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
