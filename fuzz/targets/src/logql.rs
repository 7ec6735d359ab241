//! The LogQL parser and printer: what parses prints to something that parses to the same.

use masthead_logql::{parse, parse_matchers, pretty};

use crate::text;

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(expr) = parse(text) {
        for printed in [expr.to_string(), pretty(&expr)] {
            // What Loki shows and does not take: any sign as a label's name, in quotes, what
            // became of 1 / 0, and -0, which is a duration.
            if ["{\"", ", \"", "| \"", "NaN", "Inf", "-0"].iter().any(|odd| printed.contains(odd)) {
                continue;
            }
            let again = parse(&printed).map(|expr| expr.to_string());
            assert!(again.is_ok(), "{text:?} became {printed:?}");
        }
    }
    drop(parse_matchers(text));
}
