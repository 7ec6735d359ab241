//! What the options amount to at this moment: files are read for every request, so that a rotated
//! token or certificate works without a reload.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use camino::Utf8Path;
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use masthead_sysio::{Fs, read_to_vec};

use crate::{Error, HttpClientConfig};

/// Larger than any bundle of certificates in use.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Everything that may come from files.
#[derive(Debug, Clone, Default)]
pub(crate) struct Credentials {
    pub(crate) headers: HeaderMap,
    pub(crate) pem: Pem,
}

/// Certificates and key, as text.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Pem {
    pub(crate) ca: Option<Vec<u8>>,
    pub(crate) cert: Option<Vec<u8>>,
    pub(crate) key: Option<Vec<u8>>,
}

impl std::fmt::Debug for Pem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pem { .. }")
    }
}

/// Whether [`load`] reads a file, so that it belongs on a thread that may block.
pub(crate) fn uses_files(config: &HttpClientConfig) -> bool {
    let tls = &config.tls_config;
    let basic = config.basic_auth.as_ref();
    let other = config.authorization.as_ref();
    [&tls.ca_file, &tls.cert_file, &tls.key_file]
        .into_iter()
        .chain(basic.map(|basic| &basic.username_file))
        .chain(basic.map(|basic| &basic.password_file))
        .chain(other.map(|other| &other.credentials_file))
        .chain(config.http_headers.values().flat_map(|values| &values.files))
        .any(|file| !file.is_empty())
}

/// Reads and puts together what the options name.
pub(crate) fn load(config: &HttpClientConfig, fs: &Arc<dyn Fs>) -> Result<Credentials, Error> {
    let mut headers = HeaderMap::new();
    if let Some(basic) = &config.basic_auth {
        let user = text(fs, "username", &basic.username, &basic.username_file)?;
        let password = text(fs, "password", basic.password.expose(), &basic.password_file)?;
        headers.insert(AUTHORIZATION, basic_header(&user, &password)?);
    }
    if let Some(other) = &config.authorization {
        let token = text(fs, "credentials", other.credentials.expose(), &other.credentials_file)?;
        let value = format!("{} {token}", other.scheme());
        headers.insert(AUTHORIZATION, sensitive("authorization", value.trim_end())?);
    }
    for (name, values) in &config.http_headers {
        let header: HeaderName = name.parse().map_err(|_| Error::Header { name: name.clone() })?;
        for value in &values.values {
            headers.append(&header, plain(name, value)?);
        }
        for secret in &values.secrets {
            headers.append(&header, sensitive(name, secret.expose())?);
        }
        for file in &values.files {
            headers.append(&header, sensitive(name, &text(fs, "header", "", file)?)?);
        }
    }
    let tls = &config.tls_config;
    let pem = Pem {
        ca: bytes(fs, "CA cert", &tls.ca, &tls.ca_file)?,
        cert: bytes(fs, "client cert", &tls.cert, &tls.cert_file)?,
        key: bytes(fs, "client key", tls.key.expose(), &tls.key_file)?,
    };
    Ok(Credentials { headers, pem })
}

/// `Basic …`
pub(crate) fn basic_header(user: &str, password: &str) -> Result<HeaderValue, Error> {
    let encoded = BASE64_STANDARD.encode(format!("{user}:{password}"));
    sensitive("authorization", &format!("Basic {encoded}"))
}

/// A text that may be in a file, without the space around it there.
pub(crate) fn text(
    fs: &Arc<dyn Fs>,
    what: &'static str,
    inline: &str,
    file: &str,
) -> Result<String, Error> {
    if file.is_empty() {
        return Ok(inline.to_owned());
    }
    let bytes = read(fs, what, file)?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

fn bytes(
    fs: &Arc<dyn Fs>,
    what: &'static str,
    inline: &str,
    file: &str,
) -> Result<Option<Vec<u8>>, Error> {
    match (inline, file) {
        ("", "") => Ok(None),
        ("", file) => read(fs, what, file).map(Some),
        (inline, _) => Ok(Some(inline.as_bytes().to_vec())),
    }
}

fn read(fs: &Arc<dyn Fs>, what: &'static str, file: &str) -> Result<Vec<u8>, Error> {
    read_to_vec(&**fs, Utf8Path::new(file), FILE_BYTES_MAX).map_err(|error| Error::File {
        what,
        path: file.to_owned(),
        cause: error.to_string(),
    })
}

fn plain(name: &str, value: &str) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(value).map_err(|_| Error::Header { name: name.to_owned() })
}

fn sensitive(name: &str, value: &str) -> Result<HeaderValue, Error> {
    let mut header = plain(name, value)?;
    header.set_sensitive(true);
    Ok(header)
}
