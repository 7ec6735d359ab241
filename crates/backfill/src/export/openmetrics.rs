//! OpenMetrics 1.0 with a timestamp on every sample.
//!
//! Families come one after the other, in each the members (series that differ in more than `le` or
//! `quantile`), of each its samples in the order of their times; of one time all lines of a
//! histogram stand together. That is what the format demands.
//!
//! What the format cannot say is left out and counted: native histograms, stale markers.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
};

use masthead_model::{Labels, METRIC_NAME, Millis, TimeRange, is_stale, parse_number};
use masthead_ports::{Columns, MetricType, QueryCtx};
use masthead_wire::exposition::{TextWriter, WriteFormat, canonical_bound};

use super::{
    Exporter, Report, Series,
    families::{Family, families},
};
use crate::{
    Error, Result,
    import::{Progress, Stage},
};

/// Text that is gathered before it is written.
const BUFFER_BYTES: usize = 256 << 10;

/// Writes everything that is asked for to `out`.
///
/// # Errors
/// What cannot be read or written; what was written before is not complete then, and does not end
/// with `# EOF`.
pub fn openmetrics(
    exporter: &Exporter<'_>,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report> {
    let ctx = exporter.ctx();
    let metrics = exporter.metrics(&ctx)?;
    let total = metrics.len() as u64;
    let mut writing = Writing {
        exporter,
        ctx,
        pieces: exporter.pieces(),
        text: TextWriter::new(WriteFormat::OpenMetrics),
        out,
        report: Report::default(),
    };
    let mut done = 0;
    for family in families(&metrics, &exporter.source.metadata(&writing.ctx, None)?) {
        writing.family(&family)?;
        done += family.metrics.len() as u64;
        let samples = writing.report.samples;
        progress(Progress { stage: Stage::Exporting, done, total, samples });
    }
    let rest = writing.text.finish();
    writing.out.write_all(rest.as_bytes()).map_err(Error::Write)?;
    writing.out.flush().map_err(Error::Write)?;
    writing.report.nameless = exporter.nameless(&writing.ctx)?;
    writing.report.warnings = writing.ctx.warnings();
    Ok(writing.report)
}

struct Writing<'a, 'o> {
    exporter: &'a Exporter<'a>,
    ctx: QueryCtx,
    pieces: Vec<TimeRange<Millis>>,
    text: TextWriter,
    out: &'o mut dyn Write,
    report: Report,
}

/// Where a line stands among those of one member: by suffix, then bound, then labels.
type LineKey = (usize, Bound, Labels);

/// The members of a family: labels without those that tell lines apart, and the lines in order.
type Members = BTreeMap<Labels, BTreeMap<LineKey, Series>>;

/// A bound or quantile, to be sorted by.
#[derive(Debug, PartialEq)]
struct Bound(f64);

impl Eq for Bound {}

