//! Regular expressions in Go's dialect: what is accepted compiles and matches.

#![no_main]

use libfuzzer_sys::fuzz_target;
use masthead_model::Regexp;

fuzz_target!(|input: (&str, &str)| {
    if let Ok(regexp) = Regexp::new(input.0) {
        assert_eq!(regexp.is_match(input.1), regexp.captures(input.1).is_some());
    }
});
