//! Text in pieces that can be parsed one by one: whole lines, at family bounds where possible.
//!
//! ```text
//! …, lines of family f │ # TYPE g …, lines of g, half of a line
//!                      └ cut here; without such a place, at the end of the last whole line,
//!                        and the next piece begins with a copy of the `# TYPE` line
//! ```
//!
//! A piece ends with `# EOF`, its own or one that is added, so that a parser of whole bodies takes
//! it. Only the last piece has its own; one that comes earlier is an error, as it should be.

use std::io::{ErrorKind, Read};

use crate::{Error, Result};

/// Bytes that are parsed at a time.
const PIECE_BYTES: usize = 4 << 20;
/// Longest line.
const LINE_BYTES_MAX: usize = 16 << 20;
const EOF: &[u8] = b"# EOF\n";
const TYPE: &[u8] = b"# TYPE ";

/// Cuts text into pieces.
#[derive(Debug)]
pub(super) struct Pieces<R> {
    input: R,
    piece_bytes: usize,
    /// Read and not yet handed out.
    rest: Vec<u8>,
    /// The line that says what the rest of a family is.
    family: Vec<u8>,
    ended: bool,
    /// Lines handed out.
    lines: u64,
    /// Bytes read.
    pub(super) bytes: u64,
}

/// Whole lines, the last of them `# EOF`.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) body: Vec<u8>,
    /// Lines of the input in front of the first line of `body` that is of the input.
    pub(super) lines_before: u64,
    /// Lines at the beginning of `body` that are repeated from an earlier piece.
    pub(super) repeated: u64,
}

impl<R: Read> Pieces<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            piece_bytes: PIECE_BYTES,
            rest: Vec::new(),
            family: Vec::new(),
            ended: false,
            lines: 0,
            bytes: 0,
        }
    }

    /// Puts the next piece into `piece`; returns whether there was one.
    pub(super) fn next(&mut self, piece: &mut Piece) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let end = self.fill()?;
        piece.body.clear();
        (piece.repeated, piece.lines_before) = (0, self.lines);
        if !self.rest.starts_with(b"#") && !self.family.is_empty() {
            piece.body.extend_from_slice(&self.family);
            piece.repeated = 1;
        }
        let Some(end) = end else {
            // The parser says what is missing if this does not end as it should.
            self.ended = true;
            piece.body.append(&mut self.rest);
            return Ok(true);
        };
        let lines = self.rest.get(..end).unwrap_or_default();
        piece.body.extend_from_slice(lines);
        piece.body.extend_from_slice(EOF);
        self.lines += memchr::memchr_iter(b'\n', lines).count() as u64;
        if let Some(line) = last_type(lines) {
            self.family.clear();
            self.family.extend_from_slice(line);
        }
        self.rest.drain(..end);
        Ok(true)
    }

    /// Reads until there is a piece and something after it, and says where to cut; nothing at the
    /// end of the input.
    fn fill(&mut self) -> Result<Option<usize>> {
        loop {
            if self.rest.len() > self.piece_bytes {
                // Something must stay, so that the last piece has the `# EOF`.
                let lines = self.rest.get(..self.rest.len() - 1).unwrap_or_default();
                let half = lines.len() / 2;
                let family = memchr::memmem::rfind(lines.get(half..).unwrap_or_default(), b"\n# ");
                let cut = family.map(|at| half + at).or_else(|| memchr::memrchr(b'\n', lines));
                if let Some(cut) = cut {
                    return Ok(Some(cut + 1));
                }
                if self.rest.len() > LINE_BYTES_MAX {
                    let limit = LINE_BYTES_MAX as u64;
                    let (what, found) = ("bytes of one line", self.rest.len() as u64);
                    return Err(Error::Limit { what, found, limit });
                }
            }
            let before = self.rest.len();
            // More each time, because a long line is searched from its beginning again.
            self.rest.resize(before + before.max(self.piece_bytes / 2 + 1), 0);
            let buffer = self.rest.get_mut(before..).unwrap_or_default();
            let read = match self.input.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => 0,
                Err(error) => return Err(Error::Read(error)),
                Ok(0) => {
                    self.rest.truncate(before);
                    return Ok(None);
                }
                Ok(read) => read,
            };
            self.rest.truncate(before + read);
            self.bytes += read as u64;
        }
    }
}

/// The last line of whole lines that says what a family is.
fn last_type(lines: &[u8]) -> Option<&[u8]> {
    let at = match memchr::memmem::rfind(lines, b"\n# TYPE ") {
        Some(at) => at + 1,
        None if lines.starts_with(TYPE) => 0,
        None => return None,
    };
    let line = lines.get(at..)?;
    line.get(..=memchr::memchr(b'\n', line)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str, piece_bytes: usize) -> Vec<(String, u64, u64)> {
        let mut pieces = Pieces { piece_bytes, ..Pieces::new(text.as_bytes()) };
        let mut piece = Piece::default();
        let mut all = Vec::new();
        while pieces.next(&mut piece).unwrap() {
            let body = String::from_utf8(piece.body.clone()).unwrap();
            all.push((body, piece.lines_before, piece.repeated));
        }
        all
    }

    #[test]
    fn one_piece_is_the_text_itself() {
        let text = "# TYPE a gauge\na 1 1\n# EOF\n";
        assert_eq!(pieces(text, 1000), [(text.to_owned(), 0, 0)]);
        assert_eq!(pieces("", 1000), [(String::new(), 0, 0)]);
        assert_eq!(pieces("a 1", 2), [("a 1".to_owned(), 0, 0)]);
    }

    #[test]
    fn cut_anywhere_the_lines_are_the_same_and_each_piece_knows_its_family() {
        let text = "# TYPE a gauge\na 1 1\na 2 2\na 3 3\n# TYPE b gauge\nb 1 1\n# EOF\n";
        for piece_bytes in 1..text.len() + 2 {
            let mut lines = Vec::new();
            let pieces = pieces(text, piece_bytes);
            let last = pieces.len() - 1;
            for (at, (body, before, repeated)) in pieces.iter().enumerate() {
                assert_eq!(*before, lines.len() as u64, "{piece_bytes}");
                let mut found: Vec<&str> = body.lines().collect();
                assert_eq!(found.last(), Some(&"# EOF"), "{piece_bytes}");
                if at < last {
                    found.pop();
                }
                if *repeated == 1 {
                    let family = found[1].split(' ').next().unwrap();
                    assert_eq!(found[0], format!("# TYPE {family} gauge"), "{piece_bytes}");
                    found.remove(0);
                }
                lines.extend(found.into_iter().map(str::to_owned));
            }
            assert_eq!(lines, text.lines().collect::<Vec<_>>(), "{piece_bytes}");
        }
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut pieces = Pieces { piece_bytes: 10, ..Pieces::new(std::io::repeat(b'a')) };
        let error = pieces.next(&mut Piece::default()).unwrap_err();
        assert!(error.to_string().starts_with("bytes of one line: "), "{error}");
    }
}
