//! `| label > 5`, `| label = "x"`, `| label != ip("…")`, with `and` and `or`.
//!
//! Only strings see a missing label, as an empty one; all other filters drop the line. A value
//! that cannot be read as a number, duration or size keeps the line and marks it with
//! `LabelFilterErr`, unless an earlier error is there.

use masthead_model::{MatchOp, Matcher, readable};
use masthead_template::go;

use super::ip::IpPattern;
use super::label_regexp::{self, Simplified};
use super::{ERROR_LABEL, Keep, Line, Needed, Stage, StageError};

pub(super) const LABEL_FILTER_ERROR: &str = "LabelFilterErr";

/// How a number, duration or size is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompareOp {
    /// `==` and `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
}

impl CompareOp {
    fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
        }
    }
}

/// A condition on labels.
#[derive(Debug, Clone)]
pub struct LabelFilter(Test);

#[derive(Debug, Clone)]
enum Test {
    Always,
    Never,
    Text(Matcher),
    /// An expression that became texts: whether the value must be one or hold it.
    Texts {
        name: Box<str>,
        negated: bool,
        texts: Vec<(String, bool)>,
    },
    Number {
        name: Box<str>,
        op: CompareOp,
        value: f64,
    },
    Duration {
        name: Box<str>,
        op: CompareOp,
        nanos: i64,
    },
    Bytes {
        name: Box<str>,
        op: CompareOp,
        bytes: u64,
    },
    Ip {
        name: Box<str>,
        negated: bool,
        pattern: IpPattern,
    },
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
}

impl LabelFilter {
    /// `name = "value"` and the other operators of matchers.
    pub fn text(matcher: Matcher) -> Self {
        let simplified = match matcher.op() {
            MatchOp::Matches | MatchOp::NotMatches => label_regexp::simplify(matcher.value()),
            MatchOp::Equal | MatchOp::NotEqual => None,
        };
        let negated = matcher.op() == MatchOp::NotMatches;
        Self(match simplified {
            None => Test::Text(matcher),
            Some(Simplified::Anything) if negated => Test::Never,
            Some(Simplified::Anything) => Test::Always,
            Some(Simplified::Texts(texts)) => {
                Test::Texts { name: matcher.name().into(), negated, texts }
            }
        })
    }

    /// `name > 5`
    pub fn number(name: &str, op: CompareOp, value: f64) -> Self {
        Self(Test::Number { name: name.into(), op, value })
    }

    /// `name > 5s`
    pub fn duration(name: &str, op: CompareOp, nanos: i64) -> Self {
        Self(Test::Duration { name: name.into(), op, nanos })
    }

    /// `name > 5KB`
    pub fn bytes(name: &str, op: CompareOp, bytes: u64) -> Self {
        Self(Test::Bytes { name: name.into(), op, bytes })
    }

    /// `name = ip("…")`, or `!=` when negated.
    ///
    /// # Errors
    /// A pattern that is none.
    pub fn ip(name: &str, negated: bool, pattern: &str) -> Result<Self, StageError> {
        let pattern = IpPattern::new(pattern)?;
        Ok(Self(Test::Ip { name: name.into(), negated, pattern }))
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(Test::And(Box::new(self.0), Box::new(other.0)))
    }

    /// Either; the second is not looked at when the first holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(Test::Or(Box::new(self.0), Box::new(other.0)))
    }
}

impl Stage for LabelFilter {
    fn process(&self, line: &mut Line<'_>) -> Keep {
        self.0.passes(line).into()
    }

    fn needs(&self, needed: &mut Needed) {
        self.0.needs(needed);
    }
}

impl Test {
    fn needs(&self, needed: &mut Needed) {
        match self {
            Self::Always | Self::Never => {}
            Self::Text(matcher) => needed.add(matcher.name()),
            Self::Number { name, .. }
            | Self::Duration { name, .. }
            | Self::Bytes { name, .. }
            | Self::Texts { name, .. }
            | Self::Ip { name, .. } => needed.add(name),
            Self::And(left, right) | Self::Or(left, right) => {
                left.needs(needed);
                right.needs(needed);
            }
        }
    }

    fn passes(&self, line: &mut Line<'_>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Text(matcher) => text_matches(matcher, text_of(line, matcher.name())),
            Self::Texts { name, negated, texts } => {
                let value = text_of(line, name);
                let matches = texts.iter().any(|(text, whole)| match whole {
                    true => text.as_bytes() == value,
                    false => memchr::memmem::find(value, text.as_bytes()).is_some(),
                });
                matches != *negated
            }
            Self::Number { name, op, value } => {
                compare(line, name, go::parse_float, |got| op.holds(&got, value))
            }
            Self::Duration { name, op, nanos } => {
                compare(line, name, go::parse_duration, |got| op.holds(&got, nanos))
            }
            Self::Bytes { name, op, bytes } => {
                compare(line, name, go::parse_bytes, |got| op.holds(&got, bytes))
            }
            Self::Ip { name, negated, pattern } => {
                // Nothing but strings can filter a line that has an error.
                line.error().is_some()
                    || line.get(name).is_some_and(|value| pattern.is_in(value) != *negated)
            }
            Self::And(left, right) => {
                // Loki runs both, so that both can leave an error.
                let left = left.passes(line);
                right.passes(line) && left
            }
            Self::Or(left, right) => left.passes(line) || right.passes(line),
        }
    }
}

/// What strings are compared with; a missing label counts as empty.
fn text_of<'l>(line: &'l Line<'_>, name: &str) -> &'l [u8] {
    match name {
        ERROR_LABEL => line.error().unwrap_or_default().as_bytes(),
        _ => line.get(name).unwrap_or_default(),
    }
}

pub(super) fn text_matches(matcher: &Matcher, value: &[u8]) -> bool {
    match matcher.op() {
        MatchOp::Equal => matcher.value().as_bytes() == value,
        MatchOp::NotEqual => matcher.value().as_bytes() != value,
        MatchOp::Matches | MatchOp::NotMatches => matcher.matches(&readable(value)),
    }
}

fn compare<T>(
    line: &mut Line<'_>,
    name: &str,
    read: impl Fn(&[u8]) -> Result<T, String>,
    holds: impl Fn(T) -> bool,
) -> bool {
    match line.get(name).map(read) {
        None => false,
        Some(Ok(value)) => holds(value),
        Some(Err(details)) => {
            if line.error().is_none() {
                line.set_error(LABEL_FILTER_ERROR, details);
            }
            true
        }
    }
}
