//! The target itself is `fuzz/targets/src/oauth2_token.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::oauth2_token::run(bytes));
