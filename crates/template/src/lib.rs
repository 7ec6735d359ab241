//! Go's `text/template`: parse once, run often, never without limits.

#![forbid(unsafe_code)]

pub mod go;
