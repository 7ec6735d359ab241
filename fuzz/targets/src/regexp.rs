//! Regular expressions in Go's dialect: what is accepted compiles and matches, in text as a whole
//! and anywhere in bytes.

use masthead_model::{Regexp, RegexpSearch};

use crate::{text, text_and_rest};

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    let Some((pattern, rest)) = text_and_rest(bytes) else { return };
    if let Ok(search) = RegexpSearch::new(pattern) {
        let readable = search.read(rest);
        let found = search.is_match(rest);
        assert_eq!(found, search.captures(&readable).is_some());
        let mut end = 0;
        for place in search.find_iter(&readable) {
            assert!(end <= place.start && place.start <= place.end && place.end <= rest.len());
            end = place.end;
        }
    }
    let Some(value) = text(rest) else { return };
    if let Ok(regexp) = Regexp::new(pattern) {
        assert_eq!(regexp.is_match(value), regexp.captures(value).is_some());
    }
}
