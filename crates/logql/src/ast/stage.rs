//! The stages of a pipeline as they were written.

use masthead_model::Matcher;

use super::Bytes;

/// One step of a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub enum StageExpr {
    /// `|= "text"`.
    LineFilter(LineFilterExpr),
    /// `| json`, with expressions or without.
    Json(Vec<Extraction>),
    /// `| logfmt`.
    Logfmt {
        /// `--strict`.
        strict: bool,
        /// `--keep-empty`.
        keep_empty: bool,
        /// What to take out; everything if none are given.
        extractions: Vec<Extraction>,
    },
    /// `| regexp "…"`.
    Regexp(String),
    /// `| pattern "…"`.
    Pattern(String),
    /// `| unpack`.
    Unpack,
    /// `| decolorize`.
    Decolorize,
    /// `| line_format "…"`.
    LineFormat(String),
    /// `| label_format a=b, c="…"`.
    LabelFormat(Vec<LabelFormatExpr>),
    /// `| status >= 500 and method = "GET"`.
    LabelFilter(LabelFilterExpr),
    /// `| keep a, b="c"`.
    Keep(Vec<NamedMatcher>),
    /// `| drop a, b="c"`.
    Drop(Vec<NamedMatcher>),
}

/// How a line is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineOp {
    /// `|=`
    Contains,
    /// `!=`
    NotContains,
    /// `|~`
    Matches,
    /// `!~`
    NotMatches,
    /// `|>`
    Pattern,
    /// `!>`
    NotPattern,
}

/// What is searched for in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineValue {
    /// Whether it stands in `ip(…)`.
    pub ip: bool,
    /// The text, the pattern or the addresses.
    pub text: Bytes,
}

/// A search in each line: one of the values must be found. The negated operators have one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFilterExpr {
    /// How.
    pub op: LineOp,
    /// What; at least one.
    pub any: Vec<LineValue>,
}

/// `name="expression"` of `json` and `logfmt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extraction {
    /// The label that is made.
    pub name: String,
    /// Where its value is found.
    pub expression: String,
}

/// `name=other` or `name="template"` of `label_format`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelFormatExpr {
    /// The label that is made.
    pub name: String,
    /// Of what.
    pub value: LabelValueFormat,
}

/// What `label_format` makes a label of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelValueFormat {
    /// Another label, which disappears.
    Rename(String),
    /// A template.
    Template(String),
}

/// `name` or `name="value"` of `keep` and `drop`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedMatcher {
    /// The label, whatever its value.
    Name(String),
    /// The label where its value matches.
    Matcher(Matcher),
}

/// A condition on labels.
#[derive(Debug, Clone, PartialEq)]
pub enum LabelFilterExpr {
    /// Both hold.
    And(Box<LabelFilterExpr>, Box<LabelFilterExpr>),
    /// One of them holds.
    Or(Box<LabelFilterExpr>, Box<LabelFilterExpr>),
    /// `name = "text"`.
    Text(Matcher),
    /// `name > 5`.
    Number {
        /// The label.
        name: String,
        /// How it compares.
        comparison: Comparison,
        /// With what.
        value: f64,
    },
    /// `name > 5m`.
    Duration {
        /// The label.
        name: String,
        /// How it compares.
        comparison: Comparison,
        /// With what, in nanoseconds.
        nanos: i64,
    },
    /// `name > 5KB`.
    Size {
        /// The label.
        name: String,
        /// How it compares.
        comparison: Comparison,
        /// With what, in bytes.
        bytes: u64,
    },
    /// `name = ip("10.0.0.0/8")`.
    Ip {
        /// The label.
        name: String,
        /// Whether it is `!=`.
        negated: bool,
        /// The addresses.
        addresses: String,
    },
}

/// How numbers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `=` and `==`
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

impl LineOp {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contains => "|=",
            Self::NotContains => "!=",
            Self::Matches => "|~",
            Self::NotMatches => "!~",
            Self::Pattern => "|>",
            Self::NotPattern => "!>",
        }
    }

    /// Whether a line must not be found.
    pub fn is_negated(self) -> bool {
        matches!(self, Self::NotContains | Self::NotMatches | Self::NotPattern)
    }
}

impl Comparison {
    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }
}

impl LabelFilterExpr {
    /// Every label that is looked at, in the order of writing; a name can come twice.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::And(left, right) | Self::Or(left, right) => {
                let mut names = left.names();
                names.append(&mut right.names());
                names
            }
            Self::Text(matcher) => vec![matcher.name()],
            Self::Number { name, .. }
            | Self::Duration { name, .. }
            | Self::Size { name, .. }
            | Self::Ip { name, .. } => vec![name],
        }
    }
}
