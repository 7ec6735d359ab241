//! How Go reads numbers, durations and sizes, with Go's words for what is wrong with them.
//!
//! Template functions, label filters and unwrapped labels all show these texts in
//! `__error_details__`, so they are made in one place. Sources: Go's `strconv.ParseFloat` and
//! `time.ParseDuration`, `ParseBytes` of dustin/go-humanize.

use std::fmt::Write as _;

use masthead_model::quote_bytes;

/// Reads what `strconv.ParseFloat(text, 64)` reads.
///
/// # Errors
/// Go's text.
pub fn parse_float(text: &[u8]) -> Result<f64, String> {
    // Nearly every number is short, plain and decimal: Rust reads it as Go does.
    if text.first().is_some_and(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.'))
        && text.iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'))
    {
        return match std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok()) {
            Some(value) if value.is_finite() => Ok(value),
            Some(_) => Err(float_error(text, "value out of range")),
            None => Err(float_error(text, "invalid syntax")),
        };
    }
    parse_rare_float(text).ok_or_else(|| float_error(text, "invalid syntax"))
}

fn float_error(text: &[u8], what: &str) -> String {
    format!("strconv.ParseFloat: parsing {}: {what}", quote_bytes(text))
}

/// Names, hexadecimal numbers with their exponent, underscores between digits.
fn parse_rare_float(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    if !text.contains('_') {
        let hexadecimal = text.trim_start_matches(['+', '-']).get(..2);
        if hexadecimal.is_some_and(|x| x.eq_ignore_ascii_case("0x")) && !text.contains(['p', 'P']) {
            return None;
        }
        return masthead_model::parse_number(text);
    }
    let bytes = text.as_bytes();
    let between = |at: usize| {
        let digit =
            |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
        digit(at.checked_sub(1)) && digit(Some(at + 1))
    };
    if !(0..bytes.len()).all(|at| bytes.get(at) != Some(&b'_') || between(at)) {
        return None;
    }
    let plain: Vec<u8> = bytes.iter().copied().filter(|b| *b != b'_').collect();
    parse_float(&plain).ok()
}

/// Reads what `time.ParseDuration` reads, in nanoseconds.
///
/// # Errors
/// Go's text.
pub fn parse_duration(text: &[u8]) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", quote_for_time(text));
    let (negative, mut rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if rest == b"0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after {
            [b'.', after @ ..] => digits(after),
            _ => (&b""[..], after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let unit_len =
            after.iter().position(|b| *b == b'.' || b.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_len);
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {}", quote_for_time(text)));
        }
        let scale = unit_nanos(unit).ok_or_else(|| {
            let (unit, text) = (quote_for_time(unit), quote_for_time(text));
            format!("time: unknown unit {unit} in duration {text}")
        })?;
        total = whole
            .iter()
            .try_fold(0_u64, |n, d| n.checked_mul(10)?.checked_add(u64::from(d - b'0')))
            .and_then(|whole| whole.checked_mul(scale))
            .and_then(|part| part.checked_add(fraction_of(fraction, scale)))
            .and_then(|part| total.checked_add(part))
            .filter(|total| *total <= 1 << 63)
            .ok_or_else(invalid)?;
        rest = after;
    }
    if negative {
        return Ok(0_i64.wrapping_sub_unsigned(total));
    }
    i64::try_from(total).map_err(|_| invalid())
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len()))
}

fn unit_nanos(unit: &[u8]) -> Option<u64> {
    Some(match unit {
        b"ns" => 1,
        b"us" | b"\xc2\xb5s" | b"\xce\xbcs" => 1_000,
        b"ms" => 1_000_000,
        b"s" => 1_000_000_000,
        b"m" => 60_000_000_000,
        b"h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// `0.fraction` of a unit, cut to whole nanoseconds; digits past the eighteenth are below one.
fn fraction_of(fraction: &[u8], scale: u64) -> u64 {
    let (mut value, mut divisor) = (0_u128, 1_u128);
    for digit in fraction.iter().take(18) {
        value = value * 10 + u128::from(digit - b'0');
        divisor *= 10;
    }
    u64::try_from(value * u128::from(scale) / divisor).unwrap_or(0)
}

/// Quotes as Go's `time` does: bytes beyond ASCII one by one.
fn quote_for_time(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for byte in text {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(*byte));
            }
            b' '..=b'~' => out.push(char::from(*byte)),
            _ => write!(out, "\\x{byte:02x}").unwrap_or_default(),
        }
    }
    out.push('"');
    out
}

