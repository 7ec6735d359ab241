//! Why bytes were refused.

use std::fmt;

use masthead_model::{ErrorClass, HistogramError};

/// Why bytes were refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Exposition text that does not parse; the text is Prometheus' own.
    #[error("{message}")]
    Exposition {
        /// What was expected, what was found, and the line so far.
        message: String,
        /// Bytes from the start of the body.
        offset: usize,
    },
    /// Bytes that are not the protobuf message that they should be.
    #[error("{message}: {what} at byte {offset} of the message")]
    Proto {
        /// The message's name.
        message: &'static str,
        /// What is wrong.
        what: &'static str,
        /// Bytes from the start of that message.
        offset: usize,
    },
    /// A well-formed message with content that makes no sense.
    #[error("{0}")]
    Content(String),
    /// A file whose bytes are not what was written: cut, or with a checksum that does not fit.
    #[error("corrupt {what} at byte {offset}")]
    Damaged {
        /// Which part of it.
        what: &'static str,
        /// Bytes from the start of the file.
        offset: usize,
    },
    /// A native histogram that cannot be.
    #[error(transparent)]
    Histogram(#[from] HistogramError),
    /// Bytes that are not in snappy's block format.
    #[error("snappy: {0}")]
    Snappy(String),
    /// A body that is not JSON of the right shape.
    #[error("json: {0}")]
    Json(String),
    /// A Content-Type that chooses no parser; the text is Prometheus' own.
    #[error("{0}")]
    ContentType(String),
    /// A limit that the bytes exceed.
    #[error("{subject} has {got} {}, more than the limit of {max} ({limit})", limit.unit())]
    Limit {
        /// Which limit.
        limit: LimitKind,
        /// What the bytes have.
        got: usize,
        /// What is allowed.
        max: usize,
        /// What exceeds it.
        subject: String,
    },
}

/// The limits of [`Limits`](crate::Limits), by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LimitKind {
    /// `body_bytes`
    BodyBytes,
    /// `series`
    Series,
    /// What stands beside the series; the same for everyone.
    Items,
    /// `labels`
    Labels,
    /// `label_name_bytes`
    LabelNameBytes,
    /// `label_value_bytes`
    LabelValueBytes,
}

impl LimitKind {
    fn unit(self) -> &'static str {
        match self {
            Self::BodyBytes | Self::LabelNameBytes | Self::LabelValueBytes => "bytes",
            Self::Series => "series",
            Self::Items => "items",
            Self::Labels => "labels",
        }
    }
}

/// The name of the field in [`Limits`](crate::Limits).
impl fmt::Display for LimitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BodyBytes => "body_bytes",
            Self::Series => "series",
            Self::Items => "items, fixed",
            Self::Labels => "labels",
            Self::LabelNameBytes => "label_name_bytes",
            Self::LabelValueBytes => "label_value_bytes",
        })
    }
}

impl Error {
    /// Whose fault it is; the sender's, with too much told apart from wrong, but for a file that
    /// has rotted.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Limit { limit: LimitKind::BodyBytes, .. } => ErrorClass::TooLarge,
            Self::Limit { .. } => ErrorClass::Limit,
            Self::Damaged { .. } => ErrorClass::Corrupt,
            Self::Exposition { .. }
            | Self::Proto { .. }
            | Self::Content(_)
            | Self::Histogram(_)
            | Self::Snappy(_)
            | Self::Json(_)
            | Self::ContentType(_) => ErrorClass::BadInput,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_large_is_told_apart_from_too_many_and_from_wrong() {
        let limit = |limit| Error::Limit { limit, got: 2, max: 1, subject: String::new() }.class();
        assert_eq!(limit(LimitKind::BodyBytes), ErrorClass::TooLarge);
        assert_eq!(limit(LimitKind::Labels), ErrorClass::Limit);
        assert_eq!(Error::Content(String::new()).class(), ErrorClass::BadInput);
    }
}
