//! The target itself is `fuzz/targets/src/remote_read.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::remote_read::run(bytes));
