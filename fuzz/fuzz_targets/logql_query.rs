//! The target itself is `fuzz/targets/src/logql_query.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::logql_query::run(bytes));
