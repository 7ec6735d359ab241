//! TLS by rustls: the machine's authorities or the configured ones, client certificates, and the
//! option to believe anything.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
    version::{TLS12, TLS13},
};

use crate::{Error, TlsConfig, credentials::Pem};

/// Builds the settings of all connections of one client.
pub(crate) fn client_config(options: &TlsConfig, pem: &Pem) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(ring::default_provider());
    let versions: &[&rustls::SupportedProtocolVersion] =
        match (options.min_version.as_str(), options.max_version.as_str()) {
            ("TLS13", _) => &[&TLS13],
            (_, "TLS12") => &[&TLS12],
            _ => &[&TLS13, &TLS12],
        };
    let refuse = |what: &'static str, cause: String| Error::Certificate { what, cause };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(|error| refuse("TLS versions", error.to_string()))?;
    let builder = if options.insecure_skip_verify {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate { provider }))
    } else {
        builder.with_root_certificates(roots(pem)?)
    };
    let mut config = match (&pem.cert, &pem.key) {
        (Some(cert), Some(key)) => {
            let chain = certificates("client cert", cert)?;
            let key = PrivateKeyDer::from_pem_slice(key)
                .map_err(|error| refuse("client key", error.to_string()))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| refuse("client cert and key", error.to_string()))?
        }
        _ => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn roots(pem: &Pem) -> Result<RootCertStore, Error> {
    let mut store = RootCertStore::empty();
    match &pem.ca {
        Some(ca) => {
            for certificate in certificates("CA cert", ca)? {
                store.add(certificate).map_err(|error| Error::Certificate {
                    what: "CA cert",
                    cause: error.to_string(),
                })?;
            }
        }
        // Those of the machine that can't be read or parsed are left out: one bad file must not
        // stop every scrape, and a server that needs it will be refused by name.
        None => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(store)
}

fn certificates(what: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(Error::Certificate { what, cause: "no certificate in it".into() }),
        Err(error) => Err(Error::Certificate { what, cause: error.to_string() }),
    }
}

/// For `insecure_skip_verify`: the signature must fit the certificate, which may be anybody's.
#[derive(Debug)]
struct AnyCertificate {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
