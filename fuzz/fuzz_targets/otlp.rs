//! The target itself is `fuzz/targets/src/otlp.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::otlp::run(bytes));
