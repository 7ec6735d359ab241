//! A template's text as tokens: plain text, and what stands between `{{` and `}}`.
//!
//! A `{{-` eats the blanks before it, a `-}}` those behind it; comments leave nothing but that.

/// One token with its place in the text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) at: usize,
    /// As it is written.
    pub(crate) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Left,
    Right,
    Space,
    Identifier,
    Keyword,
    Field,
    Variable,
    Dot,
    Nil,
    Bool,
    Number,
    Char,
    String,
    RawString,
    Pipe,
    Comma,
    Assign,
    Declare,
    LeftParen,
    RightParen,
    End,
}

const KEYWORDS: [&str; 10] =
    ["block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"];

/// What is wrong, and where.
pub(crate) type Wrong = (usize, String);

pub(crate) fn lex(text: &str) -> Result<Vec<Token>, Wrong> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), depth: 0 };
    lexer.run()?;
    Ok(lexer.tokens)
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    tokens: Vec<Token>,
    depth: usize,
}

const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

impl<'t> Lexer<'t> {
    fn run(&mut self) -> Result<(), Wrong> {
        let mut trim_left = false;
        loop {
            let rest = self.rest();
            let open = rest.find("{{");
            let mut plain = rest.get(..open.unwrap_or(rest.len())).unwrap_or_default();
            let start = self.at;
            let whole = plain.len();
            let inside = open.and_then(|open| rest.get(open + 2..));
            let trims = inside.is_some_and(trims_left);
            let mut offset = 0;
            if trim_left {
                let trimmed = plain.trim_start_matches(BLANKS);
                offset = plain.len() - trimmed.len();
                plain = trimmed;
            }
            if trims {
                plain = plain.trim_end_matches(BLANKS);
            }
            if !plain.is_empty() {
                let plain = plain.to_owned();
                self.push(Kind::Text, start + offset, &plain);
            }
            self.at = start + whole;
            let Some(inside) = inside else { break };
            let open_at = self.at;
            self.at += 2;
            let inside = if trims {
                self.at += 2;
                inside.get(2..).unwrap_or_default()
            } else {
                inside
            };
            if inside.starts_with("/*") {
                trim_left = self.comment()?;
                continue;
            }
            self.push(Kind::Left, open_at, "{{");
            trim_left = self.action()?;
        }
        self.push(Kind::End, self.text.len(), "");
        Ok(())
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn push(&mut self, kind: Kind, at: usize, text: &str) {
        self.tokens.push(Token { kind, at, text: text.to_owned() });
    }

    /// Steps over a comment; whether it trims what follows.
    fn comment(&mut self) -> Result<bool, Wrong> {
        let close = self.rest().find("*/").ok_or_else(|| self.wrong("unclosed comment"))?;
        self.at += close + 2;
        for (end, trims) in [("}}", false), (" -}}", true), ("\t-}}", true), ("\n-}}", true)] {
            if self.rest().starts_with(end) {
                self.at += end.len();
                return Ok(trims);
            }
        }
        Err(self.wrong("comment ends before closing delimiter"))
    }

    fn wrong(&self, what: impl Into<String>) -> Wrong {
        (self.at, what.into())
    }

    /// Reads up to `}}`; whether that trims what follows.
    fn action(&mut self) -> Result<bool, Wrong> {
        self.depth = 0;
        loop {
            let rest = self.rest();
            let start = self.at;
            let trims = rest.strip_prefix(BLANKS).is_some_and(|r| r.starts_with("-}}"));
            if rest.starts_with("}}") || trims {
                if self.depth > 0 {
                    return Err(self.wrong("unclosed left paren"));
                }
                self.at += if trims { 4 } else { 2 };
                self.push(Kind::Right, start, "}}");
                return Ok(trims);
            }
            let Some(c) = rest.chars().next() else { return Err(self.wrong("unclosed action")) };
            let (kind, len) = match c {
                ' ' | '\t' | '\r' | '\n' => {
                    let mut len = rest.len() - rest.trim_start_matches(BLANKS).len();
                    // The last blank belongs to a trimming end.
                    if rest.get(len..).is_some_and(|r| r.starts_with("-}}")) && len > 1 {
                        len -= 1;
                    }
                    (Kind::Space, len)
                }
                '=' => (Kind::Assign, 1),
                ':' if rest.starts_with(":=") => (Kind::Declare, 2),
                ':' => return Err(self.wrong("expected :=")),
                '|' => (Kind::Pipe, 1),
                ',' => (Kind::Comma, 1),
                '(' => {
                    self.depth += 1;
                    (Kind::LeftParen, 1)
                }
                ')' => {
                    self.depth = self
                        .depth
                        .checked_sub(1)
                        .ok_or_else(|| self.wrong("unexpected right paren"))?;
                    (Kind::RightParen, 1)
                }
                '"' => (Kind::String, self.quoted('"', "unterminated quoted string")?),
                '\'' => (Kind::Char, self.quoted('\'', "unterminated character constant")?),
                '`' => match rest.get(1..).and_then(|r| r.find('`')) {
                    Some(close) => (Kind::RawString, close + 2),
                    None => return Err(self.wrong("unterminated raw quoted string")),
                },
                '$' => (Kind::Variable, 1 + word_len(rest.get(1..).unwrap_or_default())),
                '.' if !rest
                    .get(1..)
                    .is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit())) =>
                {
                    match word_len(rest.get(1..).unwrap_or_default()) {
                        0 => (Kind::Dot, 1),
                        len => (Kind::Field, 1 + len),
                    }
                }
                '+' | '-' | '.' | '0'..='9' => (Kind::Number, self.number()?),
                c if is_word(c) => {
                    let len = word_len(rest);
                    let kind = match rest.get(..len).unwrap_or_default() {
                        "nil" => Kind::Nil,
                        "true" | "false" => Kind::Bool,
                        word if KEYWORDS.contains(&word) => Kind::Keyword,
                        _ => Kind::Identifier,
                    };
                    (kind, len)
                }
                c => {
                    let what = format!("unexpected bad character U+{:04X} '{c}'", u32::from(c));
                    return Err(self.wrong(what.replace("unexpected bad", "unrecognized")));
                }
            };
            let word = rest.get(..len).unwrap_or_default();
            let behind = rest.get(len..).unwrap_or_default();
            if matches!(
                kind,
                Kind::Field
                    | Kind::Variable
                    | Kind::Identifier
                    | Kind::Keyword
                    | Kind::Bool
                    | Kind::Nil
            ) && !ends_word(behind)
            {
                let c = behind.chars().next().unwrap_or(' ');
                return Err((start + len, format!("bad character U+{:04X} '{c}'", u32::from(c))));
            }
            self.push(kind, start, word);
            self.at += len;
        }
    }

    /// The length of a quoted text, quotes included.
    fn quoted(&self, quote: char, unterminated: &str) -> Result<usize, Wrong> {
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some((_, '\n')) | None => break,
                    Some(_) => {}
                },
                '\n' => break,
                c if c == quote => return Ok(at + 1),
                _ => {}
            }
        }
        Err(self.wrong(unterminated))
    }

    fn number(&self) -> Result<usize, Wrong> {
        let rest = self.rest();
        let signed = usize::from(rest.starts_with(['+', '-']));
        let body = rest.get(signed..).unwrap_or_default();
        let mut previous = ' ';
        let hexadecimal = body.get(..2).is_some_and(|p| p.eq_ignore_ascii_case("0x"));
        let len = body
            .find(|c: char| {
                let exponent = if hexadecimal { ['p', 'P'] } else { ['e', 'E'] };
                let goes_on = c.is_ascii_alphanumeric()
                    || matches!(c, '.' | '_')
                    || (matches!(c, '+' | '-') && exponent.contains(&previous));
                previous = c;
                !goes_on
            })
            .unwrap_or(body.len());
        let text = rest.get(..signed + len).unwrap_or_default();
        if len == 0 || number(text).is_none() {
            return Err(self.wrong(format!("bad number syntax: {}", masthead_model::quote(text))));
        }
        Ok(signed + len)
    }
}

