//! The target itself is `fuzz/targets/src/forward_frame.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::forward_frame::run(bytes));
