//! The target itself is `fuzz/targets/src/log_json.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::log_json::run(bytes));
