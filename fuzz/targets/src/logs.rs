//! What the store of log lines reads from disk below its checksums: frames of the journal and
//! segments of blocks.

use masthead_logdb::simulation::decode_any;

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    decode_any(bytes);
}
