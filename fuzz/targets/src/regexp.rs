//! Regular expressions in Go's dialect: what is accepted compiles and matches.

use masthead_model::Regexp;

use crate::{text, text_and_rest};

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    let Some((pattern, rest)) = text_and_rest(bytes) else { return };
    let Some(value) = text(rest) else { return };
    if let Ok(regexp) = Regexp::new(pattern) {
        assert_eq!(regexp.is_match(value), regexp.captures(value).is_some());
    }
}
