//! Where a regular expression on a label is not anchored, though all others are.
//!
//! Loki replaces simple expressions by searches for texts, and forgets on the way that a label's
//! whole value must match (`pkg/logql/log/filter.go`, `RegexSimplifier`): `foo.*` matches any
//! value that holds `foo`, `cat|car-t` any that holds one of the two, because they start alike.
//! Dashboards were written against that, so it is kept.

/// What an expression becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Simplified {
    /// Every value matches.
    Anything,
    /// A value matches that has one of these texts in it, or is one where `whole` is set.
    Texts(Vec<(String, bool)>),
}

/// `None` for an expression that must match the whole value.
pub(super) fn simplify(pattern: &str) -> Option<Simplified> {
    if pattern.is_empty() || pattern == ".*" {
        return Some(Simplified::Anything);
    }
    let (inner, open) = match pattern.strip_prefix(".*") {
        Some(inner) => (inner.strip_suffix(".*").unwrap_or(inner), true),
        None => (pattern.strip_suffix(".*").unwrap_or(pattern), pattern.ends_with(".*")),
    };
    if inner.is_empty()
        || inner.contains(['\\', '.', '+', '*', '?', '(', ')', '[', ']', '{', '}', '^', '$'])
    {
        return None;
    }
    if open {
        // With a `|` it is a choice of which one side is open.
        return (!inner.contains('|')).then(|| Simplified::Texts(vec![(inner.to_owned(), false)]));
    }
    let choices: Vec<Vec<char>> = inner.split('|').map(|text| text.chars().collect()).collect();
    if choices.len() < 2 || choices.iter().any(Vec::is_empty) {
        return None;
    }
    let choices: Vec<&[char]> = choices.iter().map(Vec::as_slice).collect();
    let mut texts = Vec::new();
    factor(&choices, &mut Vec::new(), &mut texts).then_some(Simplified::Texts(texts))
}

/// Go's parser lifts what neighbouring choices start with out of them, and makes a class of
/// neighbouring single characters. A class is no text, so that nothing is simplified then.
fn factor(choices: &[&[char]], prefix: &mut Vec<char>, texts: &mut Vec<(String, bool)>) -> bool {
    let mut at = 0;
    let mut single_before = false;
    while let Some(first) = choices.get(at) {
        let same = |choice: &&&[char]| !first.is_empty() && choice.first() == first.first();
        let count = choices.get(at..).unwrap_or_default().iter().take_while(same).count().max(1);
        let group = choices.get(at..at + count).unwrap_or_default();
        at += count;
        if count == 1 {
            let single = first.len() == 1;
            if single && single_before {
                return false;
            }
            single_before = single;
            let text = prefix.iter().chain(first.iter()).collect();
            texts.push((text, prefix.is_empty()));
            continue;
        }
        single_before = false;
        let common = (1..=first.len())
            .take_while(|len| group.iter().all(|c| c.get(..*len) == first.get(..*len)))
            .last()
            .unwrap_or(0);
        let rests: Vec<&[char]> = group.iter().filter_map(|c| c.get(common..)).collect();
        let outer = prefix.len();
        prefix.extend_from_slice(first.get(..common).unwrap_or_default());
        let simple = factor(&rests, prefix, texts);
        prefix.truncate(outer);
        if !simple {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_searches_for_texts_are_simplified() {
        let f = |pattern: &str, want: Option<&[(&str, bool)]>| {
            let want = want.map(|texts| {
                Simplified::Texts(texts.iter().map(|(t, w)| ((*t).to_owned(), *w)).collect())
            });
            assert_eq!(simplify(pattern), want, "{pattern}");
        };
        f("foo.*", Some(&[("foo", false)]));
        f(".*foo", Some(&[("foo", false)]));
        f(".*foo.*", Some(&[("foo", false)]));
        f("a|b|c", None);
        f("get|put", Some(&[("get", true), ("put", true)]));
        f("cat|car-t|dog", Some(&[("cat", false), ("car-t", false), ("dog", true)]));
        f("500|503", None);
        f("bar|b|buzz", Some(&[("bar", false), ("b", false), ("buzz", false)]));
        f("foo", None);
        f("a.c", None);
        f("a|b.*", None);
        f("[0-9]+", None);
        f(".+", None);
        assert_eq!(simplify(""), Some(Simplified::Anything));
        assert_eq!(simplify(".*"), Some(Simplified::Anything));
    }
}
