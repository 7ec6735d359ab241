//! Remote write, 1.0 and 2.0: reading and writing requests, and the snappy around them.
//!
//! A [`Decoder`] walks the body series by series and reuses its buffers; nothing is allocated for
//! a label. The labels of a 1.0 series are not even read until they are asked for: a receiver
//! can remember which series the raw bytes of [`Series::key`] were and skip the rest.
//!
//! Of label names it checks only that there are some, and neither order nor time; receivers differ
//! in what they do about those. A text that is not UTF-8 costs its series alone.
//! Facts: `prompb/remote.proto`, `prompb/types.proto`, `io/prometheus/write/v2/types.proto`.

use masthead_model::{Histogram, Labels, LabelsBuilder, Millis};

use crate::{
    Error, Exemplar, Limits, MetricType,
    labels::{Pairs, to_labels},
    proto::Reader,
};

mod encode;
mod snappy;
mod v1;
mod v2;

pub use encode::{EncoderV1, EncoderV2};
pub use snappy::{compress, decompress, decompressed_len};

/// The version of a request, as its Content-Type tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// `application/x-protobuf` or `…;proto=prometheus.WriteRequest`.
    V1,
    /// `application/x-protobuf;proto=io.prometheus.write.v2.Request`.
    V2,
}

impl Version {
    /// The Content-Type of a request.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::V1 => "application/x-protobuf",
            Self::V2 => "application/x-protobuf;proto=io.prometheus.write.v2.Request",
        }
    }

    /// What upstream's handler reads from a Content-Type, which it lets be empty.
    ///
    /// # Errors
    /// [`Error::ContentType`] for anything that is not protobuf or an unknown message.
    pub fn from_content_type(content_type: &str) -> Result<Self, Error> {
        let content_type = content_type.trim();
        let mut parts = content_type.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or("");
        if content_type.is_empty() {
            return Ok(Self::V1);
        }
        if media_type != "application/x-protobuf" {
            return Err(Error::ContentType(format!(
                "expected application/x-protobuf as the first (media) part, got {content_type} content-type"
            )));
        }
        for parameter in parts {
            let Some((name, value)) = parameter.split_once('=') else {
                return Err(Error::ContentType(format!(
                    "as per https://www.rfc-editor.org/rfc/rfc9110#parameter expected parameters to be key-values, got {parameter} in {content_type} content-type"
                )));
            };
            if name.trim() == "proto" {
                return match value.trim() {
                    "prometheus.WriteRequest" => Ok(Self::V1),
                    "io.prometheus.write.v2.Request" => Ok(Self::V2),
                    other => Err(Error::ContentType(format!(
                        "got {content_type} content type; unknown type for remote write protobuf message {other}, supported: prometheus.WriteRequest, io.prometheus.write.v2.Request"
                    ))),
                };
            }
        }
        Ok(Self::V1)
    }
}

/// One float sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FloatPoint {
    /// When it was measured.
    pub timestamp: Millis,
    /// When its counter started counting, if the sender says so.
    pub start: Option<Millis>,
    /// What was measured; may be the stale marker.
    pub value: f64,
}

/// One native histogram sample.
#[derive(Debug, Clone, PartialEq)]
pub struct HistogramPoint {
    /// When it was measured.
    pub timestamp: Millis,
    /// When it started counting, if the sender says so.
    pub start: Option<Millis>,
    /// What was measured.
    pub histogram: Histogram,
}

/// What a sender says about a metric family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata<'a> {
    /// The family's name.
    pub family: &'a str,
    /// What it is.
    pub metric_type: MetricType,
    /// What it means, in words.
    pub help: &'a str,
    /// What it counts in.
    pub unit: &'a str,
}

/// One series of a request, borrowed from the body.
#[derive(Debug, Default)]
pub struct Series<'a> {
    /// The raw label fields of 1.0, in runs that stand together; empty for 2.0.
    runs: Vec<&'a [u8]>,
    /// The labels of 2.0, resolved; empty for 1.0.
    pairs: Vec<(&'a str, &'a str)>,
    /// Float samples in the order of the request.
    pub samples: Vec<FloatPoint>,
    /// Native histograms in the order of the request.
    pub histograms: Vec<HistogramPoint>,
    /// Exemplars in the order of the request.
    pub exemplars: Vec<Exemplar>,
    /// Exemplars whose labels could not be read.
    pub refused_exemplars: usize,
    /// What 2.0 says about the series' family.
    pub metadata: Option<Metadata<'a>>,
}

