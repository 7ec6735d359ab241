//! Numbers as Go writes and reads them, which every text and JSON form of the originals shows.

use std::fmt::Write as _;

/// All digits, never an exponent: Go's `strconv.FormatFloat(value, 'f', -1, 64)`.
///
/// Sample values in the JSON of both APIs are written so.
pub fn format_exact(value: f64) -> String {
    special(value).map_or_else(|| value.to_string(), str::to_owned)
}

/// The shortest text, with an exponent below 1e-4 and from 1e21 on when `exponent_from` is 21,
/// or from 1e6 on when it is 6.
///
/// Go's `%v` and `%g` use 6; JSON encoders and `model.SampleValue` use 21.
pub fn format_shortest(value: f64, exponent_from: i32) -> String {
    if let Some(special) = special(value) {
        return special.to_owned();
    }
    let scientific = format!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value == 0.0 || (-4..exponent_from).contains(&exponent) {
        return value.to_string();
    }
    let mut out = mantissa.to_owned();
    let sign = if exponent < 0 { '-' } else { '+' };
    // Go writes at least two digits of the exponent. Writing to a String cannot fail.
    write!(out, "e{sign}{:02}", exponent.unsigned_abs()).unwrap_or_default();
    out
}

/// Reads what Go's `strconv.ParseFloat` reads: decimals, hexadecimal floats, `Inf`, `NaN`.
///
/// Numbers too large become infinite here, as Prometheus' parsers let them.
pub fn parse_number(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    let lower = unsigned.get(..2).unwrap_or("");
    if lower.eq_ignore_ascii_case("0x") {
        return parse_hexadecimal(unsigned.get(2..)?).map(|value| sign * value);
    }
    if unsigned.len() == text.len() && text.eq_ignore_ascii_case("nan") {
        return Some(f64::NAN);
    }
    if unsigned.eq_ignore_ascii_case("inf") || unsigned.eq_ignore_ascii_case("infinity") {
        return Some(sign * f64::INFINITY);
    }
    // Rust accepts the same decimals; letters other than the exponent's were dealt with above.
    unsigned
        .starts_with(|c: char| c.is_ascii_digit() || c == '.')
        .then(|| text.parse().ok())
        .flatten()
}

/// `1.8p3`: a hexadecimal mantissa and an optional binary exponent.
fn parse_hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = match text.split_once(['p', 'P']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None if text.contains('.') => return None,
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0_f64;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let shift = 4_i32.checked_mul(i32::try_from(fraction.len()).ok()?)?;
    Some(value * f64::from(exponent.saturating_sub(shift)).exp2())
}

fn special(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("NaN")
    } else if value.is_infinite() {
        Some(if value > 0.0 { "+Inf" } else { "-Inf" })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn exact_numbers_never_have_an_exponent() {
        let f = |value: f64, want: &str| assert_eq!(format_exact(value), want);
        f(1e21, "1000000000000000000000");
        f(1e-7, "0.0000001");
        f(0.1 + 0.2, "0.30000000000000004");
        f(-0.0, "-0");
        f(f64::NAN, "NaN");
        f(f64::INFINITY, "+Inf");
        f(f64::NEG_INFINITY, "-Inf");
    }

    #[test]
    fn shortest_numbers_take_an_exponent_where_go_does() {
        let f = |value: f64, go: &str, json: &str| {
            assert_eq!((&*format_shortest(value, 6), &*format_shortest(value, 21)), (go, json));
        };
        f(0.0, "0", "0");
        f(1.0, "1", "1");
        f(123_456.5, "123456.5", "123456.5");
        f(1e6, "1e+06", "1000000");
        f(1_234_567.0, "1.234567e+06", "1234567");
        f(1e20, "1e+20", "100000000000000000000");
        f(1e21, "1e+21", "1e+21");
        f(0.0001, "0.0001", "0.0001");
        f(0.000_01, "1e-05", "1e-05");
        f(-2.5e100, "-2.5e+100", "-2.5e+100");
        f(f64::NEG_INFINITY, "-Inf", "-Inf");
    }

    #[test]
    fn reads_what_go_reads() {
        let f = |text: &str, want: Option<f64>| {
            assert_eq!(parse_number(text).map(f64::to_bits), want.map(f64::to_bits), "{text:?}");
        };
        f("1", Some(1.0));
        f("+.5e3", Some(500.0));
        f("-1.", Some(-1.0));
        f("1e999", Some(f64::INFINITY));
        f("Inf", Some(f64::INFINITY));
        f("-infinity", Some(f64::NEG_INFINITY));
        f("+INF", Some(f64::INFINITY));
        f("nan", Some(f64::NAN));
        f("0x10", Some(16.0));
        f("-0x1.8p1", Some(-3.0));
        f("+nan", None);
        f("infi", None);
        f("0x", None);
        f("0x1.8", None);
        f("0xg", None);
        f("", None);
        f("-", None);
        f("1 ", None);
        f("1_000", None);
        f("é", None);
    }

    proptest! {
        #[test]
        fn printing_then_parsing_is_identity(value: f64) {
            prop_assume!(!value.is_nan());
            for text in [format_exact(value), format_shortest(value, 6), format_shortest(value, 21)] {
                prop_assert_eq!(parse_number(&text).map(f64::to_bits), Some(value.to_bits()));
            }
        }
    }
}
