//! What servers and proxies answer: SOCKS 5, the answer to `CONNECT`, a response with its body.

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    masthead_http_client::fuzzing::answer(bytes);
}
