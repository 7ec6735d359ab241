//! Rule: no Rust file is longer than [`LINES_MAX`] lines, unless its header says why with the
//! words "long because".

use super::{Found, Tree};

/// Past 500 lines one looks for the seam; past this one it is there.
const LINES_MAX: usize = 1000;

const EXCUSE: &str = "long because";

pub(super) fn check(tree: &Tree, found: &mut Found) {
    for (path, text) in tree.texts("rs") {
        let lines = text.lines().count();
        let mut header = text.lines().take_while(|line| line.starts_with("//!"));
        if lines > LINES_MAX && !header.any(|line| line.contains(EXCUSE)) {
            let what = format!("the file has {lines} lines, more than {LINES_MAX}");
            found.at(path, LINES_MAX + 1, what, "split it, or say in its header: long because …");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::assert_finds;
    use super::*;

    #[test]
    fn a_long_file_is_found_unless_its_header_says_why() {
        let rest = "fn f() {}\n".repeat(LINES_MAX);
        let tree = Tree::of(&[
            ("a.rs", &format!("//! A.\n{rest}")),
            ("b.rs", &format!("//! A flat table, long because upstream has as many.\n{rest}")),
            ("c.rs", &format!("//! C.\n// long because\n{rest}")),
            ("d.rs", &rest),
        ]);
        assert_finds(check, &tree, &["a.rs:1001: ", "c.rs:1001: "]);
    }
}
