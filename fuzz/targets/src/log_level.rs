//! The level of a line: always one of the known ones.

use masthead_logql::stages::level;

/// Takes any bytes.
pub fn run(text: &[u8]) {
    let known = ["trace", "debug", "info", "warn", "error", "critical", "fatal", "unknown"];
    assert!(known.contains(&level::in_line(text)));
}
