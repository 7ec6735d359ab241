//! Paths into JSON: `a.b`, `a[0].b`, `a["b c"]`; the grammar of Loki's `jsonexpr`, whose errors
//! are those of a generated parser.

use std::str::Chars;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Field(Box<str>),
    Index(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    Dot,
    Field(String),
    Text(String),
    Index(usize),
    End,
}

impl Token {
    fn name(&self) -> &'static str {
        match self {
            Self::Open => "LSB",
            Self::Close => "RSB",
            Self::Dot => "DOT",
            Self::Field(_) => "FIELD",
            Self::Text(_) => "STRING",
            Self::Index(_) => "INDEX",
            Self::End => "$end",
        }
    }
}

pub(super) fn parse(text: &str) -> Result<Vec<Step>, String> {
    let mut lexer = Lexer { rest: text.chars(), error: None };
    let mut steps = Vec::new();
    loop {
        let expecting = if steps.is_empty() { ", expecting LSB or FIELD" } else { "" };
        match lexer.next() {
            Token::Open => {
                match lexer.next() {
                    Token::Text(field) => steps.push(Step::Field(field.into())),
                    Token::Index(index) => steps.push(Step::Index(index)),
                    other => return unexpected(&other, ", expecting STRING or INDEX"),
                }
                match lexer.next() {
                    Token::Close => {}
                    other => return unexpected(&other, ", expecting RSB"),
                }
            }
            Token::Field(field) if steps.is_empty() => steps.push(Step::Field(field.into())),
            Token::Dot if !steps.is_empty() => match lexer.next() {
                Token::Field(field) => steps.push(Step::Field(field.into())),
                other => return unexpected(&other, ", expecting FIELD"),
            },
            // What the lexer found wrong is told only where the text could have ended.
            Token::End if !steps.is_empty() => return lexer.error.map_or(Ok(steps), Err),
            other => return unexpected(&other, expecting),
        }
    }
}

fn unexpected(token: &Token, expecting: &str) -> Result<Vec<Step>, String> {
    Err(format!("syntax error: unexpected {}{expecting}", token.name()))
}

struct Lexer<'t> {
    rest: Chars<'t>,
    error: Option<String>,
}

impl Lexer<'_> {
    fn next(&mut self) -> Token {
        let Some(c) = self.rest.find(|c| !matches!(c, ' ' | '\t' | '\n')) else {
            return Token::End;
        };
        match c {
            '[' => Token::Open,
            ']' => Token::Close,
            '.' => Token::Dot,
            '"' => {
                Token::Text(self.rest.by_ref().take_while(|c| !matches!(c, '"' | ']')).collect())
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                let mut field = String::from(c);
                field.push_str(&self.take(|c| c.is_ascii_alphanumeric() || c == '_'));
                Token::Field(field)
            }
            '0'..='9' => self.index(c),
            _ => self.fail(format!("unexpected char {c}")),
        }
    }

    fn index(&mut self, first: char) -> Token {
        let mut digits = String::from(first);
        digits.push_str(&self.take(|c| c.is_ascii_digit()));
        match self.rest.clone().next() {
            Some('.') => self.fail("cannot use float as array index".to_owned()),
            Some(c) if !matches!(c, ' ' | '\t' | '\n' | ']') => {
                self.fail(format!("non-integer value: {c}"))
            }
            _ => match digits.parse() {
                Ok(index) => Token::Index(index),
                Err(_) => self.fail(format!("index {digits} is out of range")),
            },
        }
    }

    /// What follows and passes, left in place behind it.
    fn take(&mut self, passes: impl Fn(char) -> bool) -> String {
        let text = self.rest.as_str();
        let end = text.find(|c| !passes(c)).unwrap_or(text.len());
        let (taken, rest) = text.split_at(end);
        let taken = taken.to_owned();
        self.rest = rest.chars();
        taken
    }

    fn fail(&mut self, error: String) -> Token {
        self.error = Some(error);
        self.rest = "".chars();
        Token::End
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_and_refused_as_by_loki() {
        let field = |name: &str| Step::Field(name.into());
        let f = |text: &str, want: Result<Vec<Step>, &str>| {
            assert_eq!(parse(text), want.map_err(str::to_owned), "{text}");
        };
        f("a.b", Ok(vec![field("a"), field("b")]));
        f(r#"a["x y"].b[12]"#, Ok(vec![field("a"), field("x y"), field("b"), Step::Index(12)]));
        f(r#"["a"]["b"]"#, Ok(vec![field("a"), field("b")]));
        f("[0]", Ok(vec![Step::Index(0)]));
        f("", Err("syntax error: unexpected $end, expecting LSB or FIELD"));
        f("a..b", Err("syntax error: unexpected DOT, expecting FIELD"));
        f(r#"["x""#, Err("syntax error: unexpected $end, expecting RSB"));
        f("field with space", Err("syntax error: unexpected FIELD"));
        f("x[-1]", Err("syntax error: unexpected $end, expecting STRING or INDEX"));
        f("a.X-Y", Err("unexpected char -"));
        f("x[1.5]", Err("syntax error: unexpected $end, expecting STRING or INDEX"));
    }
}
