//! What loads, unchanged.
