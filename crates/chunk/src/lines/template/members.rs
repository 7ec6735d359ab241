//! Which pieces of a skeleton are needed of lines that are JSON objects.
//!
//! A skeleton that is an object for sure, whatever its variables are, can be cut down to the members
//! that somebody asks for: whoever reads those members finds in what is left what they would have
//! found in the whole, and the columns of all others are not even decompressed. So the grammar
//! here is stricter than that of any reader, and what it does not understand stays whole: a key
//! with a variable in it, a token that may start with a letter, anything behind the last brace.

use std::ops::Range;

use super::{MARKS_END, Mark};

/// Objects and arrays nested deeper stay as they are.
const DEPTH_MAX: usize = 32;

/// What is left of a skeleton.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reduced {
    /// The members that are needed, in their order: places in the skeleton.
    pub(super) members: Vec<Range<usize>>,
    /// Marks, by their number in the skeleton, of which every value must start with a digit:
    /// numbers stand there.
    pub(super) numbers: Vec<usize>,
}

/// Cuts a skeleton down to the members that can become one of the labels `names`; none if it is
/// not an object for sure.
pub(super) fn reduce(skeleton: &[u8], names: &[Box<str>]) -> Option<Reduced> {
    let mut walk = Walk { bytes: skeleton, at: 0, marks: 0, reduced: Reduced::default() };
    // One that begins with blanks is none for those who look at the first byte.
    walk.object(Some(names), 0)?;
    walk.blanks();
    (walk.at == skeleton.len()).then_some(walk.reduced)
}

/// Where the value of a label stands that is made of a member.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// No member can become it.
    Nowhere,
    /// Here in the skeleton, for sure.
    At(Range<usize>),
    /// Several members might become it, or how one does is not known.
    Unknown,
}

/// Finds in a skeleton what becomes the label `name`, of which the first member counts; says also
/// which marks must start with digits, as [`Reduced::numbers`] does. None if it is not an object
/// for sure.
pub(super) fn find(skeleton: &[u8], name: &str) -> Option<(Place, Vec<usize>)> {
    let Reduced { members, numbers } = reduce(skeleton, &[name.into()])?;
    let Some(member) = members.first() else { return Some((Place::Nowhere, numbers)) };
    let text = skeleton.get(member.clone()).unwrap_or_default();
    let value = text
        .strip_prefix(b"\"")
        .and_then(|text| text.strip_prefix(name.as_bytes()))
        .and_then(|text| text.strip_prefix(b"\""))
        .map(<[u8]>::trim_ascii_start)
        .and_then(|text| text.strip_prefix(b":"))
        .map(<[u8]>::trim_ascii_start);
    let place =
        value.map_or(Place::Unknown, |value| Place::At(member.end - value.len()..member.end));
    Some((place, numbers))
}

/// Whether a member of this key can become one of the labels, itself or by what is nested in it.
/// Readers clean keys: what is no letter, digit or `_` becomes `_`, and a digit at the start gets
/// one in front.
fn can_become(key: &[u8], names: &[Box<str>]) -> bool {
    let plain = key.first().is_some_and(u8::is_ascii_alphabetic)
        && key.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    !plain
        || names.iter().any(|name| {
            let rest = name.as_bytes().strip_prefix(key);
            rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'_')))
        })
}

struct Walk<'s> {
    bytes: &'s [u8],
    at: usize,
    /// Marks before `at`.
    marks: usize,
    reduced: Reduced,
}

impl Walk<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// An object; of the outermost, members are looked at.
    fn object(&mut self, names: Option<&[Box<str>]>, depth: usize) -> Option<()> {
        self.take(b'{')?;
        self.blanks();
        if self.peek()? == b'}' {
            return self.take(b'}');
        }
        loop {
            let start = self.at;
            self.take(b'"')?;
            let key = self.fixed_until_quote()?;
            self.blanks();
            self.take(b':')?;
            self.blanks();
            self.value(depth)?;
            if let Some(names) = names
                && self.bytes.get(key).is_some_and(|key| can_become(key, names))
            {
                self.reduced.members.push(start..self.at);
            }
            if self.ends(b'}')? {
                return Some(());
            }
        }
    }

    /// Goes on behind a comma; says whether it was the closing bracket instead.
    fn ends(&mut self, close: u8) -> Option<bool> {
        self.blanks();
        let byte = self.peek()?;
        self.at += 1;
        self.blanks();
        match byte {
            b',' => Some(false),
            byte if byte == close => Some(true),
            _ => None,
        }
    }

    /// Text without variables and backslashes, up to a quote, which is taken.
    fn fixed_until_quote(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => return None,
                byte if byte < MARKS_END => return None,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(start..self.at - 1)
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'"' => {
                self.at += 1;
                // What the encoder nests ends where the reader of JSON sees the string end.
                if self.peek()? == Mark::Nested as u8 {
                    (self.at, self.marks) = (self.at + 1, self.marks + 1);
                    return self.take(b'"');
                }
                self.fixed_until_quote().map(drop)
            }
            b'{' if depth < DEPTH_MAX => self.object(None, depth + 1),
            b'[' if depth < DEPTH_MAX => {
                self.at += 1;
                self.blanks();
                if self.peek()? == b']' {
                    return self.take(b']');
                }
                loop {
                    self.value(depth + 1)?;
                    if self.ends(b']')? {
                        return Some(());
                    }
                }
            }
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        let rest = self.bytes.get(self.at..)?.strip_prefix(word)?;
        self.at += word.len();
        rest.first().is_some_and(|byte| ends_token(*byte)).then_some(())
    }

    /// What starts with a digit or a minus, whatever it goes on with: readers take it for a number.
    fn number(&mut self) -> Option<()> {
        let start = self.at;
        loop {
            let byte = self.peek()?;
            if ends_token(byte) {
                return (self.at > start).then_some(());
            }
            let mark = Mark::of(byte);
            let first = self.at == start;
            match mark {
                Some(Mark::Mixed) if first => self.reduced.numbers.push(self.marks),
                Some(Mark::Number) => {}
                Some(Mark::Mixed) if !first => {}
                None if byte.is_ascii_digit() || byte == b'-' => {}
                None if !first && (byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'+')) => {}
                _ => return None,
            }
            self.marks += usize::from(mark.is_some());
            self.at += 1;
        }
    }
}

