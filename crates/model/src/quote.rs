//! Quoted strings in Go's syntax, which PromQL, LogQL and every printed label value use.
//!
//! The rules are those of Go's `strconv.Quote` and of Prometheus' `util/strutil/quote.go`, which
//! adds single quotes. Escapes that name bytes (`\xff`) must add up to valid UTF-8, because label
//! values are text.

use std::sync::LazyLock;

use regex::Regex;

/// Why a quoted string could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuoteError {
    /// No quotes around it, an unescaped quote or newline inside, or a bad escape.
    #[error("invalid syntax at byte {offset} of the quoted string")]
    Syntax {
        /// Bytes from the opening quote.
        offset: usize,
    },
    /// The escapes spell bytes that are not UTF-8.
    #[error("the quoted string is not valid UTF-8")]
    NotUtf8,
}

/// Writes `text` in double quotes, with escapes for what does not print.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        push_escaped(&mut out, c);
    }
    out.push('"');
    out
}

/// As [`quote`], for bytes that need not be text: those that are not UTF-8 become `\xff`.
pub fn quote_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            push_escaped(&mut out, c);
        }
        for byte in chunk.invalid() {
            push_hex(&mut out, "\\x", u32::from(*byte), 2);
        }
    }
    out.push('"');
    out
}

/// Reads a string in double quotes, single quotes or backticks; backticks know no escapes.
///
/// # Errors
/// [`QuoteError::Syntax`] with the offset, [`QuoteError::NotUtf8`] for bytes that are not text.
pub fn unquote(quoted: &str) -> Result<String, QuoteError> {
    String::from_utf8(unquote_bytes(quoted)?).map_err(|_| QuoteError::NotUtf8)
}

/// As [`unquote`], for escapes that may spell bytes that are not UTF-8.
///
/// # Errors
/// [`QuoteError::Syntax`] with the offset.
pub fn unquote_bytes(quoted: &str) -> Result<Vec<u8>, QuoteError> {
    let syntax = |offset| QuoteError::Syntax { offset };
    let mark = quoted.chars().next().ok_or(syntax(0))?;
    let inner = quoted
        .strip_prefix(mark)
        .and_then(|rest| rest.strip_suffix(mark))
        .ok_or(syntax(quoted.len()))?;
    match mark {
        '`' => match inner.find('`') {
            Some(at) => Err(syntax(at + 1)),
            // Go drops carriage returns from raw strings.
            None => Ok(inner.replace('\r', "").into_bytes()),
        },
        '"' | '\'' => unescape(inner, mark),
        _ => Err(syntax(0)),
    }
}

fn unescape(inner: &str, mark: char) -> Result<Vec<u8>, QuoteError> {
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(c) = rest.chars().next() {
        let syntax = QuoteError::Syntax { offset: inner.len() - rest.len() + 1 };
        if c == mark || c == '\n' {
            return Err(syntax);
        }
        if c == '\\' {
            rest = push_unescaped(&mut bytes, rest.get(1..).unwrap_or(""), mark).ok_or(syntax)?;
        } else {
            let mut buffer = [0; 4];
            bytes.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
            rest = rest.get(c.len_utf8()..).unwrap_or("");
        }
    }
    Ok(bytes)
}

/// Reads one escape after its backslash and returns what follows it.
fn push_unescaped<'a>(bytes: &mut Vec<u8>, escape: &'a str, mark: char) -> Option<&'a str> {
    let c = escape.chars().next()?;
    let after = escape.get(c.len_utf8()..)?;
    let simple = match c {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        '\\' => b'\\',
        '\'' | '"' if c == mark => u8::try_from(c).ok()?,
        'x' => return push_number(bytes, after, 2, 16, false),
        'u' => return push_number(bytes, after, 4, 16, true),
        'U' => return push_number(bytes, after, 8, 16, true),
        '0'..='7' => return push_number(bytes, escape, 3, 8, false),
        _ => return None,
    };
    bytes.push(simple);
    Some(after)
}

fn push_number<'a>(
    bytes: &mut Vec<u8>,
    text: &'a str,
    digits: usize,
    radix: u32,
    is_char: bool,
) -> Option<&'a str> {
    let number = text.get(..digits)?;
    if !number.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let number = u32::from_str_radix(number, radix).ok()?;
    if is_char {
        let mut buffer = [0; 4];
        bytes.extend_from_slice(char::from_u32(number)?.encode_utf8(&mut buffer).as_bytes());
    } else {
        bytes.push(u8::try_from(number).ok()?);
    }
    text.get(digits..)
}

