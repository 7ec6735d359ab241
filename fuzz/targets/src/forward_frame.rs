//! Frames of a client's journal.

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    masthead_forward::read_frame_for_fuzzing(bytes);
}
