//! The target itself is `fuzz/targets/src/journal_entry.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::journal_entry::run(bytes));
