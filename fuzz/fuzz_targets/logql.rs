//! The target itself is `fuzz/targets/src/logql.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::logql::run(bytes));
