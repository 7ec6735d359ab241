//! Rule: every Rust file opens with `//!`: what it is, what it must never do, its neighbours.

use super::{Found, Tree};

pub(super) fn check(tree: &Tree, found: &mut Found) {
    for (path, text) in tree.texts("rs") {
        if !text.starts_with("//! ") {
            let to_do = "say what it is, what it must never do and where its neighbours are";
            found.at(path, 1, "the file does not open with a `//!` comment", to_do);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::assert_finds;
    use super::*;

    #[test]
    fn a_rust_file_without_a_header_is_found() {
        let tree = Tree::of(&[
            ("a.rs", "//! The rest of the house.\nuse b;\n"),
            ("b.rs", "use a;\n//! Too late.\n"),
            ("c.rs", "//!\n"),
            ("d.rs", ""),
            ("e.ts", "export const e = 1;\n"),
        ]);
        assert_finds(check, &tree, &["b.rs:1: ", "c.rs:1: ", "d.rs:1: "]);
    }
}
