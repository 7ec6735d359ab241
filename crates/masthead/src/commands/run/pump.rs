//! From a pipe of the command to our own output and, line by line, to the collector.
//!
//! Bytes are handed on as they are and at once, so that a prompt without a newline is seen. While the
//! collector or our reader takes nothing, nothing is read, and the command waits.

use masthead_tail::{LINE_BYTES_MAX, LineSource};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

const READ_BYTES: usize = 16 * 1024;

/// Carries everything until the pipe ends; or until nobody reads our output, and then the pipe is
/// closed, so that the command learns of it as it would without us.
pub(super) async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    lines: LineSource,
) {
    let mut buffer = vec![0; READ_BYTES];
    let mut held = Held::default();
    // An error of a pipe's read end is its end.
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let read = buffer.get(..count).unwrap_or_default();
        let shown = to.write_all(read).await.is_ok() && to.flush().await.is_ok();
        for part in read.split_inclusive(|byte| *byte == b'\n') {
            if let Some(line) = held.add(part) {
                // The collector ends after us; if it has, only the line's copy is lost.
                lines.send(&line).await.unwrap_or_default();
            }
        }
        if !shown {
            return;
        }
    }
    if let Some(line) = held.last() {
        lines.send(&line).await.unwrap_or_default();
    }
}

/// The beginning of a line: one byte more than is kept, so that the collector sees that it is cut.
#[derive(Debug, Default)]
struct Held(Vec<u8>);

impl Held {
    /// Takes a part that ends with a newline or at the end of what was read.
    fn add(&mut self, part: &[u8]) -> Option<Vec<u8>> {
        let (part, whole) = match part.strip_suffix(b"\n") {
            Some(part) => (part, true),
            None => (part, false),
        };
        let room = (LINE_BYTES_MAX + 1).saturating_sub(self.0.len());
        self.0.extend_from_slice(part.get(..room).unwrap_or(part));
        whole.then(|| {
            let mut line = std::mem::take(&mut self.0);
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            line
        })
    }

    /// What came after the last newline.
    fn last(self) -> Option<Vec<u8>> {
        (!self.0.is_empty()).then_some(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_newlines_wherever_reads_do() {
        let mut held = Held::default();
        let mut lines = Vec::new();
        for read in ["a\nb", "c", "\r\n\nlast"] {
            lines.extend(
                read.as_bytes().split_inclusive(|b| *b == b'\n').filter_map(|p| held.add(p)),
            );
        }
        assert_eq!(lines, [b"a".to_vec(), b"bc".to_vec(), Vec::new()]);
        assert_eq!(held.last(), Some(b"last".to_vec()));
    }

    #[test]
    fn a_line_without_an_end_takes_no_more_than_its_limit() {
        let mut held = Held::default();
        for _ in 0..40 {
            assert_eq!(held.add(&[b'x'; READ_BYTES]), None);
        }
        assert_eq!(held.add(b"\n").map(|line| line.len()), Some(LINE_BYTES_MAX + 1));
        assert_eq!(held.add(b"next\n"), Some(b"next".to_vec()));
    }
}
