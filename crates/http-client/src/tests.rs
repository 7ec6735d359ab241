//! The client against servers on loopback that answer what the test says.

use std::{collections::BTreeMap, io::Write as _, sync::Arc, time::Duration};

use bytes::Bytes;
use http::HeaderMap;
use masthead_sysio::{Fs, RealFs, SimFs, atomic_write};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use url::Url;

use super::*;

/// Serves `answers`, one for each request in turn, over as few connections as the client opens, and
/// hands out the requests. A connection ends after an answer with `Connection: close`.
async fn serve(answers: Vec<String>) -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let (sender, receiver) = mpsc::channel(16);
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        let mut answers = answers.into_iter().peekable();
        while answers.peek().is_some() {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            while let Some(request) = read_head(&mut stream).await {
                drop(sender.send(request).await);
                let Some(answer) = answers.next() else { return };
                drop(stream.write_all(answer.as_bytes()).await);
                if answer.contains("Connection: close") || answers.peek().is_none() {
                    break;
                }
            }
        }
    });
    tasks.detach_all();
    (port, receiver)
}

/// As [`serve`], for requests with a body, one a connection; bodies are handed out too.
async fn serve_bodies(answers: Vec<String>) -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let (sender, receiver) = mpsc::channel(16);
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        for answer in answers {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            let Some(mut request) = read_head(&mut stream).await else { return };
            let length = request.split("content-length: ").nth(1);
            let length = length.and_then(|rest| rest.split('\r').next());
            let length = length.and_then(|text| text.parse().ok()).unwrap_or(0);
            let mut body = vec![0; length];
            if stream.read_exact(&mut body).await.is_err() {
                return;
            }
            request.push_str(&String::from_utf8_lossy(&body));
            drop(sender.send(request).await);
            drop(stream.write_all(answer.as_bytes()).await);
        }
    });
    tasks.detach_all();
    (port, receiver)
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")
}

fn client(config: &HttpClientConfig) -> Client {
    Client::new(config, Arc::new(RealFs)).expect("valid options")
}

async fn get(session: &mut Session, url: &str, limit: u64) -> Result<Response, Error> {
    let url = Url::parse(url).expect("a URL");
    let request = Request { url: &url, headers: &HeaderMap::new(), body_limit: limit };
    tokio::time::timeout(Duration::from_secs(5), session.get(request)).await.expect("in time")
}

fn body(response: &Response) -> String {
    let mut bytes = Vec::new();
    response.read_body(1 << 20, &mut bytes).expect("a body");
    String::from_utf8(bytes).expect("text")
}

#[tokio::test]
async fn a_connection_is_kept_and_a_dead_one_is_replaced() {
    let closing = ok("two").replace("Content-Length", "Connection: close\r\nContent-Length");
    let (port, mut requests) = serve(vec![ok("one"), closing, ok("three")]).await;
    let mut session = client(&HttpClientConfig::default()).session();
    for want in ["one", "two", "three"] {
        let url = format!("http://127.0.0.1:{port}/metrics?a=b");
        let response = get(&mut session, &url, 1000).await.expect("an answer");
        assert_eq!(body(&response), want);
    }
    let first = requests.recv().await.expect("a request");
    assert!(first.starts_with("GET /metrics?a=b HTTP/1.1\r\n"), "{first}");
    assert!(first.contains(&format!("host: 127.0.0.1:{port}\r\n")), "{first}");
}

