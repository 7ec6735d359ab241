//! Rows for the rules of `../line_filter.rs`.
