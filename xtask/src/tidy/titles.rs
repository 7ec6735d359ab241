//! Rule: a Markdown document has exactly one first-level title, and it is its first line.
//!
//! The fragments of `changelog.d/` have none: they become lines of another document.

use super::{Found, Tree, fragments, markdown};

pub(super) fn check(tree: &Tree, found: &mut Found) {
    for (path, text) in tree.texts("md").filter(|(path, _)| !fragments::is_fragment(path)) {
        let titles = markdown::lines(text).filter(|line| line.title().is_some());
        let titles: Vec<usize> = titles.map(|line| line.number).collect();
        if titles.first() != Some(&1) {
            found.at(path, 1, "the document does not begin with a title", "begin it with `# …`");
        }
        for line in titles.iter().skip(1) {
            found.at(path, *line, "the document has a second title", "make it `## …`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::assert_finds;
    use super::*;

    #[test]
    fn a_document_without_a_title_or_with_two_is_found() {
        let tree = Tree::of(&[
            ("good.md", "# A\n\n## B\n\n```sh\n# a comment\n```\n"),
            ("late.md", "\n# A\n"),
            ("none.md", "## A\n"),
            ("two.md", "# A\n\n# B\n"),
            ("changelog.d/x.added.md", "A sentence.\n"),
        ]);
        assert_finds(check, &tree, &["late.md:1: ", "none.md:1: ", "two.md:3: "]);
    }
}
