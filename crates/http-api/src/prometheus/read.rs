//! `/read`: samples as they are stored, for another Prometheus.
//!
//! A query is a selector and a range, nothing is evaluated, and stale markers are part of the
//! answer. Which of the two forms the answer has is the asker's choice (`wire/remote_read.rs`). As
//! upstream's `storage/remote/read_handler.go`, matchers that say what the external labels say are
//! left out, and every series gets the external labels that it does not have itself.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use masthead_model::{ErrorClass, Labels, MatchOp, Matcher, Millis};
use masthead_ports::{Columns, QueryCtx, SelectHints, Selected, Selection};
use masthead_wire::{
    remote_read::{
        CHUNKED_CONTENT_TYPE, ReadForm, ReadQuery, ReadRequest, SAMPLES_CONTENT_TYPE,
        SamplesEncoder, write_chunked_series,
    },
    remote_write::{FloatPoint, HistogramPoint, compress, decompress},
};

use super::{Shared, Work, write::refuse};
use crate::{
    error::ApiError,
    stream::{self, ChunkWriter, Delivery, Stop},
    upload::{self, Limit},
};

/// Bytes of an answer of plain samples at most, because it is held whole; frames are not.
const SAMPLES_BYTES_MAX: usize = 256 << 20;

/// `/read`
pub(super) async fn read(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Response> {
    let ctx = shared.ctx(None);
    let limit = Limit { bytes: shared.limits.body, flag: "--web.max-body-size" };
    let body = request.into_body();
    let upload = upload::read(body, limit, &shared.budget, shared.limits.stall).await;
    let upload = upload.map_err(ApiError::into_plain)?;
    let decoded = decode(&shared, &upload.bytes).map_err(ApiError::into_plain)?;
    drop(upload);
    let place = shared.place(Work::Query, &ctx, shared.limits.query.timeout).await;
    let place = place.map_err(ApiError::into_plain)?;
    let form = decoded.form;
    let content_type = match form {
        ReadForm::Samples => SAMPLES_CONTENT_TYPE,
        ReadForm::Chunked => CHUNKED_CONTENT_TYPE,
    };
    // Both forms are dense already; the older one must be snappy and nothing else.
    let delivery = Delivery { content_type, ..shared.delivery(false, ctx.cancellation()) };
    let work = move |out: &mut ChunkWriter| {
        let selected = select(&shared, &ctx, decoded.queries)?;
        let external = shared.parts.server.external_labels();
        match form {
            ReadForm::Samples => samples(&ctx, &selected, &external, out),
            ReadForm::Chunked => chunked(&ctx, &selected, &external, out),
        }
    };
    let mut response = stream::respond(place, delivery, work).await;
    if form == ReadForm::Samples && response.status() == StatusCode::OK {
        let snappy = HeaderValue::from_static("snappy");
        response.headers_mut().insert(header::CONTENT_ENCODING, snappy);
    }
    Ok(response)
}

fn decode(shared: &Shared, body: &[u8]) -> Result<ReadRequest, ApiError> {
    let limits = shared.wire_limits();
    let mut bytes = Vec::new();
    decompress(body, &limits, &mut bytes).map_err(|error| refuse(&error))?;
    ReadRequest::decode(&bytes, &limits).map_err(|error| refuse(&error))
}

/// All queries on one snapshot.
fn select(
    shared: &Shared,
    ctx: &QueryCtx,
    queries: Vec<ReadQuery>,
) -> Result<Vec<Selected>, ApiError> {
    let external = shared.parts.server.external_labels();
    let told = |matcher: &Matcher| {
        matcher.op() == MatchOp::Equal && external.get(matcher.name()) == Some(matcher.value())
    };
    let selection = |mut query: ReadQuery| {
        query.matchers.retain(|matcher| !told(matcher));
        let function = Some(query.hints.function).filter(|name| !name.is_empty());
        let hints = SelectHints {
            step_ms: query.hints.step_ms,
            range_ms: query.hints.range_ms,
            // Hints of functions let a store leave samples out; here all of them are the answer.
            labels_only: function.as_deref() == Some("series"),
            ..SelectHints::default()
        };
        Selection { matchers: query.matchers, range: query.range, hints }
    };
    let selections: Vec<Selection> = queries.into_iter().map(selection).collect();
    if selections.is_empty() {
        return Ok(Vec::new());
    }
    Ok(shared.parts.source.select(ctx, &selections)?)
}

/// Every series of a selection that has samples, in the order of labels.
fn each_series(
    ctx: &QueryCtx,
    selected: &Selected,
    external: &Labels,
    mut take: impl FnMut(&Labels, &Columns) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut columns = Columns::default();
    // External labels may come between the own ones, and then the order is another.
    let mut order: Vec<(Labels, usize)> =
        selected.labels.iter().enumerate().map(|(at, own)| (merged(own, external), at)).collect();
    if !external.is_empty() {
        order.sort();
    }
    for (labels, at) in order {
        selected.reader.read(ctx, at, &mut columns)?;
        if !columns.is_empty() {
            take(&labels, &columns)?;
        }
    }
    Ok(())
}

fn merged(own: &Labels, external: &Labels) -> Labels {
    if external.iter().all(|label| own.get(label.name).is_some()) {
        return own.clone();
    }
    let mut labels = own.to_builder();
    for label in external.iter().filter(|label| own.get(label.name).is_none()) {
        labels.set(label.name, label.value);
    }
    labels.build()
}

fn samples(
    ctx: &QueryCtx,
    selected: &[Selected],
    external: &Labels,
    out: &mut ChunkWriter,
) -> Result<(), Stop> {
    let mut encoder = SamplesEncoder::default();
    for selected in selected {
        each_series(ctx, selected, external, |labels, columns| {
            let floats = columns.float_times.iter().zip(&columns.floats);
            let floats = floats.map(|(time, value)| FloatPoint {
                timestamp: Millis(*time),
                start: None,
                value: *value,
            });
            let histograms = columns.histogram_times.iter().zip(&columns.histograms);
            let histograms = histograms.map(|(time, histogram)| HistogramPoint {
                timestamp: Millis(*time),
                start: None,
                histogram: masthead_model::Histogram::clone(histogram),
            });
            encoder.series(labels, floats, histograms);
            if encoder.byte_len() > SAMPLES_BYTES_MAX {
                let message = format!(
                    "the answer has more than {SAMPLES_BYTES_MAX} bytes; ask for a shorter range, or for STREAMED_XOR_CHUNKS, which has no such limit"
                );
                return Err(ApiError::new(ErrorClass::Limit, message).into());
            }
            Ok(())
        })?;
        encoder.end_query();
    }
    let body = compress(&encoder.finish())
        .map_err(|error| ApiError::new(ErrorClass::Internal, error.to_string()))?;
    out.buf.extend_from_slice(&body);
    out.check()
}

fn chunked(
    ctx: &QueryCtx,
    selected: &[Selected],
    external: &Labels,
    out: &mut ChunkWriter,
) -> Result<(), Stop> {
    for (query, selected) in selected.iter().enumerate() {
        each_series(ctx, selected, external, |labels, columns| {
            let floats = (columns.float_times.as_slice(), columns.floats.as_slice());
            let histograms = (columns.histogram_times.as_slice(), columns.histograms.as_slice());
            write_chunked_series(query, labels, floats, histograms, |frame| {
                out.buf.extend_from_slice(frame);
                out.check()
            })
        })?;
    }
    Ok(())
}
