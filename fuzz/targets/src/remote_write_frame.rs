//! Frames of the journal of a remote end.

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    masthead_forward::remote_write::read_frame_for_fuzzing(bytes);
}
