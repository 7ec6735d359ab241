//! The target itself is `fuzz/targets/src/labels.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::labels::run(bytes));
