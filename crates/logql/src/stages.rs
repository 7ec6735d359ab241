//! Pipeline stages: what stands between `{…}` and the result, one pure function of one line each.
//!
//! A stage reads and changes a [`Line`] and says whether it stays ([`Keep`]). It never sees the
//! stream, the store or the query; what later stages and the result need of its labels it is told
//! by the line's [`Needed`]. One line after the other goes through the same [`Line`] value, so that
//! nothing is allocated per line.
//!
//! A line is bytes and need not be UTF-8; so are the values of parsed labels. Names are text.
//!
//! One file per stage under `stages/`, its row in `stages/table.rs`; the state they share is
//! `stages/line.rs` and `stages/needed.rs`. The rules are those of Loki's `pkg/logql/log`.

use std::fmt::Debug;

mod decolorize;
mod drop;
mod error;
mod extract;
mod ip;
mod json;
mod json_expressions;
mod keep;
mod label_filter;
mod label_format;
mod label_regexp;
mod labels;
pub mod level;
mod line;
mod line_filter;
mod line_format;
mod logfmt;
mod logfmt_expressions;
mod needed;
mod pattern;
mod pattern_filter;
mod regexp;
mod table;
mod template_data;
mod unpack;
mod unwrap;

pub use decolorize::Decolorize;
pub use drop::DropLabels;
pub use error::StageError;
pub use json::Json;
pub use json_expressions::JsonExpressions;
pub use keep::KeepLabels;
pub use label_filter::{CompareOp, LabelFilter};
pub use label_format::{LabelFormat, LabelSource};
pub use labels::LabelRef;
pub use line::{Group, LabelView, Line};
pub use line_filter::{LineFilter, LineOp, LineOperand};
pub use line_format::LineFormat;
pub use logfmt::{Logfmt, LogfmtFlags};
pub use logfmt_expressions::LogfmtExpressions;
pub use needed::Needed;
pub use pattern::PatternParser;
pub use regexp::RegexpParser;
pub use table::{STAGES, StageDoc};
pub use unpack::Unpack;
pub use unwrap::{Conversion, Unwrap};

/// The label that says that a stage failed on a line.
pub const ERROR_LABEL: &str = "__error__";
/// The label that says how.
pub const ERROR_DETAILS_LABEL: &str = "__error_details__";
/// What a parsed label gets behind its name when the stream or its metadata has one of that name.
pub const DUPLICATE_SUFFIX: &str = "_extracted";

/// Whether a line stays in the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// It goes on to the next stage.
    Yes,
    /// It is left out; no further stage may see it.
    No,
}

impl From<bool> for Keep {
    fn from(keep: bool) -> Self {
        if keep { Self::Yes } else { Self::No }
    }
}

/// One step of a pipeline.
pub trait Stage: Send + Sync + Debug {
    /// Does to a line what the stage is there for.
    fn process(&self, line: &mut Line<'_>) -> Keep;

    /// Adds the labels that the stage reads to what parsers before it must extract.
    fn needs(&self, needed: &mut Needed);
}

#[cfg(test)]
mod tests;
