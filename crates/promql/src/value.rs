//! What a query answers with.
//!
//! Plain data between the evaluator, which makes it, and those who show or compare it (the HTTP
//! API, rules, the script runner). Nothing here evaluates or writes JSON. Warnings and infos
//! travel beside an answer, not in it: `annotations.rs`.

use std::sync::Arc;

use masthead_model::{Histogram, Labels, Millis, Value};

/// The answer to a query.
#[derive(Debug, Clone, PartialEq)]
pub enum QueryValue {
    /// One number without labels, at an instant.
    Scalar(f64, Millis),
    /// One text, at an instant.
    String(String, Millis),
    /// One value of each series at one instant.
    Vector(Vec<InstantSample>),
    /// The values of each series over time, the series in the order of their labels.
    Matrix(Vec<SeriesResult>),
}

/// The value of one series at one instant.
#[derive(Debug, Clone, PartialEq)]
pub struct InstantSample {
    /// Which series.
    pub labels: Labels,
    /// The instant of the evaluation, not that of the sample it was made from.
    pub timestamp: Millis,
    /// Its value.
    pub value: Value,
}

/// The values of one series over time.
///
/// Floats and histograms are apart because most series have only floats; a time stands in at most
/// one of the two.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SeriesResult {
    /// Which series.
    pub labels: Labels,
    /// Milliseconds since the epoch, rising, with the value of each.
    pub floats: Vec<(i64, f64)>,
    /// Milliseconds since the epoch, rising, with the histogram of each.
    pub histograms: Vec<(i64, Arc<Histogram>)>,
}

impl QueryValue {
    /// The name that the HTTP API gives to this kind of answer.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Scalar(..) => "scalar",
            Self::String(..) => "string",
            Self::Vector(_) => "vector",
            Self::Matrix(_) => "matrix",
        }
    }
}
