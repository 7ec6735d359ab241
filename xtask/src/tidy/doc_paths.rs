//! Rule: every path of this repository that a document names is there in a fresh clone.
//!
//! Looked at are links in every document, and code spans in the documents of [`is_checked`] that
//! look like a path of this repository ([`repository_path`]). A path that is planned is marked
//! right behind it, `` `crates/wire` (to come)``, or by a cell `to come` in its table row; a mark
//! behind a path that exists is stale and found too. Fenced blocks are not looked at.

use camino::{Utf8Path, Utf8PathBuf};

use super::markdown::{self, Line};
use super::{Found, Tree};

/// First parts of a path that are ours even before anything of them exists.
const ROOTS: &[&str] = &[
    "api",
    "bench",
    "changelog.d",
    "crates",
    "docs",
    "fuzz",
    "infra",
    "scripts",
    "testdata",
    "web",
    "xtask",
];

const MARK: &str = "to come";

pub(super) fn check(tree: &Tree, found: &mut Found) {
    for (path, text) in tree.texts("md") {
        for line in markdown::lines(text) {
            check_links(tree, path, line, found);
            if is_checked(path) {
                check_spans(tree, path, line, found);
            }
        }
    }
}

/// Documents whose code spans are looked at: those that describe this repository.
fn is_checked(path: &Utf8Path) -> bool {
    let front = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "api/README.md"];
    front.iter().any(|front| path == *front)
        || path.starts_with("docs")
        || path.ends_with("changelog.d/README.md")
}

fn check_links(tree: &Tree, document: &Utf8Path, line: Line<'_>, found: &mut Found) {
    for target in line.link_targets() {
        let file = target.split('#').next().unwrap_or_default();
        if file.is_empty() || file.contains(':') {
            continue;
        }
        let there = match file.strip_prefix('/') {
            Some(from_root) => Some(Utf8PathBuf::from(from_root)),
            None => from_document(document, file),
        };
        if !there.is_some_and(|there| tree.has(&there)) {
            let what = format!("the link to {target} leads nowhere");
            found.at(document, line.number, what, "mend it; a link is relative to its document");
        }
    }
}

fn check_spans(tree: &Tree, document: &Utf8Path, line: Line<'_>, found: &mut Found) {
    // In a table row the cell `to come` speaks of the first path; the others need not be there.
    let row_to_come = line.cells().is_some_and(|cells| cells.contains(&MARK));
    let mut first = true;
    for (span, behind) in line.code_spans() {
        let Some(path) = repository_path(tree, span) else { continue };
        let beside = from_document(document, path.as_str());
        let exists = tree.has(&path) || beside.is_some_and(|path| tree.has(&path));
        let behind = behind.trim_start().strip_prefix('(');
        let marked = behind.is_some_and(|text| text.starts_with(MARK)) || (row_to_come && first);
        first = false;
        if marked && exists {
            let what = format!("{span} is marked as to come and exists");
            found.at(document, line.number, what, "remove the mark");
        } else if !exists && !marked && !row_to_come {
            let what = format!("{span} does not exist");
            let to_do = "mend the path, or write `(to come)` right behind it";
            found.at(document, line.number, what, to_do);
        }
    }
}

/// The path that a code span names, when it looks like one of this repository: its first part is
/// a folder of ours, or it is that of a document. A part with a placeholder (`*`, `{…}`,
/// `<…>`, `NAME`, `…`) ends it.
fn repository_path(tree: &Tree, span: &str) -> Option<Utf8PathBuf> {
    if span.contains(char::is_whitespace) || span.contains("::") || span.contains("//") {
        return None;
    }
    let span = span.split(['#', ':']).next().unwrap_or_default();
    let parts = span.trim_end_matches('/').split('/').take_while(|part| !is_placeholder(part));
    let path: Utf8PathBuf = parts.collect();
    let first = path.components().next()?.as_str();
    let is_document = path.extension() == Some("md");
    // A lone word such as `api` is a name, and `slug.md` may be an example; `README.md` is ours.
    let is_path = if span.contains('/') {
        is_document || ROOTS.contains(&first) || tree.has(first.into())
    } else {
        is_document && path.file_stem().is_some_and(is_shouted)
    };
    is_path.then_some(path)
}

