//! The traits between languages, stores and movers.
//!
//! A language never sees a store, a scraper never sees a disk: each speaks to a trait of this
//! crate, so that a local store and a remote end, or a real store and one in memory, can stand in
//! for each other. Everything is synchronous; nothing here knows HTTP, JSON or a file.
//!
//! Writing samples: [`SampleSink`]. Reading them: [`SampleSource`]. Log lines: [`LogSink`] and
//! [`LogSource`]. What travels with a query (deadline, cancellation, sample budget, warnings,
//! trace): [`QueryCtx`]. Complete stores in memory for tests: `testing.rs`. What the HTTP API shows beside samples: `views.rs`.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod logs;
mod query;
mod samples;
pub mod testing;
mod views;

// Their home is `model`; here because they are words of these traits.
pub use masthead_model::{Exemplar, MetricType};

pub use logs::{
    Direction, LineColumn, LineFilter, LinePattern, LogAdmin, LogBatch, LogColumns, LogHints,
    LogPart, LogPartReader, LogRejectReason, LogReport, LogRow, LogSelected, LogSelection, LogSink,
    LogSource, LogStoreStats, LogStream, LogVolume, Progress, RejectedLine,
};
pub use query::{QueryCtx, QueryError, QueryLimits, QueryStats, TraceSpan};
pub use samples::{
    AppendBatch, AppendError, AppendReport, AppendRow, Columns, LabelQuery, Metadata, NoStore,
    RejectReason, SampleSink, SampleSource, SelectHints, Selected, Selection, SeriesExemplars,
    SeriesReader, SeriesRef,
};
pub use views::{
    ActiveTarget, AdminError, Alert, AlertState, Alertmanagers, BlockInfo, Cardinality,
    DashboardInfo, DashboardsView, DiscoveryView, DroppedTarget, FoundResource, NoCluster,
    NoDashboards, NoRules, NoTargets, Readiness, RelabelStep, ReloadError, ReplayStatus, Rule,
    RuleGroup, RuleHealth, RuleKind, RuleValue, RulesView, RuntimeInfo, ServerView, StoreAdmin,
    StoreStats, TargetHealth, TargetMetadata, TargetsView,
};
