//! What a member of a log line that is a JSON object must be, said so that a store can ask it of
//! values in columns.
//!
//! Whoever asks may only leave lines out: a value of which it is not known for sure that it fails
//! does not fail. The label filters themselves are LogQL's.

use std::ops::{Bound, RangeBounds as _};

/// Longer numbers are not judged: what they are as a float is told by who reads them.
const DIGITS_MAX: usize = 15;

/// What the member of a JSON object that becomes a label must be.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberTest {
    /// The label, which is also the name of the member.
    pub name: Box<str>,
    /// What its value must be.
    pub value: MemberValue,
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq)]
pub enum MemberValue {
    /// A number in this range.
    Number(Bound<f64>, Bound<f64>),
    /// This text, which is not empty.
    Text(Box<str>),
}

impl MemberValue {
    /// Whether a number is none that is wanted; of a text that is wanted, nothing is known.
    pub fn fails_number(&self, number: f64) -> bool {
        match self {
            Self::Number(from, to) => !(*from, *to).contains(&number),
            Self::Text(_) => false,
        }
    }

    /// Whether a value fails for sure that stands in a line as `text`: a number, or a string
    /// without its quotes.
    pub fn fails_text(&self, text: &[u8]) -> bool {
        match self {
            Self::Number(..) => plain_number(text).is_some_and(|number| self.fails_number(number)),
            Self::Text(wanted) => is_literal(text) && wanted.as_bytes() != text,
        }
    }

    /// Whether every string fails for sure that starts and ends with these texts.
    pub fn fails_between(&self, start: &[u8], end: &[u8]) -> bool {
        match self {
            Self::Number(..) => false,
            Self::Text(wanted) => {
                let wanted = wanted.as_bytes();
                (is_literal(start) && !wanted.starts_with(start))
                    || (is_literal(end) && !wanted.ends_with(end))
            }
        }
    }
}

/// Whether a text in a string of JSON stands for itself.
fn is_literal(text: &[u8]) -> bool {
    text.is_ascii() && !text.contains(&b'\\')
}

/// What is written as digits, with or without a dot among them.
fn plain_number(text: &[u8]) -> Option<f64> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= DIGITS_MAX)?;
    let plain = text.split_once('.').map_or_else(|| digits(text), |(a, b)| digits(a) && digits(b));
    text.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_fails_for_sure_fails() {
        let f = |value: &MemberValue, text: &str, want: bool| {
            assert_eq!(value.fails_text(text.as_bytes()), want, "{value:?} {text:?}");
        };
        let number = MemberValue::Number(Bound::Included(500.0), Bound::Unbounded);
        f(&number, "499", true);
        f(&number, "499.9", true);
        f(&number, "0500", false);
        f(&number, "500", false);
        for unknown in ["", "-1", "1e9", "4.", ".4", "4.4.4", "NaN", "0x1", "1111111111111111"] {
            f(&number, unknown, false);
        }
        let text = MemberValue::Text("ERROR".into());
        f(&text, "ERROR", false);
        f(&text, "WARN", true);
        f(&text, "", true);
        f(&text, r"\u0045RROR", false);
        f(&text, "ä", false);
        assert!(!text.fails_number(1.0));
        let open = MemberValue::Number(Bound::Excluded(1.0), Bound::Excluded(2.0));
        assert!(open.fails_number(1.0) && open.fails_number(2.0) && !open.fails_number(1.5));
    }

    #[test]
    fn what_a_string_starts_and_ends_with_can_be_enough() {
        let f = |start: &str, end: &str, want: bool| {
            let text = MemberValue::Text("/items/42".into());
            let got = text.fails_between(start.as_bytes(), end.as_bytes());
            assert_eq!(got, want, "{start:?} {end:?}");
        };
        f("/items/", "", false);
        f("", "2", false);
        f("/users/", "", true);
        f("/items/", "/x", true);
        f(r"\/users", "", false);
    }
}
