//! Values as Go's `fmt` prints them: `print`, `println`, `printf`.

use std::fmt::Write as _;

use masthead_model::{format_shortest, quote_bytes};

use crate::value::Value;

/// Widths and precisions above this are ignored, as in Go.
const WIDTH_MAX: usize = 1_000_000;

/// `%v`
pub(crate) fn plain(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Nil => out.extend_from_slice(b"<nil>"),
        Value::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::Int(value) | Value::Int64(value) => {
            out.extend_from_slice(value.to_string().as_bytes());
        }
        Value::Float(value) => out.extend_from_slice(format_shortest(*value, 6).as_bytes()),
        Value::Text(text) => out.extend_from_slice(text),
        Value::Time(time) => out.extend_from_slice(time.to_string().as_bytes()),
        Value::List(list) => {
            out.push(b'[');
            for (at, item) in list.iter().enumerate() {
                if at > 0 {
                    out.push(b' ');
                }
                plain(item, out);
            }
            out.push(b']');
        }
        Value::Map(map) => entries(out, map.iter().map(|(k, v)| (&**k, v.clone()))),
        Value::Object(object) => {
            let all = object.entries();
            entries(out, all.iter().map(|(k, v)| (&**k, v.clone())));
        }
    }
}

fn entries<'k, 'v>(out: &mut Vec<u8>, all: impl Iterator<Item = (&'k [u8], Value<'v>)>) {
    out.extend_from_slice(b"map[");
    for (at, (key, value)) in all.enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(key);
        out.push(b':');
        plain(&value, out);
    }
    out.push(b']');
}

/// `fmt.Sprint`: a blank between two values of which neither is a string.
pub(crate) fn print(values: &[Value<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, value) in values.iter().enumerate() {
        let text = |v: Option<&Value<'_>>| matches!(v, Some(Value::Text(_)));
        if at > 0 && !text(Some(value)) && !text(values.get(at - 1)) {
            out.push(b' ');
        }
        plain(value, &mut out);
    }
    out
}

/// `fmt.Sprintln`: a blank between all, a newline behind.
pub(crate) fn println(values: &[Value<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        plain(value, &mut out);
    }
    out.push(b'\n');
    out
}

/// What stands between `%` and the verb.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag character of its own")]
struct Flags {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// `fmt.Sprintf`
pub(crate) fn printf(format: &[u8], args: &[Value<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut next = 0;
    let mut reordered = false;
    let mut rest = format;
    while let Some(percent) = memchr::memchr(b'%', rest) {
        let (before, after) = rest.split_at(percent);
        out.extend_from_slice(before);
        rest = after.get(1..).unwrap_or_default();
        let mut flags = Flags::default();
        rest = read_flags(rest, &mut flags);
        let mut bad_index = false;
        let mut index = |rest: &mut &[u8], next: &mut usize| {
            if let Some((number, after)) = read_index(rest) {
                reordered = true;
                *rest = after;
                match number {
                    Some(number) if number <= args.len() => *next = number - 1,
                    _ => bad_index = true,
                }
            }
        };
        index(&mut rest, &mut next);
        if let Some(after) = rest.strip_prefix(b"*") {
            rest = after;
            match star(args.get(next)) {
                Some(width) => {
                    flags.minus |= width < 0;
                    flags.width = usize::try_from(width.unsigned_abs()).ok();
                }
                None => out.extend_from_slice(b"%!(BADWIDTH)"),
            }
            next += 1;
        } else {
            (flags.width, rest) = read_number(rest);
        }
        if let Some(after) = rest.strip_prefix(b".") {
            rest = after;
            index(&mut rest, &mut next);
            if let Some(after) = rest.strip_prefix(b"*") {
                rest = after;
                match star(args.get(next)).and_then(|p| usize::try_from(p).ok()) {
                    Some(precision) => flags.precision = Some(precision),
                    None => out.extend_from_slice(b"%!(BADPREC)"),
                }
                next += 1;
            } else {
                let (precision, after) = read_number(rest);
                flags.precision = Some(precision.unwrap_or(0));
                rest = after;
            }
        }
        index(&mut rest, &mut next);
        let valid = rest.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        let verb = match valid.chars().next() {
            Some(verb) => verb,
            None if rest.is_empty() => {
                out.extend_from_slice(b"%!(NOVERB)");
                break;
            }
            None => char::REPLACEMENT_CHARACTER,
        };
        let len = if valid.is_empty() { 1 } else { verb.len_utf8() };
        rest = rest.get(len..).unwrap_or_default();
        if verb == '%' {
            out.push(b'%');
        } else if bad_index {
            out.extend_from_slice(format!("%!{verb}(BADINDEX)").as_bytes());
        } else if let Some(arg) = args.get(next) {
            next += 1;
            one(&mut out, verb, arg, flags);
        } else {
            out.extend_from_slice(format!("%!{verb}(MISSING)").as_bytes());
        }
    }
    out.extend_from_slice(rest);
    if !reordered && next < args.len() {
        out.extend_from_slice(b"%!(EXTRA ");
        for (at, arg) in args.iter().skip(next).enumerate() {
            if at > 0 {
                out.extend_from_slice(b", ");
            }
            out.extend_from_slice(arg.type_name().as_bytes());
            if !matches!(arg, Value::Nil) {
                out.push(b'=');
                plain(arg, &mut out);
            }
        }
        out.push(b')');
    }
    out
}

fn star(arg: Option<&Value<'_>>) -> Option<i64> {
    match arg {
        Some(Value::Int(width) | Value::Int64(width)) => {
            (width.unsigned_abs() <= WIDTH_MAX as u64).then_some(*width)
        }
        _ => None,
    }
}

fn read_flags<'f>(mut rest: &'f [u8], flags: &mut Flags) -> &'f [u8] {
    while let Some((flag, after)) = rest.split_first() {
        match flag {
            b'#' => flags.sharp = true,
            b'0' => flags.zero = true,
            b'+' => flags.plus = true,
            b'-' => flags.minus = true,
            b' ' => flags.space = true,
            _ => break,
        }
        rest = after;
    }
    rest
}

