//! The level of a line: always one of the known ones.

#![no_main]

use libfuzzer_sys::fuzz_target;
use masthead_logql::stages::level;

fuzz_target!(|text: &[u8]| {
    let known = ["trace", "debug", "info", "warn", "error", "critical", "fatal", "unknown"];
    assert!(known.contains(&level::in_line(text)));
});
