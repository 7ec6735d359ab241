//! Rule: a crate has at most one integration-test binary, because each is a link step of its own.

use super::{Found, Tree};

pub(super) fn check(tree: &Tree, found: &mut Found) {
    for own in &tree.crates {
        for extra in own.test_binaries.iter().skip(1) {
            let what = format!("`{}` has {} test binaries", own.name(), own.test_binaries.len());
            let to_do = "make it a module of the first one, e.g. tests/it/NAME.rs";
            found.at(extra, 1, what, to_do);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::assert_finds;
    use super::*;

    #[test]
    fn the_second_test_binary_of_a_crate_is_found() {
        let mut tree = Tree::default().with_crate("api", &[]).with_crate("crates/model", &[]);
        tree.crates[0].test_binaries = vec!["api/tests/it/main.rs".into(), "api/tests/b.rs".into()];
        tree.crates[1].test_binaries = vec!["crates/model/tests/it.rs".into()];
        assert_finds(check, &tree, &["api/tests/b.rs:1: `api` has 2 test binaries"]);
    }
}
