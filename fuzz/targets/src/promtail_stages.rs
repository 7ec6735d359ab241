//! Promtail's stages: any lines pass any of them, and none comes out twice.

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    masthead_tail::run_stages_for_fuzzing(bytes);
}
