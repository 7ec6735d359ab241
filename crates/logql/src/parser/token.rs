//! The tokens of LogQL: how they are written and how upstream's messages call them.

use crate::ast::{BinaryOp, LineOp, RangeOp, UnwrapConversion, VectorOp};

/// A token; those with a value have it beside them in the parser.
///
/// Where a message lists what was expected, it does so in upstream's order of declaration, which
/// is [`Kind::rank`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    End,
    Bytes,
    Identifier,
    Text,
    Number,
    Flag,
    Duration,
    Range,
    Equal,
    Matches,
    NotMatches,
    NotPattern,
    OpenBrace,
    CloseBrace,
    OpenBracket,
    CloseBracket,
    Comma,
    Dot,
    PipeMatches,
    PipeContains,
    PipePattern,
    OpenParen,
    CloseParen,
    By,
    Without,
    RangeFunction(RangeOp),
    VectorFunction(VectorOp),
    Bool,
    Json,
    Regexp,
    Logfmt,
    Pipe,
    LineFormat,
    LabelFormat,
    Unwrap,
    Conversion(UnwrapConversion),
    Vector,
    LabelReplace,
    Unpack,
    Offset,
    Pattern,
    Ip,
    On,
    Ignoring,
    GroupLeft,
    GroupRight,
    Decolorize,
    Drop,
    Keep,
    /// Operators but `!=`.
    Operator(BinaryOp),
    NotEqual,
}

/// Words and signs that are tokens wherever they stand.
static WORDS: &[(&str, Kind)] = &[
    (",", Kind::Comma),
    (".", Kind::Dot),
    ("{", Kind::OpenBrace),
    ("}", Kind::CloseBrace),
    ("=", Kind::Equal),
    ("!=", Kind::NotEqual),
    ("=~", Kind::Matches),
    ("!~", Kind::NotMatches),
    ("!>", Kind::NotPattern),
    ("|=", Kind::PipeContains),
    ("|~", Kind::PipeMatches),
    ("|>", Kind::PipePattern),
    ("|", Kind::Pipe),
    ("unwrap", Kind::Unwrap),
    ("(", Kind::OpenParen),
    (")", Kind::CloseParen),
    ("by", Kind::By),
    ("without", Kind::Without),
    ("bool", Kind::Bool),
    ("[", Kind::OpenBracket),
    ("]", Kind::CloseBracket),
    ("label_replace", Kind::LabelReplace),
    ("offset", Kind::Offset),
    ("on", Kind::On),
    ("ignoring", Kind::Ignoring),
    ("group_left", Kind::GroupLeft),
    ("group_right", Kind::GroupRight),
    ("or", Kind::Operator(BinaryOp::Or)),
    ("and", Kind::Operator(BinaryOp::And)),
    ("unless", Kind::Operator(BinaryOp::Unless)),
    ("+", Kind::Operator(BinaryOp::Add)),
    ("-", Kind::Operator(BinaryOp::Sub)),
    ("*", Kind::Operator(BinaryOp::Mul)),
    ("/", Kind::Operator(BinaryOp::Div)),
    ("%", Kind::Operator(BinaryOp::Mod)),
    ("^", Kind::Operator(BinaryOp::Pow)),
    ("==", Kind::Operator(BinaryOp::Equal)),
    (">", Kind::Operator(BinaryOp::Greater)),
    (">=", Kind::Operator(BinaryOp::GreaterOrEqual)),
    ("<", Kind::Operator(BinaryOp::Less)),
    ("<=", Kind::Operator(BinaryOp::LessOrEqual)),
    ("json", Kind::Json),
    ("regexp", Kind::Regexp),
    ("logfmt", Kind::Logfmt),
    ("unpack", Kind::Unpack),
    ("pattern", Kind::Pattern),
    ("label_format", Kind::LabelFormat),
    ("line_format", Kind::LineFormat),
    ("ip", Kind::Ip),
    ("decolorize", Kind::Decolorize),
    ("drop", Kind::Drop),
    ("keep", Kind::Keep),
];

/// The token of a word or sign in lower case.
pub(super) fn word(lower: &str) -> Option<Kind> {
    WORDS.iter().find(|(name, _)| *name == lower).map(|(_, kind)| *kind)
}

/// The token of a word that is one only where an argument list follows.
pub(super) fn function(lower: &str) -> Option<Kind> {
    use crate::ast::{RANGE_FUNCTIONS, VECTOR_FUNCTIONS};
    match lower {
        "vector" => return Some(Kind::Vector),
        "label_replace" => return Some(Kind::LabelReplace),
        "bytes" => return Some(Kind::Conversion(UnwrapConversion::Bytes)),
        "duration" => return Some(Kind::Conversion(UnwrapConversion::Duration)),
        "duration_seconds" => return Some(Kind::Conversion(UnwrapConversion::DurationSeconds)),
        "ip" => return Some(Kind::Ip),
        _ => {}
    }
    let range = RANGE_FUNCTIONS.iter().find(|row| row.name == lower);
    let vector = VECTOR_FUNCTIONS.iter().find(|row| row.name == lower);
    range
        .map(|row| Kind::RangeFunction(row.op))
        .or_else(|| vector.map(|row| Kind::VectorFunction(row.op)))
}

impl Kind {
    /// What upstream's messages call it: as it is written, or the name of a class.
    pub(super) fn name(self) -> String {
        let class = match self {
            Self::End => "$end",
            Self::Bytes => "BYTES",
            Self::Identifier => "IDENTIFIER",
            Self::Text => "STRING",
            Self::Number => "NUMBER",
            Self::Flag => "FUNCTION_FLAG",
            Self::Duration => "DURATION",
            Self::Range => "RANGE",
            Self::Vector => "VECTOR",
            Self::RangeFunction(op) => return op.as_str().to_uppercase(),
            Self::VectorFunction(op) => return op.as_str().to_uppercase(),
            Self::Conversion(of) => return format!("{}_CONV", of.as_str().to_uppercase()),
            _ => WORDS.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name),
        };
        class.to_owned()
    }

    /// The place in upstream's declarations, of those tokens that messages say are expected.
    pub(super) fn rank(self) -> usize {
        let order = [
            Self::Identifier,
            Self::Text,
            Self::Number,
            Self::Duration,
            Self::Range,
            Self::Equal,
            Self::Matches,
            Self::NotMatches,
            Self::OpenBrace,
            Self::CloseBrace,
            Self::Comma,
            Self::OpenParen,
            Self::CloseParen,
            Self::Pipe,
            Self::Unwrap,
            Self::Conversion(UnwrapConversion::Bytes),
            Self::Conversion(UnwrapConversion::Duration),
            Self::Conversion(UnwrapConversion::DurationSeconds),
            Self::Ip,
            Self::NotEqual,
        ];
        order.iter().position(|kind| *kind == self).unwrap_or(order.len())
    }

    /// The operator between two expressions.
    pub(super) fn operator(self) -> Option<BinaryOp> {
        match self {
            Self::Operator(op) => Some(op),
            Self::NotEqual => Some(BinaryOp::NotEqual),
            _ => None,
        }
    }

    /// The operator that starts a line filter.
    pub(super) fn line_op(self) -> Option<LineOp> {
        Some(match self {
            Self::PipeContains => LineOp::Contains,
            Self::PipeMatches => LineOp::Matches,
            Self::PipePattern => LineOp::Pattern,
            Self::NotEqual => LineOp::NotContains,
            Self::NotMatches => LineOp::NotMatches,
            Self::NotPattern => LineOp::NotPattern,
            _ => return None,
        })
    }
}
