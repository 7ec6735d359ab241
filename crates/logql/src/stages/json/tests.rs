//! Rows for the rules of `../json.rs`.
