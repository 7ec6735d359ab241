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
use masthead_model::{Labels, METRIC_NAME, Matcher, MetricType, Millis, TimeRange, is_stale};
use masthead_ports::{Columns, QueryCtx, SelectHints, Selection};
use masthead_wire::exposition::{TextWriter, WriteFormat};

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
    let format = WriteFormat::Text;
    let mut writer =
        if utf8 { TextWriter::new(format) } else { TextWriter::with_underscores(format) };
    let mut last = None;
    for (name, labels, (time, value)) in by_name {
        if last != Some(name) {
            last = Some(name);
            writer.family(name, MetricType::Unknown, "", "");
        }
        writer.sample_of(name, shown(labels, external), *value, Some(Millis(*time)));
        out.buf.extend_from_slice(writer.take().as_bytes());
        out.check()?;
    }
    Ok(())
}

/// Everything but the name, then what is added.
fn shown<'l>(labels: &'l Labels, external: &'l Labels) -> impl Iterator<Item = (&'l str, &'l str)> {
    let own = labels.iter().filter(|l| l.name != METRIC_NAME).map(|l| (l.name, l.value));
    let no_instance = external.get("instance").is_none().then_some(("instance", ""));
    let mut added: Vec<(&str, &str)> =
        external.iter().map(|l| (l.name, l.value)).chain(no_instance).collect();
    added.retain(|(name, _)| labels.get(name).is_none());
    added.sort_unstable();
    own.chain(added)
}
