//! Rows for the rules of `../logfmt.rs`.
