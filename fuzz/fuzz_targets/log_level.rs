//! The target itself is `fuzz/targets/src/log_level.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::log_level::run(bytes));
