//! The server's certificate: read at the start, and again when a file of it changes.
//!
//! A connection takes the settings that are in force when it begins. Files that do not fit together
//! change nothing: they are named in the log, and the old certificate goes on.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use anyhow::Context as _;
use camino::Utf8Path;
use masthead_sysio::{Fs as _, Metadata, RealFs, read_to_vec};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
    version::{TLS12, TLS13},
};

use super::upkeep::Upkeep;
use crate::cli::{TlsArgs, UsageError};

/// A larger file is no certificate.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// How often it is looked whether a file has changed.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The certificate in force and where it came from.
#[derive(Debug)]
pub(super) struct Certificates {
    files: TlsArgs,
    current: RwLock<Arc<ServerConfig>>,
    seen: Mutex<Vec<Option<Metadata>>>,
}

impl Certificates {
    /// Reads the files; nothing if none is named.
    ///
    /// # Errors
    /// One of certificate and key is missing; a file that cannot be read or does not fit.
    pub(super) fn open(files: &TlsArgs) -> anyhow::Result<Option<Arc<Self>>> {
        // Not by the command line's own rules, because one may be in the file and one a flag.
        let some = files.cert.is_some() || files.key.is_some() || files.client_ca.is_some();
        if !some {
            return Ok(None);
        }
        let seen = Mutex::new(look(files));
        let current = read(files).map_err(|error| UsageError(format!("{error:#}")))?;
        Ok(Some(Arc::new(Self { files: files.clone(), current: RwLock::new(current), seen })))
    }

    /// What a connection that begins now uses.
    pub(super) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads and checks the files as they are now.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn read(&self) -> anyhow::Result<Arc<ServerConfig>> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = look(&self.files);
        read(&self.files)
    }

    /// Connections that begin from now on use what was read.
    pub(super) fn put(&self, read: Arc<ServerConfig>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = read;
    }

    /// Reads the files again if one of them has changed.
    fn refresh(&self) {
        if *self.seen.lock().unwrap_or_else(PoisonError::into_inner) == look(&self.files) {
            return;
        }
        match self.read() {
            Ok(read) => {
                self.put(read);
                tracing::info!("Read the certificate again.");
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(error, "A new certificate was not taken; the old one goes on.");
            }
        }
    }
}

/// Starts the thread that looks whether a file has changed.
///
/// # Errors
/// The machine has no thread left.
pub(super) fn keep_up(
    certificates: Option<&Arc<Certificates>>,
    upkeep: &mut Upkeep,
) -> anyhow::Result<()> {
    let Some(certificates) = certificates.map(Arc::clone) else { return Ok(()) };
    upkeep.spawn("certificates", LOOK_EVERY, move || {
        certificates.refresh();
        Ok::<_, Infallible>(())
    })
}

/// What the files look like now.
fn look(files: &TlsArgs) -> Vec<Option<Metadata>> {
    let named = [&files.cert, &files.key, &files.client_ca];
    named.into_iter().flatten().map(|path| RealFs.metadata(path).ok()).collect()
}

fn read(files: &TlsArgs) -> anyhow::Result<Arc<ServerConfig>> {
    let cert = files.cert.as_deref().context("--tls.cert-file is missing")?;
    let key = files.key.as_deref().context("--tls.key-file is missing")?;
    let chain = certificates(cert).with_context(|| format!("--tls.cert-file {cert}"))?;
    // The cause could quote the file, so it is left out.
    let private = PrivateKeyDer::from_pem_slice(&bytes_of(key)?)
        .map_err(|_| anyhow::Error::msg("no private key in PEM in it"))
        .with_context(|| format!("--tls.key-file {key}"))?;
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13, &TLS12])?;
    let builder = match files.client_ca.as_deref() {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let what = || format!("--tls.client-ca-file {path}");
            let mut roots = RootCertStore::empty();
            for authority in certificates(path).with_context(what)? {
                roots.add(authority).with_context(what)?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().with_context(what)?)
        }
    };
    let mut config = builder
        .with_single_cert(chain, private)
        .with_context(|| format!("--tls.cert-file {cert} and --tls.key-file {key}"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(path: &Utf8Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let found: Vec<_> =
        CertificateDer::pem_slice_iter(&bytes_of(path)?).collect::<Result<_, _>>()?;
    anyhow::ensure!(!found.is_empty(), "no certificate in PEM in it");
    Ok(found)
}

fn bytes_of(path: &Utf8Path) -> anyhow::Result<Vec<u8>> {
    read_to_vec(&RealFs, path, FILE_BYTES_MAX).with_context(|| format!("cannot read {path}"))
}
