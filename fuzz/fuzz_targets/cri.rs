//! Lines of container logs.

#![no_main]

use libfuzzer_sys::fuzz_target;
use masthead_wire::cri::CriLine;

fuzz_target!(|line: &[u8]| {
    if let Some(read) = CriLine::parse(line) {
        assert!(read.content.len() < line.len());
    }
});
