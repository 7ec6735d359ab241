//! Runs the commands of a script against an engine.
//!
//! An instant query is asked again with its selectors pinned by `@`, at other instants, and as
//! the middle step of a range query: all must give the same.

use masthead_model::{Millis, Value};

use super::{
    Answer, Command, Engine, Eval, EvalTime, Failure, Script,
    compare::{self, Mismatch},
    pinned::pinned,
};
use crate::QueryValue;

/// What became of a script.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Evaluations that gave what was expected.
    pub passed: usize,
    /// Everything that went wrong, in order.
    pub failures: Vec<Failure>,
}

/// Runs a script up to its first failure and says how many evaluations passed.
///
/// # Errors
/// The first failure.
pub fn run(script: &str, engine: &mut dyn Engine) -> Result<usize, Failure> {
    let report = execute(script, engine, true);
    report.failures.into_iter().next().map_or(Ok(report.passed), Err)
}

/// Runs a script to its end, whatever fails.
pub fn run_all(script: &str, engine: &mut dyn Engine) -> Report {
    execute(script, engine, false)
}

fn execute(script: &str, engine: &mut dyn Engine, stop_at_failure: bool) -> Report {
    let mut report = Report::default();
    let script = match Script::parse(script) {
        Ok(script) => script,
        Err(error) => {
            report.failures.push(error.into());
            return report;
        }
    };
    let store = |line, what: &str, got| Failure {
        line,
        what: what.to_owned(),
        expected: "success".to_owned(),
        got,
    };
    if let Err(got) = engine.clear() {
        report.failures.push(store(0, "clear", got));
    }
    for command in &script.commands {
        let result = match command {
            Command::Clear { line } => engine.clear().map_err(|got| store(*line, "clear", got)),
            Command::Load(load) => {
                engine.append(&load.series).map_err(|got| store(load.line, "load", got))
            }
            Command::Eval(eval) => evaluate(eval, engine).map(|()| report.passed += 1),
        };
        if let Err(failure) = result {
            report.failures.push(failure);
            if stop_at_failure {
                break;
            }
        }
    }
    report
}

fn evaluate(eval: &Eval, engine: &mut dyn Engine) -> Result<(), Failure> {
    let failure = |what: String| {
        move |mismatch: Mismatch| Failure {
            line: eval.line,
            what,
            expected: mismatch.expected,
            got: mismatch.got,
        }
    };
    match eval.time {
        EvalTime::Range(start, end, step) => {
            let answer = engine.range(&eval.expr, start, end, step);
            check(eval, answer).map(|_| ()).map_err(failure(eval.expr.clone()))
        }
        EvalTime::Instant(at) => {
            // A range vector that is expected says itself when it is asked for.
            let at = eval.expect.range_vector.map_or(at, |(_, end, _)| end);
            instant(eval, &eval.expr, at, engine).map_err(failure(eval.expr.clone()))?;
            let Some((expr, others)) = pinned(&eval.expr, at) else { return Ok(()) };
            others.into_iter().try_for_each(|other| {
                instant(eval, &expr, other, engine)
                    .map_err(failure(format!("{expr} (pinned, at {other} ms)")))
            })
        }
    }
}

/// Checks an answer that may be an error; gives it back if there is more to be checked.
fn check(eval: &Eval, answer: Result<Answer, String>) -> Result<Option<Answer>, Mismatch> {
    match (answer, &eval.expect.fail) {
        (Err(error), Some(text)) if text.accepts(&error) => Ok(None),
        (Err(error), Some(text)) => {
            Err(Mismatch { expected: format!("failure with {text}"), got: error })
        }
        (Err(error), None) => Err(Mismatch { expected: "success".to_owned(), got: error }),
        (Ok(answer), Some(text)) => Err(Mismatch {
            expected: format!("failure with {text}"),
            got: format!("a {}", answer.value.kind()),
        }),
        (Ok(answer), None) => {
            compare::messages(&eval.expect, &answer)?;
            compare::value(eval, &answer.value)?;
            Ok(Some(answer))
        }
    }
}

/// `start()` and the like mean something else in a range query.
const DEPEND_ON_RANGE: [&str; 4] = ["start()", "end()", "range()", "step()"];

fn instant(eval: &Eval, expr: &str, at: Millis, engine: &mut dyn Engine) -> Result<(), Mismatch> {
    let Some(answer) = check(eval, engine.instant(expr, at))? else { return Ok(()) };
    let expect = &eval.expect;
    let alone = expect.range_vector.is_some() || expect.string.is_some();
    if alone || DEPEND_ON_RANGE.iter().any(|function| expr.contains(function)) {
        return Ok(());
    }
    let (start, end) = (at.saturating_sub(60_000), at.saturating_add(60_000));
    let ranged = engine.range(expr, start, end, 60_000).map_err(|error| Mismatch {
        expected: "success as a range query".to_owned(),
        got: error,
    })?;
    if expect.ordered {
        // Range queries always sort by labels.
        return Ok(());
    }
    let in_range = |mismatch: Mismatch| Mismatch {
        expected: format!("as a range query: {}", mismatch.expected),
        ..mismatch
    };
    let QueryValue::Matrix(matrix) = &ranged.value else {
        return Err(Mismatch {
            expected: "a matrix".to_owned(),
            got: ranged.value.kind().to_owned(),
        });
    };
    let vector = compare::vector_at(matrix, at).map_err(in_range)?;
    let value = match (&answer.value, vector.first().map(|sample| &sample.value)) {
        (QueryValue::Scalar(..), Some(Value::Float(value))) => QueryValue::Scalar(*value, at),
        _ => QueryValue::Vector(vector),
    };
    compare::value(eval, &value).map_err(in_range)
}
