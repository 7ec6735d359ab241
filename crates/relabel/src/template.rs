//! Replacement templates in the syntax of Go's `regexp.Expand` ([`Reference`]), taken apart once for
//! all that is relabelled. A group that does not exist or did not match is empty.

use masthead_model::Reference;

/// A template, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(Box<str>),
    Group(usize),
    Named(Box<str>),
}

/// Where a group's text comes from.
pub(crate) trait Groups<'t> {
    fn by_place(&self, place: usize) -> Option<&'t str>;
    fn by_name(&self, name: &str) -> Option<&'t str>;
}

impl Template {
    pub(crate) fn new(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            literal.push_str(before);
            rest = after;
            let Some((reference, after)) = Reference::read(rest) else {
                literal.push('$');
                continue;
            };
            rest = after;
            let piece = match reference {
                Reference::Dollar => {
                    literal.push('$');
                    continue;
                }
                Reference::Place(place) => Piece::Group(place),
                Reference::Name(name) => Piece::Named(name.into()),
            };
            if !literal.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut literal).into()));
            }
            pieces.push(piece);
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal.into()));
        }
        Self { pieces }
    }

    /// The text, if it is the same whatever matched.
    pub(crate) fn constant(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether it is `$1` alone.
    pub(crate) fn is_first_group(&self) -> bool {
        self.pieces == [Piece::Group(1)]
    }

    pub(crate) fn expand<'t>(&self, groups: &impl Groups<'t>, out: &mut String) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Group(place) => out.push_str(groups.by_place(*place).unwrap_or("")),
                Piece::Named(name) => out.push_str(groups.by_name(name).unwrap_or("")),
            }
        }
    }

    /// Whether it yields a classic label name as far as can be told: upstream's `relabelTarget`,
    /// `^(?:(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))+\w*)+$`.
    pub(crate) fn is_legacy_name(&self) -> bool {
        let fits = |piece: &Piece| match piece {
            Piece::Text(text) => text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'),
            Piece::Group(_) => true,
            Piece::Named(name) => name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'),
        };
        let starts_with_digit = matches!(
            self.pieces.first(),
            Some(Piece::Text(text)) if text.starts_with(|c: char| c.is_ascii_digit())
        );
        !self.pieces.is_empty() && !starts_with_digit && self.pieces.iter().all(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two;

    impl Groups<'static> for Two {
        fn by_place(&self, place: usize) -> Option<&'static str> {
            [Some("whole"), Some("one"), None].get(place).copied().flatten()
        }

        fn by_name(&self, name: &str) -> Option<&'static str> {
            (name == "name").then_some("named")
        }
    }

    #[test]
    fn expands_as_go_does() {
        let f = |text: &str, want: &str| {
            let mut out = String::new();
            Template::new(text).expand(&Two, &mut out);
            assert_eq!(out, want, "{text:?}");
        };
        f("plain", "plain");
        f("$1", "one");
        f("a${1}b", "aoneb");
        f("$1b", ""); // The group called "1b".
        f("$0-$1", "whole-one");
        f("$2|$3|$99999999999", "||");
        f("$name.${name}", "named.named");
        f("$name_x", "");
        f("$$1", "$1");
        f("$", "$");
        f("a$", "a$");
        f("${", "${");
        f("${}", "${}");
        f("${1", "${1");
        f("${1 }", "${1 }");
        f("$-$1", "$-one");
        f("$01", "");
        f("$é", "");
        f("", "");
    }

    #[test]
    fn what_may_name_a_classic_label() {
        let f = |text: &str, want: bool| {
            assert_eq!(Template::new(text).is_legacy_name(), want, "{text:?}");
        };
        f("-label", false);
        f("label", true);
        f("label${1}", true);
        f("${1}label", true);
        f("${1}", true);
        f("${", false);
        f("$", false);
        f("${}", false);
        f("foo${", false);
        f("$1", true);
        f("asd$2asd", true);
        f("-foo${1}bar-", false);
        f("_${1}_", true);
        f("foo${bar}foo", true);
        f("0${3}", false);
        f("${1}0", true);
        f("", false);
    }

    #[test]
    fn constant_templates_are_known() {
        let f = |text: &str, want: Option<&str>| {
            assert_eq!(Template::new(text).constant(), want, "{text:?}");
        };
        f("", Some(""));
        f("$$x", Some("$x"));
        f("a$1", None);
        assert!(Template::new("${1}").is_first_group() && !Template::new("$1$1").is_first_group());
    }
}
