//! Why a query has no answer; texts are Loki's where Loki has one.

use masthead_model::ErrorClass;
use masthead_ports::QueryError;

use crate::ParseError;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A stage of the query cannot be made.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// It ran too long, touched too much, was not wanted any more, or the store failed.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// Lines are asked for at one instant.
    #[error(
        "log queries are not supported as an instant query type, please change your query to a range query type"
    )]
    LogsAtInstant,
    /// A line that counts carries an error.
    #[error(
        "pipeline error: '{what}' for series: '{series}'.\n\
         Use a label filter to intentionally skip this error. (e.g | __error__!=\"{what}\").\n\
         To skip all potential errors you can match empty errors.(e.g __error__=\"\")\n\
         The label filter can also be specified after unwrap. (e.g | unwrap latency | __error__=\"\" )\n"
    )]
    Pipeline {
        /// Which error.
        what: String,
        /// The labels of the line.
        series: String,
    },
    /// More series than an answer may have.
    #[error(
        "maximum number of series ({limit}) reached for a single query; consider reducing query cardinality by adding more specific stream selectors, reducing the time range, or aggregating results with functions like sum(), count() or topk()"
    )]
    SeriesLimit {
        /// The limit in force.
        limit: usize,
    },
    /// Lines fall into more different label sets than memory is granted for.
    #[error(
        "the lines of this query have too many different labels: they and their series take more than {limit} bytes; drop labels with keep, drop or by, or see --logs.query.max-label-bytes"
    )]
    GroupBytes {
        /// The limit in force.
        limit: usize,
    },
    /// Lines that are too long together.
    #[error(
        "the lines of this answer take more than {limit} bytes with their labels; ask for fewer with limit, or make them shorter"
    )]
    AnswerBytes {
        /// The limit in force.
        limit: usize,
    },
    /// Series on one side of an operator that look the same to it.
    #[error(
        "found duplicate series on the {side} hand-side;many-to-many matching not allowed: matching labels must be unique on one side"
    )]
    Duplicate {
        /// Which side.
        side: &'static str,
    },
    /// Several series of one side find the same of the other.
    #[error(
        "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
    )]
    ManyToOne,
    /// Two results of an operator have the same labels.
    #[error("multiple matches for labels: grouping labels must ensure unique matches")]
    GroupingLabels,
    /// `approx_topk` over a range.
    #[error("count min sketches are only supported on instant queries")]
    ApproxTopk,
    /// A step of zero or less with more than one instant, or more instants than can be counted.
    #[error(
        "zero or negative query resolution step widths are not accepted. Try a positive integer"
    )]
    Step,
}

impl Error {
    /// Whose fault it is. Loki answers what is [`ErrorClass::Unexecutable`] with status 500, and
    /// what is [`ErrorClass::BadInput`] or [`ErrorClass::Limit`] with 400.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Parse(_) | Self::LogsAtInstant | Self::Pipeline { .. } | Self::Step => {
                ErrorClass::BadInput
            }
            Self::Query(error) => error.class(),
            Self::SeriesLimit { .. } | Self::GroupBytes { .. } | Self::AnswerBytes { .. } => {
                ErrorClass::Limit
            }
            Self::Duplicate { .. } | Self::ManyToOne | Self::GroupingLabels | Self::ApproxTopk => {
                ErrorClass::Unexecutable
            }
        }
    }
}
