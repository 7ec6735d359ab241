//! Requests and answers of remote read, compressed and plain.

use masthead_wire::{
    Limits,
    remote_read::{ReadRequest, encode_request, histograms_of_answer},
    remote_write::decompress,
};

/// Takes any bytes.
pub fn run(body: &[u8]) {
    let limits = Limits::default();
    let mut plain = Vec::new();
    drop(decompress(body, &limits, &mut plain));
    for body in [body, &plain] {
        drop(histograms_of_answer(body, &limits));
        let Ok(request) = ReadRequest::decode(body, &limits) else { continue };
        // What is read can be written, and is then read the same.
        let again = ReadRequest::decode(&encode_request(&request), &limits).expect("our own bytes");
        assert_eq!(again.queries.len(), request.queries.len());
    }
}
