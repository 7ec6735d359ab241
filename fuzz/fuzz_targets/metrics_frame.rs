//! The target itself is `fuzz/targets/src/metrics_frame.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::metrics_frame::run(bytes));
