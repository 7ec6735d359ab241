//! Recording and alerting rules on a clock, and who is told of alerts.
//!
//! Rule files are Prometheus' (PromQL over the store of samples) or Loki's (LogQL over the store of
//! lines); what a rule makes goes into the store of samples either way. Semantics, texts and times
//! are upstream's (`rules/*.go`, `notifier/*.go`); where a test of them is cited, it was read, not
//! copied.
//!
//! What happens is told apart from when it happens: `alert.rs` and `group.rs` are given the instant
//! and never look at a clock but to measure how long something took, so that a simulated one tests
//! them; `schedule.rs` says when a group is due; `engine.rs` is the one loop that waits.
//!
//! - `file.rs`: a rule file, read strictly; `check.rs`: what else can be wrong with several of them.
//! - `query.rs`: how rules ask; `template.rs`: what labels and annotations become.
//! - `alert.rs`: the alerts of one rule; `group.rs`: rules evaluated in order; `engine.rs`: all
//!   groups, reloaded without losing the state of those that did not change.
//! - `notify.rs`: alerts on their way to Alertmanagers; `config.rs`: what prometheus.yml says.
//! - `unit_test.rs`: tests of rules in promtool's format.

#![forbid(unsafe_code)]

mod alert;
mod check;
mod config;
mod engine;
mod file;
mod group;
mod notify;
mod query;
mod schedule;
mod template;
mod unit_test;

pub use check::{Duplicate, duplicates};
pub use config::{AlertmanagerConfig, RulesConfig, WrittenRulesConfig};
pub use engine::{GroupStats, Parts, Rules, Settings};
pub use file::{FILE_BYTES_MAX, FileError, GroupSpec, Language, RuleKind, RuleSpec, parse_file};
pub use group::{Notification, RESULTS_MAX};
pub use notify::{Notifier, NotifierStats, QUEUE_MAX, ReceiverStats};
pub use query::{LogRules, Querier, SampleRules};
pub use unit_test::{FindFiles, UnitReport, run_unit_tests};
