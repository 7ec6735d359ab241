//! Remote read: what another Prometheus asks for, and both forms of the answer.
//!
//! A request names queries and the forms that its sender understands ([`ReadRequest`]). The older
//! form is one message of plain samples ([`SamplesEncoder`]), held whole and compressed whole. The
//! newer is a stream of frames ([`write_chunked_series`]), each with a length and a checksum, with
//! the samples in upstream's own chunk encodings, so that neither end holds more than a frame.
//!
//! Facts: `prompb/remote.proto`, `storage/remote/chunked.go`, `storage/remote/codec.go`.

use masthead_model::{Labels, MatchOp, Matcher, Millis, TimeRange};

use crate::{
    Error, Limits,
    labels::write_labels,
    native,
    proto::{Field, Reader, Writer},
    remote_write::{Decoder, FloatPoint, HistogramPoint, Version},
};

mod bits;
mod chunks;
mod frames;

pub use frames::write_chunked_series;

/// Queries of one request at most; Prometheus sends one.
const QUERIES_MAX: usize = 100;
/// Matchers of one query at most.
const MATCHERS_MAX: usize = 1000;

/// The Content-Type of plain samples.
pub const SAMPLES_CONTENT_TYPE: &str = "application/x-protobuf";
/// The Content-Type of frames.
pub const CHUNKED_CONTENT_TYPE: &str =
    "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct ReadRequest {
    /// Each is answered on its own, in this order.
    pub queries: Vec<ReadQuery>,
    /// The form of the answer.
    pub form: ReadForm,
}

/// The forms of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ReadForm {
    /// One message, compressed with snappy.
    #[default]
    Samples,
    /// A stream of frames.
    Chunked,
}

/// One selector and its time.
#[derive(Debug, Clone)]
pub struct ReadQuery {
    /// Samples outside are not wanted; both ends included.
    pub range: TimeRange<Millis>,
    /// All must match.
    pub matchers: Vec<Matcher>,
    /// What the asker will do with the samples; says nothing about which.
    pub hints: ReadHints,
}

/// What the asker will do with the samples.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadHints {
    /// Distance of evaluation steps, in milliseconds.
    pub step_ms: i64,
    /// The function or aggregation around the selector; may be empty.
    pub function: String,
    /// Length of the range selector, in milliseconds.
    pub range_ms: i64,
}

impl ReadRequest {
    /// Reads a request that is already decompressed.
    ///
    /// # Errors
    /// [`Error::Proto`] for bytes that are no request; [`Error::Content`] for matchers that make
    /// no sense and for forms of which we know none; [`Error::Limit`].
    pub fn decode(body: &[u8], limits: &Limits) -> Result<Self, Error> {
        limits.check_body(body.len())?;
        let mut message = Reader::new(body, "ReadRequest");
        let mut queries = Vec::new();
        let mut form = None;
        let mut named = false;
        while let Some(field) = message.next()? {
            match field.number {
                1 if queries.len() == QUERIES_MAX => {
                    return Err(Error::Content(format!(
                        "more than {QUERIES_MAX} queries in one request"
                    )));
                }
                1 => queries.push(query(&field)?),
                // The first that we know counts, as upstream's NegotiateResponseType.
                2 => field.each_varint(|number| {
                    named = true;
                    let known = match number {
                        0 => Some(ReadForm::Samples),
                        1 => Some(ReadForm::Chunked),
                        _ => None,
                    };
                    form = form.or(known);
                })?,
                _ => {}
            }
        }
        if named && form.is_none() {
            return Err(Error::Content(
                "server does not support any of the requested response types; supported: SAMPLES, STREAMED_XOR_CHUNKS"
                    .to_owned(),
            ));
        }
        Ok(Self { queries, form: form.unwrap_or_default() })
    }
}

