//! Runs scripts that load series, evaluate queries and say what must come out.
//!
//! The language is that of upstream's `promql/promqltest` (its README tells it): `load`, `clear`,
//! `eval instant`, `eval range`, `expect …`. Our own scripts, upstream's, and the unit tests of
//! rules are read by it. What evaluates stands behind [`Engine`], so that the same scripts can ask
//! an evaluator on memory, a store on disk, or a server.
//!
//! Reading scripts: `promqltest/script.rs`, series: `series.rs`, start times: `starts.rs`, classic
//! histograms: `classic.rs`. Running: `run.rs`; comparing: `compare.rs`.

mod classic;
mod compare;
mod hints;
mod pinned;
mod run;
mod script;
mod series;
mod starts;

#[cfg(test)]
mod tests;

use std::fmt;

use masthead_model::{Labels, Millis, Value};

use crate::QueryValue;

pub use run::{Report, run, run_all};
pub use script::{Command, Eval, EvalTime, Load, Script, ScriptError};

/// What a script is run against.
pub trait Engine {
    /// Forgets everything that was loaded.
    ///
    /// # Errors
    /// A text that fails the script.
    fn clear(&mut self) -> Result<(), String>;

    /// Stores series; more samples for one that is there are added to it.
    ///
    /// # Errors
    /// A text that fails the script.
    fn append(&mut self, series: &[LoadedSeries]) -> Result<(), String>;

    /// Evaluates at one instant.
    ///
    /// # Errors
    /// The text of the query's error, as a client sees it.
    fn instant(&mut self, expr: &str, at: Millis) -> Result<Answer, String>;

    /// Evaluates from `start` to `end` every `step_ms` milliseconds.
    ///
    /// # Errors
    /// The text of the query's error, as a client sees it.
    fn range(
        &mut self,
        expr: &str,
        start: Millis,
        end: Millis,
        step_ms: i64,
    ) -> Result<Answer, String>;
}

/// What an engine answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The value.
    pub value: QueryValue,
    /// Warnings, with position, as clients see them.
    pub warnings: Vec<String>,
    /// Infos, with position, as clients see them.
    pub infos: Vec<String>,
}

/// A series as a script loads it.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedSeries {
    /// Which series.
    pub labels: Labels,
    /// Its samples, in the order of their times.
    pub samples: Vec<LoadedSample>,
}

/// A sample as a script loads it.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedSample {
    /// When.
    pub timestamp: Millis,
    /// Since when it counts, if the script says so.
    pub start: Option<Millis>,
    /// A float, a histogram, or a stale marker.
    pub value: Value,
}

/// The first thing that went wrong in a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The line of the command, counted from 1.
    pub line: usize,
    /// The query that was evaluated, or the command.
    pub what: String,
    /// What the script wants.
    pub expected: String,
    /// What came instead.
    pub got: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: expected {}, got {}", self.line, self.what, self.expected, self.got)
    }
}

impl std::error::Error for Failure {}
