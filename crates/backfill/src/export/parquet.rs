//! Parquet: one row a sample, with the labels in a map.
//!
//! ```text
//! metric     string
//! labels     map of string to string, without the metric's name
//! timestamp  milliseconds since 1970, UTC
//! value      double; null where there is a histogram
//! histogram  string; a native histogram as the HTTP API of Prometheus shows it in JSON
//! ```
//!
//! Rows come series by series, so that names and labels take next to nothing. The rows of one group
//! are held in memory until it is complete.

use std::{fmt::Write as _, io::Write, sync::Arc};

use bytes::Bytes;
use masthead_model::{Histogram, METRIC_NAME, format_exact, is_stale};
use masthead_ports::Columns;
use parquet::{
    basic::{Compression, Encoding},
    data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type},
    errors::ParquetError,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::{parser::parse_message_type, types::ColumnPath},
};

use super::{Exporter, Report};
use crate::{
    Error, Result,
    import::{Progress, Stage},
};

/// Rows of one group.
const ROWS_MAX: usize = 1 << 18;
/// Bytes of the histograms of one group.
const HISTOGRAM_BYTES_MAX: usize = 32 << 20;
/// Rows whose labels are handed over at a time.
const LABEL_ROWS: usize = 1024;

const SCHEMA: &str = "message samples {
  required binary metric (STRING);
  required group labels (MAP) {
    repeated group key_value {
      required binary key (STRING);
      required binary value (STRING);
    }
  }
  required int64 timestamp (TIMESTAMP(MILLIS, true));
  optional double value;
  optional binary histogram (STRING);
}";

/// Writes everything that is asked for to `out`.
///
/// # Errors
/// What cannot be read or written; what was written before cannot be read then.
pub fn parquet(
    exporter: &Exporter<'_>,
    out: &mut (dyn Write + Send),
    progress: &mut dyn FnMut(Progress),
) -> Result<Report> {
    let ctx = exporter.ctx();
    let metrics = exporter.metrics(&ctx)?;
    let total = metrics.len() as u64;
    let pieces = exporter.pieces();
    let mut report = Report::default();
    let schema = Arc::new(parse_message_type(SCHEMA).map_err(failed)?);
    let mut writer =
        SerializedFileWriter::new(out, schema, Arc::new(properties())).map_err(failed)?;
    let mut group = Group::default();
    let mut columns = Columns::default();
    for (done, metric) in (0..).zip(&metrics) {
        let samples = report.samples;
        progress(Progress { stage: Stage::Exporting, done, total, samples });
        for series in exporter.series(&ctx, metric, &pieces)? {
            let before = report.samples;
            let names = Arc::new(Names::new(metric, &series.labels));
            for piece in 0..pieces.len() {
                series.read(&ctx, piece, &mut columns)?;
                for (time, value) in columns.float_times.iter().zip(&columns.floats) {
                    if is_stale(*value) {
                        report.stale += 1;
                        continue;
                    }
                    report.samples += 1;
                    group.push(&names, *time, Some(*value), None);
                    group.write_if_full(&mut writer)?;
                }
                for (time, histogram) in columns.histogram_times.iter().zip(&columns.histograms) {
                    if is_stale(histogram.sum) {
                        report.stale += 1;
                        continue;
                    }
                    report.samples += 1;
                    group.push(&names, *time, None, Some(json(histogram)));
                    group.write_if_full(&mut writer)?;
                }
            }
            report.series += u64::from(report.samples > before);
        }
    }
    group.write(&mut writer)?;
    writer.finish().map_err(failed)?;
    let out = writer.inner_mut();
    out.flush().map_err(Error::Write)?;
    drop(writer);
    progress(Progress { stage: Stage::Exporting, done: total, total, samples: report.samples });
    report.nameless = exporter.nameless(&ctx)?;
    report.warnings = ctx.warnings();
    Ok(report)
}

fn properties() -> WriterProperties {
    let column = |name: &str| ColumnPath::from(name);
    WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(concat!("masthead ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_column_dictionary_enabled(column("timestamp"), false)
        .set_column_encoding(column("timestamp"), Encoding::DELTA_BINARY_PACKED)
        .set_column_dictionary_enabled(column("value"), true)
        .set_column_dictionary_enabled(column("histogram"), false)
        .build()
}

/// An error of writing stays one: the library wraps it.
fn failed(error: ParquetError) -> Error {
    match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(error) => Error::Write(*error),
            Err(source) => Error::Parquet(ParquetError::External(source)),
        },
        other => Error::Parquet(other),
    }
}

/// The names of a series, made once for all its rows.
#[derive(Debug)]
struct Names {
    metric: ByteArray,
    keys: Vec<ByteArray>,
    values: Vec<ByteArray>,
}

impl Names {
    fn new(metric: &str, labels: &masthead_model::Labels) -> Self {
        let text = |text: &str| ByteArray::from(Bytes::copy_from_slice(text.as_bytes()));
        let labels = || labels.iter().filter(|label| label.name != METRIC_NAME);
        Self {
            metric: text(metric),
            keys: labels().map(|label| text(label.name)).collect(),
            values: labels().map(|label| text(label.value)).collect(),
        }
    }
}

/// Rows that are not written yet.
#[derive(Debug, Default)]
struct Group {
    /// Names with how many rows they have.
    runs: Vec<(Arc<Names>, usize)>,
    times: Vec<i64>,
    values: Vec<f64>,
    value_levels: Vec<i16>,
    histograms: Vec<ByteArray>,
    histogram_levels: Vec<i16>,
    histogram_bytes: usize,
}

