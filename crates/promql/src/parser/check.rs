//! Types: whether each node gets what it wants. Order, places and texts are those of upstream's
//! `checkAST` in `promql/parser/parse.go`.
//!
//! Two things are also set here, because they depend on types: set operators match many to many,
//! and vector matching is dropped where a side is a scalar.

use masthead_model::{METRIC_NAME, quote};

use super::Parser;
use crate::ast::{Aggregate, Binary, Call, Cardinality, Expr, PosRange, ValueType, VectorSelector};

/// Records what is wrong with the types in `expr` and returns its own.
pub(super) fn check(expr: &mut Expr, parser: &mut Parser<'_>) -> ValueType {
    match expr {
        Expr::Aggregate(aggregate) => check_aggregate(aggregate, parser),
        Expr::Binary(binary) => check_binary(binary, parser),
        Expr::Call(call) => check_call(call, parser),
        Expr::Paren(paren) => {
            check(&mut paren.expr, parser);
        }
        Expr::Unary(unary) => {
            let found = check(&mut unary.expr, parser);
            if !is_operand(found) {
                let found = quote(found.documented());
                let message = format!(
                    "unary expression only allowed on expressions of type scalar or instant vector, got {found}"
                );
                parser.error(unary.pos, message);
            }
        }
        Expr::Subquery(subquery) => {
            let found = check(&mut subquery.expr, parser);
            if found != ValueType::Vector {
                let message =
                    format!("subquery is only allowed on instant vector, got {found} instead");
                parser.error(subquery.pos, message);
            }
        }
        Expr::Matrix(matrix) => check_selector(&matrix.selector, parser),
        Expr::Vector(selector) => check_selector(selector, parser),
        Expr::Number(_) | Expr::String(_) => {}
    }
    expr.value_type()
}

fn check_aggregate(aggregate: &mut Aggregate, parser: &mut Parser<'_>) {
    expect(&mut aggregate.expr, ValueType::Vector, "aggregation expression", parser);
    if let (Some(param), Some(wanted)) = (&mut aggregate.param, aggregate.op.param_type()) {
        expect(param, wanted, "aggregation parameter", parser);
    }
}

fn expect(expr: &mut Expr, wanted: ValueType, place: &str, parser: &mut Parser<'_>) {
    let found = check(expr, parser);
    if found != wanted {
        parser.error(expr.pos(), wrong_type(wanted, place, found));
    }
}

fn wrong_type(wanted: ValueType, place: &str, found: ValueType) -> String {
    format!("expected type {} in {place}, got {}", wanted.documented(), found.documented())
}

fn check_binary(binary: &mut Binary, parser: &mut Parser<'_>) {
    let lhs = check(&mut binary.lhs, parser);
    let rhs = check(&mut binary.rhs, parser);
    let (op, pos) = (binary.op, binary.pos());
    let operator = |parser: &Parser<'_>| -> PosRange { parser.operator_pos(binary) };

    if binary.return_bool && !op.is_comparison() {
        let message = "bool modifier can only be used on comparison operators";
        parser.error(operator(parser), message.into());
    }
    if op.is_comparison()
        && !binary.return_bool
        && (lhs, rhs) == (ValueType::Scalar, ValueType::Scalar)
    {
        let message = "comparisons between scalars must use BOOL modifier";
        parser.error(operator(parser), message.into());
    }
    // The parser gives every operator a matching; it is dropped below where it means nothing.
    let mut matching = binary.matching.clone().unwrap_or_default();
    if op.is_set() && matching.card == Cardinality::OneToOne {
        matching.card = Cardinality::ManyToMany;
    }
    if matching.on {
        for label in matching.labels.iter().filter(|label| matching.include.contains(label)) {
            let label = quote(label);
            let message = format!("label {label} must not occur in ON and GROUP clause at once");
            parser.error(operator(parser), message);
        }
    }
    for (side, found) in [(&binary.lhs, lhs), (&binary.rhs, rhs)] {
        if !is_operand(found) {
            let message = "binary expression must contain only scalar and instant vector types";
            parser.error(side.pos(), message.into());
        }
    }

    if (lhs, rhs) == (ValueType::Vector, ValueType::Vector) {
        if op.is_set() && matching.card != Cardinality::ManyToMany {
            let op = quote(op.as_str());
            parser.error(pos, format!("no grouping allowed for {op} operation"));
            parser.error(pos, "set operations must always be many-to-many".into());
        }
        if op.is_set() && !matching.fill.is_none() {
            let message = "filling in missing series not allowed for set operators";
            parser.error(pos, message.into());
        }
        binary.matching = Some(matching);
    } else {
        if !matching.labels.is_empty() {
            let message = "vector matching only allowed between instant vectors";
            parser.error(pos, message.into());
        }
        if !matching.fill.is_none() {
            let message = "filling in missing series only allowed between instant vectors";
            parser.error(pos, message.into());
        }
        binary.matching = None;
    }

    if op.is_set() && (lhs == ValueType::Scalar || rhs == ValueType::Scalar) {
        let op = quote(op.as_str());
        parser.error(pos, format!("set operator {op} not allowed in binary scalar expression"));
    }
}

