//! Go's `text/scanner` as far as LogQL shows it: where words, numbers and strings end, which of
//! them are malformed, what a comment is.
//!
//! Errors do not end the scan: the first is kept and ends the query later, because that is when
//! upstream reports it. Tokens of LogQL are made of these by `lexer.rs`.

use super::ParseError;

/// What stands at a place of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Raw {
    End,
    Word,
    Number,
    /// In double quotes or backticks.
    Text,
    /// In single quotes.
    Char,
    /// Anything else, one character.
    Other(char),
}

/// A place in the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: usize,
    /// 0 where upstream has lost it.
    pub(super) line: usize,
    pub(super) column: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Scanner<'a> {
    input: &'a str,
    at: usize,
    line: usize,
    column: usize,
    start: Place,
    pub(super) error: Option<ParseError>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(input: &'a str) -> Self {
        // A byte order mark is no part of the query.
        let at = if input.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let start = Place { offset: at, line: 0, column: 0 };
        Self { input, at, line: 1, column: 1, start, error: None }
    }

    /// Where the last token starts.
    pub(super) fn place(&self) -> Place {
        self.start
    }

    /// What is left of the query.
    pub(super) fn rest(&self) -> &'a str {
        self.input.get(self.at..).unwrap_or("")
    }

    /// The next character.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The text of the last token.
    pub(super) fn text(&self) -> &'a str {
        self.input.get(self.start.offset..self.at).unwrap_or("")
    }

    /// Takes one more character into the last token, which loses its line.
    pub(super) fn extend(&mut self) {
        self.lose_line();
        self.next();
    }

    /// Forgets the line of the last token, as upstream does once it has looked beyond it.
    pub(super) fn lose_line(&mut self) {
        self.start.line = 0;
    }

    /// Takes `bytes` more into the last token.
    pub(super) fn extend_by(&mut self, bytes: usize) {
        let end = self.at + bytes;
        while self.at < end && self.peek().is_some() {
            self.extend();
        }
    }

    /// Keeps an error at the last token, if it is the first.
    pub(super) fn fail(&mut self, message: impl Into<String>) {
        if self.error.is_none() {
            let Place { offset, line, column } = self.start;
            self.error =
                Some(ParseError { line, column, offset: Some(offset), message: message.into() });
        }
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        if c == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        if c == '\0' {
            self.fail("invalid character NUL");
        }
        Some(c)
    }

    fn next_while(&mut self, mut wanted: impl FnMut(char) -> bool) {
        while self.peek().is_some_and(&mut wanted) {
            self.next();
        }
    }

    /// The next token.
    pub(super) fn scan(&mut self) -> Raw {
        loop {
            self.next_while(|c| matches!(c, '\t' | '\n' | '\r' | ' '));
            self.start = Place { offset: self.at, line: self.line, column: self.column };
            let Some(c) = self.peek() else { return Raw::End };
            match c {
                '#' => self.next_while(|c| c != '\n'),
                '_' => return self.word(),
                _ if c.is_alphabetic() => return self.word(),
                '0'..='9' => return self.number(),
                '"' | '\'' => return self.quoted(c),
                '`' => return self.raw(),
                '.' => {
                    self.next();
                    return if self.peek().is_some_and(|c| c.is_ascii_digit()) {
                        self.fraction(Base::DECIMAL)
                    } else {
                        Raw::Other('.')
                    };
                }
                '/' => {
                    self.next();
                    match self.peek() {
                        Some('/') => self.next_while(|c| c != '\n'),
                        Some('*') => self.block_comment(),
                        _ => return Raw::Other('/'),
                    }
                }
                _ => {
                    self.next();
                    return Raw::Other(c);
                }
            }
        }
    }

    fn word(&mut self) -> Raw {
        self.next_while(|c| c == '_' || c.is_alphanumeric());
        Raw::Word
    }

    fn block_comment(&mut self) {
        self.next();
        match self.rest().find("*/") {
            Some(length) => {
                let end = self.at + length + 2;
                while self.at < end {
                    self.next();
                }
            }
            None => {
                self.fail("comment not terminated");
                self.next_while(|_| true);
            }
        }
    }

    fn quoted(&mut self, mark: char) -> Raw {
        self.next();
        let mut chars = 0;
        loop {
            match self.peek() {
                None | Some('\n') => {
                    self.fail("literal not terminated");
                    break;
                }
                Some('\\') => {
                    self.next();
                    self.escape(mark);
                }
                Some(c) if c == mark => {
                    self.next();
                    break;
                }
                Some(_) => {
                    self.next();
                }
            }
            chars += 1;
        }
        if mark == '"' {
            return Raw::Text;
        }
        if chars != 1 {
            self.fail("invalid char literal");
        }
        Raw::Char
    }

    fn escape(&mut self, mark: char) {
        let (digits, radix) = match self.peek() {
            Some('a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '\\') => {
                self.next();
                return;
            }
            Some(c) if c == mark => {
                self.next();
                return;
            }
            Some('0'..='7') => (3, 8),
            Some('x') => (2, 16),
            Some('u') => (4, 16),
            Some('U') => (8, 16),
            _ => return self.fail("invalid char escape"),
        };
        if radix == 16 {
            self.next();
        }
        for _ in 0..digits {
            if !self.peek().is_some_and(|c| c.is_digit(radix)) {
                return self.fail("invalid char escape");
            }
            self.next();
        }
    }

    fn raw(&mut self) -> Raw {
        self.next();
        self.next_while(|c| c != '`');
        if self.peek().is_none() {
            self.fail("literal not terminated");
        }
        self.next();
        Raw::Text
    }

    fn number(&mut self) -> Raw {
        let mut base = Base::DECIMAL;
        if self.peek() == Some('0') {
            self.next();
            base = match self.peek().map(|c| c.to_ascii_lowercase()) {
                Some('x') => Base { radix: 16, name: "hexadecimal literal", prefix: 'x' },
                Some('o') => Base { radix: 8, name: "octal literal", prefix: 'o' },
                Some('b') => Base { radix: 2, name: "binary literal", prefix: 'b' },
                _ => Base { radix: 8, name: "octal literal", prefix: '0' },
            };
            if base.prefix != '0' {
                self.next();
            }
        }
        let whole = self.digits(base);
        if self.peek() == Some('.') {
            self.next();
            if matches!(base.prefix, 'o' | 'b') {
                self.fail(format!("invalid radix point in {}", base.name));
            }
            return self.fraction_after(base, whole.any);
        }
        if !whole.any && base.prefix != '0' {
            self.fail(format!("{} has no digits", base.name));
        }
        let float = self.exponent(base, false);
        if let (false, Some(digit)) = (float, whole.invalid) {
            self.fail(format!("invalid digit '{digit}' in {}", base.name));
        }
        self.separators();
        Raw::Number
    }

    /// What follows a point without digits before it.
    fn fraction(&mut self, base: Base) -> Raw {
        self.fraction_after(base, false)
    }

    fn fraction_after(&mut self, base: Base, digits_before: bool) -> Raw {
        let digits = self.digits(base);
        if !digits.any && !digits_before && base.prefix != '0' {
            self.fail(format!("{} has no digits", base.name));
        }
        self.exponent(base, true);
        self.separators();
        Raw::Number
    }

    fn digits(&mut self, base: Base) -> Digits {
        let mut digits = Digits { any: false, invalid: None };
        while let Some(c) = self.peek() {
            let fits = if base.radix == 16 { c.is_ascii_hexdigit() } else { c.is_ascii_digit() };
            if fits {
                digits.any = true;
                if base.radix < 10 && !c.is_digit(base.radix) && digits.invalid.is_none() {
                    digits.invalid = Some(c);
                }
            } else if c != '_' {
                break;
            }
            self.next();
        }
        digits
    }

    /// Takes an exponent, if there is one; says whether there is.
    fn exponent(&mut self, base: Base, has_point: bool) -> bool {
        // Unlike Go, LogQL leaves a `P` behind decimal digits alone: it may be that of `1PiB`.
        let (lower, upper) = if base.prefix == 'x' { ('p', 'P') } else { ('e', 'E') };
        let Some(c) = self.peek().filter(|c| *c == lower || *c == upper) else {
            if base.prefix == 'x' && has_point {
                self.fail("hexadecimal mantissa requires a 'p' exponent");
            }
            return has_point;
        };
        if matches!(base.prefix, 'o' | 'b') {
            self.fail(format!("'{c}' exponent requires decimal mantissa"));
        }
        self.next();
        if matches!(self.peek(), Some('+' | '-')) {
            self.next();
        }
        if !self.digits(Base::DECIMAL).any {
            self.fail("exponent has no digits");
        }
        true
    }

    fn separators(&mut self) {
        let text = self.text();
        let digits = text.get(2..).filter(|_| {
            text.starts_with('0') && text.as_bytes().get(1).is_some_and(u8::is_ascii_alphabetic)
        });
        // A prefix counts as a digit.
        let mut before = if digits.is_some() { '0' } else { '.' };
        let hexadecimal = text.get(1..2).is_some_and(|c| c.eq_ignore_ascii_case("x"));
        for c in digits.unwrap_or(text).chars() {
            let is_digit = c.is_ascii_digit() || (hexadecimal && c.is_ascii_hexdigit());
            if (c == '_' && before != '0') || (before == '_' && !is_digit) {
                return self.fail("'_' must separate successive digits");
            }
            before = match c {
                '_' => '_',
                _ if is_digit => '0',
                _ => '.',
            };
        }
        if before == '_' {
            self.fail("'_' must separate successive digits");
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Base {
    radix: u32,
    name: &'static str,
    /// A blank for decimal numbers, `0` for octal ones without a letter.
    prefix: char,
}

impl Base {
    const DECIMAL: Self = Self { radix: 10, name: "decimal literal", prefix: ' ' };
}

#[derive(Debug, Clone, Copy)]
struct Digits {
    any: bool,
    /// The first digit that the base does not have.
    invalid: Option<char>,
}