type Writer<'a> = SerializedFileWriter<&'a mut (dyn Write + Send)>;

impl Group {
    fn push(
        &mut self,
        names: &Arc<Names>,
        time: i64,
        value: Option<f64>,
        histogram: Option<String>,
    ) {
        match self.runs.last_mut() {
            Some((last, rows)) if Arc::ptr_eq(last, names) => *rows += 1,
            _ => self.runs.push((Arc::clone(names), 1)),
        }
        self.times.push(time);
        self.value_levels.push(i16::from(value.is_some()));
        self.values.extend(value);
        self.histogram_levels.push(i16::from(histogram.is_some()));
        if let Some(histogram) = histogram {
            self.histogram_bytes += histogram.len();
            self.histograms.push(ByteArray::from(histogram.into_bytes()));
        }
    }

    fn write_if_full(&mut self, writer: &mut Writer<'_>) -> Result<()> {
        if self.times.len() < ROWS_MAX && self.histogram_bytes < HISTOGRAM_BYTES_MAX {
            return Ok(());
        }
        self.write(writer)
    }

    fn write(&mut self, writer: &mut Writer<'_>) -> Result<()> {
        if !self.times.is_empty() {
            self.write_columns(writer).map_err(failed)?;
        }
        self.runs.clear();
        self.times.clear();
        self.values.clear();
        self.value_levels.clear();
        self.histograms.clear();
        self.histogram_levels.clear();
        self.histogram_bytes = 0;
        Ok(())
    }

    fn write_columns(&self, writer: &mut Writer<'_>) -> Result<(), ParquetError> {
        let mut group = writer.next_row_group()?;
        let mut number = 0;
        while let Some(mut column) = group.next_column()? {
            match number {
                0 => {
                    let column = column.typed::<ByteArrayType>();
                    for (names, rows) in &self.runs {
                        let mut left = *rows;
                        while left > 0 {
                            let some = left.min(LABEL_ROWS);
                            let values = vec![names.metric.clone(); some];
                            column.write_batch(&values, None, None)?;
                            left -= some;
                        }
                    }
                }
                1 | 2 => {
                    let column = column.typed::<ByteArrayType>();
                    for (names, rows) in &self.runs {
                        let texts = if number == 1 { &names.keys } else { &names.values };
                        let (mut values, mut defined, mut repeated) = (vec![], vec![], vec![]);
                        let mut left = *rows;
                        while left > 0 {
                            let some = left.min(LABEL_ROWS);
                            if values.is_empty() && defined.is_empty() || some < LABEL_ROWS {
                                levels(texts, some, &mut values, &mut defined, &mut repeated);
                            }
                            column.write_batch(&values, Some(&defined), Some(&repeated))?;
                            left -= some;
                        }
                    }
                }
                3 => {
                    column.typed::<Int64Type>().write_batch(&self.times, None, None)?;
                }
                4 => {
                    let column = column.typed::<DoubleType>();
                    column.write_batch(&self.values, Some(&self.value_levels), None)?;
                }
                _ => {
                    let column = column.typed::<ByteArrayType>();
                    column.write_batch(&self.histograms, Some(&self.histogram_levels), None)?;
                }
            }
            column.close()?;
            number += 1;
        }
        group.close()?;
        Ok(())
    }
}

/// The values and levels of `rows` equal rows: a map with `texts`, or an empty one.
fn levels(
    texts: &[ByteArray],
    rows: usize,
    values: &mut Vec<ByteArray>,
    defined: &mut Vec<i16>,
    repeated: &mut Vec<i16>,
) {
    values.clear();
    defined.clear();
    repeated.clear();
    for _ in 0..rows {
        if texts.is_empty() {
            defined.push(0);
            repeated.push(0);
        }
        for (at, text) in texts.iter().enumerate() {
            values.push(text.clone());
            defined.push(1);
            repeated.push(i16::from(at > 0));
        }
    }
}

/// As the HTTP API of Prometheus shows a native histogram.
fn json(histogram: &Histogram) -> String {
    let mut out = String::new();
    let (count, sum) = (format_exact(histogram.count), format_exact(histogram.sum));
    // Writing to a String cannot fail.
    write!(out, r#"{{"count":"{count}","sum":"{sum}""#).unwrap_or_default();
    let mut first = true;
    for (rule, lower, upper, count) in histogram.api_buckets() {
        out.push_str(if first { r#","buckets":["# } else { "," });
        first = false;
        let [lower, upper, count] = [lower, upper, count].map(format_exact);
        write!(out, r#"[{rule},"{lower}","{upper}","{count}"]"#).unwrap_or_default();
    }
    out.push_str(if first { "}" } else { "]}" });
    out
}

#[cfg(test)]
mod tests {
    use masthead_model::{Schema, Span};

    use super::*;

    #[test]
    fn histograms_look_as_in_the_api() {
        let histogram = Histogram {
            schema: Schema::new(0).unwrap(),
            count: 3.0,
            sum: 2.5,
            positive_spans: vec![Span { offset: 0, length: 2 }],
            positive_buckets: vec![1.0, 2.0],
            ..Histogram::default()
        };
        let want = r#"{"count":"3","sum":"2.5","buckets":[[0,"0.5","1","1"],[0,"1","2","2"]]}"#;
        assert_eq!(json(&histogram), want);
        assert_eq!(json(&Histogram::default()), r#"{"count":"0","sum":"0"}"#);
    }
}
