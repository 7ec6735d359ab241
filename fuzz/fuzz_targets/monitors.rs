//! The target itself is `fuzz/targets/src/monitors.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::monitors::run(bytes));
