//! Lines of container logs.

use masthead_wire::cri::CriLine;

/// Takes any bytes.
pub fn run(line: &[u8]) {
    if let Some(read) = CriLine::parse(line) {
        assert!(read.content.len() < line.len());
    }
}
