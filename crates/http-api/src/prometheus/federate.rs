//! `/federate`: the newest sample of every series that is asked for, as exposition text.
//!
//! Facts are from upstream's `web/federate.go`: series by metric name, each metric `untyped`,
//! stale and nameless series left out, external labels added where a series has none of that
//! name, and `instance=""` when nothing says otherwise. Native histograms do not fit the text
//! format and are left out. Names that older parsers refuse are written with underscores unless
//! the client asks for `escaping=allow-utf-8`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    response::Response,
};
use masthead_model::{
    Labels, Matcher, TimeRange, format_shortest, is_legacy_label_name, is_legacy_metric_name,
    is_stale,
};
use masthead_ports::{Columns, QueryCtx, SelectHints, Selection};

use super::{Shared, Work};
use crate::{
    error::ApiError,
    params::{Params, parse_selector},
    stream::{self, ChunkWriter, Delivery, Stop},
};

/// `/federate`
pub(super) async fn federate(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Response> {
    let utf8 = allows_utf8(request.headers());
    let params = Params::read(request, &shared).await.map_err(ApiError::into_plain)?;
    let mut selectors = Vec::new();
    for text in params.all("match[]") {
        let matchers = parse_selector(text);
        selectors.push(matchers.map_err(|why| ApiError::bad(why).into_plain())?);
    }
    let ctx = shared.ctx(None);
    let place = shared.place(Work::Lookup, &ctx, shared.limits.query.timeout).await;
    let place = place.map_err(ApiError::into_plain)?;
    let content_type = if utf8 {
        "text/plain; version=0.0.4; charset=utf-8; escaping=allow-utf-8"
    } else {
        "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
    };
    let delivery = Delivery { content_type, ..shared.delivery(params.gzip, ctx.cancellation()) };
    let work = move |out: &mut ChunkWriter| {
        let series = newest(&shared, &ctx, selectors)?;
        write(out, &series, &shared.parts.server.external_labels(), utf8)
    };
    Ok(stream::respond(place, delivery, work).await)
}

fn allows_utf8(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).into_iter();
    accepts
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.split([',', ';']).any(|part| part.trim() == "escaping=allow-utf-8"))
}

type Newest = BTreeMap<Labels, (i64, f64)>;

/// Each series once, whichever selectors found it.
fn newest(
    shared: &Shared,
    ctx: &QueryCtx,
    selectors: Vec<Vec<Matcher>>,
) -> Result<Newest, ApiError> {
    let now = shared.now();
    let range = TimeRange { start: now.saturating_sub(shared.parts.lookback_ms), end: now };
    let selection = |matchers| Selection { matchers, range, hints: SelectHints::default() };
    let selections: Vec<Selection> = selectors.into_iter().map(selection).collect();
    let mut found = Newest::new();
    let mut columns = Columns::default();
    for selected in shared.parts.source.select(ctx, &selections)? {
        for (at, labels) in selected.labels.into_iter().enumerate() {
            if labels.metric_name().is_none() || found.contains_key(&labels) {
                continue;
            }
            selected.reader.read(ctx, at, &mut columns)?;
            let float = columns.float_times.last().copied().zip(columns.floats.last().copied());
            let histogram = columns.histogram_times.last();
            if let Some((time, value)) = float
                && !is_stale(value)
                && histogram.is_none_or(|other| *other < time)
            {
                found.insert(labels, (time, value));
            }
        }
    }
    Ok(found)
}

fn write(
    out: &mut ChunkWriter,
    series: &Newest,
    external: &Labels,
    utf8: bool,
) -> Result<(), Stop> {
    let mut by_name: Vec<(&str, &Labels, &(i64, f64))> = series
        .iter()
        .filter_map(|(labels, sample)| Some((labels.metric_name()?, labels, sample)))
        .collect();
    // Stable, so that series of one metric stay in the order of their labels.
    by_name.sort_by_key(|(name, ..)| *name);
    let mut last = None;
    for (name, labels, (time, value)) in by_name {
        let legacy = is_legacy_metric_name(name);
        if last != Some(name) {
            last = Some(name);
            out.buf.extend_from_slice(b"# TYPE ");
            push_name(&mut out.buf, name, legacy, utf8, is_metric_char);
            out.buf.extend_from_slice(b" untyped\n");
        }
        let outside = !legacy && utf8;
        if outside {
            out.buf.push(b'{');
        }
        push_name(&mut out.buf, name, legacy, utf8, is_metric_char);
        push_labels(&mut out.buf, labels, external, utf8, outside);
        out.buf.push(b' ');
        out.buf.extend_from_slice(format_shortest(*value, 6).as_bytes());
        out.buf.push(b' ');
        out.buf.extend_from_slice(itoa::Buffer::new().format(*time).as_bytes());
        out.buf.push(b'\n');
        out.check()?;
    }
    Ok(())
}

/// Everything but the name, then what is added; `open` when the brace stands already.
fn push_labels(buf: &mut Vec<u8>, labels: &Labels, external: &Labels, utf8: bool, open: bool) {
    let own = labels.iter().filter(|l| l.name != masthead_model::METRIC_NAME);
    let own = own.map(|l| (l.name, l.value));
    let no_instance = external.get("instance").is_none().then_some(("instance", ""));
    let mut added: Vec<(&str, &str)> =
        external.iter().map(|l| (l.name, l.value)).chain(no_instance).collect();
    added.retain(|(name, _)| labels.get(name).is_none());
    added.sort_unstable();
    let mut opened = open;
    let mut first = !open;
    for (name, value) in own.chain(added) {
        if !opened {
            buf.push(b'{');
            opened = true;
        }
        if !first {
            buf.push(b',');
        }
        first = false;
        push_name(buf, name, is_legacy_label_name(name), utf8, is_label_char);
        buf.extend_from_slice(b"=\"");
        push_escaped(buf, value);
        buf.push(b'"');
    }
    if opened {
        buf.push(b'}');
    }
}

fn is_metric_char(c: char) -> bool {
    is_label_char(c) || c == ':'
}

fn is_label_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// A name as it is, in quotes, or with underscores for what older parsers refuse.
fn push_name(buf: &mut Vec<u8>, name: &str, legacy: bool, utf8: bool, plain: fn(char) -> bool) {
    if legacy {
        buf.extend_from_slice(name.as_bytes());
    } else if utf8 {
        buf.push(b'"');
        push_escaped(buf, name);
        buf.push(b'"');
    } else {
        for (at, c) in name.chars().enumerate() {
            let fits = plain(c) && !(at == 0 && c.is_ascii_digit());
            let mut bytes = [0; 4];
            let c = if fits { c } else { '_' };
            buf.extend_from_slice(c.encode_utf8(&mut bytes).as_bytes());
        }
    }
}

fn push_escaped(buf: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'\\' => buf.extend_from_slice(b"\\\\"),
            b'"' => buf.extend_from_slice(b"\\\""),
            b'\n' => buf.extend_from_slice(b"\\n"),
            byte => buf.push(byte),
        }
    }
}
