//! Files of target groups, in JSON and in YAML.

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    masthead_discovery::fuzzing::target_groups(bytes);
}
