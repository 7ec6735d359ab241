//! The target itself is `fuzz/targets/src/kubernetes_watch.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| masthead_fuzz_targets::kubernetes_watch::run(bytes));
