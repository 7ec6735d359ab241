//! A reader of JSON that takes the body apart as it goes and unescapes texts where they stand.
//!
//! Each call takes bytes off the front of the rest for good, so that what it gives out can be
//! borrowed for as long as the body is. It is as lax as the parsers of Loki and OpenTelemetry's
//! collector (`jsoniter`, `jsonparser`): a value that nobody asks for only has to end.

use std::borrow::Cow;

use memchr::memchr2;

use crate::Error;

/// The rest of a body.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    rest: &'a mut [u8],
    offset: usize,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(body: &'a mut [u8]) -> Self {
        Self { rest: body, offset: 0 }
    }

    #[cold]
    pub(crate) fn fail(&self, what: &str) -> Error {
        let found = match self.rest.first() {
            None => "the end".to_owned(),
            Some(byte) => format!("{:?}", char::from(*byte)),
        };
        Error::Json(format!("{what}, but found {found} at byte {}", self.offset))
    }

    /// Takes `count` bytes off the front.
    fn split(&mut self, count: usize) -> &'a mut [u8] {
        let rest = std::mem::take(&mut self.rest);
        let (front, rest) = rest.split_at_mut(count.min(rest.len()));
        self.rest = rest;
        self.offset += front.len();
        front
    }

    fn spaces(&mut self) {
        let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let count = self.rest.iter().take_while(is_space).count();
        if count > 0 {
            self.split(count);
        }
    }

    /// The first byte of the next value or mark.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        self.spaces();
        self.rest.first().copied()
    }

    /// Takes `byte` if it comes next.
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.split(1);
        }
        found
    }

    /// Takes `null` if it comes next.
    pub(crate) fn null(&mut self) -> bool {
        let found = self.peek() == Some(b'n') && self.rest.starts_with(b"null");
        if found {
            self.split(4);
        }
        found
    }

    /// Nothing may come after what was read.
    pub(crate) fn end(&mut self, what: &str) -> Result<(), Error> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.fail(&format!("{what}: expected the end"))),
        }
    }

    /// Reads an object, calling `field` at each value, which it must take. `null` is an empty one.
    pub(crate) fn object(
        &mut self,
        what: &str,
        mut field: impl FnMut(&mut Self, &'a [u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.null() {
            return Ok(());
        }
        if !self.take(b'{') {
            return Err(self.fail(&format!("{what}: expected {{ or null")));
        }
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let key = self.string(what)?;
            if !self.take(b':') {
                return Err(self.fail(&format!("{what}: expected : after a key")));
            }
            field(self, key)?;
            if self.take(b'}') {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.fail(&format!("{what}: expected , or }}")));
            }
        }
    }

    /// Reads an array, calling `element` at each value, which it must take. `null` is an empty one.
    pub(crate) fn array(
        &mut self,
        what: &str,
        mut element: impl FnMut(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.null() {
            return Ok(());
        }
        if !self.take(b'[') {
            return Err(self.fail(&format!("{what}: expected [ or null")));
        }
        if self.take(b']') {
            return Ok(());
        }
        loop {
            element(self)?;
            if self.take(b']') {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.fail(&format!("{what}: expected , or ]")));
            }
        }
    }

    /// Reads a string; its bytes need not be UTF-8.
    pub(crate) fn string(&mut self, what: &str) -> Result<&'a [u8], Error> {
        if !self.take(b'"') {
            return Err(self.fail(&format!("{what}: expected a string")));
        }
        let Some(first) = memchr2(b'"', b'\\', self.rest) else {
            return Err(self.unclosed(what));
        };
        if self.rest.get(first) == Some(&b'"') {
            return Ok(self.text(first, first));
        }
        let (mut read, mut write) = (first, first);
        loop {
            match self.rest.get(read) {
                Some(b'"') => return Ok(self.text(write, read)),
                Some(b'\\') => match unescape(self.rest.get(read + 1..).unwrap_or_default()) {
                    Some((c, taken)) => {
                        let mut buffer = [0; 4];
                        let bytes = c.encode_utf8(&mut buffer).as_bytes();
                        // What an escape stands for is never longer than the escape.
                        if let Some(to) = self.rest.get_mut(write..write + bytes.len()) {
                            to.copy_from_slice(bytes);
                        }
                        write += bytes.len();
                        read += 1 + taken;
                    }
                    None => return Err(self.fail(&format!("{what}: a bad escape in a string"))),
                },
                _ => {}
            }
            let plain = self.rest.get(read..).and_then(|rest| memchr2(b'"', b'\\', rest));
            let Some(plain) = plain else { return Err(self.unclosed(what)) };
            self.rest.copy_within(read..read + plain, write);
            read += plain;
            write += plain;
        }
    }

    /// Takes the string whose closing quote stands at `end` and whose text ends at `len`.
    fn text(&mut self, len: usize, end: usize) -> &'a [u8] {
        let text: &'a [u8] = self.split(end + 1);
        text.get(..len).unwrap_or_default()
    }

    #[cold]
    fn unclosed(&self, what: &str) -> Error {
        Error::Json(format!("{what}: a string without its closing quote at byte {}", self.offset))
    }

    /// Reads a string as text; what is not UTF-8 in it is replaced, as Go does.
    pub(crate) fn text_value(&mut self, what: &str) -> Result<Cow<'a, str>, Error> {
        self.string(what).map(String::from_utf8_lossy)
    }

    /// Takes any value as it is written.
    pub(crate) fn raw(&mut self, what: &str) -> Result<&'a [u8], Error> {
        let end = match self.peek() {
            Some(b'"') => skip_string(self.rest, 0),
            Some(b'{' | b'[') => skip_nested(self.rest),
            Some(_) => {
                let ends =
                    |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r');
                let len = self.rest.iter().position(ends).unwrap_or(self.rest.len());
                (len > 0).then_some(len)
            }
            None => None,
        };
        match end {
            Some(end) => Ok(self.split(end)),
            None => Err(self.fail(&format!("{what}: expected a value that ends"))),
        }
    }
}

/// Where the string that begins at `at` ends.
fn skip_string(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Where the object or array that begins here ends; brackets need only be as many.
fn skip_nested(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = skip_string(bytes, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The character that an escape stands for, and how many bytes it takes after the backslash. A
/// half of a surrogate pair alone is U+FFFD, as in Go.
fn unescape(escape: &[u8]) -> Option<(char, usize)> {
    let c = match escape.first()? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let high = hex(escape.get(1..5)?)?;
            let low = match escape.get(5..11) {
                Some([b'\\', b'u', digits @ ..]) => hex(digits),
                _ => None,
            };
            return Some(match (high, low) {
                (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) => {
                    let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                    (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 11)
                }
                _ => (char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), 5),
            });
        }
        _ => return None,
    };
    Some((c, 1))
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)?))
}
