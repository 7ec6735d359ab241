//! What the API needs of LogQL beside evaluating it: selectors, and which lines a query names.

use masthead_logql::{
    Error, MatchersError, ParseError,
    ast::{Expr, LineFilterExpr, LineOp, LogExpr, StageExpr},
    parse_matchers,
};
use masthead_model::Matcher;
use masthead_ports::{LineFilter, LinePattern};

use super::Refusal;
use crate::error::ApiError;

/// Reads a query.
pub(super) fn parse(text: &str) -> Result<Expr, Refusal> {
    Ok(masthead_logql::parse(text)?)
}

/// Reads a query for lines.
pub(super) fn parse_log(text: &str) -> Result<LogExpr, Refusal> {
    match parse(text)? {
        Expr::Log(log) => Ok(log),
        Expr::Metric(_) => Err(Refusal::bad("only log selector is supported")),
    }
}

/// Reads a selector without anything behind it.
pub(super) fn matchers(text: &str) -> Result<Vec<Matcher>, Refusal> {
    Ok(parse_matchers(text)?)
}

/// The same, where `{}` stands for everything.
pub(super) fn matchers_or_all(text: &str) -> Result<Vec<Matcher>, Refusal> {
    let inner = text.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    if inner.is_some_and(|inner| inner.trim().is_empty()) {
        return Ok(Vec::new());
    }
    matchers(text)
}

/// Streams and line filters of a query that does nothing else to a line, so that the store can
/// tell the lines that it selects.
pub(super) fn deletable(text: &str) -> Result<(Vec<Matcher>, Vec<LineFilter>), Refusal> {
    let LogExpr { matchers, stages } = parse_log(text)?;
    let filters = stages.iter().map(|stage| match stage {
        StageExpr::LineFilter(filter) => store_filter(filter),
        _ => None,
    });
    let filters = filters.collect::<Option<Vec<_>>>().ok_or_else(|| {
        Refusal::bad(
            "only selectors and the line filters |=, !=, |~ and !~ can select lines to delete",
        )
    })?;
    Ok((matchers, filters))
}

fn store_filter(filter: &LineFilterExpr) -> Option<LineFilter> {
    let (negated, literal) = match filter.op {
        LineOp::Contains => (false, true),
        LineOp::NotContains => (true, true),
        LineOp::Matches => (false, false),
        LineOp::NotMatches => (true, false),
        LineOp::Pattern | LineOp::NotPattern => return None,
    };
    let patterns = filter.any.iter().map(|value| {
        // Nothing is found everywhere, which the store's filters do not say of it.
        if value.ip || value.text.is_empty() {
            return None;
        }
        if literal {
            return Some(LinePattern::Literal(value.text.clone()));
        }
        let pattern = str::from_utf8(&value.text).ok()?;
        // Outside of stream selectors a point is not a line feed, and what is no pattern is the
        // user's mistake, to be told before anything is deleted.
        masthead_model::Regexp::new(pattern).ok()?;
        Some(LinePattern::Regexp(pattern.into()))
    });
    Some(LineFilter { negated, any: patterns.collect::<Option<_>>()? })
}

impl From<ParseError> for Refusal {
    fn from(error: ParseError) -> Self {
        ApiError::new(error.class(), error.to_string()).into()
    }
}

impl From<MatchersError> for Refusal {
    fn from(error: MatchersError) -> Self {
        Self::bad(error.to_string())
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self::new(error.class(), error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_store_can_select_is_deleted() {
        let f = |text: &str, want: Result<usize, &str>| match (deletable(text), want) {
            (Ok((matchers, filters)), Ok(count)) => {
                assert_eq!((matchers.len(), filters.len()), (1, count), "{text}");
            }
            (Err(refusal), Err(want)) => {
                assert!(refusal.message.contains(want), "{text}: {}", refusal.message);
            }
            (got, want) => panic!("{text}: {got:?} is not {want:?}"),
        };
        f(r#"{a="b"}"#, Ok(0));
        f(r#"{a="b"} |= "x" !~ "y.*""#, Ok(2));
        f(r#"{a="b"} | json"#, Err("can select lines to delete"));
        f(r#"{a="b"} |= """#, Err("can select lines to delete"));
        f(r#"{a="b"} |= ip("10.0.0.1")"#, Err("can select lines to delete"));
        f(r#"rate({a="b"}[1m])"#, Err("only log selector is supported"));
        f(r#"{a=~".*"}"#, Err("queries require at least one"));
        f("{a", Err("parse error at line 1, col 3"));
    }

    #[test]
    fn an_empty_selector_is_everything_where_that_is_allowed() {
        assert_eq!(matchers_or_all(" { } ").map(|m| m.len()), Ok(0));
        assert_eq!(matchers_or_all(r#"{a="b"}"#).map(|m| m.len()), Ok(1));
        assert!(matchers("{}").is_err());
        assert!(matchers_or_all("").is_err());
    }
}