/// What a number of a template is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Number {
    pub(crate) int: Option<i64>,
    pub(crate) float: f64,
    /// Whether it is written as a whole number.
    pub(crate) whole: bool,
}

pub(crate) fn number(text: &str) -> Option<Number> {
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    let (sign, body) = match plain.strip_prefix('-') {
        Some(body) => (-1, body),
        None => (1, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let lower = body.to_ascii_lowercase();
    let based = [("0x", 16), ("0b", 2), ("0o", 8)]
        .iter()
        .find_map(|(prefix, radix)| Some((lower.strip_prefix(prefix)?, *radix)));
    let whole = match based {
        Some((digits, radix)) => i128::from_str_radix(digits, radix).ok(),
        None if lower.len() > 1
            && lower.starts_with('0')
            && lower.bytes().all(|b| b.is_ascii_digit()) =>
        {
            i128::from_str_radix(&lower, 8).ok()
        }
        None if lower.bytes().all(|b| b.is_ascii_digit()) => lower.parse().ok(),
        None => None,
    };
    if let Some(value) = whole {
        let value = value.checked_mul(sign)?;
        #[expect(clippy::cast_precision_loss, reason = "that is what a float of it is worth")]
        let float = value as f64;
        return Some(Number { int: i64::try_from(value).ok(), float, whole: true });
    }
    if !lower.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let float = crate::go::parse_float(plain.as_bytes()).ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    let int = (float.fract() == 0.0 && float.abs() < 9.2e18).then_some(float as i64);
    Some(Number { int, float, whole: false })
}

/// Whether an action that starts with this text trims what stands before it.
fn trims_left(inside: &str) -> bool {
    inside.strip_prefix('-').is_some_and(|rest| rest.starts_with(BLANKS))
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn word_len(text: &str) -> usize {
    text.find(|c| !is_word(c)).unwrap_or(text.len())
}

fn ends_word(text: &str) -> bool {
    text.is_empty()
        || text.starts_with("}}")
        || text.starts_with(BLANKS)
        || text.starts_with(['.', ',', '|', ':', ')', '(', '='])
}