fn query(field: &Field<'_>) -> Result<ReadQuery, Error> {
    let mut message = field.message("Query")?;
    let (mut start, mut end) = (0, 0);
    let mut matchers = Vec::new();
    let mut hints = ReadHints::default();
    while let Some(field) = message.next()? {
        match field.number {
            1 => start = field.signed()?,
            2 => end = field.signed()?,
            3 if matchers.len() == MATCHERS_MAX => {
                return Err(Error::Content(format!(
                    "more than {MATCHERS_MAX} matchers in one query"
                )));
            }
            3 => matchers.push(matcher(&field)?),
            4 => {
                let mut message = field.message("ReadHints")?;
                while let Some(field) = message.next()? {
                    match field.number {
                        1 => hints.step_ms = field.signed()?,
                        2 => field.text()?.clone_into(&mut hints.function),
                        7 => hints.range_ms = field.signed()?,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    let range = TimeRange { start: Millis(start), end: Millis(end) };
    Ok(ReadQuery { range, matchers, hints })
}

fn matcher(field: &Field<'_>) -> Result<Matcher, Error> {
    let mut message = field.message("LabelMatcher")?;
    let (mut kind, mut name, mut value) = (0, "", "");
    while let Some(field) = message.next()? {
        match field.number {
            1 => kind = field.unsigned()?,
            2 => name = field.text()?,
            3 => value = field.text()?,
            _ => {}
        }
    }
    let op = match kind {
        0 => MatchOp::Equal,
        1 => MatchOp::NotEqual,
        2 => MatchOp::Matches,
        3 => MatchOp::NotMatches,
        _ => return Err(Error::Content("invalid matcher type".to_owned())),
    };
    Matcher::new(op, name, value).map_err(|error| Error::Content(error.to_string()))
}

/// Builds the answer of plain samples.
#[derive(Debug, Default)]
pub struct SamplesEncoder {
    out: Vec<u8>,
    /// The query that is being answered.
    result: Vec<u8>,
}

impl SamplesEncoder {
    /// Appends a series to the answer of the current query.
    pub fn series(
        &mut self,
        labels: &Labels,
        samples: impl IntoIterator<Item = FloatPoint>,
        histograms: impl IntoIterator<Item = HistogramPoint>,
    ) {
        Writer::new(&mut self.result).nested(1, |w| {
            write_labels(w, labels);
            for point in samples {
                w.nested(2, |w| {
                    w.double(1, point.value);
                    w.signed(2, point.timestamp.0);
                });
            }
            for point in histograms {
                w.nested(4, |w| native::write(w, point.timestamp, None, &point.histogram));
            }
        });
    }

    /// Ends the answer of the current query, which may have no series at all.
    pub fn end_query(&mut self) {
        let result = std::mem::take(&mut self.result);
        Writer::new(&mut self.out).nested(1, |w| w.raw(&result));
    }

    /// Bytes so far.
    pub fn byte_len(&self) -> usize {
        self.out.len() + self.result.len()
    }

    /// The answer, to be compressed.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }
}

/// Reads the native histograms in an answer of plain samples, already decompressed, to a request
/// whose matchers name every label of one series.
///
/// Other series may have these labels and more, and to all of them the server adds its external
/// labels; so it is the series with the fewest labels that was meant.
///
/// # Errors
/// [`Error::Proto`], [`Error::Histogram`], [`Error::Limit`].
pub fn histograms_of_answer(body: &[u8], limits: &Limits) -> Result<Vec<HistogramPoint>, Error> {
    limits.check_body(body.len())?;
    let mut answer = Reader::new(body, "ReadResponse");
    let mut found = (usize::MAX, Vec::new());
    while let Some(field) = answer.next()? {
        if field.number != 1 {
            continue;
        }
        // A QueryResult holds its series as a WriteRequest does.
        let mut series = Decoder::new(field.bytes()?, Version::V1, *limits)?;
        while let Some(one) = series.next_series()? {
            let mut labels = Vec::new();
            one.read_labels(&mut labels)?;
            if labels.len() < found.0 {
                found = (labels.len(), one.histograms.clone());
            }
        }
    }
    Ok(found.1)
}

/// Writes a request, as a Prometheus that reads from elsewhere does.
pub fn encode_request(request: &ReadRequest) -> Vec<u8> {
    let mut out = Vec::new();
    let mut w = Writer::new(&mut out);
    for query in &request.queries {
        w.nested(1, |w| {
            w.signed(1, query.range.start.0);
            w.signed(2, query.range.end.0);
            for matcher in &query.matchers {
                w.nested(3, |w| {
                    let kind = match matcher.op() {
                        MatchOp::Equal => 0,
                        MatchOp::NotEqual => 1,
                        MatchOp::Matches => 2,
                        MatchOp::NotMatches => 3,
                    };
                    w.unsigned(1, kind);
                    w.text(2, matcher.name());
                    w.text(3, matcher.value());
                });
            }
        });
    }
    if request.form == ReadForm::Chunked {
        w.packed_varints(2, [1, 0].into_iter());
    }
    out
}

#[cfg(test)]
mod tests;
