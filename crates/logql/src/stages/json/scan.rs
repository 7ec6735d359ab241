//! Where JSON values start and end, and nothing more.
//!
//! Follows `grafana/jsonparser`: a string ends at the first quote behind an even number of
//! backslashes, an object where its braces are even, an array where its brackets are, anything
//! else at a blank, a comma or a closing bracket. Never recursive.

/// What is wrong with a text, in the words of Loki's scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Malformed {
    Json,
    String,
    Array,
    Object,
    Value,
    Unknown,
    Escape,
}

impl Malformed {
    pub(in super::super) fn text(self) -> &'static str {
        match self {
            Self::Json => "Malformed JSON error",
            Self::String => "Value is string, but can't find closing '\"' symbol",
            Self::Array => "Value is array, but can't find closing ']' symbol",
            Self::Object => "Value looks like object, but can't find closing '}' symbol",
            Self::Value => {
                "Value looks like Number/Boolean/None, but can't find its end: ',' or '}' symbol"
            }
            Self::Unknown => "Unknown value type",
            Self::Escape => "Encountered an invalid escape sequence in a string",
        }
    }
}

/// A string without its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Key<'t> {
    pub(in super::super) raw: &'t [u8],
    /// Whether there is a backslash in it.
    pub(in super::super) escaped: bool,
}

/// One value with its text as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Value<'t> {
    String(Key<'t>),
    Number(&'t [u8]),
    Boolean(&'t [u8]),
    Null,
    Object(&'t [u8]),
    Array(&'t [u8]),
}

/// The members of an object, whose values the caller steps over.
#[derive(Debug)]
pub(in super::super) struct Members<'t> {
    /// At the next key or the closing brace.
    rest: &'t [u8],
    first: bool,
}

impl<'t> Members<'t> {
    /// Enters the object that `text` starts with, blanks aside.
    pub(in super::super) fn open(text: &'t [u8]) -> Result<Self, Malformed> {
        match skip_blanks(text) {
            [b'{', rest @ ..] => Ok(Self { rest, first: true }),
            _ => Err(Malformed::Object),
        }
    }

    /// The next key, and the text at its value; nothing at the closing brace.
    pub(in super::super) fn next_key(&mut self) -> Result<Option<(Key<'t>, &'t [u8])>, Malformed> {
        if self.first {
            self.rest = skip_blanks(self.rest);
            if self.rest.is_empty() {
                return Err(Malformed::Json);
            }
        } else {
            match skip_blanks(self.rest) {
                [] => return Err(Malformed::Array),
                [b',', rest @ ..] => {
                    self.rest = skip_blanks(rest);
                    if self.rest.is_empty() {
                        return Err(Malformed::Array);
                    }
                }
                rest @ [b'}', ..] => self.rest = rest,
                _ => return Err(Malformed::Object),
            }
        }
        self.first = false;
        match self.rest {
            [b'"', rest @ ..] => {
                let (key, rest) = string(rest).ok_or(Malformed::Json)?;
                match skip_blanks(rest) {
                    [b':', rest @ ..] => {
                        let rest = skip_blanks(rest);
                        if rest.is_empty() {
                            return Err(Malformed::Json);
                        }
                        Ok(Some((key, rest)))
                    }
                    _ => Err(Malformed::Json),
                }
            }
            [b'}', rest @ ..] => {
                self.rest = rest;
                Ok(None)
            }
            _ => Err(Malformed::Object),
        }
    }

    /// Goes on behind a value.
    pub(in super::super) fn resume(&mut self, rest: &'t [u8]) {
        self.rest = rest;
    }

    /// What is left behind the closing brace.
    pub(in super::super) fn rest(&self) -> &'t [u8] {
        self.rest
    }
}

/// The value that `text` starts with, and what is left behind it.
pub(in super::super) fn value(text: &[u8]) -> Result<(Value<'_>, &[u8]), Malformed> {
    let split = |len: usize| text.split_at(len);
    match text.first() {
        Some(b'"') => {
            let (key, rest) = string(text.get(1..).unwrap_or_default()).ok_or(Malformed::String)?;
            Ok((Value::String(key), rest))
        }
        Some(b'{') => {
            let (value, rest) = split(block_len(text, b'{', b'}').ok_or(Malformed::Object)?);
            Ok((Value::Object(value), rest))
        }
        Some(b'[') => {
            let (value, rest) = split(block_len(text, b'[', b']').ok_or(Malformed::Array)?);
            Ok((Value::Array(value), rest))
        }
        Some(first) => {
            let end = text.iter().position(|b| ends_token(*b)).unwrap_or(text.len());
            let (token, rest) = split(end);
            let value = match first {
                b'0'..=b'9' | b'-' => Value::Number(token),
                b't' if token == b"true" => Value::Boolean(token),
                b'f' if token == b"false" => Value::Boolean(token),
                b'n' if token == b"null" => Value::Null,
                _ => return Err(Malformed::Unknown),
            };
            Ok((value, rest))
        }
        None => Err(Malformed::Value),
    }
}

/// The text without blanks at its start.
pub(in super::super) fn skip_blanks(text: &[u8]) -> &[u8] {
    match text.first() {
        Some(b' ' | b'\n' | b'\r' | b'\t') => {
            let start = text.iter().position(|b| !matches!(b, b' ' | b'\n' | b'\r' | b'\t'));
            text.get(start.unwrap_or(text.len())..).unwrap_or_default()
        }
        _ => text,
    }
}

fn ends_token(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b',' | b'}' | b']')
}

/// The string that `text`, behind its opening quote, starts with, and what is left behind it.
fn string(text: &[u8]) -> Option<(Key<'_>, &[u8])> {
    let mut escaped = false;
    let mut at = 0;
    loop {
        at += quote_or_backslash(text.get(at..)?)?;
        if text.get(at) == Some(&b'"') {
            return Some((Key { raw: text.get(..at)?, escaped }, text.get(at + 1..)?));
        }
        escaped = true;
        at += 2;
    }
}

/// Where the first quote or backslash is. Strings in logs are short, so this looks at eight bytes
/// at a time instead of calling a searcher that starts slowly.
fn quote_or_backslash(text: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    const QUOTES: u64 = ONES * b'"' as u64;
    const BACKSLASHES: u64 = ONES * b'\\' as u64;
    let (eights, tail) = text.as_chunks::<8>();
    for (number, eight) in eights.iter().enumerate() {
        let word = u64::from_le_bytes(*eight);
        let (quotes, backslashes) = (word ^ QUOTES, word ^ BACKSLASHES);
        // The lowest marked byte is exact; a borrow can only mark bytes above it.
        let found = ((quotes.wrapping_sub(ONES) & !quotes)
            | (backslashes.wrapping_sub(ONES) & !backslashes))
            & HIGHS;
        if found != 0 {
            return Some(number * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let at = tail.iter().position(|b| matches!(b, b'"' | b'\\'))?;
    Some(eights.len() * 8 + at)
}

/// The length of the block that `text` starts with, strings in it left alone.
fn block_len(text: &[u8], open: u8, close: u8) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        at += memchr::memchr3(b'"', open, close, text.get(at..)?)?;
        let byte = *text.get(at)?;
        at += 1;
        if byte == b'"' {
            let (_, rest) = string(text.get(at..)?)?;
            at = text.len() - rest.len();
        } else if byte == open {
            depth += 1;
        } else {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(at);
            }
        }
    }
}
