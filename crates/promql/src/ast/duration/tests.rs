//! Durations resolve as upstream's `promql/durations.go` does.

use super::*;

const CONTEXT: DurationContext = DurationContext { step_ms: 5_000, range_ms: 60_000 };

fn number(value: f64) -> DurationExpr {
    DurationExpr::Number(NumberLiteral { value, is_duration: false, pos: PosRange::new(1, 2) })
}

fn binary(op: DurationOp, lhs: DurationExpr, rhs: DurationExpr) -> Duration {
    let pos = lhs.pos().to(rhs.pos());
    Duration::Expr(Box::new(DurationExpr::Binary { op, lhs: lhs.into(), rhs: rhs.into(), pos }))
}

#[test]
fn arithmetic_counts_in_seconds() {
    let f = |op, lhs, rhs, want: Result<i64, DurationError>| {
        let duration = binary(op, number(lhs), number(rhs));
        assert_eq!(duration.resolve(CONTEXT), want, "{lhs} {op} {rhs}");
    };
    let pos = PosRange::new(1, 2);
    f(DurationOp::Add, 90.0, 0.5, Ok(90_500));
    f(DurationOp::Sub, 1.0, 3.0, Ok(-2_000));
    f(DurationOp::Mul, 1.5, 120.0, Ok(180_000));
    f(DurationOp::Div, 3600.0, 2.0, Ok(1_800_000));
    f(DurationOp::Div, 1.0, 0.0, Err(DurationError::DivisionByZero));
    f(DurationOp::Mod, 5400.0, 3600.0, Ok(1_800_000));
    f(DurationOp::Mod, -7.0, 4.0, Ok(-3_000));
    f(DurationOp::Mod, 1.0, 0.0, Err(DurationError::ModuloByZero));
    f(DurationOp::Pow, 2.0, 3.0, Ok(8_000));
    f(DurationOp::Pow, 10.0, 30.0, Err(DurationError::OutOfRange(pos)));
    f(DurationOp::Pow, -1.0, 0.5, Err(DurationError::OutOfRange(pos)));
    f(DurationOp::MinOf, 2.0, 3.0, Ok(2_000));
    f(DurationOp::MaxOf, 2.0, 3.0, Ok(3_000));
    f(DurationOp::MinOf, f64::NAN, 3.0, Err(DurationError::OutOfRange(pos)));
    f(DurationOp::MaxOf, 2.0, f64::NAN, Err(DurationError::OutOfRange(pos)));
    // Rounded to nanoseconds before it is cut to milliseconds: 434.999… is 435.
    f(DurationOp::Mul, 4.35, 100.0, Ok(435_000));
}

#[test]
fn step_and_range_come_from_the_query() {
    let pos = PosRange::new(0, 6);
    let step = || Box::new(DurationExpr::Step { pos });
    assert_eq!(Duration::Expr(step()).resolve(CONTEXT), Ok(5_000));
    let range = Duration::Expr(Box::new(DurationExpr::Range { pos }));
    assert_eq!(range.resolve(CONTEXT), Ok(60_000));
    let paren = Box::new(DurationExpr::Paren { expr: step(), pos });
    let negated = Duration::Expr(Box::new(DurationExpr::Negated { expr: paren, pos }));
    assert_eq!(negated.resolve(CONTEXT), Ok(-5_000));
}

#[test]
fn ranges_and_steps_must_be_positive_and_say_where_they_are_not() {
    let error = binary(DurationOp::Sub, number(1.0), number(1.0)).resolve_positive(CONTEXT);
    assert_eq!(error, Err(DurationError::NotPositive(PosRange::new(1, 2))));
    assert_eq!(
        error.map_err(|error| error.to_string()),
        Err("1:2: duration must be greater than 0".to_owned())
    );
    assert_eq!(Duration::Millis(7).resolve_positive(CONTEXT), Ok(7));
    let fine = binary(DurationOp::Add, number(1.0), number(1.0));
    assert_eq!(fine.resolve_positive(CONTEXT), Ok(2_000));
}

#[test]
fn seconds_become_milliseconds_within_292_years() {
    let f = |seconds, want| assert_eq!(millis_from_seconds(seconds), want, "{seconds}");
    f(0.000_9, Some(0));
    f(-0.001_9, Some(-1));
    f(9_223_372_036.0, Some(9_223_372_036_000));
    f(9_223_372_037.0, None);
    f(-9_223_372_037.0, None);
    f(f64::NAN, None);
    f(f64::INFINITY, None);
}