/// Reads a size such as `5KB`, `1.5 GiB` or `1,024`, where `KB` is 1,000 and `KiB` 1,024.
///
/// # Errors
/// go-humanize's text.
pub fn parse_bytes(text: &[u8]) -> Result<u64, String> {
    let end = text
        .iter()
        .position(|b| !(b.is_ascii_digit() || matches!(b, b'.' | b',')))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number = if number.contains(&b',') {
        let plain: Vec<u8> = number.iter().copied().filter(|b| *b != b',').collect();
        parse_float(&plain)?
    } else {
        parse_float(number)?
    };
    let scale = size_unit(unit).ok_or_else(|| {
        let unit = String::from_utf8_lossy(unit);
        format!("unhandled size name: {}", unit.trim().to_lowercase())
    })?;
    let bytes = number * scale;
    if bytes >= 18_446_744_073_709_551_615.0 {
        return Err(format!("too large: {}", String::from_utf8_lossy(text)));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "digits carry no sign, the range was checked, fractions of a byte are cut"
    )]
    let bytes = bytes as u64;
    Ok(bytes)
}

fn size_unit(unit: &[u8]) -> Option<f64> {
    let unit = unit.trim_ascii();
    let mut lower = [0_u8; 3];
    let lower = lower.get_mut(..unit.len())?;
    lower.copy_from_slice(unit);
    lower.make_ascii_lowercase();
    let (power, rest) = match &*lower {
        [] | [b'b'] => return Some(1.0),
        [b'k', rest @ ..] => (1, rest),
        [b'm', rest @ ..] => (2, rest),
        [b'g', rest @ ..] => (3, rest),
        [b't', rest @ ..] => (4, rest),
        [b'p', rest @ ..] => (5, rest),
        [b'e', rest @ ..] => (6, rest),
        _ => return None,
    };
    match rest {
        b"" | b"b" => Some(1000_f64.powi(power)),
        b"i" | b"ib" => Some(1024_f64.powi(power)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_read_and_refused_as_by_go() {
        let f = |text: &str, want: Result<f64, &str>| {
            let got = parse_float(text.as_bytes());
            assert_eq!(got.map(f64::to_bits), want.map(f64::to_bits).map_err(str::to_owned));
        };
        f("1", Ok(1.0));
        f("+1.5e3", Ok(1500.0));
        f(".5", Ok(0.5));
        f("5.", Ok(5.0));
        f("1_000", Ok(1000.0));
        f("-infinity", Ok(f64::NEG_INFINITY));
        f("NaN", Ok(f64::NAN));
        f("0x1p4", Ok(16.0));
        f("", Err("strconv.ParseFloat: parsing \"\": invalid syntax"));
        f("0x10", Err("strconv.ParseFloat: parsing \"0x10\": invalid syntax"));
        f("1__0", Err("strconv.ParseFloat: parsing \"1__0\": invalid syntax"));
        f(" 1", Err("strconv.ParseFloat: parsing \" 1\": invalid syntax"));
        f("1e309", Err("strconv.ParseFloat: parsing \"1e309\": value out of range"));
        f("１", Err("strconv.ParseFloat: parsing \"１\": invalid syntax"));
    }

    #[test]
    fn durations_are_read_and_refused_as_by_go() {
        let f = |text: &str, want: Result<i64, &str>| {
            assert_eq!(parse_duration(text.as_bytes()), want.map_err(str::to_owned), "{text}");
        };
        f("1h30m", Ok(5_400_000_000_000));
        f("-1.5s", Ok(-1_500_000_000));
        f("1.µs", Ok(1_000));
        f("0", Ok(0));
        f("5", Err("time: missing unit in duration \"5\""));
        f("1d", Err("time: unknown unit \"d\" in duration \"1d\""));
        f("1 s", Err("time: unknown unit \" s\" in duration \"1 s\""));
        f("1h-5m", Err("time: unknown unit \"h-\" in duration \"1h-5m\""));
        f("abc", Err("time: invalid duration \"abc\""));
        f("", Err("time: invalid duration \"\""));
        f("9999999h", Err("time: invalid duration \"9999999h\""));
        f("１s", Err(r#"time: invalid duration "\xef\xbc\x91s""#));
    }

    #[test]
    fn sizes_are_read_and_refused_as_by_humanize() {
        let f = |text: &str, want: Result<u64, &str>| {
            assert_eq!(parse_bytes(text.as_bytes()), want.map_err(str::to_owned), "{text}");
        };
        f("1KB", Ok(1000));
        f("1KiB", Ok(1024));
        f("12 MB", Ok(12_000_000));
        f("1,024", Ok(1024));
        f("1.5GiB", Ok(1_610_612_736));
        f("-1B", Err("strconv.ParseFloat: parsing \"\": invalid syntax"));
        f("1e3B", Err("unhandled size name: e3b"));
        f("99999EB", Err("too large: 99999EB"));
    }
}
