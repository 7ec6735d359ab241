//! The two ports of logs: where lines go in ([`LogSink`]) and where they come out
//! ([`LogSource`]), and what an operator may ask of a store of lines ([`LogAdmin`]).

mod admin;
mod sink;
mod source;

pub use admin::{LogAdmin, LogStoreStats};
pub use sink::{
    LogBatch, LogRejectReason, LogReport, LogRow, LogSink, LogStream, Progress, RejectedLine,
};
pub use source::{
    Direction, LineColumn, LineFilter, LinePattern, LogColumns, LogHints, LogPart, LogPartReader,
    LogSelected, LogSelection, LogSource, LogVolume,
};
