//! What a server of OAuth 2 tokens answers: a token or an error that tells no secret.

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    masthead_http_client::fuzzing::token(bytes);
}
