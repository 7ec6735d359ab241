//! `${NAME}` and `${NAME:default}` in a configuration, as Promtail's `-config.expand-env` replaces
//! them.

use std::{cell::RefCell, collections::BTreeSet};

/// Text with every reference replaced. `$$` stays a dollar; a name without a value is nothing.
pub(super) fn expand(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let after = after.get(1..).unwrap_or_default();
        if let Some(next) = after.strip_prefix('$') {
            out.push('$');
            rest = next;
        } else if let Some((name, next)) = after.strip_prefix('{').and_then(|t| t.split_once('}')) {
            let (name, default) = name.split_once(':').unwrap_or((name, ""));
            let default = default.strip_prefix('-').unwrap_or(default);
            let value = environment(name).filter(|value| !value.is_empty());
            out.push_str(value.as_deref().unwrap_or(default));
            rest = next;
        } else {
            // `$1` in a rule and `$` at the end of an expression are not for us.
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// The names of variables that a text refers to and that have a value.
pub(super) fn known(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> BTreeSet<String> {
    let known = RefCell::new(BTreeSet::new());
    let note = |name: &str| {
        if environment(name).is_some_and(|value| !value.is_empty()) {
            known.borrow_mut().insert(name.to_owned());
        }
        None
    };
    expand(text, &note);
    known.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_braces_are_references() {
        let f = |text: &str, want: &str| {
            let known = |name: &str| (name == "HOST").then(|| "h1".to_owned());
            assert_eq!(expand(text, &known), want, "{text:?}");
        };
        f("a ${HOST} b", "a h1 b");
        f("${NONE:x}${NONE}${NONE:-y}", "xy");
        f("$1 ^a$ $HOST", "$1 ^a$ $HOST");
        f("$${HOST}", "${HOST}");
        f("${open", "${open");
    }

    #[test]
    fn only_variables_with_a_value_are_known() {
        let value = |name: &str| match name {
            "HOST" => Some("h1".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let found = known("${1}-${HOST}-${HOST:x} ${NONE:y} ${EMPTY} $HOST", &value);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["HOST"]);
    }
}
