//! One series line: where its name and labels stand, and how they become a label set.

use std::borrow::Cow;

use masthead_model::{Labels, METRIC_NAME, parse_number};

use super::lexer::Lexer;
use crate::{
    Error, Limits, MetricType,
    go::{format_openmetrics, quote_bytes},
    labels::{Pairs, to_labels},
};

/// A piece of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) from: usize,
    pub(super) to: usize,
}

/// Where the parts of a series stand in the body.
#[derive(Debug, Clone, Default)]
pub(super) struct SeriesPlaces {
    pub(super) name: Option<Place>,
    /// Name and value, each without its quotes.
    pub(super) labels: Vec<(Place, Place)>,
}

impl SeriesPlaces {
    #[inline]
    pub(super) fn clear(&mut self) {
        self.name = None;
        self.labels.clear();
    }

    /// The set, with the bounds and quantiles of `metric_type` as OpenMetrics writes them, so
    /// that a target that changes its format keeps its series.
    pub(super) fn to_labels(
        &self,
        lexer: &Lexer<'_>,
        metric_type: MetricType,
        limits: &Limits,
    ) -> Result<Labels, Error> {
        let mut pairs: Pairs<'_> = Vec::with_capacity(self.labels.len() + 1);
        if let Some(name) = self.name {
            pairs.push((METRIC_NAME.into(), unescaped(lexer, name)?));
        }
        let bound = match metric_type {
            MetricType::Histogram => "le",
            MetricType::Summary => "quantile",
            MetricType::Counter
            | MetricType::Gauge
            | MetricType::GaugeHistogram
            | MetricType::Info
            | MetricType::StateSet
            | MetricType::Unknown => "",
        };
        for (name, value) in &self.labels {
            let name = unescaped(lexer, *name)?;
            let mut value = unescaped(lexer, *value)?;
            if name == bound
                && let Some(number) = parse_number(&value)
            {
                value = format_openmetrics(number).into();
            }
            pairs.push((name, value));
        }
        to_labels(&mut pairs, limits)
    }
}

/// The text at `place`, with `\\`, `\"` and `\n` resolved.
pub(super) fn unescaped<'a>(lexer: &Lexer<'a>, place: Place) -> Result<Cow<'a, str>, Error> {
    match lexer.text(place.from, place.to) {
        Some(text) => Ok(unescape(text, true)),
        None => {
            let bytes = quote_bytes(lexer.slice(place.from, place.to));
            Err(Error::Content(format!("invalid UTF-8 name: {bytes}")))
        }
    }
}

/// Resolves `\\` and `\n`, and `\"` where quotes are escaped; other backslashes stay.
pub(super) fn unescape(text: &str, quotes: bool) -> Cow<'_, str> {
    if memchr::memchr(b'\\', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let resolved = (c == '\\').then(|| chars.clone().next()).flatten().and_then(|c| match c {
            '\\' => Some('\\'),
            'n' => Some('\n'),
            '"' if quotes => Some('"'),
            _ => None,
        });
        if resolved.is_some() {
            chars.next();
        }
        out.push(resolved.unwrap_or(c));
    }
    Cow::Owned(out)
}
