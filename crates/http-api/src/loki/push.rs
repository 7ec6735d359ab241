//! `/push` and `/otlp/v1/logs`: lines that are pushed.
//!
//! A body is read whole, decompressed and decoded on a blocking thread, and handed to the sink as
//! one batch that borrows from it. Entries that break a rule are refused one by one in Loki's words
//! and the rest is kept, which is a 400 all the same, or a 429 if streams were too many. What the store cannot take now is a 503 with
//! `Retry-After`; what it took before is then sent again and recognised as the same.
//!
//! Which decoder: `push/form.rs`. Rules, the service's name and the level: `push/intake.rs`.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use masthead_model::Nanos;
use masthead_ports::LogSink as _;
use masthead_wire::{
    Limits as WireLimits,
    loki::{Push, decode_json, decode_legacy_json, decode_protobuf},
    otlp::logs,
};

use super::{Refusal, Shared};
use crate::{
    error::ApiError,
    stats::add,
    unzip::{inflate, unlz4, unzip, unzstd},
    upload::{self, Limit, Upload},
};
use form::{Encoding, Form};
use intake::Intake;

mod form;
mod intake;
mod labels;

pub(super) use labels::{broken_rule, service_of};

/// `/loki/api/v1/push`
pub(super) async fn push(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    answer(receive(&shared, request, Form::of_push).await)
}

/// `/api/prom/push`
pub(super) async fn legacy(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    answer(receive(&shared, request, Form::of_legacy).await)
}

/// `/otlp/v1/logs`, whose errors are a `google.rpc.Status`.
pub(super) async fn otlp(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    match receive(&shared, request, Form::of_otlp).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => {
            let kind = HeaderValue::from_static("application/octet-stream");
            let body = rpc_status(&refusal.message);
            let mut response = refusal.into_response();
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            *response.body_mut() = body.into();
            response
        }
    }
}

fn answer(done: Result<(), Refusal>) -> Response {
    match done {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => refusal.into_line(),
    }
}

/// `google.rpc.Status` with its field `message` alone, as Loki sends it.
fn rpc_status(message: &str) -> Vec<u8> {
    const MESSAGE: u8 = 2 << 3 | 2;
    let mut body = vec![MESSAGE];
    let mut len = message.len();
    loop {
        let [low, ..] = len.to_le_bytes();
        len >>= 7;
        body.push(if len > 0 { low | 0x80 } else { low & 0x7f });
        if len == 0 {
            break;
        }
    }
    body.extend_from_slice(message.as_bytes());
    body
}

async fn receive(
    shared: &Arc<Shared>,
    request: Request,
    form: impl FnOnce(&str) -> Result<Form, String>,
) -> Result<(), Refusal> {
    let desk = &shared.desk;
    let form = form(text(request.headers(), &header::CONTENT_TYPE)).map_err(Refusal::bad)?;
    let encoding = Encoding::of(text(request.headers(), &header::CONTENT_ENCODING), form)
        .map_err(Refusal::bad)?;
    let limit = Limit { bytes: desk.limits.body, flag: "--web.max-body-size" };
    let upload = upload::read(request.into_body(), limit, &desk.budget, desk.limits.stall).await?;
    let place = desk.write_place().await?;
    let task = Arc::clone(shared);
    let done = tokio::task::spawn_blocking(move || {
        let _place = place;
        let mut upload = upload;
        // The upload stays until the end: it is what the budget counts.
        store(&task, &mut upload, form, encoding)
    });
    done.await.unwrap_or_else(|error| {
        add(&desk.counters.panics, 1);
        tracing::error!(%error, "A push failed.");
        let message = "the request failed; see the server's log";
        Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, message))
    })
}

fn store(
    shared: &Shared,
    upload: &mut Upload,
    form: Form,
    encoding: Encoding,
) -> Result<(), Refusal> {
    let limit = shared.desk.limits.decompressed;
    let wire = WireLimits { body_bytes: limit, ..shared.desk.limits.wire };
    match encoding {
        Encoding::Plain => {}
        Encoding::Gzip => upload.bytes = unzip(&upload.bytes, limit)?,
        Encoding::Deflate => upload.bytes = inflate(&upload.bytes, limit)?,
        Encoding::Zstd => upload.bytes = unzstd(&upload.bytes, limit)?,
        Encoding::Lz4 => upload.bytes = unlz4(&upload.bytes, limit)?,
    }
    if form.is_snappy() {
        upload.unsnap(&wire).map_err(|error| snappy(&error))?;
    }
    let body = &mut upload.bytes;
    let now = shared.now();
    let discover = &shared.parts.limits.discover_service_name;
    let push = match form {
        Form::Json => decode_json(body, &wire),
        Form::LegacyJson => decode_legacy_json(body, &wire),
        Form::Snappy => decode_protobuf(body, &wire),
        Form::OtlpJson => logs::decode_json(body, discover, now, &wire),
        Form::OtlpProtobuf => logs::decode_protobuf(body, discover, now, &wire),
    };
    keep(shared, push.map_err(|error| refuse(&error))?, now)
}

fn keep(shared: &Shared, push: Push<'_>, now: Nanos) -> Result<(), Refusal> {
    if push.streams.is_empty() {
        let text = "error at least one valid stream is required for ingestion";
        return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, text));
    }
    let mut intake = Intake::new(&shared.parts.limits, now);
    let batch = intake.take(push).map_err(|why| {
        // Loki does not expect this of a name and takes it for its own failure.
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, why)
    })?;
    let mut appended = 0;
    if !batch.streams.is_empty() {
        let report = shared.parts.sink.append(&batch).map_err(ApiError::from)?;
        appended = report.appended + report.duplicates;
        intake.refused_by_store(&batch, &report);
    }
    shared.counters.pushed(appended, intake.refused());
    // Clients send again what was too much, and drop what was wrong.
    let status = if intake.is_over_streams() {
        StatusCode::TOO_MANY_REQUESTS
    } else {
        StatusCode::BAD_REQUEST
    };
    match intake.into_text() {
        None => Ok(()),
        Some(text) => Err(Refusal::new(status, text)),
    }
}

/// The text for bytes that are no snappy is Go's.
fn snappy(error: &masthead_wire::Error) -> Refusal {
    match error {
        masthead_wire::Error::Snappy(_) => Refusal::bad("snappy: corrupt input"),
        error => refuse(error),
    }
}

fn refuse(error: &masthead_wire::Error) -> Refusal {
    use masthead_model::ErrorClass;
    if error.class() == ErrorClass::TooLarge {
        let message = format!("{error}; see --web.max-decompressed-size");
        return ApiError::new(ErrorClass::TooLarge, message).into();
    }
    Refusal::bad(error.to_string())
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("").trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_have_long_lengths() {
        assert_eq!(rpc_status("ab"), b"\x12\x02ab");
        let long = rpc_status(&"x".repeat(300));
        assert_eq!(long.get(..3), Some(&b"\x12\xac\x02"[..]));
        assert_eq!(long.len(), 303);
    }
}
