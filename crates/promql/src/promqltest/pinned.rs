//! The query of an instant evaluation with every selector pinned to that instant by `@`.
//!
//! Evaluated at other instants it must give the same, unless a function in it depends on the
//! instant itself. Upstream: `atModifierTestCases` in `promql/promqltest/test.go`.

use masthead_model::Millis;

use crate::{
    Features,
    ast::{At, Expr},
    parse,
};

/// Functions whose result depends on when they are evaluated, also of pinned selectors. Upstream:
/// `promql.AtModifierUnsafeFunctions`.
const DEPEND_ON_TIME: [&str; 16] = [
    "days_in_month",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "hour",
    "minute",
    "month",
    "year",
    "predict_linear",
    "time",
    "timestamp",
    "start_timestamp",
    "start",
    "end",
    "range",
    "step",
];

/// The pinned query, and the instants at which to evaluate it too; nothing if that makes no sense.
pub(super) fn pinned(expr: &str, at: Millis) -> Option<(String, Vec<Millis>)> {
    let mut tree = parse(expr, &Features::ALL).ok()?;
    let mut depends = false;
    pin(&mut tree, at, &mut depends);
    if depends {
        return None;
    }
    let instants = if at.0 == 0 {
        vec![-1000, 0, 1000]
    } else {
        vec![at.0.saturating_mul(-10), 0, at.0 / 5, at.0, at.0.saturating_mul(10)]
    };
    Some((tree.to_string(), instants.into_iter().map(Millis).collect()))
}

fn pin(expr: &mut Expr, at: Millis, depends: &mut bool) {
    let instant = At::Timestamp(at);
    match expr {
        Expr::Vector(selector) => {
            selector.at.get_or_insert(instant);
        }
        Expr::Matrix(matrix) => {
            matrix.selector.at.get_or_insert(instant);
        }
        Expr::Subquery(subquery) => {
            // What is inside a subquery is evaluated at instants that are pinned already.
            subquery.at.get_or_insert(instant);
        }
        Expr::Call(call) => {
            *depends |= DEPEND_ON_TIME.contains(&call.func.name);
            call.args.iter_mut().for_each(|arg| pin(arg, at, depends));
        }
        Expr::Aggregate(aggregate) => {
            pin(&mut aggregate.expr, at, depends);
            aggregate.param.iter_mut().for_each(|param| pin(param, at, depends));
        }
        Expr::Binary(binary) => {
            pin(&mut binary.lhs, at, depends);
            pin(&mut binary.rhs, at, depends);
        }
        Expr::Paren(paren) => pin(&mut paren.expr, at, depends),
        Expr::Unary(unary) => pin(&mut unary.expr, at, depends),
        Expr::Number(_) | Expr::String(_) => {}
    }
}
