//! Frames of a client's journal.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    masthead_forward::read_frame_for_fuzzing(bytes);
});
