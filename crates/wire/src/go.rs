//! Texts, numbers and quotes as Go writes and reads them, because error texts and label values show
//! it.

use std::{borrow::Cow, fmt::Write as _};

use masthead_model::{format_shortest, parse_number, quote};

/// `strconv.Quote` of bytes that may not be UTF-8: those that are not become `\xff`.
pub(crate) fn quote_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for chunk in bytes.utf8_chunks() {
        let quoted = quote(chunk.valid());
        out.push_str(quoted.get(1..quoted.len() - 1).unwrap_or(""));
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            write!(out, "\\x{byte:02x}").unwrap_or_default();
        }
    }
    out.push('"');
    out
}

/// The text with U+FFFD for each byte that is not UTF-8, which is what Go makes of it.
pub(crate) fn valid_text(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 2);
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Cow::Owned(out)
}

/// A sample's value; the error is what upstream's `parseFloat` says.
///
/// Most values are a few digits with perhaps a point among them. Those are a whole number divided
/// by a power of ten, both exact, so that the one rounding of the division is the right one.
#[inline]
pub(crate) fn parse_float(text: &[u8]) -> Result<f64, String> {
    match parse_short(text) {
        Some(value) => Ok(value),
        None => parse_any_float(text),
    }
}

/// At most fifteen digits, with or without a point and a minus.
#[inline]
fn parse_short(text: &[u8]) -> Option<f64> {
    const BYTES_MAX: usize = 16;
    const POWERS: [f64; BYTES_MAX] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.len() > BYTES_MAX {
        return None;
    }
    let (mut whole, mut count, mut point) = (0_i64, 0, None);
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                whole = whole * 10 + i64::from(byte - b'0');
                count += 1;
            }
            b'.' if point.is_none() => point = Some(count),
            _ => return None,
        }
    }
    if count == 0 || count >= BYTES_MAX {
        return None;
    }
    let power = POWERS.get(point.map_or(0, |point| count - point))?;
    #[expect(clippy::cast_precision_loss, reason = "fifteen digits fit into 53 bits")]
    let value = whole as f64 / power;
    Some(if digits.len() == text.len() { value } else { -value })
}

fn parse_any_float(text: &[u8]) -> Result<f64, String> {
    if text.iter().any(|byte| matches!(byte, b'p' | b'P' | b'_')) {
        return Err("unsupported character in float".to_owned());
    }
    let refuse =
        |why: &str| Err(format!("strconv.ParseFloat: parsing {}: {why}", quote_bytes(text)));
    let Ok(text) = std::str::from_utf8(text) else { return refuse("invalid syntax") };
    // Go reads hexadecimal floats only with an exponent, which starts with a `p`.
    let hexadecimal =
        text.trim_start_matches(['+', '-']).starts_with(['x', 'X']) || text.contains(['x', 'X']);
    match parse_number(text).filter(|_| !hexadecimal) {
        None => refuse("invalid syntax"),
        Some(value) if value.is_infinite() && !text.contains(['n', 'N']) => {
            refuse("value out of range")
        }
        // One NaN for all, so that none can be taken for the stale marker.
        Some(value) if value.is_nan() => Ok(f64::NAN),
        Some(value) => Ok(value),
    }
}

/// A timestamp of the text format, in milliseconds; the error is Go's.
pub(crate) fn parse_int(text: &[u8]) -> Result<i64, String> {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
        // The lexer passes digits only, so the range is all that can be wrong.
        format!("strconv.ParseInt: parsing {}: value out of range", quote_bytes(text))
    })
}

/// A bound or quantile as OpenMetrics writes it: always with a point or an exponent.
pub(crate) fn format_openmetrics(value: f64) -> String {
    let mut text = format_shortest(value, 6);
    if value.is_finite() && !text.contains(['.', 'e']) {
        text.push_str(".0");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_read_as_upstream_reads_them() {
        let f = |text: &str, want: Result<f64, &str>| {
            let got = parse_float(text.as_bytes()).map(f64::to_bits);
            assert_eq!(got, want.map(f64::to_bits).map_err(str::to_owned), "{text:?}");
        };
        f("0", Ok(0.0));
        f("-0", Ok(-0.0));
        f("123456789012345", Ok(123_456_789_012_345.0));
        f("12345678901234567890", Ok(12_345_678_901_234_567_890.0));
        f("12345.67", Ok(12345.67));
        f("-0.000001", Ok(-0.000_001));
        f(".5", Ok(0.5));
        f("5.", Ok(5.0));
        f("123456789.12345678", Ok(123_456_789.123_456_78));
        f("1.2.3", Err(r#"strconv.ParseFloat: parsing "1.2.3": invalid syntax"#));
        f(".", Err(r#"strconv.ParseFloat: parsing ".": invalid syntax"#));
        f("+1.5e3", Ok(1500.0));
        f("nan", Ok(f64::NAN));
        f("+Inf", Ok(f64::INFINITY));
        f("-inf", Ok(f64::NEG_INFINITY));
        f("1e999", Err(r#"strconv.ParseFloat: parsing "1e999": value out of range"#));
        f("0x1p-3", Err("unsupported character in float"));
        f("1_2", Err("unsupported character in float"));
        f("0x10", Err(r#"strconv.ParseFloat: parsing "0x10": invalid syntax"#));
        f("", Err(r#"strconv.ParseFloat: parsing "": invalid syntax"#));
        f("-", Err(r#"strconv.ParseFloat: parsing "-": invalid syntax"#));
        f("1\r", Err(r#"strconv.ParseFloat: parsing "1\r": invalid syntax"#));
        assert_eq!(
            parse_float(b"\xff"),
            Err(r#"strconv.ParseFloat: parsing "\xff": invalid syntax"#.to_owned())
        );
        assert_eq!(parse_float(b"NaN").map(f64::to_bits), Ok(f64::NAN.to_bits()));
    }

    proptest::proptest! {
        #[test]
        fn short_decimals_are_rounded_as_any_other(whole in 0_u64..1_000_000_000, fraction in "[0-9]{0,7}") {
            let text = format!("-{whole}.{fraction}");
            let want: f64 = text.parse()?;
            proptest::prop_assert_eq!(parse_float(text.as_bytes()).map(f64::to_bits), Ok(want.to_bits()));
        }
    }

    #[test]
    fn bounds_always_look_like_floats() {
        let f = |value: f64, want: &str| assert_eq!(format_openmetrics(value), want);
        f(0.0, "0.0");
        f(1.0, "1.0");
        f(-1.0, "-1.0");
        f(0.25, "0.25");
        f(100.0, "100.0");
        f(1e6, "1e+06");
        f(1e21, "1e+21");
        f(1e-7, "1e-07");
        f(f64::INFINITY, "+Inf");
        f(f64::NAN, "NaN");
    }

    #[test]
    fn bytes_are_quoted_as_go_quotes_them() {
        assert_eq!(quote_bytes(b"a\xff\"\n\xc3\xa9\x00"), r#""a\xff\"\né\x00""#);
    }
}
