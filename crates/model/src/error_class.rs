//! Whose fault an error is, in words that every floor shares.
//!
//! Each crate's `Error` answers `class()`; only `http-api` turns a class into a status code, with
//! one match that has no catch-all arm, so that a new class cannot slip through as a 500.

/// Whose fault an error is and what the caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The request itself is wrong: a syntax error, a missing or malformed parameter.
    BadInput,
    /// The request is well-formed but cannot be carried out, such as a many-to-many match.
    Unexecutable,
    /// What was asked for does not exist.
    NotFound,
    /// A named limit stopped it; the message names the limit and its flag.
    Limit,
    /// More bytes than the limit for one body.
    TooLarge,
    /// Too many requests at once or per second; trying again later can help.
    RateLimited,
    /// The deadline passed.
    Timeout,
    /// The caller went away or asked to stop.
    Cancelled,
    /// The server cannot do this now: disk full, shutting down, not ready yet.
    Unavailable,
    /// Bytes on disk are not what was written.
    Corrupt,
    /// The caller is not known.
    Unauthenticated,
    /// The caller is known and may not do this.
    Forbidden,
    /// A fault of this program.
    Internal,
}

impl ErrorClass {
    /// Whether the same request can succeed later without being changed.
    pub fn is_retryable(self) -> bool {
        match self {
            Self::RateLimited | Self::Timeout | Self::Unavailable => true,
            Self::BadInput
            | Self::Unexecutable
            | Self::NotFound
            | Self::Limit
            | Self::TooLarge
            | Self::Cancelled
            | Self::Corrupt
            | Self::Unauthenticated
            | Self::Forbidden
            | Self::Internal => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_time_can_mend_is_retryable() {
        assert!(ErrorClass::Unavailable.is_retryable());
        assert!(ErrorClass::RateLimited.is_retryable());
        assert!(!ErrorClass::BadInput.is_retryable());
        assert!(!ErrorClass::Corrupt.is_retryable());
    }
}
