//! One connection: dialled, through a proxy where there is one, under TLS where the scheme says so.
//!
//! It has no task of its own. [`Connection::drive`] lets it work while a future waits for it, and
//! between requests it rests; a server that hung up meanwhile is noticed at the next request.

use std::{
    fmt,
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use url::Url;

use crate::{
    Error, HttpClientConfig,
    proxy::{Proxies, is_socks},
    shown, socks,
    tls::Settings,
};

/// Headers of an answer take no more than this.
const HEADER_BYTES_MAX: usize = 256 << 10;

type Driver = Pin<Box<dyn Future<Output = Result<(), hyper::Error>> + Send>>;

/// A connection that can carry one request after another.
pub(crate) struct Connection {
    /// Scheme, host, port and proxy it leads to.
    pub(crate) key: String,
    /// Whether requests on it name the whole URL, as plain HTTP through a proxy does.
    pub(crate) absolute_form: bool,
    pub(crate) sender: http1::SendRequest<Full<Bytes>>,
    driver: Driver,
    finished: bool,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Where to dial.
#[derive(Debug)]
pub(crate) struct Route<'a> {
    pub(crate) url: &'a Url,
    pub(crate) proxy: Option<&'a Url>,
}

impl<'a> Route<'a> {
    /// Chooses between the proxy and the straight way.
    pub(crate) fn new(url: &'a Url, proxies: &'a Proxies) -> Self {
        Self { url, proxy: proxies.of(url) }
    }

    pub(crate) fn key(&self) -> String {
        let proxy = self.proxy.map_or("", Url::as_str);
        format!("{}://{} {proxy}", self.url.scheme(), address(self.url))
    }
}

/// Bytes in both directions, whatever lies below.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + fmt::Debug {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + fmt::Debug> Stream for S {}

/// Dials: to the proxy where there is one, through a tunnel where it must not see what is said or
/// where `tunnel` asks for one, under TLS where the scheme says so.
pub(crate) async fn dial(
    route: &Route<'_>,
    config: &HttpClientConfig,
    tls: &Settings,
    tunnel: bool,
) -> Result<Box<dyn Stream>, Error> {
    let first_hop = address(route.proxy.unwrap_or(route.url));
    let stream = TcpStream::connect(&first_hop).await.map_err(|error| Error::Dial {
        url: shown(route.url),
        address: first_hop.clone(),
        what: plain_words(&error),
    })?;
    // Requests are one small packet, so waiting for more to send would only delay them.
    drop(stream.set_nodelay(true));
    let mut stream: Box<dyn Stream> = Box::new(stream);
    let is_tls = route.url.scheme() == "https";
    if let Some(proxy) = route.proxy {
        if proxy.scheme() == "https" {
            stream = Box::new(secure(route.url, host(proxy), tls, stream).await?);
        }
        if is_socks(proxy) {
            stream = socks::connect(route.url, proxy, stream).await?;
        } else if is_tls || tunnel {
            stream = Box::new(ask_for_tunnel(route, proxy, config, stream).await?);
        }
    }
    if !is_tls {
        return Ok(stream);
    }
    let name = match config.tls_config.server_name.as_str() {
        "" => host(route.url),
        name => name,
    };
    Ok(Box::new(secure(route.url, name, tls, stream).await?))
}

impl Connection {
    /// Dials.
    pub(crate) async fn open(
        route: &Route<'_>,
        config: &HttpClientConfig,
        tls: &Settings,
    ) -> Result<Self, Error> {
        Self::over(dial(route, config, tls, false).await?, route).await
    }

    /// Over a stream that leads where `route` says.
    pub(crate) async fn over(stream: Box<dyn Stream>, route: &Route<'_>) -> Result<Self, Error> {
        let asks_proxy = route.proxy.is_some_and(|proxy| !is_socks(proxy));
        let absolute_form = asks_proxy && route.url.scheme() != "https";
        let (sender, driver) = http1::Builder::new()
            .max_buf_size(HEADER_BYTES_MAX)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| exchange(route.url, &error))?;
        let key = route.key();
        Ok(Self { key, absolute_form, sender, driver: Box::pin(driver), finished: false })
    }

    /// Waits for `work` while the connection moves bytes.
    pub(crate) async fn drive<F: Future>(driver: &mut Half, work: F) -> F::Output {
        let mut work = pin!(work);
        poll_fn(|context| {
            if !driver.finished && driver.driver.as_mut().poll(context).is_ready() {
                // Whatever ended it reaches `work` too, which has the better words for it.
                driver.finished = true;
            }
            work.as_mut().poll(context)
        })
        .await
    }

    /// Both halves, so that one can be driven while the other is used.
    pub(crate) fn split(self) -> (http1::SendRequest<Full<Bytes>>, Half) {
        (self.sender, Half { driver: self.driver, finished: self.finished })
    }

    /// Puts the halves together again.
    pub(crate) fn join(
        key: String,
        absolute_form: bool,
        sender: http1::SendRequest<Full<Bytes>>,
        half: Half,
    ) -> Self {
        Self { key, absolute_form, sender, driver: half.driver, finished: half.finished }
    }

    /// Whether the server has hung up as far as is known.
    pub(crate) fn is_finished(&self) -> bool {
        self.finished || self.sender.is_closed()
    }
}

