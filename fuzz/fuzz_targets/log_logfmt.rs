//! The target itself is `fuzz/targets/src/log_logfmt.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::log_logfmt::run(bytes));
