//! Rule: every library and program forbids unsafe code, but for the crates whose named modules
//! need it, and the libraries of the lower floors warn of missing documentation.

use super::{Found, Tree, floor_table};

/// Crates with a module that touches memory maps or vector instructions.
const UNSAFE_CRATES: &[&str] = &["chunk", "sysio"];

/// Up to this floor every crate above reads the documentation.
const DOCUMENTED_LEVEL_MAX: u8 = 2;

pub(super) fn check(tree: &Tree, found: &mut Found) {
    let (rows, _) = floor_table::read(tree);
    for own in &tree.crates {
        let level = floor_table::level(&rows, own.name());
        for root in &own.roots {
            let Some(text) = tree.text(root) else { continue };
            let has = |attribute| text.lines().any(|line| line.trim_end() == attribute);
            if !UNSAFE_CRATES.contains(&own.name()) && !has("#![forbid(unsafe_code)]") {
                let to_do = "add #![forbid(unsafe_code)] below the header";
                found.at(root, 1, "the crate does not forbid unsafe code", to_do);
            }
            let low = level.is_some_and(|level| level <= DOCUMENTED_LEVEL_MAX);
            if low && !has("#![warn(missing_docs)]") {
                let what = "a crate of F0 to F2 does not warn of missing documentation";
                found.at(root, 1, what, "add #![warn(missing_docs)] below the header");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::assert_finds;
    use super::*;

    #[test]
    fn a_root_without_its_attributes_is_found() {
        let table = floor_table::document(&[
            "| F3 | `tsdb` | here | |",
            "| F0 | `model` | here | |",
            "| F0 | `sysio` | here | |",
        ]);
        let files = [
            (floor_table::DOCUMENT, table.as_str()),
            ("crates/model/src/lib.rs", "//! M.\n#![forbid(unsafe_code)]\n"),
            ("crates/sysio/src/lib.rs", "//! S.\n#![warn(missing_docs)]\n"),
            ("crates/tsdb/src/lib.rs", "//! T.\n"),
        ];
        let mut tree = Tree::of(&files)
            .with_crate("crates/model", &[])
            .with_crate("crates/sysio", &[])
            .with_crate("crates/tsdb", &[]);
        for own in &mut tree.crates {
            own.roots = vec![own.folder.join("src/lib.rs")];
        }
        let want = [
            "crates/model/src/lib.rs:1: a crate of F0 to F2 does not warn",
            "crates/tsdb/src/lib.rs:1: the crate does not forbid unsafe code",
        ];
        assert_finds(check, &tree, &want);
    }
}
