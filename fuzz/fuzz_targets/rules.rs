//! The target itself is `fuzz/targets/src/rules.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::rules::run(bytes));
