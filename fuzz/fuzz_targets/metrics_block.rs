//! The target itself is `fuzz/targets/src/metrics_block.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::metrics_block::run(bytes));
