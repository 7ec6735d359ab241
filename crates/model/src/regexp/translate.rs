//! Rewrites a pattern from Go's syntax (`regexp/syntax`, flags `Perl`) into that of the `regex`
//! crate, refusing what Go refuses with Go's words.
//!
//! | in Go | in the `regex` crate | so it becomes |
//! | --- | --- | --- |
//! | `\d \w \s \b` are ASCII | Unicode | ASCII classes, `(?-u:\b)` |
//! | `[a&&b]`, `[a[b]`, `[a~~b]` are plain characters | set operations | escaped |
//! | `{` that starts no count is a character | an error | `\{` |
//! | `\Q…\E` quotes, `\101` is octal | unknown | escaped, `\x{41}` |
//! | `a**`, `(?x)`, `(?:a{100}){100}` are refused | accepted | an error |
//! | groups may have the same name, or one like `1a` | an error | groups without names, which are listed beside |
//! | `\p{…}` knows categories and scripts | more properties | `regexp/classes.rs` |

use std::fmt::Write as _;

use super::{RegexpError, classes};

/// Groups may nest this deep (Go: `maxHeight`); the engine recurses over them.
const DEPTH_MAX: usize = 200;
/// The largest count in `a{n,m}`, and of those of nested repetitions multiplied (Go: `maxRepeat`).
const REPEAT_MAX: u32 = 1000;

/// A pattern in the engine's syntax.
#[derive(Debug)]
pub(super) struct Translated {
    pub(super) pattern: String,
    /// The names of the groups by their number; the whole match is the first and has none.
    pub(super) names: Vec<Option<Box<str>>>,
}

pub(super) fn translate(pattern: &str) -> Result<Translated, RegexpError> {
    let mut translator = Translator {
        pattern,
        rest: pattern,
        out: String::with_capacity(pattern.len() + 8),
        names: vec![None],
    };
    translator.run()?;
    Ok(Translated { pattern: translator.out, names: translator.names })
}

struct Translator<'a> {
    pattern: &'a str,
    rest: &'a str,
    out: String,
    names: Vec<Option<Box<str>>>,
}

/// What stands before the next token, which decides whether it may be repeated.
#[derive(Clone, Copy)]
enum Before<'a> {
    /// The start of the pattern, of a group or of an alternative.
    Nothing,
    /// Something that holds at most so many copies of a part of it.
    Atom(u32),
    /// A repetition: the text from its operator on, and its copies.
    Repeat(&'a str, u32),
}

impl<'a> Translator<'a> {
    fn run(&mut self) -> Result<(), RegexpError> {
        // The copies in each group that is open, as far as it was read.
        let mut open: Vec<u32> = vec![1];
        // The same of the last group without what was read last, which `{0}` may yet undo.
        let mut settled = 1;
        let mut before = Before::Nothing;
        while let Some(c) = self.rest.chars().next() {
            match c {
                '(' => {
                    // Flags alone, `(?i)`, open no group.
                    if self.group()? {
                        open.push(1);
                        if open.len() > DEPTH_MAX + 1 {
                            return Err(self.error("expression nests too deeply", self.pattern));
                        }
                    }
                    before = Before::Nothing;
                }
                ')' => {
                    let copies = open.pop().filter(|_| !open.is_empty());
                    let copies = copies.ok_or_else(|| self.error("unexpected )", self.pattern))?;
                    self.copy(1);
                    before = Before::Atom(copies);
                }
                '|' => {
                    self.copy(1);
                    before = Before::Nothing;
                }
                '*' | '+' | '?' => before = self.repeat(1, 1, before)?,
                '{' => {
                    if let Some((len, count)) = self.count()? {
                        before = self.repeat(len, count, before)?;
                    } else {
                        self.literal(c);
                        self.skip(1);
                        before = Before::Atom(1);
                    }
                }
                '[' => {
                    self.class()?;
                    before = Before::Atom(1);
                }
                '\\' => {
                    if self.escape()? {
                        before = Before::Atom(1);
                    }
                }
                '.' | '^' | '$' => {
                    self.copy(1);
                    before = Before::Atom(1);
                }
                _ => {
                    self.literal(c);
                    self.skip(c.len_utf8());
                    before = Before::Atom(1);
                }
            }
            match (before, open.last_mut()) {
                (Before::Atom(copies), Some(group)) => {
                    settled = *group;
                    *group = settled.max(copies);
                }
                (Before::Repeat(_, copies), Some(group)) => *group = settled.max(copies),
                _ => {}
            }
        }
        if open.len() > 1 { Err(self.error("missing closing )", self.pattern)) } else { Ok(()) }
    }

