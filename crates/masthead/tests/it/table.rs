//! Tables in pages of `docs/reference/` that are made from a live server:
//! `UPDATE=1 cargo test -p masthead reference` writes them, and without it the tests compare.
#![expect(clippy::disallowed_methods, reason = "tests read and write documents, and wait")]

use std::{path::Path, thread, time::Duration};

use crate::process::soon;

/// Fails when the table below `head` in `page` does not become `rows`; with `UPDATE` set, the page
/// becomes so.
pub(crate) fn compare(page: &str, head: &str, rows: impl Fn() -> Vec<String>) {
    let rows = || rows().into_iter().map(|row| row + "\n").collect::<String>();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(page);
    let text = std::fs::read_to_string(&file).unwrap();
    let at = text.find(head).unwrap_or_else(|| panic!("{page} has no table {head}")) + head.len();
    let end = at + text[at..].find("\n\n").map_or(text.len() - at, |end| end + 1);
    if std::env::var_os("UPDATE").is_some() {
        // Long enough for whatever shows itself late.
        thread::sleep(Duration::from_secs(10));
        std::fs::write(&file, format!("{}{}{}", &text[..at], rows(), &text[end..])).unwrap();
        return;
    }
    let mut last = String::new();
    let same = soon(|| {
        last = rows();
        last == text[at..end]
    });
    let differs = |some: &str, others: &str| -> Vec<String> {
        some.lines().filter(|line| !others.contains(line)).map(str::to_owned).collect()
    };
    assert!(
        same,
        "{page} is not what the server says; UPDATE=1 cargo test -p masthead reference\nnot in the page: {:#?}\nnot said: {:#?}",
        differs(&last, &text[at..end]),
        differs(&text[at..end], &last)
    );
}
