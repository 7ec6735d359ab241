//! The target itself is `fuzz/targets/src/regexp.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::regexp::run(bytes));
