//! Connections that come in too great a number, too slowly, or by TLS.
#![expect(clippy::disallowed_methods, reason = "tests write files")]

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::Arc,
    time::Duration,
};

use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::{TlsConnector, rustls};

use crate::{
    process::{masthead, soon},
    serve::Server,
};

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    stream
}

/// Everything until the other end closes, which it may do in a rude way.
fn rest(mut stream: &TcpStream) -> String {
    let mut text = Vec::new();
    drop(stream.read_to_end(&mut text));
    String::from_utf8(text).unwrap()
}

#[test]
fn who_is_slow_or_silent_loses_the_place() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--web.header-timeout", "500ms"]);
    let silent = connect(&server);
    let mut slow = connect(&server);
    slow.write_all(b"GET /-/healthy HTTP/1.1\r\nhost: x\r\nx-").unwrap();
    let mut idle = connect(&server);
    idle.write_all(b"GET /-/healthy HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    // Each of these ends when the server closes the connection, else the test would wait a minute.
    assert_eq!(rest(&silent), "");
    assert!(!rest(&slow).contains("200 OK"));
    assert!(rest(&idle).contains("200 OK"));
    assert!(soon(|| server.get("/metrics").1.contains("masthead_connections_open 1\n")));
}

#[test]
fn only_so_many_connections_are_open() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--web.max-connections", "2"]);
    let (first, second) = (connect(&server), connect(&server));
    let refused = || {
        let stream = connect(&server);
        let answer = rest(&stream);
        answer.contains("503") && answer.contains("--web.max-connections")
    };
    assert!(soon(refused));
    drop((first, second));
    assert!(soon(|| server.ask("GET /-/healthy HTTP/1.1", b"").is_some_and(|said| said.0 == 200)));
    let (_, metrics) = server.get("/metrics");
    assert!(!metrics.contains("masthead_connections_refused_total 0\n"), "{metrics}");
}

#[test]
fn every_answer_is_hardened() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    for path in
        ["/", "/api/v1/labels", "/loki/api/v1/labels", "/metrics", "/nothing.js", "/-/healthy"]
    {
        let (_, answer) = server.get(path);
        for header in [
            "content-security-policy: default-src 'none'",
            "x-content-type-options: nosniff",
            "x-frame-options: DENY",
            "referrer-policy: same-origin",
        ] {
            assert_eq!(answer.matches(header).count(), 1, "{header} of {path}: {answer}");
        }
        assert!(!answer.contains("strict-transport-security"));
    }
}

/// An authority that signs for 127.0.0.1.
pub(crate) struct Authority {
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// Certificate and key, in PEM.
    pub(crate) fn sign(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

/// The answer to a request by TLS from a client that believes this authority alone.
fn ask(
    address: SocketAddr,
    believes: &Authority,
    own: Option<&(String, String)>,
) -> Option<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(believes.pem.as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match own {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => {
            let chain = vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    let asked = async {
        let stream = tokio::net::TcpStream::connect(address).await.ok()?;
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()?;
        let head = b"GET /-/healthy HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        stream.write_all(head).await.ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok()?;
        String::from_utf8(answer).ok().filter(|answer| answer.contains("200 OK"))
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), asked).await.ok()? })
}

pub(crate) fn write(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_certificate_is_shown_and_a_new_one_without_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let dir = directory.path();
    let (old, new) = (Authority::new(), Authority::new());
    let (cert, key) = old.sign();
    let cert = write(dir, "cert.pem", &cert);
    let key = write(dir, "key.pem", &key);
    let mut server = Server::start_with(
        &dir.join("data"),
        &["--tls.cert-file", &cert, "--tls.key-file", &key, "--auth.admin-password", "x"],
    );
    let address = server.address();
    let answer = ask(address, &old, None).unwrap();
    assert!(answer.contains("strict-transport-security: max-age="), "{answer}");
    assert!(ask(address, &new, None).is_none(), "believed a stranger");
    // Half of a new pair, and garbage, leave the old one in force.
    let (new_cert, new_key) = new.sign();
    write(dir, "cert.pem", &new_cert);
    server.process.line_with("was not taken");
    assert!(ask(address, &old, None).is_some());
    write(dir, "key.pem", &new_key);
    assert!(soon(|| ask(address, &new, None).is_some()));
    assert!(ask(address, &old, None).is_none());
}

#[test]
fn a_client_without_a_certificate_stays_outside_where_one_is_wanted() {
    let directory = tempfile::tempdir().unwrap();
    let dir = directory.path();
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (cert, key) = ours.sign();
    let cert = write(dir, "cert.pem", &cert);
    let key = write(dir, "key.pem", &key);
    let ca = write(dir, "ca.pem", &theirs.pem);
    let flags = ["--tls.cert-file", &cert, "--tls.key-file", &key, "--tls.client-ca-file", &ca];
    let server = Server::start_with(&dir.join("data"), &flags);
    let address = server.address();
    assert!(ask(address, &ours, None).is_none());
    assert!(ask(address, &ours, Some(&ours.sign())).is_none());
    assert!(ask(address, &ours, Some(&theirs.sign())).is_some());
}

#[test]
fn files_that_do_not_fit_are_refused_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let dir = directory.path();
    let (cert, _) = Authority::new().sign();
    let (_, other_key) = Authority::new().sign();
    let cert = write(dir, "cert.pem", &cert);
    let key = write(dir, "key.pem", &other_key);
    let garbage = write(dir, "garbage.pem", "hunter2");
    let data = dir.join("data");
    let f = |cert: &str, key: &str, want: &str| {
        let listen = ["--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
        let mut args = vec!["serve", "--prometheus-listen", "off", "--loki-listen", "off"];
        args.extend(listen);
        args.extend(["--tls.cert-file", cert, "--tls.key-file", key]);
        let (code, _, stderr) = masthead(&args).finish();
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains(want) && !stderr.contains("hunter2"), "{stderr}");
    };
    f(&cert, &key, &key);
    f(&garbage, &key, "no certificate");
    f(&cert, &garbage, "no private key");
    f("/nowhere", &key, "/nowhere");
}