    #[expect(clippy::unused_self, reason = "reads as the translator's own complaint")]
    fn error(&self, what: &'static str, at: &str) -> RegexpError {
        RegexpError::new(what, at)
    }

    fn skip(&mut self, len: usize) {
        self.rest = self.rest.get(len..).unwrap_or("");
    }

    /// Copies `len` bytes that mean the same in both dialects.
    fn copy(&mut self, len: usize) {
        self.out.push_str(self.rest.get(..len).unwrap_or(""));
        self.skip(len);
    }

    /// Writes a character that stands for itself, also inside a class.
    fn literal(&mut self, c: char) {
        if c.is_ascii_punctuation() && !matches!(c, '<' | '>') {
            self.out.push('\\');
        }
        self.out.push(c);
    }

    /// An operator of `len` bytes for so many copies, with the `?` that makes it lazy.
    fn repeat(
        &mut self,
        len: usize,
        count: u32,
        before: Before<'a>,
    ) -> Result<Before<'a>, RegexpError> {
        let operator = self.rest;
        let lazy = usize::from(operator.get(len..).is_some_and(|after| after.starts_with('?')));
        let end = len + lazy;
        let text = operator.get(..end).unwrap_or("");
        match before {
            Before::Nothing => Err(self.error("missing argument to repetition operator", text)),
            Before::Repeat(last, _) => {
                let both = last.len() - operator.len() + end;
                Err(self
                    .error("invalid nested repetition operator", last.get(..both).unwrap_or("")))
            }
            Before::Atom(_) if count == 0 => {
                // What is in it is never counted.
                self.copy(end);
                Ok(Before::Repeat(operator, 1))
            }
            Before::Atom(copies) => {
                let copies = copies.saturating_mul(count);
                if copies > REPEAT_MAX {
                    return Err(self.error("invalid repeat count", text));
                }
                self.copy(end);
                Ok(Before::Repeat(operator, copies))
            }
        }
    }

    /// The length of `{n}`, `{n,}` or `{n,m}` and how many copies that makes; anything else is a
    /// plain brace.
    fn count(&self) -> Result<Option<(usize, u32)>, RegexpError> {
        let Some(end) = self.rest.find('}') else { return Ok(None) };
        let text = self.rest.get(..=end).unwrap_or("");
        let inner = text.trim_start_matches('{').trim_end_matches('}');
        let (min, max) = inner.split_once(',').map_or((inner, None), |(a, b)| (a, Some(b)));
        let is_number = |s: &str| {
            !s.is_empty()
                && s.bytes().all(|b| b.is_ascii_digit())
                && (s.len() == 1 || !s.starts_with('0'))
        };
        if text.len() != inner.len() + 2
            || !is_number(min)
            || !max.is_none_or(|max| max.is_empty() || is_number(max))
        {
            return Ok(None);
        }
        let number = |s: &str| s.parse::<u32>().unwrap_or(u32::MAX);
        let min = number(min);
        let max = max.filter(|max| !max.is_empty()).map(number);
        if min > REPEAT_MAX || max.is_some_and(|max| max > REPEAT_MAX || max < min) {
            return Err(self.error("invalid repeat count", text));
        }
        // `{0,}` is as good as `*`.
        let open = inner.ends_with(',');
        Ok(Some((text.len(), max.unwrap_or(if open { min.max(1) } else { min }))))
    }

    /// An opening parenthesis with its flags or name; whether it opens a group.
    fn group(&mut self) -> Result<bool, RegexpError> {
        let Some(inner) = self.rest.strip_prefix("(?") else {
            self.copy(1);
            self.names.push(None);
            return Ok(true);
        };
        for prefix in ["P<", "<"] {
            if let Some(named) = inner.strip_prefix(prefix) {
                let head = self.rest.len() - named.len();
                let name_len = named
                    .find('>')
                    .ok_or_else(|| self.error("invalid named capture", self.rest))?;
                let name = named.get(..name_len).unwrap_or("");
                let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
                if name.is_empty() || !name.chars().all(word) {
                    let text = self.rest.get(..=head + name_len).unwrap_or("");
                    return Err(self.error("invalid named capture", text));
                }
                self.out.push('(');
                self.skip(head + name_len + 1);
                self.names.push(Some(name.into()));
                return Ok(true);
            }
        }
        let mut negated = false;
        let mut any_after_minus = true;
        for (at, c) in inner.char_indices() {
            match c {
                'i' | 'm' | 's' | 'U' => any_after_minus = true,
                '-' if !negated => {
                    negated = true;
                    any_after_minus = false;
                }
                ':' | ')' if any_after_minus => {
                    self.copy(2 + at + 1);
                    return Ok(c == ':');
                }
                _ => {
                    let text = self.rest.get(..2 + at + c.len_utf8()).unwrap_or("");
                    return Err(self.error("invalid or unsupported Perl syntax", text));
                }
            }
        }
        Err(self.error("missing closing )", self.pattern))
    }

    /// An escape outside a class; whether it is something that can be repeated.
    fn escape(&mut self) -> Result<bool, RegexpError> {
        let Some(c) = self.rest.chars().nth(1) else {
            return Err(RegexpError::new("trailing backslash at end of expression", ""));
        };
        match c {
            'Q' => {
                self.skip(2);
                let (quoted, after) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
                quoted.chars().for_each(|c| self.literal(c));
                self.rest = after;
                return Ok(!quoted.is_empty());
            }
            'A' | 'z' => self.copy(2),
            'b' | 'B' => {
                self.out.push_str("(?-u:");
                self.copy(2);
                self.out.push(')');
            }
            _ => {
                if let Some((set, negated)) = perl_class(c) {
                    self.out.push_str(if negated { "[^" } else { "[" });
                    self.out.push_str(set);
                    self.out.push(']');
                    self.skip(2);
                } else if matches!(c, 'p' | 'P') {
                    self.unicode_class()?;
                } else {
                    let c = self.escaped_char()?;
                    self.literal(c);
                }
            }
        }
        Ok(true)
    }

    /// `\pL`, `\p{Greek}`, `\P{^Greek}`.
    fn unicode_class(&mut self) -> Result<(), RegexpError> {
        let mut negated = self.rest.starts_with("\\P");
        let after = self.rest.get(2..).unwrap_or("");
        let (name, len) = if let Some(braced) = after.strip_prefix('{') {
            let end = braced
                .find('}')
                .ok_or_else(|| self.error("invalid character class range", self.rest))?;
            (braced.get(..end).unwrap_or(""), 2 + 1 + end + 1)
        } else {
            let len = after.chars().next().map_or(0, char::len_utf8);
            (after.get(..len).unwrap_or(""), 2 + len)
        };
        let text = self.rest.get(..len).unwrap_or("");
        let unknown = self.error("invalid character class range", text);
        let name = name.strip_prefix('^').map_or(name, |name| {
            negated = !negated;
            name
        });
        self.out.push_str(&classes::unicode_class(name, negated).ok_or(unknown)?);
        self.skip(len);
        Ok(())
    }

    /// An escape that stands for one character, inside a class or outside.
    fn escaped_char(&mut self) -> Result<char, RegexpError> {
        let start = self.rest;
        self.skip(1);
        let Some(c) = self.rest.chars().next() else {
            return Err(RegexpError::new("trailing backslash at end of expression", ""));
        };
        self.skip(c.len_utf8());
        let number = match c {
            '1'..='7' if !self.rest.starts_with(|c: char| c.is_digit(8)) => None,
            '0'..='7' => {
                let more = self.rest.chars().take(2).take_while(|c| c.is_digit(8)).count();
                let digits = start.get(1..2 + more);
                self.skip(more);
                digits.and_then(|digits| u32::from_str_radix(digits, 8).ok())
            }
            'x' => self.hex_number(),
            'a' => Some(0x07),
            'f' => Some(0x0c),
            'n' => Some(0x0a),
            'r' => Some(0x0d),
            't' => Some(0x09),
            'v' => Some(0x0b),
            _ if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(u32::from(c)),
            _ => None,
        };
        number.and_then(char::from_u32).ok_or_else(|| {
            let text = start.get(..start.len() - self.rest.len()).unwrap_or("");
            self.error("invalid escape sequence", text)
        })
    }

    fn hex_number(&mut self) -> Option<u32> {
        let (digits, len) = if let Some(braced) = self.rest.strip_prefix('{') {
            let end = braced.find('}')?;
            (braced.get(..end)?, end + 2)
        } else {
            (self.rest.get(..2)?, 2)
        };
        if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
            return None;
        }
        let number = u32::from_str_radix(digits, 16).ok()?;
        self.skip(len);
        Some(number)
    }

    fn class(&mut self) -> Result<(), RegexpError> {
        let start = self.rest;
        let missing = RegexpError::new("missing closing ]", start);
        self.copy(1);
        if self.rest.starts_with('^') {
            self.copy(1);
        }
        let mut first = true;
        loop {
            let c = self.rest.chars().next().ok_or_else(|| missing.clone())?;
            if c == ']' && !first {
                self.copy(1);
                return Ok(());
            }
            first = false;
            if self.rest.starts_with("[:")
                && let Some(end) = self.rest.find(":]")
            {
                let text = self.rest.get(..end + 2).unwrap_or("");
                let name = text.trim_matches(['[', ':', ']']);
                if !POSIX_CLASSES.contains(&name.strip_prefix('^').unwrap_or(name)) {
                    return Err(self.error("invalid character class range", text));
                }
                self.copy(end + 2);
                continue;
            }
            if c == '\\' {
                let next = self.rest.chars().nth(1).unwrap_or(' ');
                if let Some((set, negated)) = perl_class(next) {
                    if negated {
                        write!(self.out, "[^{set}]").unwrap_or_default();
                    } else {
                        self.out.push_str(set);
                    }
                    self.skip(2);
                    continue;
                }
                if matches!(next, 'p' | 'P') {
                    self.unicode_class()?;
                    continue;
                }
            }
            let range = self.rest;
            let low = self.class_char(&missing)?;
            let high = if self.rest.starts_with('-')
                && !self.rest.starts_with("-]")
                && self.rest.len() > 1
            {
                self.skip(1);
                self.class_char(&missing)?
            } else {
                low
            };
            if high < low {
                let text = range.get(..range.len() - self.rest.len()).unwrap_or("");
                return Err(self.error("invalid character class range", text));
            }
            self.literal(low);
            if high != low {
                self.out.push('-');
                self.literal(high);
            }
        }
    }

    fn class_char(&mut self, missing: &RegexpError) -> Result<char, RegexpError> {
        let c = self.rest.chars().next().ok_or_else(|| missing.clone())?;
        if c == '\\' {
            return self.escaped_char();
        }
        self.skip(c.len_utf8());
        Ok(c)
    }
}

/// The names that may stand in `[:name:]`.
const POSIX_CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// The ASCII members of `\d`, `\s` and `\w`, and whether the letter negates them.
fn perl_class(c: char) -> Option<(&'static str, bool)> {
    let set = match c.to_ascii_lowercase() {
        'd' => "0-9",
        's' => r"\t\n\f\r ",
        'w' => "0-9A-Za-z_",
        _ => return None,
    };
    Some((set, c.is_ascii_uppercase()))
}
