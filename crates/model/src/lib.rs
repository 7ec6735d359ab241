//! The nouns that every floor shares: labels, matchers, samples, histograms, log entries, time.
//!
//! Nothing here reads a clock, a file or a socket, and nothing here is async: the types are plain
//! data with their text forms. Prometheus counts time in milliseconds ([`Millis`]), Loki in
//! nanoseconds ([`Nanos`]); one becomes the other only by a named function.
//!
//! Where to look: label sets in `labels.rs`, selectors in `matcher.rs`, what members of JSON lines must be in `member.rs`, regular expressions in
//! Go's dialect in `regexp.rs`, instants and ranges in `time.rs`, `5m` and `1h30m` in
//! `duration.rs`, numbers as Go prints them in `number.rs`, `16MiB` in `byte_size.rs`, native histograms in `histogram.rs`,
//! counts of what happens in `count.rs`, text without the colours of terminals in `decolorize.rs`.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod byte_size;
mod count;
mod decolorize;
mod duration;
mod error_class;
mod histogram;
mod labels;
mod log_entry;
mod matcher;
mod member;
mod metric;
mod number;
mod quote;
mod regexp;
mod sample;
mod time;

pub use byte_size::{ByteSize, ByteSizeError};
pub use count::{Count, CountByReason, Gauge};
pub use decolorize::decolorize;
pub use duration::{DurationError, GoDuration, PromDuration};
pub use error_class::ErrorClass;
pub use histogram::{
    AllBuckets, Bucket, Buckets, Combined, CounterResetHint, Histogram, HistogramError,
    HistogramMean, HistogramSum, IncompatibleSchemas, NotationError, NotedHistogram, Schema, Span,
    SumNotes, kahan_add, nearly_equal,
};
pub use labels::{
    Label, Labels, LabelsBuilder, LabelsError, METRIC_NAME, is_legacy_label_name,
    is_legacy_metric_name,
};
pub use log_entry::LogEntry;
pub use matcher::{MatchOp, Matcher, MatcherError};
pub use member::{MemberTest, MemberValue};
pub use metric::{Exemplar, MetricType};
pub use number::{format_exact, format_shortest, parse_number};
pub use quote::{QuoteError, quote, quote_bytes, unquote, unquote_bytes};
pub use regexp::{Groups, Readable, Reference, Regexp, RegexpError, RegexpSearch, readable};
pub use sample::{STALE_NAN_BITS, Sample, Value, is_stale, stale_nan};
pub use time::{Millis, Nanos, TimeError, TimeRange};
