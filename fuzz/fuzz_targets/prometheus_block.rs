//! The target itself is `fuzz/targets/src/prometheus_block.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::prometheus_block::run(bytes));
