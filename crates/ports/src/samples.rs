//! The two ports of metrics: where samples go in ([`SampleSink`]) and where they come out
//! ([`SampleSource`]).

mod nothing;
mod sink;
mod source;

pub use nothing::NoStore;
pub use sink::{
    AppendBatch, AppendError, AppendReport, AppendRow, Metadata, RejectReason, SampleSink,
    SeriesExemplars, SeriesRef,
};
pub use source::{
    Columns, LabelQuery, SampleSource, SelectHints, Selected, Selection, SeriesReader,
};