impl PartialOrd for Bound {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Bound {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Writing<'_, '_> {
    fn family(&mut self, family: &Family) -> Result<()> {
        match self.members(family)? {
            Some(members) => self.write(family, members),
            None => {
                for family in family.untyped() {
                    if let Some(members) = self.members(&family)? {
                        self.write(&family, members)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// The members of a family; nothing when its labels do not fit its type.
    fn members(&self, family: &Family) -> Result<Option<Members>> {
        let mut members = Members::new();
        for (at, (suffix, metric)) in family.metrics.iter().enumerate() {
            let bound = family.bound().filter(|(of, _)| of == suffix).map(|(_, label)| label);
            for series in self.exporter.series(&self.ctx, metric, &self.pieces)? {
                let mut member = series.labels.to_builder();
                member.remove(METRIC_NAME);
                let mut value = Bound(0.0);
                if let Some(label) = bound {
                    let text = series.labels.get(label).unwrap_or("");
                    match parse_number(text) {
                        // Read back, it would be written as the format likes it.
                        Some(number) if canonical_bound(number) == text => value = Bound(number),
                        _ => return Ok(None),
                    }
                    member.remove(label);
                }
                let key = (at, value, series.labels.clone());
                members.entry(member.build()).or_default().insert(key, series);
            }
        }
        Ok(Some(members))
    }

    fn write(&mut self, family: &Family, members: Members) -> Result<()> {
        let mut begun = false;
        for lines in members.into_values() {
            let mut lines: Vec<Line> =
                lines.into_values().map(|series| Line::new(series, &self.text)).collect();
            let mut written = vec![false; lines.len()];
            for piece in 0..self.pieces.len() {
                for line in &mut lines {
                    line.read(&self.ctx, piece, &mut self.report)?;
                }
                let any = lines.iter().any(|line| !line.columns.floats.is_empty());
                if any && !begun {
                    begun = true;
                    self.begin(family);
                }
                if let [line] = lines.as_slice() {
                    let samples = line.columns.float_times.iter().zip(&line.columns.floats);
                    for (time, value) in samples {
                        self.text.point(&line.text, *value, Millis(*time));
                        flush(&mut self.text, self.out, BUFFER_BYTES)?;
                    }
                } else {
                    self.interleave(&mut lines)?;
                }
                for (line, written) in lines.iter().zip(&mut written) {
                    *written |= !line.columns.floats.is_empty();
                    self.report.samples += line.columns.floats.len() as u64;
                }
            }
            self.report.series += written.iter().filter(|written| **written).count() as u64;
        }
        Ok(())
    }

    /// Writes the lines of each time together.
    fn interleave(&mut self, lines: &mut [Line]) -> Result<()> {
        let mut times: BTreeSet<(i64, usize)> = BTreeSet::new();
        let first = |line: &Line| line.columns.float_times.get(line.at).copied();
        for (at, line) in lines.iter().enumerate() {
            times.extend(first(line).map(|time| (time, at)));
        }
        while let Some((time, at)) = times.pop_first() {
            let Some(line) = lines.get_mut(at) else { continue };
            if let Some(value) = line.columns.floats.get(line.at) {
                self.text.point(&line.text, *value, Millis(time));
            }
            line.at += 1;
            times.extend(first(line).map(|time| (time, at)));
            flush(&mut self.text, self.out, BUFFER_BYTES)?;
        }
        Ok(())
    }

    fn begin(&mut self, family: &Family) {
        let metric_type = match family.metric_type {
            MetricType::Counter => masthead_wire::MetricType::Counter,
            MetricType::Gauge => masthead_wire::MetricType::Gauge,
            MetricType::Histogram => masthead_wire::MetricType::Histogram,
            MetricType::GaugeHistogram => masthead_wire::MetricType::GaugeHistogram,
            MetricType::Summary => masthead_wire::MetricType::Summary,
            MetricType::Info => masthead_wire::MetricType::Info,
            MetricType::StateSet => masthead_wire::MetricType::StateSet,
            MetricType::Unknown => masthead_wire::MetricType::Unknown,
        };
        self.text.family(&family.name, metric_type, &family.help, &family.unit);
    }
}

/// One series on its way to text.
struct Line {
    series: Series,
    /// Its name and labels.
    text: String,
    columns: Columns,
    /// The sample that comes next.
    at: usize,
}

impl Line {
    fn new(series: Series, writer: &TextWriter) -> Self {
        let text = writer.series_text(&series.labels);
        Self { series, text, columns: Columns::default(), at: 0 }
    }

    /// Reads one piece, and leaves out what has no text.
    fn read(&mut self, ctx: &QueryCtx, piece: usize, report: &mut Report) -> Result<()> {
        self.at = 0;
        let columns = &mut self.columns;
        self.series.read(ctx, piece, columns)?;
        let (stale, histograms) =
            columns.histograms.iter().fold((0, 0), |(stale, histograms), histogram| {
                if is_stale(histogram.sum) {
                    (stale + 1, histograms)
                } else {
                    (stale, histograms + 1)
                }
            });
        report.stale += stale;
        if histograms > 0 {
            let metric = self.series.labels.metric_name().unwrap_or("").to_owned();
            *report.histograms.entry(metric).or_default() += histograms;
        }
        if columns.floats.iter().any(|value| is_stale(*value)) {
            let before = columns.floats.len();
            let mut values = columns.floats.iter();
            columns.float_times.retain(|_| values.next().is_some_and(|value| !is_stale(*value)));
            columns.floats.retain(|value| !is_stale(*value));
            report.stale += (before - columns.floats.len()) as u64;
        }
        Ok(())
    }
}

/// Writes what has gathered if that is more than `above`.
fn flush(text: &mut TextWriter, out: &mut dyn Write, above: usize) -> Result<()> {
    if text.byte_len() > above {
        out.write_all(text.take().as_bytes()).map_err(Error::Write)?;
    }
    Ok(())
}
