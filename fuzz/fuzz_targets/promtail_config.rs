//! The target itself is `fuzz/targets/src/promtail_config.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::promtail_config::run(bytes));
