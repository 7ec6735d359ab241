//! Tests that the store can make of members of JSON objects before it puts lines together.
//!
//! `| json` makes labels, and the label filters right behind it drop most lines in many queries. A
//! filter is handed on if a missing label fails it as well, so that it does not matter whether the
//! line breaks off before the member; what reads its value as something else stays here.

use std::ops::Bound;

use masthead_model::{MatchOp, MemberTest, MemberValue};

use crate::{
    ast::{Comparison, LabelFilterExpr, LogExpr, StageExpr},
    stages::DUPLICATE_SUFFIX,
};

/// The tests that every line must pass in order to count; none if no member says so.
pub(super) fn tests(log: &LogExpr) -> Vec<MemberTest> {
    let mut stages =
        log.stages.iter().skip_while(|stage| matches!(stage, StageExpr::LineFilter(_)));
    let mut tests = Vec::new();
    let Some(StageExpr::Json(expressions)) = stages.next() else { return tests };
    if !expressions.is_empty() {
        return tests;
    }
    for stage in stages {
        match stage {
            StageExpr::LabelFilter(filter) => collect(filter, &mut tests),
            StageExpr::LineFilter(_) => {}
            _ => break,
        }
    }
    tests
}

fn collect(filter: &LabelFilterExpr, tests: &mut Vec<MemberTest>) {
    let (name, value) = match filter {
        LabelFilterExpr::And(left, right) => {
            collect(left, tests);
            collect(right, tests);
            return;
        }
        LabelFilterExpr::Text(matcher)
            if matcher.op() == MatchOp::Equal && !matcher.value().is_empty() =>
        {
            (matcher.name(), MemberValue::Text(matcher.value().into()))
        }
        LabelFilterExpr::Number { name, comparison, value } => {
            let Some((from, to)) = bounds(*comparison, *value) else { return };
            (name.as_str(), MemberValue::Number(from, to))
        }
        _ => return,
    };
    // What came with the line gives a member's label the suffix; errors are labels of another kind.
    if !name.ends_with(DUPLICATE_SUFFIX) && !name.starts_with("__") {
        tests.push(MemberTest { name: name.into(), value });
    }
}

fn bounds(comparison: Comparison, value: f64) -> Option<(Bound<f64>, Bound<f64>)> {
    use Bound::{Excluded, Included, Unbounded};
    Some(match comparison {
        Comparison::Equal => (Included(value), Included(value)),
        Comparison::Greater => (Excluded(value), Unbounded),
        Comparison::GreaterOrEqual => (Included(value), Unbounded),
        Comparison::Less => (Unbounded, Excluded(value)),
        Comparison::LessOrEqual => (Unbounded, Included(value)),
        Comparison::NotEqual => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ast::Expr, parse};

    #[test]
    fn filters_right_behind_json_are_handed_on() {
        let f = |stages: &str, want: &[&str]| {
            let query = format!(r#"{{a="b"}} {stages}"#);
            let Ok(Expr::Log(log)) = parse(&query) else { panic!("{query}") };
            let names: Vec<_> = tests(&log).into_iter().map(|test| test.name).collect();
            assert_eq!(names.iter().map(|name| &**name).collect::<Vec<_>>(), want, "{query}");
        };
        f("| json | status>=500", &["status"]);
        f(
            r#"|= "x" | json |= "y" | status<5 | path="/" | line_format "x" | z=1"#,
            &["status", "path"],
        );
        f(r#"| json | (a==1 and b="c") | d!=1 or e=1"#, &["a", "b"]);
        f("| json | __error__=\"x\" | a_extracted=1 | b>1", &["b"]);
        f(r#"| json | a=~"x|y" | b!="c" | d="" | e>1s | f>1KB"#, &[]);
        // These make labels of something else.
        f("| logfmt | a=1", &[]);
        f(r#"| json a="b" | a=1"#, &[]);
        f("| unpack | json | a=1", &[]);
        f("| a=1 | json", &[]);
        f("| json | label_format a=b | a=1", &[]);
    }
}
