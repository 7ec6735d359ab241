//! Rows for the rules of `../level.rs`.
