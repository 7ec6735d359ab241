//! The target itself is `fuzz/targets/src/loki_push.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::loki_push::run(bytes));