fn read_number(rest: &[u8]) -> (Option<usize>, &[u8]) {
    let len = rest.iter().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, after) = rest.split_at(len);
    let number = std::str::from_utf8(digits).ok().and_then(|d| d.parse().ok());
    (number.filter(|n| *n <= WIDTH_MAX), after)
}

/// `[3]`
fn read_index(rest: &[u8]) -> Option<(Option<usize>, &[u8])> {
    let inside = rest.strip_prefix(b"[")?;
    let close = memchr::memchr(b']', inside)?;
    let (digits, after) = inside.split_at(close);
    let number = std::str::from_utf8(digits).ok().and_then(|d| d.parse().ok());
    Some((number.filter(|n| *n > 0), after.get(1..)?))
}

fn one(out: &mut Vec<u8>, verb: char, value: &Value<'_>, flags: Flags) {
    let text = match verb {
        'T' => Some(value.type_name().as_bytes().to_vec()),
        'v' if !matches!(value, Value::Float(_)) => {
            let mut text = Vec::new();
            if flags.sharp
                && let Value::Text(inner) = value
            {
                text.extend_from_slice(quote_bytes(inner).as_bytes());
            } else {
                plain(value, &mut text);
            }
            Some(text)
        }
        _ => formatted(verb, value, flags),
    };
    let number = matches!(value, Value::Int(_) | Value::Int64(_) | Value::Float(_));
    match text {
        Some(text) => pad(out, &text, flags, number),
        None => {
            let mut bad = format!("%!{verb}(").into_bytes();
            bad.extend_from_slice(value.type_name().as_bytes());
            if !matches!(value, Value::Nil) {
                bad.push(b'=');
                plain(value, &mut bad);
            }
            bad.push(b')');
            out.extend_from_slice(&bad);
        }
    }
}

fn formatted(verb: char, value: &Value<'_>, flags: Flags) -> Option<Vec<u8>> {
    Some(match (value, verb) {
        (Value::Bool(value), 't') => value.to_string().into_bytes(),
        (Value::Int(value) | Value::Int64(value), _) => integer(verb, *value, flags)?.into_bytes(),
        (Value::Float(value), _) => float(verb, *value, flags)?.into_bytes(),
        (Value::Text(text), 's') => cut(text, flags).to_vec(),
        (Value::Text(text), 'q') => quote_bytes(cut(text, flags)).into_bytes(),
        (Value::Text(text), 'x' | 'X') => {
            let mut hex = String::new();
            let text = flags.precision.and_then(|p| text.get(..p)).unwrap_or(text);
            for byte in text {
                if verb == 'x' {
                    write!(hex, "{byte:02x}").unwrap_or_default();
                } else {
                    write!(hex, "{byte:02X}").unwrap_or_default();
                }
            }
            hex.into_bytes()
        }
        (Value::Time(time), 's') => time.to_string().into_bytes(),
        (Value::Time(time), 'q') => quote_bytes(time.to_string().as_bytes()).into_bytes(),
        (Value::List(list), _) => {
            let mut out = vec![b'['];
            for (at, item) in list.iter().enumerate() {
                if at > 0 {
                    out.push(b' ');
                }
                one(&mut out, verb, item, flags);
            }
            out.push(b']');
            out
        }
        (Value::Map(_) | Value::Object(_), 's') => {
            let mut out = Vec::new();
            plain(value, &mut out);
            out
        }
        _ => return None,
    })
}

