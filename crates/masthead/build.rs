//! How the binary is linked.

#![expect(clippy::disallowed_methods, reason = "cargo tells build scripts by variables alone")]

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Generic code makes many functions of the same bytes, and this keeps one of each. The linker
    // that Rust brings for this target knows the word; others may not.
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let brings_linker = is("CARGO_CFG_TARGET_ARCH", "x86_64")
        && is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu");
    if is("PROFILE", "release") && brings_linker {
        println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
    }
}
