//! The PromQL parser and printer: what parses prints to something that parses.

#![no_main]

use libfuzzer_sys::fuzz_target;
use masthead_promql::{Features, parse, parse_selector};

fuzz_target!(|text: &str| {
    if let Ok(expr) = parse(text, &Features::ALL) {
        let printed = expr.to_string();
        assert!(parse(&printed, &Features::ALL).is_ok(), "{text:?} became {printed:?}");
    }
    drop(parse_selector(text));
});
