//! Promtail's file of positions: what is read of it can be written and read again.

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    masthead_tail::read_positions_for_fuzzing(bytes);
}
