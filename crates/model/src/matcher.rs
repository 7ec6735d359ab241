//! One condition of a selector: `name = "value"`, `!=`, `=~` or `!~`.
//!
//! A label that is not there counts as empty: `{a=""}` selects series without `a`, and so does
//! `{a!="x"}`. Regular expressions match the whole value.

use std::{fmt, sync::Arc};

use crate::{Labels, METRIC_NAME, Regexp, RegexpError, is_legacy_label_name, quote};

/// How a matcher compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Matches,
    /// `!~`
    NotMatches,
}

/// A condition on one label.
#[derive(Debug, Clone)]
pub struct Matcher {
    name: Arc<str>,
    value: Arc<str>,
    op: MatchOp,
    /// There for the two operators that need it.
    regexp: Option<Regexp>,
}

/// A pattern that is not a regular expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct MatcherError(#[from] RegexpError);

impl Matcher {
    /// A condition that `name` compares with `value` by `op`.
    ///
    /// # Errors
    /// When `op` is a regular expression operator and `value` is not one, with Go's text.
    pub fn new(op: MatchOp, name: &str, value: &str) -> Result<Self, MatcherError> {
        let regexp = match op {
            MatchOp::Equal | MatchOp::NotEqual => None,
            MatchOp::Matches | MatchOp::NotMatches => Some(Regexp::new(value)?),
        };
        Ok(Self { name: name.into(), value: value.into(), op, regexp })
    }

    /// `name = "value"`.
    pub fn equal(name: &str, value: &str) -> Self {
        Self { name: name.into(), value: value.into(), op: MatchOp::Equal, regexp: None }
    }

    /// `name != "value"`.
    pub fn not_equal(name: &str, value: &str) -> Self {
        Self { op: MatchOp::NotEqual, ..Self::equal(name, value) }
    }

    /// The condition that selects one metric by its name.
    pub fn metric(name: &str) -> Self {
        Self::equal(METRIC_NAME, name)
    }

    /// The label that is looked at.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value or the pattern, as it was written.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// How it compares.
    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// The compiled pattern of `=~` and `!~`.
    pub fn regexp(&self) -> Option<&Regexp> {
        self.regexp.as_ref()
    }

    /// Whether a label with this value passes; an absent label has the empty value.
    pub fn matches(&self, value: &str) -> bool {
        match (self.op, &self.regexp) {
            (MatchOp::Matches, Some(regexp)) => regexp.is_match(value),
            (MatchOp::NotMatches, Some(regexp)) => !regexp.is_match(value),
            (MatchOp::NotEqual, _) => *self.value != *value,
            // A regular expression operator always has its pattern; `new` saw to that.
            (MatchOp::Equal | MatchOp::Matches | MatchOp::NotMatches, _) => *self.value == *value,
        }
    }

    /// Whether a label set passes.
    pub fn matches_labels(&self, labels: &Labels) -> bool {
        self.matches(labels.get(&self.name).unwrap_or(""))
    }

    /// Whether sets without the label pass, so that an index over values alone cannot answer.
    pub fn matches_empty(&self) -> bool {
        self.matches("")
    }
}

/// Two matchers are equal when they were written alike.
impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (self.op, &self.name, &self.value) == (other.op, &other.name, &other.value)
    }
}

impl Eq for Matcher {}

impl fmt::Display for MatchOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Matches => "=~",
            Self::NotMatches => "!~",
        })
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_legacy_label_name(&self.name) {
            write!(f, "{}{}{}", self.name, self.op, quote(&self.value))
        } else {
            write!(f, "{}{}{}", quote(&self.name), self.op, quote(&self.value))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matcher(op: MatchOp, value: &str) -> Matcher {
        Matcher::new(op, "a", value).expect("valid pattern")
    }

    #[test]
    fn an_absent_label_has_the_empty_value() {
        let none = Labels::default();
        let some: Labels = [("a", "x")].into_iter().collect();
        let f = |op, value: &str, on_none: bool, on_some: bool| {
            let m = matcher(op, value);
            assert_eq!(
                (m.matches_labels(&none), m.matches_labels(&some)),
                (on_none, on_some),
                "{m}"
            );
            assert_eq!(m.matches_empty(), on_none, "{m}");
        };
        f(MatchOp::Equal, "", true, false);
        f(MatchOp::Equal, "x", false, true);
        f(MatchOp::NotEqual, "", false, true);
        f(MatchOp::NotEqual, "x", true, false);
        f(MatchOp::Matches, "", true, false);
        f(MatchOp::Matches, ".*", true, true);
        f(MatchOp::Matches, ".+", false, true);
        f(MatchOp::Matches, "x|", true, true);
        f(MatchOp::NotMatches, ".+", true, false);
        f(MatchOp::NotMatches, "y", true, true);
        f(MatchOp::NotMatches, "x|", false, false);
    }

    #[test]
    fn prints_as_in_a_selector() {
        assert_eq!(matcher(MatchOp::NotMatches, "a\"b").to_string(), r#"a!~"a\"b""#);
        assert_eq!(Matcher::equal("a.b", "c").to_string(), r#""a.b"="c""#);
        assert_eq!(Matcher::metric("up").to_string(), r#"__name__="up""#);
        assert_eq!(Matcher::not_equal("a", "c").to_string(), r#"a!="c""#);
        assert_eq!(matcher(MatchOp::Matches, "c").to_string(), r#"a=~"c""#);
    }

    #[test]
    fn a_bad_pattern_is_refused_with_gos_text() {
        let error = Matcher::new(MatchOp::Matches, "a", "(").expect_err("unclosed");
        assert_eq!(error.to_string(), "error parsing regexp: missing closing ): `(`");
        assert!(Matcher::new(MatchOp::Equal, "a", "(").is_ok());
    }

    proptest! {
        #[test]
        fn each_operator_has_its_opposite(pattern in "[ab|.*]{0,4}", value in "[ab]{0,3}") {
            if let Ok(yes) = Matcher::new(MatchOp::Matches, "a", &pattern) {
                let no = matcher(MatchOp::NotMatches, &pattern);
                prop_assert_ne!(yes.matches(&value), no.matches(&value));
            }
            let yes = matcher(MatchOp::Equal, &pattern);
            let no = matcher(MatchOp::NotEqual, &pattern);
            prop_assert_ne!(yes.matches(&value), no.matches(&value));
        }
    }
}
