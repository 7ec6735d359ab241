//! Rule: no left-over of unfinished work in a source: what says "later" is an issue, not a marker.
//!
//! Documents may speak of the markers; sources may not hold them, not even in a comment. The
//! markers below are joined from halves, or this file would find itself.

use super::{Found, Tree};

/// What is looked for, and what to do instead. A marker counts only where no letter or digit
/// stands before or behind it.
const MARKERS: &[(&str, &str)] = &[
    (concat!("to", "do!("), "write the code"),
    (concat!("unimpl", "emented!("), "write the code, or return an error"),
    (concat!("FIX", "ME"), "fix it, or open an issue"),
    (concat!("XX", "X"), "fix it, or open an issue"),
    (concat!("db", "g!("), "remove it"),
    (concat!("#[ign", "ore]"), "say why: #[ignore = \"…\"]"),
    (concat!("assert!(tr", "ue"), "assert something that can fail"),
    (concat!("test.on", "ly("), "let the other tests run"),
];

const EXTENSIONS: &[&str] = &["rs", "ts", "tsx", "js", "sh", "toml", "yaml", "yml"];

pub(super) fn check(tree: &Tree, found: &mut Found) {
    let sources = EXTENSIONS.iter().flat_map(|extension| tree.texts(extension));
    for (path, text) in sources {
        for (line, number) in text.lines().zip(1..) {
            for (marker, to_do) in MARKERS {
                if has_word(line, marker) {
                    found.at(path, number, format!("left-over `{marker}`"), to_do);
                }
            }
        }
    }
}

fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    line.match_indices(word).any(|(at, _)| {
        let behind = line[at + word.len()..].chars().next();
        let open = word.ends_with('(');
        !part_of_word(line[..at].chars().next_back()) && (open || !part_of_word(behind))
    })
}

#[cfg(test)]
mod tests {
    use super::super::assert_finds;
    use super::*;

    #[test]
    fn each_marker_is_found_at_its_line_in_sources_alone() {
        for (marker, _) in MARKERS {
            let text = format!("//! A.\n    {marker}\n");
            let tree = Tree::of(&[("a.rs", &text), ("b.md", &text), ("c.ts", &text)]);
            let want =
                [format!("a.rs:2: left-over `{marker}`"), format!("c.ts:2: left-over `{marker}`")];
            assert_finds(check, &tree, &want.each_ref().map(String::as_str));
        }
    }

    #[test]
    fn a_marker_inside_a_longer_word_is_none() {
        let tree = Tree::of(&[(
            "a.rs",
            concat!("//! mktemp x.XX", "XXXX, pre_to", "do!(\n#[ignore = \"needs a cluster\"]\n"),
        )]);
        assert_finds(check, &tree, &[concat!("a.rs:1: left-over `to", "do!(`")]);
        assert!(!has_word(concat!("aXX", "X"), concat!("XX", "X")));
        assert!(has_word(concat!("(to", "do!(\"later\")"), concat!("to", "do!(")));
    }
}
