//! The LogQL parser and printer: what parses prints to something that parses to the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use masthead_logql::{parse, parse_matchers, pretty};

fuzz_target!(|text: &str| {
    if let Ok(expr) = parse(text) {
        for printed in [expr.to_string(), pretty(&expr)] {
            let again = parse(&printed).map(|expr| expr.to_string());
            assert!(again.is_ok(), "{text:?} became {printed:?}");
        }
    }
    drop(parse_matchers(text));
});
