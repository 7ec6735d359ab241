//! Rule: a file of `changelog.d/` is named `slug.kind.md` and holds one line about the impact of
//! one change, so that folding them (`changelog.rs`) never needs a human.

use camino::Utf8Path;

use super::{Found, Tree};
use crate::changelog::{FOLDER, Kind};

pub(super) fn check(tree: &Tree, found: &mut Found) {
    for (path, text) in tree.texts("md").filter(|(path, _)| is_fragment(path)) {
        if Kind::of(path).is_none() {
            let what = format!("{} is not the name of a fragment", path.file_name().unwrap_or(""));
            found.at(
                path,
                1,
                what,
                &format!("name it slug.KIND.md, KIND one of {}", Kind::names()),
            );
        }
        let lines = text.trim_end().lines().count();
        if lines != 1 {
            let what = format!("a fragment has one line, this one has {lines}");
            found.at(path, 1, what, "say in one sentence what changes for a user");
        }
    }
}

/// Whether `path` is a fragment: a document in `changelog.d/` that is not about the folder.
pub(super) fn is_fragment(path: &Utf8Path) -> bool {
    path.starts_with(FOLDER) && path.file_name() != Some("README.md")
}

#[cfg(test)]
mod tests {
    use super::super::assert_finds;
    use super::*;

    #[test]
    fn a_misnamed_an_empty_and_a_long_fragment_are_found() {
        let tree = Tree::of(&[
            ("changelog.d/README.md", "# Fragments\n\nTwo.\nLines.\n"),
            ("changelog.d/a.added.md", "The demo shows logs.\n"),
            ("changelog.d/b.new.md", "The demo shows logs.\n"),
            ("changelog.d/c.fixed.md", ""),
            ("changelog.d/d.perf.md", "One.\nTwo.\n"),
        ]);
        let want = [
            "changelog.d/b.new.md:1: b.new.md is not the name of a fragment",
            "changelog.d/c.fixed.md:1: a fragment has one line, this one has 0",
            "changelog.d/d.perf.md:1: a fragment has one line, this one has 2",
        ];
        assert_finds(check, &tree, &want);
    }
}
