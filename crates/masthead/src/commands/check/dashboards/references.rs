//! References to variables in a text: `$name`, `${name}`, `${name:format}`, `${name.field}`,
//! `[[name]]`, `[[name:format]]`; the same expression as in
//! `web/src/dashboard/variables/interpolate.ts`.

use std::sync::OnceLock;

use regex::{Captures, Regex};

/// One reference, its parts as they stand.
#[derive(Debug)]
pub(super) struct Reference<'t> {
    pub whole: &'t str,
    pub name: &'t str,
    pub format: Option<&'t str>,
}

fn pattern() -> &'static Regex {
    static PATTERN: OnceLock<Regex> = OnceLock::new();
    PATTERN.get_or_init(|| {
        let word = "[0-9A-Za-z_]+";
        let text = format!(
            r"\$({word})|\[\[({word}?)(?::({word}))?\]\]|\$\{{({word})(?:\.([^:^}}]+))?(?::([^}}]+))?\}}"
        );
        Regex::new(&text).unwrap_or_else(|error| panic!("BUG: {error}"))
    })
}

fn reference<'t>(found: &Captures<'t>) -> Reference<'t> {
    let part = |at: usize| found.get(at).map(|m| m.as_str());
    Reference {
        whole: part(0).unwrap_or(""),
        name: part(1).or_else(|| part(2)).or_else(|| part(4)).unwrap_or(""),
        format: part(3).or_else(|| part(6)),
    }
}

/// Every reference of a text, in order.
pub(super) fn references(text: &str) -> impl Iterator<Item = Reference<'_>> {
    // Most texts of a file have none, and the expression takes its time to find that.
    let text = if text.contains(['$', '[']) { text } else { "" };
    pattern().captures_iter(text).map(|found| reference(&found))
}

/// The text with every reference replaced.
pub(super) fn replace(text: &str, mut with: impl FnMut(&Reference<'_>) -> String) -> String {
    pattern().replace_all(text, |found: &Captures<'_>| with(&reference(found))).into_owned()
}
