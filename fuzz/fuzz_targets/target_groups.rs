//! The target itself is `fuzz/targets/src/target_groups.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::target_groups::run(bytes));
