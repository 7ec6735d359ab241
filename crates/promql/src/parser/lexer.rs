//! From characters to tokens.
//!
//! What is a token depends on where it stands: words inside braces are label names, and right
//! after `[` only durations may come. States, quirks and texts are those of upstream's
//! `promql/parser/lex.go`. Nothing here allocates but error texts, and every byte is read a
//! bounded number of times.

use super::token::{Keyword, Kind, Token, keyword};
use crate::ast::{BinaryOp, PosRange};

mod number;
mod text;

/// Reads tokens from the front.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    input: &'a str,
    /// The next byte to read.
    at: usize,
    /// The first byte of the token that is being read.
    start: usize,
    /// How many parentheses are open.
    parens: usize,
    mode: Mode,
    in_brackets: bool,
    seen_colon: bool,
    seen_duration: bool,
}

/// What the next characters may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Plain,
    /// Inside braces every word is a name.
    Braces,
    /// Inside brackets, up to the first number: only durations may come.
    Duration,
    /// An error or the end was reported; only the end comes after.
    Done,
}

/// Why there is no token here; the place is the lexer's `start` to the end of the input.
pub(super) type LexError = String;

/// A token, or nothing when spaces or a comment were skipped.
type Scan = Result<Option<Kind>, LexError>;

impl<'a> Lexer<'a> {
    pub(super) fn new(input: &'a str) -> Self {
        Self {
            input,
            at: 0,
            start: 0,
            parens: 0,
            mode: Mode::Plain,
            in_brackets: false,
            seen_colon: false,
            seen_duration: false,
        }
    }

    /// The next token. An error ends the input: after it comes [`Kind::Eof`] alone.
    pub(super) fn next_token(&mut self) -> (Token<'a>, Option<LexError>) {
        loop {
            self.start = self.at;
            let scan = match self.mode {
                Mode::Plain => self.scan(),
                Mode::Braces => self.scan_in_braces(),
                Mode::Duration => self.scan_in_duration(),
                Mode::Done => Ok(Some(Kind::Eof)),
            };
            match scan {
                Ok(None) => {}
                Ok(Some(kind)) => return (self.token(kind), None),
                Err(error) => {
                    self.mode = Mode::Done;
                    let pos = PosRange::new(self.start, self.input.len());
                    return (Token { kind: Kind::Error, pos, text: "" }, Some(error));
                }
            }
        }
    }

