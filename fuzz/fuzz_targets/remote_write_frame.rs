//! Frames of the journal of a remote end.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    masthead_forward::remote_write::read_frame_for_fuzzing(bytes);
});
