//! Numbers and durations: where such a token ends, not what it is worth.
//!
//! The scan accepts a little too much, as upstream's does; `parser/number.rs` refuses the rest
//! with Go's own texts.

use masthead_model::quote;

use super::{LexError, Lexer, is_alphanumeric, is_digit};
use crate::parser::token::Kind;

impl Lexer<'_> {
    pub(super) fn scan_number_or_duration(&mut self) -> Result<Kind, LexError> {
        if self.scan_number() {
            return Ok(Kind::Number);
        }
        // From where the number stopped: `5m` is a number that ran into a letter.
        if self.scan_rest_of_duration() {
            return Ok(Kind::Duration);
        }
        let text = self.input.get(self.start..self.at).unwrap_or("");
        Err(format!("bad number or duration syntax: {}", quote(text)))
    }

    fn scan_number(&mut self) -> bool {
        let hexadecimal = self.accept_char('0') && self.accept(|c| matches!(c, 'x' | 'X')) && {
            self.accept_char('_');
            true
        };
        let is_digit_here = |c: char| if hexadecimal { c.is_ascii_hexdigit() } else { is_digit(c) };
        let is_exponent = |c: char| matches!(c, 'e' | 'E');
        let (mut seen_dot, mut seen_exponent) = (false, false);
        self.accept_char('.');
        self.accept(is_digit_here);
        while let Some(c) = self.peek() {
            if c == '.' {
                self.bump();
                if seen_dot || hexadecimal || self.accept(|c| matches!(c, '_' | '.')) {
                    return false;
                }
                seen_dot = true;
            } else if is_exponent(c) {
                self.bump();
                if seen_exponent {
                    return false;
                }
                seen_exponent = true;
                self.accept(|c| matches!(c, '+' | '-'));
                if self.accept(|c| matches!(c, '.' | '_' | 'e' | 'E')) || self.peek().is_none() {
                    return false;
                }
            } else if c == '_' {
                self.bump();
                if self.accept(|c| matches!(c, '.' | '_' | 'e' | 'E')) || self.peek().is_none() {
                    return false;
                }
            } else if is_digit_here(c) {
                self.accept_while(is_digit_here);
            } else {
                break;
            }
        }
        self.at > self.start && !self.peek().is_some_and(is_alphanumeric)
    }

    /// Units and further numbers; units out of order are found when the duration is read.
    fn scan_rest_of_duration(&mut self) -> bool {
        if !self.accept(|c| matches!(c, 's' | 'm' | 'h' | 'd' | 'w' | 'y')) {
            return false;
        }
        self.accept_char('s');
        while self.accept(is_digit) {
            self.accept_while(is_digit);
            if !self.accept(|c| matches!(c, 's' | 'm' | 'h' | 'd' | 'w')) {
                return false;
            }
            self.accept_char('s');
        }
        // What follows is part of the text in the error.
        !self.accept(is_alphanumeric)
    }
}
