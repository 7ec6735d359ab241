//! A line split into logfmt pairs, as by Loki's `logfmt/decode.go`.
//!
//! Bytes up to and including the blank separate; `=` and `"` may not stand in a bare key or
//! value. After a mistake the decoder stands at the next blank and can go on.

use std::fmt;

/// One key with what is known of its value.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Pair<'t> {
    pub(in super::super) key: &'t [u8],
    /// As it stands in the line; `None` when it was unescaped into the buffer.
    raw: Option<&'t [u8]>,
}

impl<'t> Pair<'t> {
    /// The value; `buffer` is the one that the pair was read with.
    pub(in super::super) fn value<'v>(&self, buffer: &'v [u8]) -> &'v [u8]
    where
        't: 'v,
    {
        self.raw.unwrap_or(buffer)
    }
}

/// What is wrong with a line, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Wrong {
    what: What,
    at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Unexpected(u8),
    InvalidKey,
    Unterminated,
    InvalidQuoted,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "logfmt syntax error at pos {} : ", self.at + 1)?;
        match self.what {
            What::Unexpected(byte) => write!(f, "unexpected '{}'", char::from(byte)),
            What::InvalidKey => f.write_str("invalid key"),
            What::Unterminated => f.write_str("unterminated quoted value"),
            What::InvalidQuoted => f.write_str("invalid quoted value"),
        }
    }
}

/// Walks over the pairs of a line.
#[derive(Debug)]
pub(in super::super) struct Decoder<'t> {
    line: &'t [u8],
    at: usize,
}

impl<'t> Decoder<'t> {
    pub(in super::super) fn new(line: &'t [u8]) -> Self {
        Self { line, at: 0 }
    }

    pub(in super::super) fn is_at_end(&self) -> bool {
        self.at >= self.line.len()
    }

    /// The next pair; its value may be written to `buffer`.
    pub(in super::super) fn next(
        &mut self,
        buffer: &mut Vec<u8>,
    ) -> Result<Option<Pair<'t>>, Wrong> {
        self.at = self.find(self.at, |b| b > b' ');
        if self.is_at_end() {
            return Ok(None);
        }
        let start = self.at;
        self.at = self.find(start, |b| b <= b'=' && (b <= b' ' || b == b'=' || b == b'"'));
        let key = self.slice(start, self.at);
        match self.byte() {
            Some(b'"') => return Err(self.skip(What::Unexpected(b'"'))),
            Some(b'=') if key.is_empty() => return Err(self.skip(What::Unexpected(b'='))),
            byte => {
                if !key.is_ascii() && !is_text(key) {
                    let wrong = Wrong { what: What::InvalidKey, at: self.at };
                    if byte == Some(b'=') {
                        self.at = self.find(self.at, |b| b <= b' ');
                    }
                    return Err(wrong);
                }
                if byte != Some(b'=') {
                    return Ok(Some(Pair { key, raw: Some(b"") }));
                }
            }
        }
        self.at += 1;
        if self.byte() == Some(b'"') {
            return self.quoted(key, buffer).map(Some);
        }
        let start = self.at;
        self.at = self.find(start, |b| b <= b'=' && (b <= b' ' || b == b'=' || b == b'"'));
        if let Some(byte @ (b'=' | b'"')) = self.byte() {
            return Err(self.skip(What::Unexpected(byte)));
        }
        Ok(Some(Pair { key, raw: Some(self.slice(start, self.at)) }))
    }

    fn quoted(&mut self, key: &'t [u8], buffer: &mut Vec<u8>) -> Result<Pair<'t>, Wrong> {
        let start = self.at + 1;
        let mut escaped = false;
        let mut at = start;
        loop {
            let rest = self.line.get(at..).unwrap_or_default();
            let Some(found) = memchr::memchr2(b'"', b'\\', rest) else {
                self.at = self.line.len();
                return Err(Wrong { what: What::Unterminated, at: self.at });
            };
            at += found;
            if self.line.get(at) == Some(&b'"') {
                break;
            }
            escaped = true;
            at += 2;
        }
        self.at = at + 1;
        let raw = self.slice(start, at);
        if !escaped {
            return Ok(Pair { key, raw: Some(raw) });
        }
        buffer.clear();
        if unquote(raw, buffer) {
            Ok(Pair { key, raw: None })
        } else {
            Err(Wrong { what: What::InvalidQuoted, at: self.at })
        }
    }

    /// An error here, from which reading goes on at the next blank.
    fn skip(&mut self, what: What) -> Wrong {
        let wrong = Wrong { what, at: self.at };
        self.at = self.find(self.at, |b| b <= b' ');
        wrong
    }

    fn byte(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    fn find(&self, from: usize, is: impl Fn(u8) -> bool) -> usize {
        let rest = self.line.get(from..).unwrap_or_default();
        from + rest.iter().position(|b| is(*b)).unwrap_or(rest.len())
    }

    fn slice(&self, start: usize, end: usize) -> &'t [u8] {
        self.line.get(start..end).unwrap_or_default()
    }
}

/// Whether these bytes are UTF-8 without U+FFFD.
fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| !text.contains(char::REPLACEMENT_CHARACTER))
}

/// Appends `raw` without its escapes, as go-logfmt's `unquoteBytes`: control characters are
/// refused, halves of surrogate pairs are not.
fn unquote(raw: &[u8], out: &mut Vec<u8>) -> bool {
    let mut rest = raw;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'\\' {
            if *byte < b' ' || *byte == b'"' {
                return false;
            }
            out.push(*byte);
            continue;
        }
        let Some((escape, after)) = rest.split_first() else { return false };
        rest = after;
        out.push(match escape {
            b'"' | b'\\' | b'/' | b'\'' => *escape,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let Some(unit) = hexadecimal(rest) else { return false };
                rest = rest.get(4..).unwrap_or_default();
                let mut c = char::from_u32(unit);
                if (0xd800..0xdc00).contains(&unit)
                    && let Some(low) = rest.strip_prefix(b"\\u").and_then(hexadecimal)
                    && (0xdc00..0xe000).contains(&low)
                {
                    rest = rest.get(6..).unwrap_or_default();
                    c = char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
                }
                let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            _ => return false,
        });
    }
    true
}

fn hexadecimal(text: &[u8]) -> Option<u32> {
    let digits = text.get(..4)?;
    digits.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
}
