//! What an API server of Kubernetes tells on a watch and in lists, and the targets made of it.

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    masthead_discovery::fuzzing::watch(bytes);
}
