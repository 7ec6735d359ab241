//! Why a query has no answer.
//!
//! Texts are upstream's wherever upstream has one, because clients match on them. What went wrong
//! in the store or with the query's budget comes from the ports unchanged.

use masthead_model::ErrorClass;
use masthead_ports::QueryError;

use super::{LABEL_BYTES_MAX, grid::STEPS_MAX};
use crate::{ParseErrors, ast::DurationError};

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not a query.
    #[error(transparent)]
    Parse(#[from] ParseErrors),
    /// The budget, the deadline, the caller or the store.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A duration that has no value.
    #[error(transparent)]
    Duration(#[from] DurationError),
    /// Range queries answer with series of numbers only.
    #[error(
        "invalid expression type \"{found}\" for range query, must be Scalar or instant Vector"
    )]
    RangeQueryType {
        /// What the expression evaluates to.
        found: &'static str,
    },
    /// A range query that never gets from its start to its end.
    #[error(
        "zero or negative query resolution step widths are not accepted. Try a positive integer"
    )]
    Step,
    /// Switched off by [`crate::EngineOptions::at_modifier`].
    #[error("@ modifier is disabled")]
    AtModifierDisabled,
    /// Switched off by [`crate::EngineOptions::negative_offset`].
    #[error("negative offset is disabled")]
    NegativeOffsetDisabled,
    /// More instants than any query can pay for.
    #[error(
        "a subquery or the query has more than {STEPS_MAX} steps, which no flag raises; use a shorter range or a larger step"
    )]
    TooManySteps,
    /// Labels that grow from call to call.
    #[error(
        "label_replace, label_join or group_left make more than {LABEL_BYTES_MAX} bytes of label values; make shorter ones, or select fewer series"
    )]
    LabelBytes,
    /// Two series became one.
    #[error("vector cannot contain metrics with the same labelset")]
    SameLabelset,
    /// The query is well-formed but cannot be carried out on these series; the text says why.
    #[error("{0}")]
    Execution(String),
}

impl Error {
    /// Whose fault it is.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Parse(_)
            | Self::Duration(_)
            | Self::RangeQueryType { .. }
            | Self::Step
            | Self::AtModifierDisabled
            | Self::NegativeOffsetDisabled => ErrorClass::BadInput,
            Self::Query(error) => error.class(),
            Self::TooManySteps | Self::LabelBytes => ErrorClass::Limit,
            Self::SameLabelset | Self::Execution(_) => ErrorClass::Unexecutable,
        }
    }

    /// An execution error with this text.
    pub(crate) fn execution(text: impl Into<String>) -> Self {
        Self::Execution(text.into())
    }
}