/// The first characters of a text, as many as the precision says.
fn cut(text: &[u8], flags: Flags) -> &[u8] {
    let Some(limit) = flags.precision else { return text };
    let mut end = 0;
    let mut left = limit;
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            if left == 0 {
                return text.get(..end).unwrap_or_default();
            }
            left -= 1;
            end += c.len_utf8();
        }
        let invalid = chunk.invalid().len();
        if left < invalid {
            return text.get(..end + left).unwrap_or_default();
        }
        left -= invalid;
        end += invalid;
    }
    text
}

fn integer(verb: char, value: i64, flags: Flags) -> Option<String> {
    let magnitude = value.unsigned_abs();
    let mut digits = match verb {
        'd' => magnitude.to_string(),
        'b' => format!("{magnitude:b}"),
        'o' | 'O' => format!("{magnitude:o}"),
        'x' => format!("{magnitude:x}"),
        'X' => format!("{magnitude:X}"),
        'c' | 'q' | 'U' => {
            let code = u32::try_from(value).ok();
            let c = code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER);
            return Some(match verb {
                'c' => c.to_string(),
                'U' => format!("U+{magnitude:04X}"),
                _ => format!("'{}'", c.escape_default()),
            });
        }
        _ => return None,
    };
    if let Some(precision) = flags.precision {
        if precision == 0 && value == 0 {
            return Some(String::new());
        }
        digits = format!("{digits:0>precision$}");
    } else if let (Some(width), true, false) = (flags.width, flags.zero, flags.minus) {
        let width = width - usize::from(value < 0 || flags.plus || flags.space).min(width);
        digits = format!("{digits:0>width$}");
    }
    let prefix = match verb {
        'x' if flags.sharp => "0x",
        'X' if flags.sharp => "0X",
        'o' if flags.sharp => "0",
        'O' => "0o",
        'b' if flags.sharp => "0b",
        _ => "",
    };
    Some(format!("{}{prefix}{digits}", sign(value < 0, flags)))
}

fn sign(negative: bool, flags: Flags) -> &'static str {
    match (negative, flags.plus, flags.space) {
        (true, _, _) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    }
}

fn float(verb: char, value: f64, flags: Flags) -> Option<String> {
    let magnitude = value.abs();
    let text = if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        "Inf".to_owned()
    } else {
        match verb {
            'v' | 'g' | 'G' => {
                let text = match flags.precision {
                    None => format_shortest(magnitude, 6),
                    Some(precision) => general(magnitude, precision.max(1)),
                };
                if verb == 'G' { text.to_uppercase() } else { text }
            }
            'f' | 'F' => format!("{magnitude:.*}", flags.precision.unwrap_or(6)),
            'e' | 'E' => {
                let text = exponential(magnitude, flags.precision.unwrap_or(6));
                if verb == 'E' { text.to_uppercase() } else { text }
            }
            _ => return None,
        }
    };
    // Infinities always bear a sign.
    let sign = if value == f64::INFINITY {
        "+"
    } else {
        sign(value.is_sign_negative() && !value.is_nan(), flags)
    };
    if let (Some(width), true, false, true) =
        (flags.width, flags.zero, flags.minus, value.is_finite())
    {
        let width = width.saturating_sub(sign.len());
        return Some(format!("{sign}{text:0>width$}"));
    }
    Some(format!("{sign}{text}"))
}

/// `1.5e+06`: at least two digits of exponent.
fn exponential(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// `%g` with a precision: so many digits, without zeros at the end.
fn general(value: f64, digits: usize) -> String {
    let text = exponential(value, digits - 1);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    let limit = i32::try_from(digits).unwrap_or(i32::MAX);
    if (-4..limit).contains(&exponent) {
        let decimals = usize::try_from(limit - 1 - exponent).unwrap_or(0);
        trim(&format!("{value:.decimals$}"))
    } else {
        format!("{}e{}", trim(mantissa), text.split_once('e').map_or("+00", |(_, e)| e))
    }
}

fn pad(out: &mut Vec<u8>, text: &[u8], flags: Flags, number: bool) {
    let chars = String::from_utf8_lossy(text).chars().count();
    let missing = flags.width.unwrap_or(0).saturating_sub(chars);
    if flags.minus {
        out.extend_from_slice(text);
        out.extend(std::iter::repeat_n(b' ', missing));
    } else {
        let fill = if flags.zero && !number { b'0' } else { b' ' };
        out.extend(std::iter::repeat_n(fill, missing));
        out.extend_from_slice(text);
    }
}
