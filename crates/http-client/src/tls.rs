//! TLS by rustls: the machine's authorities or the configured ones, client certificates, and the
//! option to believe anything.

use std::sync::{Arc, OnceLock};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
    server::ParsedCertificate,
    version::{TLS12, TLS13},
};

use crate::{Error, TlsConfig, credentials::Pem};

/// The settings of all encrypted connections of one client.
///
/// Where no certificate is given they are made for the first such connection: the machine's
/// authorities are over a hundred, and most targets are asked without TLS.
#[derive(Debug)]
pub(crate) struct Settings {
    options: TlsConfig,
    pem: Pem,
    made: OnceLock<Arc<ClientConfig>>,
}

impl Settings {
    /// Certificates that are given are checked now.
    pub(crate) fn new(options: &TlsConfig, pem: Pem) -> Result<Self, Error> {
        let settings = Self { options: options.clone(), pem, made: OnceLock::new() };
        if settings.pem != Pem::default() {
            settings.get()?;
        }
        Ok(settings)
    }

    /// What they were made of.
    pub(crate) fn pem(&self) -> &Pem {
        &self.pem
    }

    pub(crate) fn get(&self) -> Result<Arc<ClientConfig>, Error> {
        if let Some(made) = self.made.get() {
            return Ok(Arc::clone(made));
        }
        let made = client_config(&self.options, &self.pem)?;
        Ok(Arc::clone(self.made.get_or_init(|| made)))
    }
}

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
    } else if let Some(ca) = &pem.ca {
        let given = certificates("CA cert", ca)?;
        let verifier = WebPkiServerVerifier::builder_with_provider(given_roots(&given)?, provider)
            .build()
            .map_err(|error| refuse("CA cert", error.to_string()))?;
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Given { given, verifier }))
    } else {
        builder.with_root_certificates(own_roots())
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

/// The authorities of the machine. Those that can't be read or parsed are left out: one bad file
/// must not stop every scrape, and a server that needs it will be refused by name.
fn own_roots() -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    store
}

fn given_roots(given: &[CertificateDer<'static>]) -> Result<Arc<RootCertStore>, Error> {
    let mut store = RootCertStore::empty();
    for certificate in given {
        store
            .add(certificate.clone())
            .map_err(|error| Error::Certificate { what: "CA cert", cause: error.to_string() })?;
    }
    Ok(Arc::new(store))
}

fn certificates(what: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(Error::Certificate { what, cause: "no certificate in it".into() }),
        Err(error) => Err(Error::Certificate { what, cause: error.to_string() }),
    }
}

/// For certificates that were given: what they vouch for, and they themselves.
///
/// `openssl req -x509` makes a certificate that is its own authority, and rustls takes no authority
/// for a server's certificate. Go takes one that is among the roots, and so does this: who gave it
/// meant just that server. Name and time are checked all the same.
#[derive(Debug)]
struct Given {
    given: Vec<CertificateDer<'static>>,
    verifier: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for Given {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.verifier.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            // Validity is checked before this is said.
            Err(error) if is_authority(&error) && self.given.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            Err(error) if is_authority(&error) => Err(rustls::Error::General(
                "the server's certificate is an authority's; give that very certificate as CA, or \
                 the server one that an authority has signed"
                    .to_owned(),
            )),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// Whether nothing is wrong with a server's certificate but that it is an authority's.
fn is_authority(error: &rustls::Error) -> bool {
    matches!(
        error,
        rustls::Error::InvalidCertificate(CertificateError::Other(other))
            if other.0.to_string() == "CaUsedAsEndEntity"
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_without_certificates_are_made_when_they_are_needed() {
        let settings =
            Settings::new(&TlsConfig::default(), Pem::default()).expect("no certificate");
        assert!(settings.made.get().is_none());
        let first = settings.get().expect("the machine's authorities");
        assert!(Arc::ptr_eq(&first, &settings.get().expect("the same")));
        let bad = Pem { ca: Some(b"none".to_vec()), ..Pem::default() };
        assert!(Settings::new(&TlsConfig::default(), bad).is_err());
    }
}
