//! Expressions in, printed trees or errors with places out.
//!
//! The cases are upstream's (`promql/parser/parse_test.go`), restated as rows; what is ours alone
//! (limits, text that is not UTF-8) follows them.

mod errors;
mod limits;
mod positions;
mod syntax;

use super::*;

/// What an expression prints as, with everything experimental switched on.
fn printed(input: &str) -> Result<String, String> {
    parse(input, &Features::ALL).map(|expr| expr.to_string()).map_err(|error| error.to_string())
}

/// All errors of an expression: first byte, last byte, text.
fn errors(input: &str, features: Features) -> Vec<(usize, usize, String)> {
    let errors = parse(input, &features).expect_err(input);
    for error in errors.errors() {
        assert!(error.pos.start <= error.pos.end, "{input}: {error:?}");
        assert!(error.pos.end <= input.len(), "{input}: {error:?}");
    }
    errors.errors().iter().map(|e| (e.pos.start, e.pos.end, e.message.clone())).collect()
}
