//! What number and duration tokens are worth.
//!
//! Numbers are read as upstream reads them (`promql/parser/parse.go`, `number`): as a Go integer
//! literal first, so that `0755` is octal and `1_000` has separators, then as a float. Refusals
//! have Go's texts.

use masthead_model::{PromDuration, quote};

/// The value of a number token.
///
/// # Errors
/// The text of the error, without its place.
pub(super) fn number(text: &str) -> Result<f64, String> {
    if let Some(integer) = integer(text) {
        #[expect(clippy::cast_precision_loss, reason = "upstream converts integers alike")]
        return Ok(integer as f64);
    }
    let refuse = |why| {
        let text = quote(text);
        format!("error parsing number: strconv.ParseFloat: parsing {text}: {why}")
    };
    let digits = without_underscores(text, 0).ok_or_else(|| refuse("invalid syntax"))?;
    let value: f64 = digits.parse().map_err(|_| refuse("invalid syntax"))?;
    if value.is_infinite() && text.contains(|c: char| c.is_ascii_digit()) {
        return Err(refuse("value out of range"));
    }
    Ok(value)
}

/// The value of a duration token in seconds.
///
/// # Errors
/// The text of the error, without its place.
pub(super) fn duration(text: &str) -> Result<f64, String> {
    match PromDuration::parse(text) {
        #[expect(clippy::cast_precision_loss, reason = "exact for 285,000 years")]
        Ok(duration) => Ok(duration.as_millis() as f64 / 1000.0),
        Err(error) => Err(error.to_string()),
    }
}

/// A Go integer literal: decimal, `0x` or octal.
fn integer(text: &str) -> Option<i64> {
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = match (hexadecimal, text.strip_prefix('0')) {
        (Some(digits), _) => (without_underscores(digits, 1)?, 16),
        (None, Some(digits)) if !digits.is_empty() => (without_underscores(digits, 1)?, 8),
        (None, _) => (without_underscores(text, 0)?, 10),
    };
    // `from_str_radix` takes a sign, which is a token of its own here.
    if digits.starts_with(['+', '-']) { None } else { i64::from_str_radix(&digits, radix).ok() }
}

/// The digits alone, if each underscore stands between two of them; `prefix` digits stand before.
fn without_underscores(text: &str, prefix: usize) -> Option<String> {
    let mut before_is_digit = prefix > 0;
    let mut chars = text.chars().peekable();
    let mut digits = String::with_capacity(text.len());
    while let Some(c) = chars.next() {
        if c == '_' {
            let after_is_digit = chars.peek().is_some_and(char::is_ascii_hexdigit);
            if !before_is_digit || !after_is_digit {
                return None;
            }
        } else {
            digits.push(c);
        }
        before_is_digit = c.is_ascii_hexdigit();
    }
    Some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        let f = |text: &str, want: f64| assert_eq!(number(text), Ok(want), "{text}");
        f("0", 0.0);
        f("1", 1.0);
        f(".5", 0.5);
        f("5.", 5.0);
        f("123.4567", 123.4567);
        f("5e-3", 0.005);
        f("5e3", 5000.0);
        f("0xc", 12.0);
        f("0X_1f", 31.0);
        f("0755", 493.0);
        f("0_7", 7.0);
        f("089", 89.0);
        f("1_000", 1000.0);
        f("1_0.2_5e1_0", 10.25e10);
        f("9223372036854775808", 9_223_372_036_854_775_808.0);
        f("Inf", f64::INFINITY);
        f("iNf", f64::INFINITY);
        assert!(number("NaN").is_ok_and(f64::is_nan));
    }

    #[test]
    fn refusals_have_gos_texts() {
        let f = |text: &str, why: &str| {
            let want =
                format!("error parsing number: strconv.ParseFloat: parsing \"{text}\": {why}");
            assert_eq!(number(text), Err(want), "{text}");
        };
        f("0x", "invalid syntax");
        f("0xffffffffffffffffff", "invalid syntax");
        f("1e", "invalid syntax");
        f(".5.5", "invalid syntax");
        f("1._5", "invalid syntax");
        f("1__5", "invalid syntax");
        f("1e999", "value out of range");
    }

    #[test]
    fn durations_are_seconds() {
        assert_eq!(duration("1h30m"), Ok(5400.0));
        assert_eq!(duration("3ms"), Ok(0.003));
        assert_eq!(duration("5m1h"), Err("not a valid duration string: \"5m1h\"".into()));
        let unknown = "unknown unit \"hs\" in duration \"5y1hs\"".to_owned();
        assert_eq!(duration("5y1hs"), Err(unknown));
    }
}
