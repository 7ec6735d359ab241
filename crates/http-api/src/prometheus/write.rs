//! `/write` and `/otlp/v1/metrics`: samples that are pushed.
//!
//! A request is decoded and appended on a blocking thread, in batches of bounded size, so that a
//! body of many small samples does not grow into many times its bytes. Good samples are kept even
//! if others of the same request are refused; the refused ones are named in a 400, which senders
//! do not repeat. What the store cannot take now is a 503 with `Retry-After`, which they do; what
//! was appended before is then sent again and recognised as the same.
//!
//! One batch and what became of it: `write/intake.rs`. Series that were seen before:
//! `write/cache.rs`. OTLP: `write/otlp.rs`.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError},
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use masthead_model::{ErrorClass, Labels, Value};
use masthead_ports::{AppendRow, SeriesRef};
use masthead_wire::{
    Error, Exemplar,
    otlp::Config,
    remote_write::{Decoder, FloatPoint, HistogramPoint, LabelScratch, Version},
};

use super::Shared;
use crate::{
    error::{ApiError, plain},
    stats::add,
    upload::{self, Limit, Upload},
};
use intake::{Intake, Known};

mod cache;
mod intake;
mod otlp;

pub(super) use cache::SeriesCache;
pub(super) use otlp::otlp;

const WRITTEN_SAMPLES: HeaderName =
    HeaderName::from_static("x-prometheus-remote-write-written-samples");
const WRITTEN_HISTOGRAMS: HeaderName =
    HeaderName::from_static("x-prometheus-remote-write-written-histograms");
const WRITTEN_EXEMPLARS: HeaderName =
    HeaderName::from_static("x-prometheus-remote-write-written-exemplars");

