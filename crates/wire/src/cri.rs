//! Lines of container logs as the Kubernetes runtime interface writes them.
//!
//! ```text
//! 2016-10-06T00:17:09.669794202Z stdout F the line
//!                                │      └ F ends a line, P says that the next one goes on; more
//!                                │        tags may follow after a colon
//!                                └ or stderr
//! ```
//!
//! Facts: kubernetes/design-proposals-archive, "CRI: Log management for container stdout/stderr
//! streams".

use masthead_model::Nanos;

use crate::rfc3339;

/// One line of a container's log file, without its newline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CriLine<'a> {
    /// When the runtime read it; nothing if that is not said in RFC 3339.
    pub timestamp: Option<Nanos>,
    /// `stdout` or `stderr`.
    pub stream: CriStream,
    /// Whether the line goes on in the next one of the same stream.
    pub partial: bool,
    /// What the container wrote, any bytes.
    pub content: &'a [u8],
}

/// Where a container wrote a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CriStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl CriStream {
    /// The word in the file, which is also the value of the label `stream`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

impl<'a> CriLine<'a> {
    /// Reads a line; nothing if it is not one of this form.
    ///
    /// As in Promtail, whose stage `cri` is a regular expression, any word is taken as the time and
    /// any as the tags; what is no `P` ends a line.
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let (time, rest) = word(line)?;
        let timestamp = rfc3339::parse(time);
        let (stream, rest) = word(rest)?;
        let stream = match stream {
            b"stdout" => CriStream::Stdout,
            b"stderr" => CriStream::Stderr,
            _ => return None,
        };
        let (tags, content) = match word(rest) {
            Some(found) => found,
            // An empty line may have lost its last space.
            None if timestamp.is_some() && matches!(rest, b"F" | b"P") => (rest, &[][..]),
            None => return None,
        };
        let partial = matches!(tags, [b'P'] | [b'P', b':', ..]);
        Some(Self { timestamp, stream, partial, content })
    }
}

/// The word before the first space, and what follows that.
fn word(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b' ', bytes)?;
    let word = bytes.get(..end).filter(|word| !word.is_empty())?;
    // Go's `\S`.
    if word.iter().any(|byte| matches!(byte, b'\t' | b'\n' | 0x0c | b'\r')) {
        return None;
    }
    Some((word, bytes.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_of_both_streams_whole_and_partial() {
        let f = |line: &str, want: Option<(CriStream, bool, &str)>| {
            let got = CriLine::parse(line.as_bytes());
            let got = got.map(|l| (l.stream, l.partial, str::from_utf8(l.content).unwrap()));
            assert_eq!(got, want, "{line:?}");
        };
        let out = CriStream::Stdout;
        f("2016-10-06T00:17:09.669794202Z stdout F a b", Some((out, false, "a b")));
        f("2016-10-06T00:17:09Z stderr P x", Some((CriStream::Stderr, true, "x")));
        f("2016-10-06T00:17:09+02:00 stdout F:tag  x", Some((out, false, " x")));
        f("2016-10-06T00:17:09Z stdout F ", Some((out, false, "")));
        f("2016-10-06T00:17:09Z stdout F", Some((out, false, "")));
        f("2016-10-06T00:17:09Z stdout X a", Some((out, false, "a")));
        f("2016-10-06T00:17:09Z stdout X", None);
        f("2016-10-06T00:17:09Z stdin F a", None);
        f("yesterday stdout F a", Some((out, false, "a")));
        f("yesterday stdout F", None);
        f("it\twas stdout F a", None);
        f(" stdout F a", None);
        f("t stdout  a", None);
        f("", None);
        let line = CriLine::parse(b"2016-10-06T00:17:09.5Z stdout F \xff");
        let line = line.expect("any bytes");
        assert_eq!(line.timestamp, Some(Nanos(1_475_713_029_500_000_000)));
        assert_eq!(CriLine::parse(b"yesterday stdout F a").expect("a line").timestamp, None);
        assert_eq!(line.content, b"\xff");
        assert_eq!((out.as_str(), CriStream::Stderr.as_str()), ("stdout", "stderr"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            if let Some(line) = CriLine::parse(&bytes) {
                prop_assert!(line.content.len() < bytes.len());
            }
        }
    }
}