#[tokio::test]
async fn a_body_is_posted_with_credentials_and_a_redirect_is_not_followed() {
    let (port, mut seen) = serve(vec![ok("taken"), redirect("/elsewhere")]).await;
    let config = HttpClientConfig {
        // Without a word before it, as nobody has validated it.
        authorization: Some(Authorization { credentials: "t".into(), ..Authorization::default() }),
        ..HttpClientConfig::default()
    };
    let mut session = client(&config).session();
    let url = Url::parse(&format!("http://127.0.0.1:{port}/push")).expect("a URL");
    for want in [200, 302] {
        let body = Bytes::from_static(b"");
        let headers = HeaderMap::new();
        let post = Post { url: &url, headers: &headers, body: &body, body_limit: 100 };
        let sent = tokio::time::timeout(Duration::from_secs(5), session.post(post));
        let response = sent.await.expect("in time").expect("an answer");
        assert_eq!(response.status.as_u16(), want);
        let request = seen.recv().await.expect("a request");
        assert!(request.starts_with("POST /push HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("authorization: Bearer t\r\n"), "{request}");
    }
}

#[tokio::test]
async fn credentials_go_to_the_first_host_only() {
    let (elsewhere, mut seen_elsewhere) = serve(vec![ok("there")]).await;
    let answers = vec![redirect("/next"), redirect(&format!("http://127.0.0.1:{elsewhere}/other"))];
    let (port, mut seen) = serve(answers).await;
    let config = HttpClientConfig {
        basic_auth: Some(BasicAuth {
            username: "me".into(),
            password: "pw".into(),
            ..BasicAuth::default()
        }),
        ..HttpClientConfig::default()
    };
    let mut session = client(&config).session();
    let response = get(&mut session, &format!("http://127.0.0.1:{port}/"), 1000).await;
    assert_eq!(body(&response.expect("an answer")), "there");
    for path in ["/", "/next"] {
        let request = seen.recv().await.expect("a request");
        assert!(request.starts_with(&format!("GET {path} ")), "{request}");
        assert!(request.contains("authorization: Basic bWU6cHc=\r\n"), "{request}");
    }
    let request = seen_elsewhere.recv().await.expect("a request");
    assert!(!request.contains("authorization"), "{request}");
}

#[tokio::test]
async fn redirects_are_an_answer_when_they_are_not_followed_and_end_after_ten() {
    let (port, _seen) = serve(vec![redirect("/")]).await;
    let config = HttpClientConfig { follow_redirects: false, ..HttpClientConfig::default() };
    let answer = get(&mut client(&config).session(), &format!("http://127.0.0.1:{port}/"), 9).await;
    assert_eq!(answer.expect("an answer").status_line(), "302 Found");

    let (port, _seen) = serve(vec![redirect("/"); 12]).await;
    let mut session = client(&HttpClientConfig::default()).session();
    let error = get(&mut session, &format!("http://127.0.0.1:{port}/"), 9).await.expect_err("none");
    assert!(error.to_string().ends_with("stopped after 10 redirects"), "{error}");
}

#[tokio::test]
async fn a_token_file_is_read_for_every_request() {
    let (port, mut seen) = serve(vec![ok(""), ok("")]).await;
    let fs = SimFs::new(1);
    let config = HttpClientConfig {
        authorization: Some(Authorization {
            kind: "Bearer".into(),
            credentials_file: "/token".into(),
            ..Authorization::default()
        }),
        http_headers: BTreeMap::from([(
            "X-Tenant".into(),
            HeaderValues { values: vec!["a".into(), "b".into()], ..HeaderValues::default() },
        )]),
        ..HttpClientConfig::default()
    };
    let shared: Arc<dyn Fs> = Arc::new(fs.clone());
    let mut session = Client::new(&config, shared).expect("valid options").session();
    for token in ["first", "second"] {
        atomic_write(&fs, "/token".into(), format!("{token}\n").as_bytes()).expect("written");
        get(&mut session, &format!("http://127.0.0.1:{port}/"), 9).await.expect("an answer");
        let request = seen.recv().await.expect("a request");
        assert!(request.contains(&format!("authorization: Bearer {token}\r\n")), "{request}");
        assert!(request.contains("x-tenant: a\r\nx-tenant: b\r\n"), "{request}");
    }
    fs.remove_file("/token".into()).expect("removed");
    let error = get(&mut session, &format!("http://127.0.0.1:{port}/"), 9).await.expect_err("none");
    assert!(error.to_string().starts_with("unable to read credentials file /token: "), "{error}");
}

#[tokio::test]
async fn bodies_stop_at_the_limit_compressed_or_not() {
    let (port, _seen) = serve(vec![ok("0123456789")]).await;
    let mut session = client(&HttpClientConfig::default()).session();
    let error = get(&mut session, &format!("http://127.0.0.1:{port}/"), 9).await.expect_err("none");
    assert_eq!(error.to_string(), "body size limit exceeded");

    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![b'a'; 100_000]).expect("compressed");
    let response = |body: Vec<u8>| Response {
        status: http::StatusCode::OK,
        headers: HeaderMap::from_iter([(
            http::header::CONTENT_ENCODING,
            http::HeaderValue::from_static("gzip"),
        )]),
        body: body.into(),
    };
    let gzip = response(encoder.finish().expect("compressed"));
    let mut bytes = Vec::new();
    assert!(matches!(gzip.read_body(100_000, &mut bytes), Err(Error::BodyTooLarge { .. })));
    assert!(bytes.is_empty());
    gzip.read_body(100_001, &mut bytes).expect("it fits");
    assert_eq!(bytes.len(), 100_000);
    assert!(matches!(response(b"no gzip".to_vec()).read_body(99, &mut bytes), Err(Error::Gzip(_))));
}

#[tokio::test]
async fn errors_say_what_was_asked_and_what_broke() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    drop(listener);
    let mut session = client(&HttpClientConfig::default()).session();
    let url = format!("http://127.0.0.1:{port}/metrics");
    let error = get(&mut session, &url, 9).await.expect_err("nobody listens");
    let want = format!("Get {url:?}: dial tcp 127.0.0.1:{port}: connect: connection refused");
    assert_eq!(error.to_string(), want);

    let (port, _seen) = serve(vec!["Connection: close".into(); 2]).await;
    let error = get(&mut session, &format!("http://127.0.0.1:{port}/"), 9).await.expect_err("none");
    assert!(matches!(error, Error::Exchange { .. }), "{error}");
    let error = get(&mut session, "ftp://127.0.0.1/", 9).await.expect_err("no such scheme");
    assert_eq!(error.to_string(), r#"invalid URL "ftp://127.0.0.1/": unsupported protocol scheme"#);
}

#[tokio::test]
async fn a_proxy_gets_the_whole_url_and_its_password() {
    let (port, mut seen) = serve(vec![ok("by proxy")]).await;
    let mut config = HttpClientConfig {
        proxy_url: format!("http://us%40er:p+w@127.0.0.1:{port}"),
        ..HttpClientConfig::default()
    };
    config.validate().expect("valid");
    let mut session = client(&config).session();
    let response = get(&mut session, "http://example.invalid/x?y", 99).await.expect("an answer");
    assert_eq!(body(&response), "by proxy");
    let request = seen.recv().await.expect("a request");
    assert!(request.starts_with("GET http://example.invalid/x?y HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("proxy-authorization: Basic dXNAZXI6cCt3\r\n"), "{request}");
}

fn oauth2(token_url: &str) -> OAuth2 {
    OAuth2 {
        client_id: "id".into(),
        client_secret: "hunter2&".into(),
        token_url: token_url.into(),
        ..OAuth2::default()
    }
}

mod tokens {
    use super::*;

    fn token(name: &str, more: &str) -> String {
        ok(&format!(r#"{{"access_token": "{name}", "token_type": "bearer"{more}}}"#))
    }

    fn refused(status: &str, body: &str) -> String {
        ok(body).replace("200 OK", status)
    }

    /// A client whose tokens come from `port`.
    fn with(port: u16, change: impl FnOnce(&mut OAuth2)) -> Client {
        let mut oauth2 = oauth2(&format!("http://127.0.0.1:{port}/token"));
        change(&mut oauth2);
        let mut config = HttpClientConfig { oauth2: Some(oauth2), ..HttpClientConfig::default() };
        config.validate().expect("valid");
        client(&config)
    }

    #[tokio::test]
    async fn a_token_is_fetched_once_and_again_before_it_expires() {
        let answers =
            vec![token("one", r#", "expires_in": 3600"#), token("two", r#", "expires_in": "11""#)];
        let (tokens, mut asked) = serve_bodies(answers).await;
        let (port, mut seen) = serve(vec![ok(""); 4]).await;
        let mut session = with(tokens, |oauth2| {
            oauth2.scopes = vec!["a".into(), "b".into()];
            oauth2.endpoint_params.insert("audience".into(), "x y".into());
        })
        .session();
        let url = format!("http://127.0.0.1:{port}/");
        for _ in 0..2 {
            get(&mut session, &url, 9).await.expect("an answer");
            let request = seen.recv().await.expect("a request");
            assert!(request.contains("authorization: Bearer one\r\n"), "{request}");
        }
        let request = asked.recv().await.expect("a request");
        assert!(request.starts_with("POST /token HTTP/1.1\r\n"), "{request}");
        // The name and the secret are escaped before they are encoded: id:hunter2%26
        assert!(request.contains("authorization: Basic aWQ6aHVudGVyMiUyNg==\r\n"), "{request}");
        assert!(asked.try_recv().is_err(), "one token is enough");
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(3591)).await;
        tokio::time::resume();
        get(&mut session, &url, 9).await.expect("an answer");
        let request = seen.recv().await.expect("a request");
        assert!(request.contains("authorization: Bearer two\r\n"), "{request}");
    }

    #[tokio::test]
    async fn one_fetch_serves_all_who_wait() {
        let (tokens, mut asked) = serve_bodies(vec![token("one", "")]).await;
        let (port, _seen) =
            serve(vec![ok("").replace("200 OK", "200 OK\r\nConnection: close"); 3]).await;
        let shared = with(tokens, |_| {});
        let url = format!("http://127.0.0.1:{port}/");
        let (mut a, mut b, mut c) = (shared.session(), shared.session(), shared.session());
        let all = tokio::join!(get(&mut a, &url, 9), get(&mut b, &url, 9), get(&mut c, &url, 9));
        assert!(all.0.is_ok() && all.1.is_ok() && all.2.is_ok(), "{all:?}");
        assert!(asked.recv().await.is_some() && asked.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_server_that_wants_the_client_in_the_body_gets_it_there() {
        let answers = vec![refused("401 Unauthorized", "{}"), token("one", "")];
        let (tokens, mut asked) = serve_bodies(answers).await;
        let (port, mut seen) = serve(vec![ok("")]).await;
        get(&mut with(tokens, |_| {}).session(), &format!("http://127.0.0.1:{port}/"), 9)
            .await
            .expect("an answer");
        let request = seen.recv().await.expect("a request");
        assert!(request.contains("authorization: Bearer one\r\n"), "{request}");
        let first = asked.recv().await.expect("a request");
        assert!(first.ends_with("\r\n\r\ngrant_type=client_credentials"), "{first}");
        let second = asked.recv().await.expect("a request");
        let body = "grant_type=client_credentials&client_id=id&client_secret=hunter2%26";
        assert!(second.ends_with(body) && !second.contains("authorization"), "{second}");
    }

    #[tokio::test]
    async fn without_a_token_nothing_is_asked_and_no_secret_is_told() {
        let f = async |answers: Vec<String>, want: &str| {
            let (tokens, _asked) = serve_bodies(answers).await;
            let error = get(&mut with(tokens, |_| {}).session(), "http://127.0.0.1:1/", 9).await;
            let error = error.expect_err("no token").to_string();
            let start =
                format!("oauth2: cannot fetch a token from http://127.0.0.1:{tokens}/token: ");
            let what = error.strip_prefix(&start).unwrap_or_else(|| panic!("{error}"));
            assert!(what.contains(want) && !what.contains("hunter2"), "{what}");
        };
        let said = r#"{"error": "invalid_client", "error_description": "not hunter2&"}"#;
        let refusal = refused("401 Unauthorized", said);
        f(vec![refusal.clone(), refusal], "401 Unauthorized without a token: invalid_client: not")
            .await;
        f(vec![ok("<html>"), ok("<html>")], "200 OK without a token").await;
        f(vec![ok("{}"), ok("{}")], "200 OK without a token").await;
        f(vec!["nonsense".into()], "").await;
    }
}
#[tokio::test]
async fn a_user_in_the_url_is_shown_to_the_server_and_to_nobody_else() {
    let (port, mut seen) = serve(vec![ok("in"), ok("in")]).await;
    let mut session = client(&HttpClientConfig::default()).session();
    let url = format!("http://us%40er:p+w@127.0.0.1:{port}/x");
    assert_eq!(body(&get(&mut session, &url, 99).await.expect("an answer")), "in");
    let request = seen.recv().await.expect("a request");
    assert!(request.starts_with("GET /x HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("authorization: Basic dXNAZXI6cCt3\r\n"), "{request}");
    drop(session);
    // Other credentials are preferred, as in Go.
    let token = Authorization { credentials: "t".into(), ..Authorization::default() };
    let mut config = HttpClientConfig { authorization: Some(token), ..HttpClientConfig::default() };
    config.validate().expect("valid");
    let mut session = client(&config).session();
    assert_eq!(body(&get(&mut session, &url, 99).await.expect("an answer")), "in");
    let request = seen.recv().await.expect("a request");
    assert!(request.contains("authorization: Bearer t\r\n"), "{request}");
    assert!(!request.contains("Basic"), "{request}");

    let (port, mut seen) = serve(vec![ok("by proxy")]).await;
    let mut config = HttpClientConfig {
        proxy_url: format!("http://127.0.0.1:{port}"),
        ..HttpClientConfig::default()
    };
    config.validate().expect("valid");
    let mut session = client(&config).session();
    get(&mut session, "http://me:hunter2@example.invalid/x", 99).await.expect("an answer");
    let request = seen.recv().await.expect("a request");
    assert!(request.starts_with("GET http://example.invalid/x HTTP/1.1\r\n"), "{request}");
    let gone = "http://me:hunter2@127.0.0.1:1/x";
    let error = get(&mut client(&HttpClientConfig::default()).session(), gone, 9).await;
    let error = error.expect_err("nobody there").to_string();
    assert!(error.contains("me:xxxxx@127.0.0.1") && !error.contains("hunter2"), "{error}");
}

/// A SOCKS proxy that wants `me` and `p w`, and leads to `to` whatever it is asked for, which it hands
/// out: the address as it came.
async fn serve_socks(to: u16) -> (u16, mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let (sender, receiver) = mpsc::channel(16);
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let asked: std::io::Result<()> = async {
                let mut hello = [0; 4];
                stream.read_exact(&mut hello).await?;
                assert_eq!(hello, [5, 2, 0, 2]);
                stream.write_all(&[5, 2]).await?;
                let mut login = [0; 8];
                stream.read_exact(&mut login).await?;
                if &login != b"\x01\x02me\x03p w" {
                    return stream.write_all(&[1, 1]).await;
                }
                stream.write_all(&[1, 0]).await?;
                let mut request = [0; 64];
                let count = stream.read(&mut request).await?;
                assert_eq!(request.get(..3), Some(&[5, 1, 0][..]));
                drop(sender.send(request.get(3..count).unwrap_or_default().to_vec()).await);
                if request.get(5..13) == Some(b"nowhere.") {
                    return stream.write_all(&[5, 4, 0, 1, 0, 0, 0, 0, 0, 0]).await;
                }
                stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 80]).await?;
                let mut server = TcpStream::connect(("127.0.0.1", to)).await?;
                tokio::io::copy_bidirectional(&mut stream, &mut server).await.map(drop)
            }
            .await;
            drop(asked);
        }
    });
    tasks.detach_all();
    (port, receiver)
}

fn by_socks(user: &str, port: u16) -> HttpClientConfig {
    let mut config = HttpClientConfig {
        proxy_url: format!("socks5://{user}@127.0.0.1:{port}"),
        ..HttpClientConfig::default()
    };
    config.validate().expect("valid");
    config
}

#[tokio::test]
async fn a_socks_proxy_leads_to_the_server_and_finds_its_name() {
    let (server, mut seen) = serve(vec![ok("by socks"), ok("again")]).await;
    let (port, mut asked) = serve_socks(server).await;
    let mut session = client(&by_socks("me:p%20w", port)).session();
    let response = get(&mut session, "http://example.invalid/x?y", 99).await.expect("an answer");
    assert_eq!(body(&response), "by socks");
    assert_eq!(asked.recv().await.expect("asked"), b"\x03\x0fexample.invalid\0\x50");
    let request = seen.recv().await.expect("a request");
    assert!(request.starts_with("GET /x?y HTTP/1.1\r\n"), "{request}");
    assert!(!request.contains("proxy-"), "{request}");
    // The connection is kept, as without a proxy.
    let response = get(&mut session, "http://example.invalid/z", 99).await.expect("an answer");
    assert_eq!((body(&response), asked.try_recv().is_err()), ("again".into(), true));

    let error = get(&mut session, "http://nowhere.invalid/", 99).await.expect_err("nowhere");
    let want = format!(
        "Get \"http://nowhere.invalid/\": socks connect tcp 127.0.0.1:{port}->nowhere.invalid:80: \
         host unreachable"
    );
    assert_eq!(error.to_string(), want);
    let mut session = client(&by_socks("me:bad", port)).session();
    let error = get(&mut session, "http://x.invalid/", 99).await.expect_err("a wrong password");
    let error = error.to_string();
    assert!(error.ends_with("username/password authentication failed"), "{error}");
    assert!(!error.contains("bad"), "{error}");
}

mod tls {
    use super::*;
    use rustls::pki_types::PrivateKeyDer;

    /// A server with its own certificate; behind a proxy that tunnels if `proxied`.
    async fn serve_tls(proxied: bool) -> (u16, String) {
        let params = rcgen::CertificateParams::new(vec!["box.test".into()]).expect("a name");
        serve_certificate(proxied, params).await
    }

    async fn serve_certificate(proxied: bool, params: rcgen::CertificateParams) -> (u16, String) {
        let key = rcgen::KeyPair::generate().expect("a key");
        let cert = params.self_signed(&key).expect("made");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .expect("a certificate");
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(async move {
            for _ in 0..4 {
                let Ok((mut stream, _)) = listener.accept().await else { return };
                if proxied {
                    let head = read_head(&mut stream).await.unwrap_or_default();
                    assert!(head.starts_with("CONNECT box.test:443 HTTP/1.1\r\n"), "{head}");
                    drop(stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await);
                }
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut buffer = [0; 4096];
                drop(stream.read(&mut buffer).await);
                drop(stream.write_all(ok("secret").as_bytes()).await);
            }
        });
        tasks.detach_all();
        (port, cert.pem())
    }

    #[tokio::test]
    async fn a_certificate_must_fit_unless_told_otherwise() {
        let (port, pem) = serve_tls(false).await;
        let url = format!("https://127.0.0.1:{port}/");
        let with = |tls_config: TlsConfig| {
            client(&HttpClientConfig { tls_config, ..HttpClientConfig::default() }).session()
        };
        let error = get(&mut with(TlsConfig::default()), &url, 99).await.expect_err("unknown");
        assert!(matches!(error, Error::Tls { .. }), "{error}");
        let trusting = TlsConfig { ca: pem, ..TlsConfig::default() };
        let error = get(&mut with(trusting.clone()), &url, 99).await.expect_err("wrong name");
        assert!(matches!(error, Error::Tls { .. }), "{error}");
        let named = TlsConfig { server_name: "box.test".into(), ..trusting };
        assert_eq!(body(&get(&mut with(named), &url, 99).await.expect("trusted")), "secret");
        let blind = TlsConfig { insecure_skip_verify: true, ..TlsConfig::default() };
        assert_eq!(body(&get(&mut with(blind), &url, 99).await.expect("unchecked")), "secret");
    }

    #[tokio::test]
    async fn a_certificate_that_is_its_own_authority_is_taken_when_it_is_given() {
        let authority = || {
            let mut params = rcgen::CertificateParams::new(vec!["box.test".into()]).expect("name");
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            params
        };
        let asked = async |port: u16, ca: String, name: &str| {
            let tls_config = TlsConfig { ca, server_name: name.into(), ..TlsConfig::default() };
            let config = HttpClientConfig { tls_config, ..HttpClientConfig::default() };
            let url = format!("https://127.0.0.1:{port}/");
            let got = get(&mut client(&config).session(), &url, 99).await;
            got.map(|answer| body(&answer).clone()).map_err(|error| error.to_string())
        };
        let (port, pem) = serve_certificate(false, authority()).await;
        assert_eq!(asked(port, pem.clone(), "box.test").await.as_deref(), Ok("secret"));
        let error = asked(port, pem, "other.test").await.expect_err("the name");
        assert!(error.contains("not valid for name"), "{error}");
        let (_, stranger) = serve_certificate(false, authority()).await;
        let error = asked(port, stranger, "box.test").await.expect_err("a stranger");
        assert!(error.contains("give that very certificate as CA"), "{error}");
        let mut old = authority();
        old.not_after = rcgen::date_time_ymd(2020, 1, 1);
        let (port, pem) = serve_certificate(false, old).await;
        let error = asked(port, pem, "box.test").await.expect_err("its time");
        assert!(error.contains("expired"), "{error}");
    }

    #[tokio::test]
    async fn tls_goes_through_a_proxy_in_a_tunnel() {
        let (port, pem) = serve_tls(true).await;
        let config = HttpClientConfig {
            proxy_url: format!("http://127.0.0.1:{port}"),
            tls_config: TlsConfig { ca: pem, ..TlsConfig::default() },
            ..HttpClientConfig::default()
        };
        let mut session = client(&config).session();
        let response = get(&mut session, "https://box.test/", 99).await.expect("an answer");
        assert_eq!(body(&response), "secret");
    }

    #[tokio::test]
    async fn tls_goes_through_a_socks_proxy() {
        let (server, pem) = serve_tls(false).await;
        let (port, mut asked) = serve_socks(server).await;
        let tls_config = TlsConfig { ca: pem, ..TlsConfig::default() };
        let config = HttpClientConfig { tls_config, ..by_socks("me:p%20w", port) };
        let mut session = client(&config).session();
        let response = get(&mut session, "https://box.test/", 99).await.expect("an answer");
        assert_eq!(body(&response), "secret");
        assert_eq!(asked.recv().await.expect("asked"), b"\x03\x08box.test\x01\xbb");
    }

    #[tokio::test]
    async fn a_proxy_may_speak_tls_itself() {
        let (port, _) = serve_tls(false).await;
        let with = |insecure_skip_verify: bool| {
            let config = HttpClientConfig {
                proxy_url: format!("https://127.0.0.1:{port}"),
                tls_config: TlsConfig { insecure_skip_verify, ..TlsConfig::default() },
                ..HttpClientConfig::default()
            };
            client(&config).session()
        };
        let url = "http://example.invalid/";
        let error = get(&mut with(false), url, 99).await.expect_err("an unknown authority");
        assert!(matches!(error, Error::Tls { .. }), "{error}");
        assert_eq!(body(&get(&mut with(true), url, 99).await.expect("an answer")), "secret");
    }

    #[test]
    fn bad_certificates_are_refused_when_the_client_is_made() {
        let f = |tls_config: TlsConfig, want: &str| {
            let config = HttpClientConfig { tls_config, ..HttpClientConfig::default() };
            let error = Client::new(&config, Arc::new(RealFs)).expect_err("refused");
            assert!(error.to_string().starts_with(want), "{error}");
        };
        f(TlsConfig { ca: "x".into(), ..TlsConfig::default() }, "unable to use specified CA cert");
        let pair = TlsConfig { cert: "x".into(), key: "y".into(), ..TlsConfig::default() };
        f(pair, "unable to use specified client cert");
    }
}

#[test]
fn options_are_refused_with_upstream_texts() {
    let f = |change: fn(&mut HttpClientConfig), want: &str| {
        let mut config = HttpClientConfig::default();
        change(&mut config);
        let text = config.validate().err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(text, want);
    };
    f(|_| {}, "");
    f(
        |c| {
            c.authorization =
                Some(Authorization { kind: "BASIC".into(), ..Authorization::default() });
        },
        r#"authorization type cannot be set to "basic", use "basic_auth" instead"#,
    );
    f(
        |c| {
            c.authorization = Some(Authorization::default());
            c.basic_auth = Some(BasicAuth::default());
        },
        "at most one of basic_auth, oauth2 & authorization must be configured",
    );
    f(
        |c| {
            c.tls_config.ca = "a".into();
            c.tls_config.ca_file = "b".into();
        },
        "at most one of ca, ca_file & ca_ref must be configured",
    );
    f(
        |c| c.tls_config.cert_file = "x".into(),
        "exactly one of key or key_file must be configured when a client certificate is configured",
    );
    f(|c| c.tls_config.min_version = "TLS9".into(), "unknown TLS version: TLS9");
    f(|c| c.no_proxy = "x".into(), "if no_proxy is configured, proxy_url must also be configured");
    f(|c| c.proxy_url = "https://p".into(), "");
    f(
        |c| c.proxy_url = "socks4://p".into(),
        r#"not supported: proxies of scheme "socks4"; use http://, https:// or socks5:// with host:port"#,
    );
    f(
        |c| (c.proxy_from_environment, c.proxy_url) = (true, "http://p".into()),
        "if proxy_from_environment is configured, proxy_url must not be configured",
    );
    f(
        |c| (c.proxy_from_environment, c.no_proxy) = (true, "p".into()),
        "if proxy_from_environment is configured, no_proxy must not be configured",
    );
    f(
        |c| (c.bearer_token, c.bearer_token_file) = ("a".into(), "b".into()),
        "at most one of bearer_token & bearer_token_file must be configured",
    );
    f(|c| c.oauth2 = Some(OAuth2::default()), "oauth2 client_id must be configured");
    f(
        |c| c.oauth2 = Some(OAuth2 { token_url: String::new(), ..oauth2("http://t/") }),
        "oauth2 token_url must be configured",
    );
    f(
        |c| c.oauth2 = Some(OAuth2 { client_secret_file: "f".into(), ..oauth2("http://t/") }),
        "at most one of oauth2 client_secret, client_secret_file & client_secret_ref must be \
         configured",
    );
    f(
        |c| {
            c.oauth2 = Some(oauth2("http://t/"));
            c.authorization = Some(Authorization::default());
        },
        "at most one of basic_auth, oauth2 & authorization must be configured",
    );
    f(
        |c| {
            c.oauth2 = Some(oauth2("http://t/"));
            c.basic_auth = Some(BasicAuth::default());
        },
        "at most one of basic_auth, oauth2 & authorization must be configured",
    );
    f(
        |c| {
            c.http_headers.insert("Host".into(), HeaderValues::default());
        },
        r#"setting header "Host" is not allowed"#,
    );
}

#[test]
fn relative_files_belong_to_the_directory_of_the_configuration() {
    let mut config = HttpClientConfig::default();
    config.tls_config.ca_file = "ca.pem".into();
    config.tls_config.cert_file = "/abs.pem".into();
    config.set_directory("/etc/masthead".into());
    assert_eq!(config.tls_config.ca_file, "/etc/masthead/ca.pem");
    assert_eq!(config.tls_config.cert_file, "/abs.pem");
}

#[test]
fn secrets_are_never_shown() {
    let basic = BasicAuth { password: "hunter2".into(), ..BasicAuth::default() };
    assert!(!format!("{basic:?}").contains("hunter2"));
    let mut oauth2 = oauth2("http://t/");
    oauth2.endpoint_params.insert("password".into(), "hunter2".into());
    assert!(!serde_json::to_string(&oauth2).expect("JSON").contains("hunter2"));
}

#[tokio::test]
async fn a_body_is_handed_out_while_it_comes_and_a_broken_one_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/watch", listener.local_addr().expect("bound"));
    let url = Url::parse(&url).expect("a URL");
    let mut session = client(&HttpClientConfig::default()).session();
    let headers = HeaderMap::new();
    let serving = async {
        let (mut stream, _) = listener.accept().await.expect("a client");
        let head = read_head(&mut stream).await.expect("a request");
        assert!(head.starts_with("GET /watch HTTP/1.1\r\n"), "{head}");
        let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n";
        stream.write_all(answer.as_bytes()).await.expect("written");
        stream
    };
    let (opened, mut stream) = tokio::join!(session.open(&url, &headers), serving);
    let mut answer = opened.expect("an answer");
    assert_eq!(answer.status, http::StatusCode::OK);
    assert_eq!(answer.chunk().await.expect("bytes").as_deref(), Some(&b"one"[..]));
    // Only now does the server say more: the first part was not waiting for it.
    stream.write_all(b"3\r\ntwo\r\n").await.expect("written");
    assert_eq!(answer.chunk().await.expect("bytes").as_deref(), Some(&b"two"[..]));
    drop(stream);
    let error = answer.chunk().await.expect_err("it broke off").to_string();
    assert!(error.contains("the body broke off"), "{error}");
}
