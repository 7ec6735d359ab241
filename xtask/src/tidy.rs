//! The rules of the repository as a program: one file per rule under `tidy/`, one line per rule
//! in [`RULES`].
//!
//! A rule is a pure function of a [`Tree`], so its test makes up a small tree that breaks it. A
//! rule never reads the disk: `tree.rs` did that once, before the first rule ran.
//!
//! To add a rule: write `tidy/NAME.rs` with `pub(super) fn check(tree: &Tree, found: &mut Found)`
//! and a test, then add its line to the table. A message says what is wrong, then what to do.

mod command_blocks;
mod crate_attributes;
mod doc_paths;
mod file_length;
mod floor_table;
mod floors;
mod fragments;
mod headers;
mod leftovers;
mod licences;
mod lock_files;
mod markdown;
mod synchronous;
mod test_binaries;
mod titles;
mod tree;

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};

pub(crate) use tree::Tree;

/// Every rule: its name, as it stands in brackets behind a finding, and its function.
pub(crate) const RULES: &[(&str, Rule)] = &[
    ("command-blocks", command_blocks::check),
    ("crate-attributes", crate_attributes::check),
    ("doc-paths", doc_paths::check),
    ("file-length", file_length::check),
    ("floors", floors::check),
    ("fragments", fragments::check),
    ("headers", headers::check),
    ("leftovers", leftovers::check),
    ("licences", licences::check),
    ("lock-files", lock_files::check),
    ("synchronous", synchronous::check),
    ("test-binaries", test_binaries::check),
    ("titles", titles::check),
];

/// What a rule is: it looks at the tree and reports what breaks it.
pub(crate) type Rule = fn(&Tree, &mut Found);

/// One broken rule at one place.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: Utf8PathBuf,
    line: usize,
    message: String,
    rule: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, message, rule } = self;
        write!(out, "{path}:{line}: {message} [{rule}]")
    }
}

/// Where a rule puts what it found.
#[derive(Debug)]
pub(crate) struct Found {
    rule: &'static str,
    findings: Vec<Finding>,
}

impl Found {
    /// Reports that `what` is wrong at `path`, line `line` counted from 1, and what `to_do`.
    fn at(&mut self, path: &Utf8Path, line: usize, what: impl fmt::Display, to_do: &str) {
        let message = format!("{what}; {to_do}");
        self.findings.push(Finding { path: path.to_owned(), line, message, rule: self.rule });
    }
}

/// Runs every rule and returns what they found, ordered by path and line.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, rule) in RULES {
        findings.append(&mut run(name, *rule, tree));
    }
    findings.sort();
    findings
}

fn run(name: &'static str, rule: Rule, tree: &Tree) -> Vec<Finding> {
    let mut found = Found { rule: name, findings: Vec::new() };
    rule(tree, &mut found);
    found.findings
}

/// Asserts that `rule` finds exactly `want` in `tree`: each entry is `path:line: ` followed by
/// the beginning of the message.
#[cfg(test)]
#[track_caller]
fn assert_finds(rule: Rule, tree: &Tree, want: &[&str]) {
    let mut found = run("rule", rule, tree);
    found.sort();
    let got: Vec<String> = found.iter().map(ToString::to_string).collect();
    let same = got.len() == want.len() && got.iter().zip(want).all(|(g, w)| g.starts_with(w));
    assert!(same, "found {got:#?}\nwanted lines that begin with {want:#?}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_ordered_by_name_and_names_each_rule_once() {
        assert!(RULES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn findings_of_all_rules_come_in_the_order_of_path_and_line_and_name_their_rule() {
        let tree = Tree::of(&[
            ("b.rs", "fn b() {}\n"),
            ("a.md", "no title\n"),
            (
                "ARCHITECTURE.md",
                "# A\n\n| floor | crate | state | also uses | what |\n|-|-|-|-|-|\n",
            ),
            ("deny.toml", "[licenses]\nallow = []\n"),
        ]);
        let lines: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), 2, "{lines:#?}");
        assert!(lines[0].starts_with("a.md:1: ") && lines[0].ends_with("[titles]"));
        assert!(lines[1].starts_with("b.rs:1: ") && lines[1].ends_with("[headers]"));
    }
}