impl<'a> Series<'a> {
    /// Bytes that are the same only if the labels are: a key for a cache of series. Only 1.0 has
    /// them; 2.0 refers to symbols, whose numbers change from request to request.
    pub fn key(&self) -> Option<&'a [u8]> {
        match self.runs.as_slice() {
            [run] => Some(run),
            _ => None,
        }
    }

    /// Appends the labels as they were sent: unsorted, unchecked.
    ///
    /// # Errors
    /// [`Error::Proto`] if they are not what they should be, [`Error::Content`] if a text is not
    /// UTF-8.
    pub fn read_labels(&self, pairs: &mut Vec<(&'a str, &'a str)>) -> Result<(), Error> {
        pairs.extend_from_slice(&self.pairs);
        self.each_raw_label(|name, value| pairs.push((name, value)))
    }

    /// The labels as a set; `scratch` is reused between series.
    ///
    /// # Errors
    /// [`Error::Limit`], [`Error::Content`] for a name that is empty or given twice and for a text
    /// that is not UTF-8, [`Error::Proto`].
    pub fn labels(&self, scratch: &mut LabelScratch<'a>, limits: &Limits) -> Result<Labels, Error> {
        let pairs = &mut scratch.0;
        pairs.clear();
        pairs.extend(self.pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        self.each_raw_label(|name, value| pairs.push((name.into(), value.into())))?;
        if pairs.iter().any(|(name, _)| name.is_empty()) {
            return Err(self.invalid_labels());
        }
        to_labels(pairs, limits)
    }

    /// Calls `take` with the labels of 1.0.
    fn each_raw_label(&self, take: impl FnMut(&'a str, &'a str)) -> Result<(), Error> {
        v1::each_label(&self.runs, take).map_err(|error| match error {
            Error::Content(_) => self.invalid_labels(),
            error => error,
        })
    }

    /// In the words of `storage/remote/write_handler.go`.
    #[cold]
    fn invalid_labels(&self) -> Error {
        let mut builder = LabelsBuilder::default();
        for (name, value) in &self.pairs {
            if name.is_empty() {
                builder.set_nameless(value);
            } else {
                builder.set(name, value);
            }
        }
        v1::lossy(&self.runs, &mut builder);
        Error::Content(format!("invalid metric name or labels, got {}", builder.build()))
    }

    /// Samples of all kinds that were read so far.
    fn points(&self) -> usize {
        self.samples.len() + self.histograms.len() + self.exemplars.len()
    }

    fn clear(&mut self) {
        self.runs.clear();
        self.pairs.clear();
        self.samples.clear();
        self.histograms.clear();
        self.exemplars.clear();
        self.refused_exemplars = 0;
        self.metadata = None;
    }
}

/// Space for the labels of one series.
#[derive(Debug, Default)]
pub struct LabelScratch<'a>(Pairs<'a>);

/// Walks the series of a request.
#[derive(Debug)]
pub struct Decoder<'a> {
    top: Reader<'a>,
    limits: Limits,
    /// The symbols of 2.0; `None` for 1.0.
    symbols: Option<Vec<v2::Symbol<'a>>>,
    refs: Vec<u32>,
    pairs: Pairs<'a>,
    series: Series<'a>,
    metadata: Vec<Metadata<'a>>,
    seen: usize,
    torn: bool,
}

impl<'a> Decoder<'a> {
    /// Starts on a body that is already decompressed.
    ///
    /// # Errors
    /// [`Error::Limit`] for its length; for 2.0, [`Error::Proto`] or [`Error::Content`] if its
    /// symbols cannot be read.
    pub fn new(body: &'a [u8], version: Version, limits: Limits) -> Result<Self, Error> {
        limits.check_body(body.len())?;
        let (message, symbols) = match version {
            Version::V1 => ("WriteRequest", None),
            Version::V2 => ("Request", Some(v2::symbols(body)?)),
        };
        Ok(Self {
            top: Reader::new(body, message),
            limits,
            symbols,
            refs: Vec::new(),
            pairs: Vec::new(),
            series: Series::default(),
            metadata: Vec::new(),
            seen: 0,
            torn: false,
        })
    }

    /// The next series, or nothing at the end.
    ///
    /// After an error the next call goes on with the next series; where nothing can follow, it
    /// returns nothing. Refuse the whole request on [`Error::Proto`], as upstream does.
    ///
    /// # Errors
    /// [`Error::Proto`] for bytes that are not the message; [`Error::Content`] for references
    /// beyond the symbols; [`Error::Histogram`]; [`Error::Limit`] for too many series.
    pub fn next_series(&mut self) -> Result<Option<&Series<'a>>, Error> {
        while !self.torn {
            // Whatever goes wrong on this level, nothing after it can be found.
            self.torn = true;
            let Some(field) = self.top.next()? else { return Ok(None) };
            let series_field = if self.symbols.is_some() { 5 } else { 1 };
            if field.number == series_field {
                self.seen += 1;
                self.limits.check_series(self.seen)?;
                let message = field.message("TimeSeries")?;
                self.torn = false;
                self.series.clear();
                match &self.symbols {
                    None => {
                        v1::read_series(message, &mut self.series, &mut self.pairs, &self.limits)?;
                    }
                    Some(symbols) => v2::Symbols { symbols, limits: &self.limits }.read_series(
                        message,
                        &mut self.series,
                        &mut self.refs,
                        &mut self.pairs,
                    )?,
                }
                return Ok(Some(&self.series));
            }
            if self.symbols.is_none() && field.number == 3 {
                self.seen += 1;
                self.limits.check_series(self.seen)?;
                self.torn = false;
                self.metadata.push(v1::read_metadata(&field)?);
            }
            self.torn = false;
        }
        Ok(None)
    }

    /// The metadata that 1.0 sends beside the series; complete after the last series.
    pub fn metadata(&self) -> &[Metadata<'a>] {
        &self.metadata
    }
}

/// The numbers of metric types, which both versions share.
fn metric_type(number: u64) -> MetricType {
    match number {
        1 => MetricType::Counter,
        2 => MetricType::Gauge,
        3 => MetricType::Histogram,
        4 => MetricType::GaugeHistogram,
        5 => MetricType::Summary,
        6 => MetricType::Info,
        7 => MetricType::StateSet,
        _ => MetricType::Unknown,
    }
}

fn metric_type_number(metric_type: MetricType) -> u64 {
    match metric_type {
        MetricType::Unknown => 0,
        MetricType::Counter => 1,
        MetricType::Gauge => 2,
        MetricType::Histogram => 3,
        MetricType::GaugeHistogram => 4,
        MetricType::Summary => 5,
        MetricType::Info => 6,
        MetricType::StateSet => 7,
    }
}

#[cfg(test)]
mod tests;
