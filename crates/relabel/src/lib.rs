//! Prometheus relabelling: rules that rewrite, keep or drop a label set.
//!
//! A rule is read as a [`RelabelConfig`] in upstream's own format, checked once and compiled into
//! a [`Rule`]; [`process`] then applies rules without looking at their text again. It never sees
//! time, targets or the network: callers decide what a dropped set means.
//!
//! Where to look: the format and its checks in `config.rs`, the eleven actions in `rule.rs`,
//! `$1` and `${name}` in `template.rs`, the steps shown to users in `explain.rs`.
//! Facts: `model/relabel/relabel.go` of Prometheus.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod config;
mod explain;
mod rule;
mod template;

pub use config::{Action, NameScheme, RelabelConfig};
pub use explain::{Step, explain};
pub use rule::{Rule, process};

use masthead_model::RegexpError;

/// Why a rule was refused; the texts are Prometheus'.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `action` is none of the eleven.
    #[error("unknown relabel action {}", masthead_model::quote(.0))]
    UnknownAction(String),
    /// A source label that no label can be called.
    #[error("{} is not a valid label name", masthead_model::quote(.0))]
    InvalidSourceLabel(String),
    /// `hashmod` without a modulus.
    #[error("relabel configuration for hashmod requires non-zero modulus")]
    ZeroModulus,
    /// No label to write to.
    #[error("relabel configuration for {0} action requires 'target_label' value")]
    MissingTargetLabel(Action),
    /// A label that can't be called so.
    #[error("{} is invalid 'target_label' for {action} action", masthead_model::quote(.label))]
    InvalidTargetLabel {
        /// What was given.
        label: String,
        /// The action of the rule.
        action: Action,
    },
    /// A replacement that yields no label name.
    #[error("{} is invalid 'replacement' for {action} action", masthead_model::quote(.replacement))]
    InvalidReplacement {
        /// What was given.
        replacement: String,
        /// The action of the rule.
        action: Action,
    },
    /// A replacement where none is used.
    #[error("'replacement' can not be set for {0} action")]
    UnusedReplacement(Action),
    /// Fields that `keepequal` and `dropequal` do not read.
    #[error("{0} action requires only 'source_labels' and `target_label`, and no other fields")]
    OnlySourceAndTarget(Action),
    /// Fields that `labeldrop` and `labelkeep` do not read.
    #[error("{0} action requires only 'regex', and no other fields")]
    OnlyRegex(Action),
    /// `regex` is not one.
    #[error(transparent)]
    Regex(#[from] RegexpError),
}
