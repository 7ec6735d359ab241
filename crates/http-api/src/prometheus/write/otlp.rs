//! `/otlp/v1/metrics`: what OpenTelemetry senders push.
//!
//! Facts are from `storage/remote/codec.go: DecodeOTLPWriteRequest`; an answer that says nothing
//! was refused is an empty `ExportMetricsServiceResponse`, as the protocol wants it.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use masthead_ports::SeriesRef;
use masthead_wire::{
    otlp::{decode_json, decode_protobuf},
    remote_write::Metadata,
};

use super::{Known, Shared, push, refuse, store, text};
use crate::{
    error::{ApiError, plain},
    unzip::unzip,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Protobuf,
    Json,
}

impl Form {
    fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

/// `/otlp/v1/metrics`
pub(in crate::prometheus) async fn otlp(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Response> {
    let bad = |text: String| plain(StatusCode::BAD_REQUEST, text);
    let kind = text(request.headers(), &header::CONTENT_TYPE);
    let form = match kind.split(';').next().unwrap_or("").trim() {
        "application/x-protobuf" => Form::Protobuf,
        "application/json" => Form::Json,
        _ => {
            return Err(bad(format!(
                "unsupported content type: {kind}, supported: [application/json, application/x-protobuf]"
            )));
        }
    };
    let zipped = match text(request.headers(), &header::CONTENT_ENCODING) {
        "" | "identity" => false,
        "gzip" => true,
        other => {
            return Err(bad(format!(
                "unsupported compression: {other}. Only \"gzip\" or no compression supported"
            )));
        }
    };
    let done = store(&shared, request, move |shared, mut upload, intake| {
        let limits = shared.wire_limits();
        if zipped {
            upload.bytes = unzip(&upload.bytes, limits.body_bytes)?;
        }
        let config = shared.otlp_config();
        let translated = match form {
            Form::Protobuf => decode_protobuf(&upload.bytes, &config, &limits),
            Form::Json => decode_json(&mut upload.bytes, &config, &limits),
        };
        drop(upload);
        let translated = translated.map_err(|error| refuse(&error))?;
        translated.errors.into_iter().for_each(|why| intake.refuse(why));
        for family in &translated.metadata {
            intake.metadata(Metadata {
                family: &family.family,
                metric_type: family.metric_type,
                help: &family.help,
                unit: &family.unit,
            })?;
        }
        for series in translated.series {
            let known = Known { labels: series.labels, series: SeriesRef::default(), key: None };
            push(&known, &series.samples, series.histograms, &series.exemplars, intake)?;
        }
        Ok(())
    });
    let mut response = done.await.map_err(ApiError::into_plain)?.response(StatusCode::OK);
    if response.status() == StatusCode::OK {
        let kind = HeaderValue::from_static(form.content_type());
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if form == Form::Json {
            *response.body_mut() = "{}".into();
        }
    }
    Ok(response)
}
