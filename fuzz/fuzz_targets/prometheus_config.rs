//! The target itself is `fuzz/targets/src/prometheus_config.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::prometheus_config::run(bytes));
