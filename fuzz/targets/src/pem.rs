//! Files of certificates and keys: usable, or refused.

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    masthead_http_client::fuzzing::pem(bytes);
}
