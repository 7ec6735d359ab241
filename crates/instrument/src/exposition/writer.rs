//! Writes families of samples in either exposition format.
//!
//! The sources: prometheus/docs `exposition_formats.md` for text 0.0.4, and the OpenMetrics 1.0.0
//! specification. Where both allow it the same number is written the same way, so that a series
//! keeps its `le` whatever format a scraper picks.

use std::fmt::{self, Write};

use super::Format;
use crate::metrics::{Exemplar, Histogram, as_f64};

/// The type of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

pub(super) struct Writer {
    out: String,
    format: Format,
    name: &'static str,
    kind: Kind,
}

/// Label names and values, in the order they are written.
pub(super) type Labels<'a> = [(&'a str, &'a str)];

impl Writer {
    pub(super) fn new(format: Format) -> Self {
        Self { out: String::new(), format, name: "", kind: Kind::Gauge }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    /// Begins a family. The name of a counter goes without `_total`; `help` has no line breaks.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &'static str) {
        (self.name, self.kind) = (name, kind);
        // Text 0.0.4 calls a counter by the name of its sample, OpenMetrics by its family's.
        let total = if self.format == Format::Text { self.total() } else { "" };
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.put(format_args!("# HELP {name}{total} {help}\n# TYPE {name}{total} {kind}\n"));
        if self.format == Format::OpenMetrics {
            for unit in ["seconds", "bytes"] {
                if name.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_')) {
                    self.put(format_args!("# UNIT {name} {unit}\n"));
                }
            }
        }
    }

    /// One sample of a counter or a gauge.
    pub(super) fn sample(&mut self, labels: &Labels<'_>, value: f64) {
        self.series(self.total(), labels, None);
        self.put(format_args!(" {value}\n"));
    }

    /// The samples of one histogram; exemplars in OpenMetrics only.
    pub(super) fn histogram(&mut self, labels: &Labels<'_>, histogram: &Histogram) {
        let read = histogram.snapshot();
        let count = read.cumulative.last().copied().unwrap_or_default();
        let bounds = read.bounds.iter().copied().chain([f64::INFINITY]);
        for ((bound, cumulative), exemplar) in bounds.zip(&read.cumulative).zip(&read.exemplars) {
            self.series("_bucket", labels, Some(bound));
            self.put(format_args!(" {cumulative}"));
            if let Some(exemplar) = exemplar
                && self.format == Format::OpenMetrics
            {
                self.exemplar(exemplar);
            }
            self.out.push('\n');
        }
        self.series("_sum", labels, None);
        self.put(format_args!(" {}\n", read.sum));
        self.series("_count", labels, None);
        self.put(format_args!(" {}\n", as_f64(count)));
    }

    fn total(&self) -> &'static str {
        if self.kind == Kind::Counter { "_total" } else { "" }
    }

    fn series(&mut self, suffix: &str, labels: &Labels<'_>, bound: Option<f64>) {
        self.out.push_str(self.name);
        self.out.push_str(suffix);
        if labels.is_empty() && bound.is_none() {
            return;
        }
        self.out.push('{');
        for (place, (name, value)) in labels.iter().enumerate() {
            self.put(format_args!("{}{name}=\"", if place == 0 { "" } else { "," }));
            escape(value, &mut self.out);
            self.out.push('"');
        }
        let comma = if labels.is_empty() { "" } else { "," };
        match bound {
            Some(f64::INFINITY) => self.put(format_args!("{comma}le=\"+Inf\"")),
            // With a decimal point: what OpenMetrics calls canonical.
            Some(bound) => self.put(format_args!("{comma}le=\"{bound:?}\"")),
            None => {}
        }
        self.out.push('}');
    }

    fn exemplar(&mut self, exemplar: &Exemplar) {
        self.out.push_str(" # {request_id=\"");
        escape(&exemplar.request_id, &mut self.out);
        self.put(format_args!("\"}} {} {:.3}", exemplar.value, exemplar.unix_seconds));
    }

    fn put(&mut self, text: fmt::Arguments<'_>) {
        // A `String` takes whatever is written to it.
        self.out.write_fmt(text).unwrap_or_default();
    }
}

/// A label value may hold anything; these three would end it or the line.
fn escape(value: &str, out: &mut String) {
    for character in value.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            _ => out.push(character),
        }
    }
}
