//! What can be wrong with a column, on the way in and on the way out.

use masthead_model::{ErrorClass, HistogramError};

/// Why a column cannot be encoded or decoded.
///
/// Offsets are bytes from the start of the column.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes end inside the column.
    #[error("column is cut at byte {offset}, inside {what}")]
    Truncated {
        /// What was being read.
        what: &'static str,
        /// Where the bytes end.
        offset: usize,
    },
    /// The bytes are not what an encoder writes.
    #[error("corrupt {what} at byte {offset} of the column")]
    Corrupt {
        /// What was being read.
        what: &'static str,
        /// Where it starts.
        offset: usize,
    },
    /// The tag names a newer version of the format, or nothing at all.
    #[error("tag {tag:#04x} is no encoding of {kind}; written by a newer version, or corrupt")]
    UnknownEncoding {
        /// What the column should hold.
        kind: &'static str,
        /// The first byte of the column, or of the column inside it.
        tag: u8,
    },
    /// More values than a column may hold.
    #[error("{count} {what} in one column, more than {limit}; split the column")]
    TooMany {
        /// What was counted.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Timestamps must rise strictly.
    #[error("timestamp number {index} is not later than the one before it")]
    TimesNotRising {
        /// The first offender, counted from 0 within the column.
        index: usize,
    },
    /// Spans and bucket counts of a histogram disagree.
    #[error("histogram number {index} of the column cannot be stored")]
    Histogram {
        /// The histogram, counted from 0 within the column.
        index: usize,
        /// The rule that it breaks.
        #[source]
        source: HistogramError,
    },
}

impl Error {
    /// Whose fault it is.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Truncated { .. } | Self::Corrupt { .. } | Self::UnknownEncoding { .. } => {
                ErrorClass::Corrupt
            }
            Self::TooMany { .. } => ErrorClass::Limit,
            Self::TimesNotRising { .. } | Self::Histogram { .. } => ErrorClass::BadInput,
        }
    }
}
