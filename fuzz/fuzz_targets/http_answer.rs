//! The target itself is `fuzz/targets/src/http_answer.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::http_answer::run(bytes));