fn check_call(call: &mut Call, parser: &mut Parser<'_>) {
    let (func, count) = (call.func, call.args.len());
    let name = quote(func.name);
    let (min, max) = (func.args_min(), func.args_max());
    let bound = match max {
        Some(max) if min == max && count != max => Some(format!("{max} argument(s)")),
        _ if count < min => Some(format!("at least {min} argument(s)")),
        Some(max) if count > max => Some(format!("at most {max} argument(s)")),
        _ => None,
    };
    if let Some(bound) = bound {
        parser.error(call.pos, format!("expected {bound} in call to {name}, got {count}"));
    }
    let place = format!("call to function {name}");
    if func.name == "info"
        && let Some(filter) = call.args.get_mut(1)
    {
        check_info_filter(filter, call.pos, &place, parser);
    }
    for (nth, arg) in call.args.iter_mut().enumerate() {
        let wanted = match func.args.get(nth) {
            Some(wanted) => *wanted,
            None if func.variadic == 0 => break,
            None => match func.args.last() {
                Some(last) => *last,
                None => break,
            },
        };
        expect(arg, wanted, &place, parser);
    }
}

/// The second argument of `info` is a filter on labels: a selector without a metric name.
fn check_info_filter(filter: &mut Expr, call: PosRange, place: &str, parser: &mut Parser<'_>) {
    let found = filter.value_type();
    if found != ValueType::Vector {
        parser.error(call, wrong_type(ValueType::Vector, place, found));
    }
    let message = match filter {
        Expr::Vector(selector) if selector.name.is_none() => {
            selector.is_info_filter = true;
            return;
        }
        Expr::Vector(_) => "expected label selectors only, got vector selector instead",
        _ => "expected label selectors only",
    };
    parser.error(filter.pos(), message.into());
}

fn check_selector(selector: &VectorSelector, parser: &mut Parser<'_>) {
    if let Some(name) = &selector.name {
        // The last condition is the one that the name outside the braces made.
        let inside = selector.matchers.len().saturating_sub(1);
        for matcher in selector.matchers.iter().take(inside) {
            if matcher.name() == METRIC_NAME {
                let (name, other) = (quote(name), quote(matcher.value()));
                let message = format!("metric name must not be set twice: {name} or {other}");
                parser.error(selector.pos, message);
            }
        }
    } else if !selector.is_info_filter
        && selector.matchers.iter().all(masthead_model::Matcher::matches_empty)
    {
        let message = "vector selector must contain at least one non-empty matcher";
        parser.error(selector.pos, message.into());
    }
}

fn is_operand(found: ValueType) -> bool {
    matches!(found, ValueType::Scalar | ValueType::Vector)
}