pub(crate) fn push_escaped(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        ' '..='~' => out.push(c),
        '\u{07}' => out.push_str("\\a"),
        '\u{08}' => out.push_str("\\b"),
        '\u{0c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{0b}' => out.push_str("\\v"),
        '\0'..'\u{80}' => push_hex(out, "\\x", u32::from(c), 2),
        _ if is_printable(c) => out.push(c),
        '\u{80}'..'\u{10000}' => push_hex(out, "\\u", u32::from(c), 4),
        _ => push_hex(out, "\\U", u32::from(c), 8),
    }
}

fn push_hex(out: &mut String, prefix: &str, number: u32, digits: usize) {
    use std::fmt::Write as _;
    out.push_str(prefix);
    // Writing to a String cannot fail.
    write!(out, "{number:0digits$x}").unwrap_or_default();
}

/// Go's `unicode.IsPrint` beyond ASCII: letters, marks, numbers, punctuation and symbols.
fn is_printable(c: char) -> bool {
    static PRINTABLE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^[\p{L}\p{M}\p{N}\p{P}\p{S}]$").ok());
    let mut buffer = [0; 4];
    PRINTABLE.as_ref().is_some_and(|regex| regex.is_match(c.encode_utf8(&mut buffer)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_as_go_does() {
        let f = |text: &str, want: &str| assert_eq!(quote(text), want);
        f("plain", r#""plain""#);
        f("a\"b\\c\nd\te", r#""a\"b\\c\nd\te""#);
        f("\u{0}\u{7f}\u{7}\u{8}\u{b}\u{c}\r", r#""\x00\x7f\a\b\v\f\r""#);
        f("é世👍e\u{301}", "\"é世👍e\u{301}\"");
        f("\u{a0}\u{200b}\u{e0001}", r#""\u00a0\u200b\U000e0001""#);
    }

    #[test]
    fn bytes_that_are_not_text_are_quoted_one_by_one() {
        assert_eq!(quote_bytes(b"a\xc5z"), r#""a\xc5z""#);
        assert_eq!(quote_bytes("é\"".as_bytes()), r#""é\"""#);
        assert_eq!(quote_bytes(b"\xe2\x82"), r#""\xe2\x82""#);
    }

    #[test]
    fn unquotes_as_prometheus_does() {
        let f = |text: &str, want: Result<&str, QuoteError>| {
            assert_eq!(unquote(text), want.map(str::to_owned), "{text}");
        };
        f(r#""a\"b""#, Ok("a\"b"));
        f(r"'a\'b'", Ok("a'b"));
        f(r"`a\nb`", Ok(r"a\nb"));
        f("`a\r\nb`", Ok("a\nb"));
        f(r#""\a\b\f\n\r\t\v\\""#, Ok("\u{7}\u{8}\u{c}\n\r\t\u{b}\\"));
        f(r#""\x41\101\u00e9\U0001f44d""#, Ok("AAé👍"));
        f(r#""\xc3\xa9""#, Ok("é"));
        f(r#""\xff""#, Err(QuoteError::NotUtf8));
        assert_eq!(unquote_bytes(r#""a\xffb""#), Ok(b"a\xffb".to_vec()));
        f(r#""a\'b""#, Err(QuoteError::Syntax { offset: 2 }));
        f("\"a\nb\"", Err(QuoteError::Syntax { offset: 2 }));
        f(r#""a"b""#, Err(QuoteError::Syntax { offset: 2 }));
        f(r#""\""#, Err(QuoteError::Syntax { offset: 1 }));
        f(r#""\q""#, Err(QuoteError::Syntax { offset: 1 }));
        f(r#""\x4""#, Err(QuoteError::Syntax { offset: 1 }));
        f(r#""\x+4""#, Err(QuoteError::Syntax { offset: 1 }));
        f(r#""\ud800""#, Err(QuoteError::Syntax { offset: 1 }));
        f(r#""\777""#, Err(QuoteError::Syntax { offset: 1 }));
        f("\"", Err(QuoteError::Syntax { offset: 1 }));
        f("a", Err(QuoteError::Syntax { offset: 1 }));
        f("aa", Err(QuoteError::Syntax { offset: 0 }));
        f("", Err(QuoteError::Syntax { offset: 0 }));
        f("`a`b`", Err(QuoteError::Syntax { offset: 2 }));
    }

    proptest! {
        #[test]
        fn quoting_then_unquoting_is_identity(text in any::<String>()) {
            prop_assert_eq!(unquote(&quote(&text)), Ok(text));
        }

        #[test]
        fn no_text_panics(text in "[\"'`\\\\a-z0-9é]{0,12}") {
            if let Ok(inner) = unquote(&text) {
                prop_assert!(inner.len() <= text.len());
            }
        }
    }
}
