//! Bytes of a pipe into lines of bounded length.
//!
//! A line longer than [`LINE_BYTES_MAX`] is cut and marked; what follows up to its newline is
//! dropped, never held. Bytes that are not UTF-8 are replaced, never an error.

use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    sync::mpsc,
};

/// The longest line kept, in bytes without its newline.
pub(crate) const LINE_BYTES_MAX: usize = 256 * 1024;

/// Which of a process's two outputs a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// One line without its newline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub stream: Stream,
    pub text: String,
    /// The line was longer than [`LINE_BYTES_MAX`] and `text` is its beginning.
    pub cut: bool,
}

/// Sends each line of `pipe` until the pipe ends or nobody receives any more.
pub(crate) async fn forward(
    mut pipe: impl AsyncRead + Unpin,
    stream: Stream,
    lines: mpsc::Sender<Line>,
) {
    let mut splitter = Splitter::new(stream, LINE_BYTES_MAX);
    let mut buffer = vec![0; 16 * 1024];
    // An error of a pipe's read end is its end: there is nothing more to be had from it.
    while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
        let mut rest = buffer.get(..count).unwrap_or_default();
        while let Some(line) = splitter.next_line(&mut rest) {
            if lines.send(line).await.is_err() {
                return;
            }
        }
    }
    if let Some(line) = splitter.last_line() {
        // The receiver may be gone; then nobody misses the line.
        drop(lines.send(line).await);
    }
}

/// Collects bytes until a newline.
#[derive(Debug)]
struct Splitter {
    stream: Stream,
    max: usize,
    held: Vec<u8>,
    cut: bool,
}

impl Splitter {
    fn new(stream: Stream, max: usize) -> Self {
        Self { stream, max, held: Vec::new(), cut: false }
    }

    /// Takes bytes from the front of `rest` up to and with the next newline; `None` when there is
    /// none, and then all bytes are taken.
    fn next_line(&mut self, rest: &mut &[u8]) -> Option<Line> {
        let end = rest.iter().position(|&byte| byte == b'\n');
        let (part, after) = match end {
            Some(end) => (rest.get(..end)?, rest.get(end + 1..)?),
            None => (*rest, <&[u8]>::default()),
        };
        let room = self.max - self.held.len();
        self.cut |= part.len() > room;
        self.held.extend_from_slice(part.get(..room).unwrap_or(part));
        *rest = after;
        end.map(|_| self.take())
    }

    /// The bytes after the last newline, if there are any.
    fn last_line(mut self) -> Option<Line> {
        (!self.held.is_empty()).then(|| self.take())
    }

    fn take(&mut self) -> Line {
        let held = std::mem::take(&mut self.held);
        let bytes = held.strip_suffix(b"\r").unwrap_or(&held);
        let text = String::from_utf8_lossy(bytes).into_owned();
        Line { stream: self.stream, text, cut: std::mem::take(&mut self.cut) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(chunks: &[&[u8]]) -> Vec<(String, bool)> {
        let mut splitter = Splitter::new(Stream::Stdout, 8);
        let mut lines = Vec::new();
        for mut rest in chunks.iter().copied() {
            while let Some(line) = splitter.next_line(&mut rest) {
                lines.push(line);
            }
            assert!(rest.is_empty());
        }
        lines.extend(splitter.last_line());
        lines.into_iter().map(|line| (line.text, line.cut)).collect()
    }

    #[test]
    fn lines_end_at_newlines_wherever_reads_do() {
        let f = |chunks: &[&[u8]], want: &[(&str, bool)]| {
            let want: Vec<_> = want.iter().map(|&(text, cut)| (text.to_owned(), cut)).collect();
            assert_eq!(split(chunks), want, "{chunks:?}");
        };
        f(&[b"a\nb\n"], &[("a", false), ("b", false)]);
        f(&[b"a", b"b", b"\n", b"c"], &[("ab", false), ("c", false)]);
        f(&[b"\n\n"], &[("", false), ("", false)]);
        f(&[b"a\r\n"], &[("a", false)]);
        f(&[], &[]);
        f(&[b"12345678\n"], &[("12345678", false)]);
        f(&[b"123456789\nx\n"], &[("12345678", true), ("x", false)]);
        f(&[b"12345678", b"9", b"0", b"\nx"], &[("12345678", true), ("x", false)]);
        f(&[b"\xff\xc3\n"], &[("\u{fffd}\u{fffd}", false)]);
    }
}
