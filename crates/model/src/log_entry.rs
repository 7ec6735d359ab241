//! One line of a log stream.

use crate::{Labels, Nanos};

/// A log line with its time and the labels that belong to the line rather than to its stream.
///
/// The line is bytes, not text: what was pushed must come back unchanged, and logs do contain
/// invalid UTF-8. Only the edge that writes JSON replaces such bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogEntry {
    /// When the line was written.
    pub timestamp: Nanos,
    /// The line without its newline.
    pub line: Vec<u8>,
    /// Structured metadata; empty for most lines.
    pub structured_metadata: Labels,
}

impl LogEntry {
    /// An entry without structured metadata.
    pub fn new(timestamp: Nanos, line: impl Into<Vec<u8>>) -> Self {
        Self { timestamp, line: line.into(), structured_metadata: Labels::default() }
    }

    /// Bytes that this entry counts for against limits: the line and its metadata's text.
    pub fn byte_len(&self) -> usize {
        let metadata: usize =
            self.structured_metadata.iter().map(|l| l.name.len() + l.value.len()).sum();
        self.line.len() + metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_counts_line_and_metadata() {
        let mut entry = LogEntry::new(Nanos(1), &b"abc\xff"[..]);
        assert_eq!(entry.byte_len(), 4);
        entry.structured_metadata = [("id", "1234")].into_iter().collect();
        assert_eq!(entry.byte_len(), 10);
    }
}
