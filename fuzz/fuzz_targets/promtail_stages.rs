//! The target itself is `fuzz/targets/src/promtail_stages.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::promtail_stages::run(bytes));