fn is_placeholder(part: &str) -> bool {
    is_shouted(part) || part.contains(['*', '{', '<', '…', '$'])
}

/// Whether `word` is empty or all capitals.
fn is_shouted(word: &str) -> bool {
    word.chars().all(|character| character.is_ascii_uppercase())
}

/// `path` as seen from the folder of `document`; none when it leaves the repository.
fn from_document(document: &Utf8Path, path: &str) -> Option<Utf8PathBuf> {
    let mut there = document.parent()?.to_owned();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => there = there.parent()?.to_owned(),
            name => there.push(name),
        }
    }
    Some(there)
}

#[cfg(test)]
mod tests {
    use super::super::assert_finds;
    use super::*;

    fn f(document: &str, line: &str, want: &[&str]) {
        let text = format!("# A\n\n{line}\n");
        let tree = Tree::of(&[
            (document, &text),
            ("docs/reference/log-format.md", "# L\n"),
            ("crates/model/src/lib.rs", "//! M.\n"),
            (".ci/run", ""),
        ]);
        assert_finds(check, &tree, want);
    }

    #[test]
    fn a_code_span_that_names_a_missing_path_is_found() {
        f("README.md", "see `crates/model/src/lib.rs`, `crates/model/`, `.ci/run`", &[]);
        f(
            "README.md",
            "see `crates/modle/src/lib.rs:12`",
            &["README.md:3: crates/modle/src/lib.rs:12 does not"],
        );
        f(
            "README.md",
            "`web/` and `.ci/walk`",
            &["README.md:3: .ci/walk does", "README.md:3: web/ does"],
        );
        f("README.md", "`MISSING.md`", &["README.md:3: MISSING.md does not exist"]);
        f(
            "docs/a.md",
            "`reference/log-format.md`, `reference/nothing.md`",
            &["docs/a.md:3: reference/nothing.md"],
        );
        f("CHANGELOG.md", "`crates/gone`", &[]);
    }

    #[test]
    fn what_is_no_path_of_this_repository_is_left_alone() {
        for span in [
            "`/metrics`",
            "`api`",
            "`std::fs`",
            "`http://localhost:3000/api/v1`",
            "`make test`",
            "`target/release/masthead`",
            "`/api/v1/query`",
            "`prometheus.yml`",
            "`slug.md`",
            "`a/b`",
        ] {
            f("README.md", span, &[]);
        }
    }

    #[test]
    fn a_path_is_looked_at_up_to_its_first_placeholder() {
        f(
            "README.md",
            "`docs/**/*.md`, `crates/NAME/src`, `docs/{a,b}`, `crates/model/src/<part>.rs`",
            &[],
        );
        f("README.md", "`infra/**/*.yaml`", &["README.md:3: infra/**/*.yaml does not exist"]);
    }

    #[test]
    fn what_is_to_come_is_marked_and_the_mark_goes_when_it_came() {
        f("README.md", "`crates/wire` (to come), `web/src` (to come with the UI)", &[]);
        f("README.md", "| `crates/wire` | to come |", &[]);
        f("README.md", "| `crates/wire` | here |", &["README.md:3: crates/wire does not exist"]);
        f(
            "README.md",
            "`crates/model` (to come)",
            &["README.md:3: crates/model is marked as to come"],
        );
    }

    #[test]
    fn a_row_to_come_speaks_of_its_first_path() {
        f("README.md", "| `web/` | to come | drawn from `crates/model/` and `infra/` |", &[]);
        let stale = "README.md:3: crates/model/ is marked as to come";
        f("README.md", "| `crates/model/` | to come | beside `web/` |", &[stale]);
    }

    #[test]
    fn links_lead_somewhere_from_any_document() {
        f(
            "docs/a.md",
            "[x](reference/log-format.md#fields) [y](../README.md) [z](https://example.org)",
            &["docs/a.md:3: the link to ../README.md leads nowhere"],
        );
        f(
            "crates/model/README.md",
            "[x](src/lib.rs) [y](#here) [z](src/no.rs)",
            &["crates/model/README.md:3: the link to src/no.rs leads nowhere"],
        );
        f("README.md", "[out](../../etc/passwd)", &["README.md:3: the link to ../../etc/passwd"]);
    }
}
