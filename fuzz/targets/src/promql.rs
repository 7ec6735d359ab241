//! The PromQL parser and printer: what parses prints to something that parses.

use masthead_promql::{Features, parse, parse_selector};

use crate::text;

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(expr) = parse(text, &Features::ALL) {
        let printed = expr.to_string();
        assert!(parse(&printed, &Features::ALL).is_ok(), "{text:?} became {printed:?}");
    }
    drop(parse_selector(text));
}
