//! Tokens, the words that are keywords, and how errors name a token.
//!
//! Descriptions are those of upstream's `promql/parser/lex.go` (`Item.desc`), because error texts
//! are made from them. Which characters make up a token is `lexer.rs`'s business.

use std::borrow::Cow;

use masthead_model::quote;

use crate::ast::{AggregateOp, BinaryOp, PosRange};

/// What kind of token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Eof,
    /// Not a token; the lexer has reported why.
    Error,
    Identifier,
    /// A name with a colon, which only a metric can have.
    MetricIdentifier,
    String,
    Number,
    Duration,
    LeftParen,
    RightParen,
    LeftBrace,
    RightBrace,
    LeftBracket,
    RightBracket,
    Comma,
    Colon,
    /// `=`
    Assign,
    /// `=~`
    Matches,
    /// `!~`
    NotMatches,
    At,
    Operator(BinaryOp),
    Aggregate(AggregateOp),
    Keyword(Keyword),
    Start,
    End,
    Step,
    Range,
    MinOf,
    MaxOf,
}

/// Words of the syntax that are neither operators nor aggregations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    Anchored,
    Bool,
    By,
    Fill,
    FillLeft,
    FillRight,
    GroupLeft,
    GroupRight,
    Ignoring,
    Offset,
    On,
    Smoothed,
    Without,
}

/// A token and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) pos: PosRange,
    /// As it was written.
    pub(super) text: &'a str,
}

/// Tokens other than identifiers are cut to so many characters in errors.
const DESCRIBED_CHARS_MAX: usize = 10;

/// The kind of a word outside braces, if it is not an identifier; case does not matter.
pub(super) fn keyword(word: &str) -> Option<Kind> {
    Some(match word.to_ascii_lowercase().as_str() {
        "and" => Kind::Operator(BinaryOp::And),
        "or" => Kind::Operator(BinaryOp::Or),
        "unless" => Kind::Operator(BinaryOp::Unless),
        "atan2" => Kind::Operator(BinaryOp::Atan2),
        "sum" => Kind::Aggregate(AggregateOp::Sum),
        "avg" => Kind::Aggregate(AggregateOp::Avg),
        "count" => Kind::Aggregate(AggregateOp::Count),
        "min" => Kind::Aggregate(AggregateOp::Min),
        "max" => Kind::Aggregate(AggregateOp::Max),
        "group" => Kind::Aggregate(AggregateOp::Group),
        "stddev" => Kind::Aggregate(AggregateOp::Stddev),
        "stdvar" => Kind::Aggregate(AggregateOp::Stdvar),
        "topk" => Kind::Aggregate(AggregateOp::Topk),
        "bottomk" => Kind::Aggregate(AggregateOp::Bottomk),
        "count_values" => Kind::Aggregate(AggregateOp::CountValues),
        "quantile" => Kind::Aggregate(AggregateOp::Quantile),
        "limitk" => Kind::Aggregate(AggregateOp::Limitk),
        "limit_ratio" => Kind::Aggregate(AggregateOp::LimitRatio),
        "offset" => Kind::Keyword(Keyword::Offset),
        "smoothed" => Kind::Keyword(Keyword::Smoothed),
        "anchored" => Kind::Keyword(Keyword::Anchored),
        "by" => Kind::Keyword(Keyword::By),
        "without" => Kind::Keyword(Keyword::Without),
        "on" => Kind::Keyword(Keyword::On),
        "ignoring" => Kind::Keyword(Keyword::Ignoring),
        "group_left" => Kind::Keyword(Keyword::GroupLeft),
        "group_right" => Kind::Keyword(Keyword::GroupRight),
        "fill" => Kind::Keyword(Keyword::Fill),
        "fill_left" => Kind::Keyword(Keyword::FillLeft),
        "fill_right" => Kind::Keyword(Keyword::FillRight),
        "bool" => Kind::Keyword(Keyword::Bool),
        "start" => Kind::Start,
        "end" => Kind::End,
        "step" => Kind::Step,
        "range" => Kind::Range,
        "min_of" => Kind::MinOf,
        "max_of" => Kind::MaxOf,
        "inf" | "nan" => Kind::Number,
        _ => return None,
    })
}

impl Kind {
    /// Whether a metric may bear this word as its name, outside braces.
    pub(super) fn is_metric_name(self) -> bool {
        match self {
            Self::Identifier
            | Self::MetricIdentifier
            | Self::Aggregate(_)
            | Self::Start
            | Self::End
            | Self::Step
            | Self::Range
            | Self::MinOf
            | Self::MaxOf
            | Self::Operator(BinaryOp::And | BinaryOp::Or | BinaryOp::Unless) => true,
            Self::Keyword(keyword) => matches!(
                keyword,
                Keyword::Anchored
                    | Keyword::By
                    | Keyword::Fill
                    | Keyword::FillLeft
                    | Keyword::FillRight
                    | Keyword::Offset
                    | Keyword::Smoothed
                    | Keyword::Without
            ),
            _ => false,
        }
    }

    /// Whether a label may bear this word as its name in a list after `by`, `on` and their like.
    pub(super) fn is_label_name(self) -> bool {
        match self {
            Self::Keyword(keyword) => keyword != Keyword::Without,
            Self::Operator(BinaryOp::Atan2) => true,
            _ => self.is_metric_name(),
        }
    }

    /// Whether an expression can begin with this token.
    pub(super) fn starts_expression(self) -> bool {
        matches!(
            self,
            Self::Number
                | Self::Duration
                | Self::String
                | Self::LeftParen
                | Self::LeftBrace
                | Self::Operator(BinaryOp::Add | BinaryOp::Sub)
        ) || self.is_metric_name()
    }
}

impl Token<'_> {
    /// How an error names the token: `identifier "foo"`, `<op:+>`, `end of input`.
    pub(super) fn describe(&self) -> Cow<'static, str> {
        let text = self.text;
        let class = match self.kind {
            Kind::Eof => return "end of input".into(),
            Kind::Identifier => return format!("identifier {}", quote(text)).into(),
            Kind::MetricIdentifier => return format!("metric identifier {}", quote(text)).into(),
            Kind::Keyword(_) => return format!("<{text}>").into(),
            Kind::Aggregate(_) => return format!("<aggr:{text}>").into(),
            Kind::Operator(_) | Kind::At | Kind::Matches | Kind::NotMatches => {
                return format!("<op:{text}>").into();
            }
            Kind::String => "string ",
            Kind::Number => "number ",
            Kind::Duration => "duration ",
            _ => "",
        };
        if text.len() > DESCRIBED_CHARS_MAX {
            let cut: String = text.chars().take(DESCRIBED_CHARS_MAX).collect();
            format!("{class}{}...", quote(&cut)).into()
        } else {
            format!("{class}{}", quote(text)).into()
        }
    }
}