/// `/write`
pub(super) async fn remote_write(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Response> {
    let version = Version::from_content_type(text(request.headers(), &header::CONTENT_TYPE))
        .map_err(|error| plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, error.to_string()))?;
    let encoding = text(request.headers(), &header::CONTENT_ENCODING);
    if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("snappy") {
        let text = format!(
            "{encoding} encoding (compression) is not accepted by this server; only snappy is acceptable"
        );
        return Err(plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    }
    let outcome = store(&shared, request, move |shared, mut upload, intake| {
        upload.unsnap(&shared.wire_limits()).map_err(|error| refuse(&error))?;
        decode(shared, &upload.bytes, version, intake)
    })
    .await;
    let mut response = match &outcome {
        Ok(done) => done.response(StatusCode::NO_CONTENT),
        Err(error) => error.clone().into_plain(),
    };
    if version == Version::V2 {
        // Zeros when the sender is to send all of it again.
        let done = outcome.unwrap_or_default();
        let counts = [
            (WRITTEN_SAMPLES, done.samples),
            (WRITTEN_HISTOGRAMS, done.histograms),
            (WRITTEN_EXEMPLARS, done.exemplars),
        ];
        for (name, count) in counts {
            response.headers_mut().insert(name, HeaderValue::from(count));
        }
    }
    Ok(response)
}

/// What became of a request whose samples could be read.
#[derive(Debug, Default)]
struct Done {
    samples: usize,
    histograms: usize,
    exemplars: usize,
    /// What was refused and why; empty if nothing was.
    refused: Vec<String>,
}

impl Done {
    fn response(&self, success: StatusCode) -> Response {
        if self.refused.is_empty() {
            success.into_response()
        } else {
            plain(StatusCode::BAD_REQUEST, self.refused.join("\n"))
        }
    }
}

/// Reads the body and runs `work` on a blocking thread.
async fn store(
    shared: &Arc<Shared>,
    request: Request,
    work: impl FnOnce(&Shared, Upload, &mut Intake<'_>) -> Result<(), ApiError> + Send + 'static,
) -> Result<Done, ApiError> {
    let limit = Limit { bytes: shared.limits.body, flag: "--web.max-body-size" };
    let body = request.into_body();
    let upload = upload::read(body, limit, &shared.budget, shared.limits.stall).await?;
    let place = shared.write_place().await?;
    let task = Arc::clone(shared);
    let done = tokio::task::spawn_blocking(move || {
        let _place = place;
        let mut intake = Intake::new(task.parts.sink.as_ref(), &task.series, task.now());
        let worked = work(&task, upload, &mut intake);
        // What was read before an error is kept all the same.
        let done = intake.finish();
        add(&task.counters.samples_accepted, done.accepted());
        add(&task.counters.samples_refused, done.refused_samples);
        add(&task.counters.exemplars_refused, done.refused_exemplars);
        worked?;
        done.into_result()
    });
    done.await.unwrap_or_else(|error| {
        add(&shared.counters.panics, 1);
        tracing::error!(%error, "A write failed.");
        let message = "the request failed; see the server's log";
        Err(ApiError::new(ErrorClass::Internal, message))
    })
}

fn decode(
    shared: &Shared,
    body: &[u8],
    version: Version,
    intake: &mut Intake<'_>,
) -> Result<(), ApiError> {
    let limits = shared.wire_limits();
    let mut decoder = Decoder::new(body, version, limits).map_err(|error| refuse(&error))?;
    let mut scratch = LabelScratch::default();
    let mut families = HashSet::new();
    let mut pairs = Vec::new();
    loop {
        let series = match decoder.next_series() {
            Ok(Some(series)) => series,
            Ok(None) => break,
            Err(error) => {
                series_error(&error, intake)?;
                continue;
            }
        };
        let key = match shared.series.key(series, &mut pairs) {
            Ok(key) => key,
            Err(error) => {
                intake.refuse_series(series.samples.len() + series.histograms.len());
                series_error(&error, intake)?;
                continue;
            }
        };
        let found = shared.series.find(key, intake.numbering);
        // Exemplars are kept with labels.
        let suffices =
            |(labels, _): &(Labels, SeriesRef)| !labels.is_empty() || series.exemplars.is_empty();
        let known = match found.filter(suffices) {
            Some((labels, series)) => Known { labels, series, key: Some(key) },
            None => match series.labels(&mut scratch, &limits) {
                Ok(labels) => Known { labels, series: SeriesRef::default(), key: Some(key) },
                Err(error) => {
                    intake.refuse_series(series.samples.len() + series.histograms.len());
                    series_error(&error, intake)?;
                    continue;
                }
            },
        };
        if known.series == SeriesRef::default() && known.labels.metric_name().is_none() {
            intake.refuse_series(series.samples.len() + series.histograms.len());
            intake.refuse(format!("invalid metric name or labels, got {}", known.labels));
            continue;
        }
        if let Some(metadata) = series.metadata
            && families.insert(metadata.family)
        {
            intake.metadata(metadata)?;
        }
        intake.refuse_exemplars(series.refused_exemplars);
        let alone = series.samples.is_empty() && series.histograms.is_empty();
        if alone && version == Version::V2 && series.exemplars.is_empty() {
            let labels = intake.labels_of(&known.labels, known.series);
            intake.refuse(format!(
                "TimeSeries must contain at least one sample or histogram for series {labels}"
            ));
        }
        let histograms = series.histograms.iter().cloned();
        push(&known, &series.samples, histograms, &series.exemplars, intake)?;
    }
    for metadata in decoder.metadata() {
        intake.metadata(*metadata)?;
    }
    Ok(())
}

/// Rows of one series, in the order of the request.
fn push(
    known: &Known,
    samples: &[FloatPoint],
    histograms: impl IntoIterator<Item = HistogramPoint>,
    exemplars: &[Exemplar],
    intake: &mut Intake<'_>,
) -> Result<(), ApiError> {
    let row = |timestamp, start, value| AppendRow {
        labels: known.labels.clone(),
        series: known.series,
        timestamp,
        start,
        value,
        exemplars: Vec::new(),
    };
    // Exemplars belong to the series; they travel on its last row.
    let floats = samples.iter().map(|p| row(p.timestamp, p.start, Value::Float(p.value)));
    let histograms = histograms
        .into_iter()
        .map(|p| row(p.timestamp, p.start, Value::Histogram(Box::new(p.histogram))));
    let mut rows = floats.chain(histograms).peekable();
    if rows.peek().is_none() {
        // So a Prometheus sends them, by both versions.
        return intake.exemplars(&known.labels, exemplars);
    }
    while let Some(mut row) = rows.next() {
        if rows.peek().is_none() && !exemplars.is_empty() {
            row.exemplars = intake.timely(exemplars);
        }
        intake.push(row, known)?;
    }
    Ok(())
}

/// Bytes that are not the message end the request; anything else costs one series.
fn series_error(error: &Error, intake: &mut Intake<'_>) -> Result<(), ApiError> {
    if matches!(error, Error::Proto { .. }) {
        return Err(refuse(error));
    }
    intake.refuse(error.to_string());
    Ok(())
}

/// Everything that cannot be read is a 400, but for bodies that are too large.
pub(super) fn refuse(error: &Error) -> ApiError {
    let class = match error.class() {
        ErrorClass::TooLarge => ErrorClass::TooLarge,
        _ => ErrorClass::BadInput,
    };
    let flag = if class == ErrorClass::TooLarge { "; see --web.max-decompressed-size" } else { "" };
    ApiError::new(class, format!("{error}{flag}"))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("").trim()
}

impl Shared {
    fn otlp_config(&self) -> Config {
        self.otlp.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn wire_limits(&self) -> masthead_wire::Limits {
        masthead_wire::Limits { body_bytes: self.limits.decompressed, ..self.limits.wire }
    }
}