fn ends_token(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b',' | b'}' | b']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_nobody_needs_are_left_out() {
        let f = |skeleton: &str, want: Option<&[&str]>| {
            let names: Vec<Box<str>> = ["level".into(), "a_b".into()].into();
            let got = reduce(skeleton.as_bytes(), &names);
            let texts = got.map(|got| got.members.into_iter().map(|m| &skeleton[m]).collect());
            assert_eq!(texts, want.map(<[&str]>::to_vec), "{skeleton:?}");
        };
        f("{}", Some(&[]));
        f("{\"x\":\"\x04\",\"level\":\"\x04\"}", Some(&["\"level\":\"\x04\""]));
        f("{ \"level\" : \"up\" , \"x\" : true } ", Some(&["\"level\" : \"up\""]));
        f("{\"level\":\x01,\"level\":-\x02}", Some(&["\"level\":\x01", "\"level\":-\x02"]));
        f(
            "{\"a\":{\"b\":\x01,\"c\":[1,{\"d\":null}]}}",
            Some(&["\"a\":{\"b\":\x01,\"c\":[1,{\"d\":null}]}"]),
        );
        f("{\"levels\":1,\"lev\":2,\"b\":[],\"x\":{}}", Some(&[]));
        // Cleaned, these could be anything.
        f(
            "{\"a b\":1,\"\":2,\"1\":3,\"_x\":4}",
            Some(&["\"a b\":1", "\"\":2", "\"1\":3", "\"_x\":4"]),
        );
        f("{\"x\":\x01e-\x01}", Some(&[]));
        for other in [
            "",
            "{",
            "{\"x\"}",
            "{\"x\":}",
            "{\"x\":1,}",
            "{\"x\":1}y",
            "[1]",
            "x {\"level\":1}",
            " {\"level\":1}",
            "{\"x\x01\":1}",
            "{\"x\\n\":1}",
            "{\"x\":\"a\\\"\"}",
            "{\"x\":\"a\x01\"}",
            "{\"x\":up}",
            "{\"x\":\x03}",
            "{\"x\":\x06}",
            "{\"x\":\x04}",
            "{\"x\":truer}",
            "\x05",
            "{x:1}",
            "{\"x\":\"\x04\"y}",
            "{\"x\":[1}",
            "{\"x\":{\"y\":1]}",
        ] {
            f(other, None);
        }
    }

    #[test]
    fn what_must_be_a_number_is_told() {
        let reduced = reduce(b"{\"a\":\x02,\"b\":\"\x04\",\"c\":-\x02,\"d\":[\x02]}", &[]);
        assert_eq!(reduced.map(|reduced| reduced.numbers), Some(vec![0, 3]));
    }

    #[test]
    fn the_first_member_that_can_become_a_label_is_found() {
        let f = |skeleton: &str, want: Option<Result<&str, Place>>| {
            let found = find(skeleton.as_bytes(), "a_b").map(|(place, _)| match place {
                Place::At(at) => Ok(&skeleton[at]),
                other => Err(other),
            });
            assert_eq!(found, want, "{skeleton:?}");
        };
        f("{\"x\":1,\"a_b\" : \x01,\"a_b\":2}", Some(Ok("\x01")));
        f("{\"a_b\":\"\x04\"}", Some(Ok("\"\x04\"")));
        f("{\"x\":1,\"a_bc\":2}", Some(Err(Place::Nowhere)));
        // Each of these may come first, or become it as well.
        f("{\"a-b\":1,\"a_b\":2}", Some(Err(Place::Unknown)));
        f("{\"a\":{\"b\":3},\"a_b\":2}", Some(Err(Place::Unknown)));
        f("{\"a_b\":2} x", None);
    }

    #[test]
    fn what_is_nested_too_deeply_stays_whole() {
        let nested = |depth| format!("{{\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(reduce(nested(DEPTH_MAX).as_bytes(), &[]).is_some());
        assert_eq!(reduce(nested(DEPTH_MAX + 1).as_bytes(), &[]), None);
    }
}
