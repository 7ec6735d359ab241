//! The target itself is `fuzz/targets/src/template.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::template::run(bytes));
