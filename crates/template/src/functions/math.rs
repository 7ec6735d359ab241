//! Arithmetic: on `int64`, which wraps around, and on floats by their decimal digits, so that
//! `mulf 0.1 3` is 0.3.

use super::Kind::{Any, Float, Int};
use super::conversion::{to_float, to_int};
use super::{Function, f, int};
use crate::value::Value;

mod decimal;

use decimal::{Operation, calculate};

#[rustfmt::skip]
pub(super) static FUNCTIONS: &[Function] = &[
    f("add", &[Any], |_, a| Ok(Value::Int64(a.iter().fold(0, |sum, x| sum.wrapping_add(to_int(x))))), "The sum of whole numbers.").variadic(),
    f("sub", &[Any, Any], |_, a| whole(a, |x, y| Ok(x.wrapping_sub(y))), "The difference of two whole numbers."),
    f("mul", &[Any, Any], |_, a| whole(a, |x, y| Ok(x.wrapping_mul(y))), "The product of whole numbers.").variadic(),
    f("div", &[Any, Any], |_, a| whole(a, |x, y| if y == 0 { Err(BY_ZERO) } else { Ok(x.wrapping_div(y)) }), "The quotient of two whole numbers, cut."),
    f("mod", &[Any, Any], |_, a| whole(a, |x, y| if y == 0 { Err(BY_ZERO) } else { Ok(x.wrapping_rem(y)) }), "What is left of a division of two whole numbers."),
    f("max", &[Any, Any], |_, a| whole(a, |x, y| Ok(x.max(y))), "The largest of whole numbers.").variadic(),
    f("min", &[Any, Any], |_, a| whole(a, |x, y| Ok(x.min(y))), "The smallest of whole numbers.").variadic(),
    f("addf", &[Any], |_, a| decimals(Operation::Add, 0.0, a), "The sum of numbers.").variadic(),
    f("subf", &[Any, Any], |_, a| decimals_from_first(Operation::Subtract, a), "The first number less the others.").variadic(),
    f("mulf", &[Any, Any], |_, a| decimals_from_first(Operation::Multiply, a), "The product of numbers.").variadic(),
    f("divf", &[Any, Any], |_, a| decimals_from_first(Operation::Divide, a), "The first number divided by the others.").variadic(),
    f("maxf", &[Any, Any], |_, a| Ok(fold(a, f64::max)), "The largest of numbers.").variadic(),
    f("minf", &[Any, Any], |_, a| Ok(fold(a, f64::min)), "The smallest of numbers.").variadic(),
    f("ceil", &[Any], |_, a| Ok(Value::Float(a.first().map_or(0.0, to_float).ceil())), "A number rounded up."),
    f("floor", &[Any], |_, a| Ok(Value::Float(a.first().map_or(0.0, to_float).floor())), "A number rounded down."),
    f("round", &[Any, Int, Float], |_, a| Ok(Value::Float(round(a))), "A number rounded to so many decimals; from .5, or what is given third, upwards.").variadic(),
];

const BY_ZERO: &str = "runtime error: integer divide by zero";

fn whole<'v>(
    args: &[Value<'v>],
    combine: impl Fn(i64, i64) -> Result<i64, &'static str>,
) -> Result<Value<'v>, String> {
    let mut numbers = args.iter().map(to_int);
    let first = numbers.next().unwrap_or(0);
    Ok(Value::Int64(numbers.try_fold(first, combine)?))
}

fn decimals<'v>(operation: Operation, first: f64, args: &[Value<'v>]) -> Result<Value<'v>, String> {
    let mut result = first;
    for arg in args {
        result = calculate(operation, result, to_float(arg))?;
    }
    Ok(Value::Float(result))
}

fn decimals_from_first<'v>(operation: Operation, args: &[Value<'v>]) -> Result<Value<'v>, String> {
    let (first, rest) = args.split_first().map_or((0.0, args), |(f, r)| (to_float(f), r));
    decimals(operation, first, rest)
}

fn fold<'v>(args: &[Value<'v>], combine: impl Fn(f64, f64) -> f64) -> Value<'v> {
    let mut numbers = args.iter().map(to_float);
    let first = numbers.next().unwrap_or(0.0);
    Value::Float(numbers.fold(first, combine))
}

fn round(args: &[Value<'_>]) -> f64 {
    let value = args.first().map_or(0.0, to_float);
    let from = args.get(2).map_or(0.5, to_float);
    #[expect(clippy::cast_precision_loss, reason = "nobody rounds to 2^53 decimals")]
    let scale = 10_f64.powf(int(args, 1) as f64);
    let scaled = value * scale;
    let rounded = if scaled.fract() >= from { scaled.ceil() } else { scaled.floor() };
    rounded / scale
}
