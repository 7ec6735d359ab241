//! What the store of log lines reads from disk below its checksums: frames of the journal and
//! segments of blocks.

#![no_main]

use libfuzzer_sys::fuzz_target;
use masthead_logdb::simulation::decode_any;

fuzz_target!(|bytes: &[u8]| {
    decode_any(bytes);
});
