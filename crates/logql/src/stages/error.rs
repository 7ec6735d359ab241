//! Why a stage could not be made; Loki's texts, which the parser prints behind the stage's own.

/// Why a stage could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StageError(String);

impl StageError {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}
