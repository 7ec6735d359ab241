//! Strings in three kinds of quotes, and characters as Go's `%q` and `%U` print them in errors.
//!
//! Escapes are checked here, so that errors say what is wrong with them; what they stand for is
//! found by `masthead_model::unquote_bytes`.

use masthead_model::quote;

use super::{LexError, Lexer};
use crate::parser::token::Kind;

impl Lexer<'_> {
    /// After the opening quote.
    pub(super) fn scan_string(&mut self, mark: char) -> Result<Kind, LexError> {
        loop {
            match self.bump() {
                None | Some('\n') => return Err("unterminated quoted string".into()),
                Some('\\') => self.scan_escape(mark)?,
                // Bytes that are not UTF-8 arrive as this character.
                Some('\u{fffd}') => return Err("invalid UTF-8 rune".into()),
                Some(c) if c == mark => return Ok(Kind::String),
                Some(_) => {}
            }
        }
    }

    /// After the opening backtick.
    pub(super) fn scan_raw_string(&mut self) -> Result<Kind, LexError> {
        loop {
            match self.bump() {
                None => return Err("unterminated raw string".into()),
                Some('\u{fffd}') => return Err("invalid UTF-8 rune".into()),
                Some('`') => return Ok(Kind::String),
                Some(_) => {}
            }
        }
    }

    /// After the backslash.
    fn scan_escape(&mut self, mark: char) -> Result<(), LexError> {
        let not_terminated = || LexError::from("escape sequence not terminated");
        let first = self.bump().ok_or_else(not_terminated)?;
        let (digits, radix, max) = match first {
            'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '\\' => return Ok(()),
            _ if first == mark => return Ok(()),
            '0'..='7' => (3, 8, 0xff),
            'x' => (2, 16, 0xff),
            'u' => (4, 16, u32::from(char::MAX)),
            'U' => (8, 16, u32::from(char::MAX)),
            _ => return Err(format!("unknown escape sequence {}", unicode(first))),
        };
        let mut value: u32 = 0;
        for nth in 0..digits {
            let c = if radix == 8 && nth == 0 {
                first
            } else {
                self.bump().ok_or_else(not_terminated)?
            };
            let digit = c
                .to_digit(radix)
                .ok_or_else(|| format!("illegal character {} in escape sequence", unicode(c)))?;
            value = value.wrapping_mul(radix).wrapping_add(digit);
        }
        if value > max || (0xd800..0xe000).contains(&value) {
            return Err("escape sequence is an invalid Unicode code point".into());
        }
        Ok(())
    }
}

/// Go's `%q` of a character; the end of the input prints as the replacement character.
pub(super) fn quote_char(c: Option<char>) -> String {
    match c.unwrap_or(char::REPLACEMENT_CHARACTER) {
        '\'' => r"'\''".into(),
        '"' => "'\"'".into(),
        c => {
            let quoted = quote(c.encode_utf8(&mut [0; 4]));
            format!("'{}'", quoted.trim_matches('"'))
        }
    }
}

/// Go's `%#U`: `U+0063 'c'`.
fn unicode(c: char) -> String {
    let quoted = quote_char(Some(c));
    if quoted.starts_with(r"'\") && !matches!(c, '\\' | '\'') {
        format!("U+{:04X}", u32::from(c))
    } else {
        format!("U+{:04X} '{c}'", u32::from(c))
    }
}