    fn token(&self, kind: Kind) -> Token<'a> {
        let text = self.input.get(self.start..self.at).unwrap_or("");
        Token { kind, pos: PosRange::new(self.start, self.at), text }
    }

    fn peek(&self) -> Option<char> {
        self.input.get(self.at..)?.chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn accept(&mut self, allowed: impl Fn(char) -> bool) -> bool {
        let accepted = self.peek().is_some_and(allowed);
        if accepted {
            self.bump();
        }
        accepted
    }

    fn accept_char(&mut self, c: char) -> bool {
        self.accept(|next| next == c)
    }

    fn accept_while(&mut self, allowed: impl Fn(char) -> bool) {
        while self.accept(&allowed) {}
    }

    /// Outside braces.
    fn scan(&mut self) -> Scan {
        let Some(c) = self.bump() else {
            self.mode = Mode::Done;
            return if self.parens > 0 {
                Err("unclosed left parenthesis".into())
            } else if self.in_brackets {
                Err("unclosed left bracket".into())
            } else {
                Ok(Some(Kind::Eof))
            };
        };
        Ok(Some(match c {
            '#' => return Ok(self.skip_comment()),
            ' ' | '\t' | '\n' | '\r' => return Ok(self.skip_spaces()),
            ',' => Kind::Comma,
            '@' => Kind::At,
            '=' if self.accept_char('=') => Kind::Operator(BinaryOp::Equal),
            '=' if self.peek() == Some('~') => {
                return Err("unexpected character after '=': '~'".into());
            }
            '=' => Kind::Assign,
            '!' => match self.bump() {
                Some('=') => Kind::Operator(BinaryOp::NotEqual),
                other => {
                    let other = text::quote_char(other);
                    return Err(format!("unexpected character after '!': {other}"));
                }
            },
            '<' if self.accept_char('=') => Kind::Operator(BinaryOp::LessOrEqual),
            '<' if self.accept_char('/') => Kind::Operator(BinaryOp::TrimUpper),
            '<' => Kind::Operator(BinaryOp::Less),
            '>' if self.accept_char('=') => Kind::Operator(BinaryOp::GreaterOrEqual),
            '>' if self.accept_char('/') => Kind::Operator(BinaryOp::TrimLower),
            '>' => Kind::Operator(BinaryOp::Greater),
            '(' => self.open_paren(),
            ')' => return self.close_paren().map(Some),
            '{' => {
                self.mode = Mode::Braces;
                Kind::LeftBrace
            }
            '[' => {
                if self.in_brackets {
                    return Err("unexpected left bracket '['".into());
                }
                (self.in_brackets, self.seen_colon) = (true, false);
                self.mode = Mode::Duration;
                Kind::LeftBracket
            }
            ']' => return self.close_bracket().map(Some),
            '"' | '\'' => return self.scan_string(c).map(Some),
            '`' => return self.scan_raw_string().map(Some),
            _ if is_digit(c) || (c == '.' && self.peek().is_some_and(is_digit)) => {
                self.at = self.start;
                return self.scan_number_or_duration().map(Some);
            }
            _ if is_alpha(c) || c == ':' => {
                return if self.in_brackets {
                    self.scan_word_in_brackets(c).map(Some)
                } else {
                    Ok(Some(self.scan_word()))
                };
            }
            _ => match arithmetic(c) {
                Some(op) => Kind::Operator(op),
                None => {
                    return Err(format!("unexpected character: {}", text::quote_char(Some(c))));
                }
            },
        }))
    }

    /// Inside braces every word is a name.
    fn scan_in_braces(&mut self) -> Scan {
        let Some(c) = self.bump() else {
            return Err("unexpected end of input inside braces".into());
        };
        Ok(Some(match c {
            '#' => return Ok(self.skip_comment()),
            ' ' | '\t' | '\n' | '\r' => return Ok(self.skip_spaces()),
            ',' => Kind::Comma,
            '"' | '\'' => return self.scan_string(c).map(Some),
            '`' => return self.scan_raw_string().map(Some),
            '=' if self.accept_char('~') => Kind::Matches,
            '=' => Kind::Assign,
            '!' => match self.bump() {
                Some('~') => Kind::NotMatches,
                Some('=') => Kind::Operator(BinaryOp::NotEqual),
                other => {
                    let other = text::quote_char(other);
                    return Err(format!("unexpected character after '!' inside braces: {other}"));
                }
            },
            '{' => return Err("unexpected left brace '{'".into()),
            '}' => {
                self.mode = Mode::Plain;
                Kind::RightBrace
            }
            _ if is_alpha(c) => {
                self.accept_while(is_alphanumeric);
                Kind::Identifier
            }
            _ => {
                let c = text::quote_char(Some(c));
                return Err(format!("unexpected character inside braces: {c}"));
            }
        }))
    }

    /// After `[`, up to the first number.
    fn scan_in_duration(&mut self) -> Scan {
        let Some(c) = self.bump() else {
            return Err("unexpected end of input in duration expression".into());
        };
        Ok(Some(match c {
            ' ' | '\t' | '\n' | '\r' => return Ok(self.skip_spaces()),
            ',' => Kind::Comma,
            '(' => self.open_paren(),
            ')' => return self.close_paren().map(Some),
            ']' => return self.close_bracket().map(Some),
            ':' if !self.seen_duration => {
                self.start = self.at;
                return Err("unexpected colon before duration in duration expression".into());
            }
            ':' if self.seen_colon => {
                self.start = self.at;
                return Err("unexpected repeated colon in duration expression".into());
            }
            ':' => {
                self.seen_colon = true;
                Kind::Colon
            }
            _ if is_digit(c) || (c == '.' && self.peek().is_some_and(is_digit)) => {
                self.at = self.start;
                (self.seen_duration, self.mode) = (true, Mode::Plain);
                return self.scan_number_or_duration().map(Some);
            }
            _ => match arithmetic(c).map(Kind::Operator).or_else(|| self.duration_word(c)) {
                Some(kind) => kind,
                None => {
                    let c = text::quote_char(Some(c));
                    return Err(format!("unexpected character in duration expression: {c}"));
                }
            },
        }))
    }

    fn scan_word_in_brackets(&mut self, first: char) -> Result<Kind, LexError> {
        if first == ':' {
            if self.seen_colon {
                return Err("unexpected colon ':'".into());
            }
            self.seen_colon = true;
            return Ok(Kind::Colon);
        }
        self.duration_word(first).ok_or_else(|| {
            format!("unexpected character: {}, expected ':'", text::quote_char(Some(first)))
        })
    }

    /// The rest of a word that has a meaning inside durations.
    fn duration_word(&mut self, first: char) -> Option<Kind> {
        if !is_alpha(first) {
            return None;
        }
        self.accept_while(is_alpha);
        let kind = keyword(self.input.get(self.start..self.at)?)?;
        let is_known = matches!(kind, Kind::Step | Kind::Range | Kind::MinOf | Kind::MaxOf);
        self.seen_duration |= is_known;
        is_known.then_some(kind)
    }

    fn scan_word(&mut self) -> Kind {
        self.accept_while(|c| is_alphanumeric(c) || c == ':');
        let word = self.input.get(self.start..self.at).unwrap_or("");
        match keyword(word) {
            // These came late to the language, so they are keywords only where nothing else
            // can be meant.
            Some(Kind::Keyword(Keyword::Fill | Keyword::FillLeft | Keyword::FillRight))
                if !self.before_left_paren() =>
            {
                Kind::Identifier
            }
            Some(kind) => kind,
            None if word.contains(':') => Kind::MetricIdentifier,
            None => Kind::Identifier,
        }
    }

    fn before_left_paren(&self) -> bool {
        let rest = self.input.get(self.at..).unwrap_or("");
        rest.trim_start_matches(is_space).starts_with('(')
    }

    fn open_paren(&mut self) -> Kind {
        self.parens += 1;
        Kind::LeftParen
    }

    fn close_paren(&mut self) -> Result<Kind, LexError> {
        if self.parens == 0 {
            self.start = self.at;
            return Err("unexpected right parenthesis ')'".into());
        }
        self.parens -= 1;
        Ok(Kind::RightParen)
    }

    fn close_bracket(&mut self) -> Result<Kind, LexError> {
        if !self.in_brackets {
            return Err("unexpected right bracket ']'".into());
        }
        (self.in_brackets, self.mode) = (false, Mode::Plain);
        Ok(Kind::RightBracket)
    }

    fn skip_spaces(&mut self) -> Option<Kind> {
        self.accept_while(is_space);
        None
    }

    fn skip_comment(&mut self) -> Option<Kind> {
        self.accept_while(|c| c != '\n' && c != '\r');
        None
    }
}

fn arithmetic(c: char) -> Option<BinaryOp> {
    Some(match c {
        '+' => BinaryOp::Add,
        '-' => BinaryOp::Sub,
        '*' => BinaryOp::Mul,
        '/' => BinaryOp::Div,
        '%' => BinaryOp::Mod,
        '^' => BinaryOp::Pow,
        _ => return None,
    })
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn is_alpha(c: char) -> bool {
    c == '_' || c.is_ascii_alphabetic()
}

fn is_alphanumeric(c: char) -> bool {
    is_alpha(c) || is_digit(c)
}