/// The half that moves bytes.
pub(crate) struct Half {
    driver: Driver,
    finished: bool,
}

async fn secure(
    url: &Url,
    name: &str,
    tls: &Settings,
    stream: Box<dyn Stream>,
) -> Result<tokio_rustls::client::TlsStream<Box<dyn Stream>>, Error> {
    let refuse = |what: String| Error::Tls { url: shown(url), what };
    let name = ServerName::try_from(name.to_owned()).map_err(|error| refuse(error.to_string()))?;
    TlsConnector::from(tls.get()?)
        .connect(name, stream)
        .await
        .map_err(|error| refuse(error.to_string()))
}

/// Asks an HTTP proxy for a tunnel.
pub(crate) async fn ask_for_tunnel(
    route: &Route<'_>,
    proxy: &Url,
    config: &HttpClientConfig,
    stream: Box<dyn Stream>,
) -> Result<TokioIo<hyper::upgrade::Upgraded>, Error> {
    let target = address(route.url);
    let failed = |error: &hyper::Error| exchange(route.url, error);
    let (mut sender, driver) = http1::Builder::new()
        .max_buf_size(HEADER_BYTES_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failed(&error))?;
    let mut half = Half { driver: Box::pin(driver.with_upgrades()), finished: false };
    let mut request =
        Request::builder().method(Method::CONNECT).uri(&target).header(header::HOST, &target);
    if let Some(value) = user_authorization(proxy) {
        request = request.header(header::PROXY_AUTHORIZATION, value);
    }
    for (name, values) in &config.proxy_connect_header {
        for value in values {
            request = request.header(name, value.expose());
        }
    }
    let request = request
        .body(Full::<Bytes>::default())
        .map_err(|error| Error::Exchange { url: shown(route.url), what: error.to_string() })?;
    let response = Connection::drive(&mut half, sender.send_request(request))
        .await
        .map_err(|error| failed(&error))?;
    if response.status() != StatusCode::OK {
        return Err(Error::Proxy {
            url: shown(route.url),
            proxy: address(proxy),
            status: response.status().to_string(),
        });
    }
    let upgraded = Connection::drive(&mut half, hyper::upgrade::on(response))
        .await
        .map_err(|error| failed(&error))?;
    Ok(TokioIo::new(upgraded))
}

/// `Basic …` for a server or proxy whose URL has a user.
pub(crate) fn user_authorization(url: &Url) -> Option<String> {
    let (user, password) = user_of(url)?;
    Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))))
}

/// User and password of a URL that has a user.
pub(crate) fn user_of(proxy: &Url) -> Option<(String, String)> {
    if proxy.username().is_empty() {
        return None;
    }
    let decode = |text: &str| {
        // The url crate keeps user and password as they were escaped.
        url::form_urlencoded::parse(format!("x={}", text.replace('+', "%2B")).as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    Some((decode(proxy.username()), decode(proxy.password().unwrap_or(""))))
}

/// The host as certificates have it.
fn host(url: &Url) -> &str {
    url.host_str().unwrap_or("").trim_start_matches('[').trim_end_matches(']')
}

/// Host and port, with the port of the scheme where the URL has none.
pub(crate) fn address(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or(if is_socks(url) { 1080 } else { 80 });
    format!("{}:{port}", url.host_str().unwrap_or(""))
}

/// What broke while talking.
pub(crate) fn exchange(url: &Url, error: &hyper::Error) -> Error {
    let mut what = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        what = format!("{what}: {cause}");
        source = cause.source();
    }
    if error.is_incomplete_message() {
        "EOF".clone_into(&mut what);
    }
    Error::Exchange { url: shown(url), what }
}

/// Go's words for the commonest failure, the operating system's for the rest.
fn plain_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connect: connection refused".to_owned(),
        _ => error.to_string(),
    }
}

impl fmt::Debug for Half {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Half").field("finished", &self.finished).finish_non_exhaustive()
    }
}
