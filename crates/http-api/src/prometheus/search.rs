//! `/search/…`: names and values while somebody types them, as lines of JSON.
//!
//! What fits is found and put in order before the first line is written; then batches follow, one a
//! line, and a last line says whether there was more. Errors after the first line are a line as
//! well. Parameters, texts and shapes are upstream's (`web/api/v1/search.go`, behind a flag there);
//! how well a text fits is in `search/score.rs`.

use std::{cmp::Ordering, collections::HashMap, sync::Arc};

use axum::{
    extract::{Request, State},
    response::Response,
};
use masthead_model::METRIC_NAME;
use masthead_ports::{LabelQuery, Metadata, QueryCtx};
use serde::Serialize;

use super::{Shared, Work};
use crate::{
    error::ApiError,
    json,
    params::Params,
    stream::{self, ChunkWriter, Delivery, Stop},
};

mod score;

use score::{Algorithm, Filter};

/// Results of one request unless it says otherwise, and at most (`--web.search.max-limit`, which
/// is not a flag here).
const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 10_000;
/// Results of one line.
const BATCH_DEFAULT: usize = 100;
/// Texts that are searched for at once; each is compared with every name.
const TERMS_MAX: usize = 32;
/// How far back names are looked for unless `start` says otherwise.
const RANGE_MILLIS: i64 = 3_600_000;

/// `/search/metric_names`
pub(super) async fn metric_names(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    let params = Params::read(request, &shared).await?;
    let question = Question::read(&params, &shared, "metric_names")?;
    let with_metadata = flag(&params, "include_metadata", false)?;
    let find = |shared: &Shared, ctx: &QueryCtx, query: &LabelQuery| {
        shared.parts.source.label_values(ctx, METRIC_NAME, query)
    };
    answer(&shared, params.gzip, question, with_metadata, find).await
}

/// `/search/label_names`
pub(super) async fn label_names(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    let params = Params::read(request, &shared).await?;
    let question = Question::read(&params, &shared, "label_names")?;
    let find = |shared: &Shared, ctx: &QueryCtx, query: &LabelQuery| {
        shared.parts.source.label_names(ctx, query)
    };
    answer(&shared, params.gzip, question, false, find).await
}

/// `/search/label_values`
pub(super) async fn label_values(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    let params = Params::read(request, &shared).await?;
    let question = Question::read(&params, &shared, "label_values")?;
    let label = params.first("label").to_owned();
    if label.is_empty() {
        return Err(ApiError::bad("missing required parameter \"label\""));
    }
    let find = move |shared: &Shared, ctx: &QueryCtx, query: &LabelQuery| {
        shared.parts.source.label_values(ctx, &label, query)
    };
    answer(&shared, params.gzip, question, false, find).await
}

/// What is searched, once its parameters are known to be sound.
struct Question {
    query: LabelQuery,
    filter: Filter,
    order: Order,
    with_score: bool,
    limit: usize,
    batch: usize,
}

#[derive(Clone, Copy)]
enum Order {
    Rising,
    Falling,
    /// The best first, the same in the order of the alphabet.
    Score,
}

impl Question {
    fn read(params: &Params, shared: &Shared, endpoint: &str) -> Result<Self, ApiError> {
        let now = shared.now();
        let start = params.time_or("start", now.saturating_sub(RANGE_MILLIS))?;
        let end = params.time_or("end", now)?;
        if end < start {
            return Err(ApiError::bad("end timestamp must not be before start timestamp"));
        }
        let matchers = params.selectors("match[]").map_err(ApiError::bad)?;
        let terms: Vec<&str> = params.all("search[]").collect();
        if terms.len() > TERMS_MAX {
            return Err(ApiError::bad(format!(
                "too many search[] terms: got {}, maximum is {TERMS_MAX}",
                terms.len()
            )));
        }
        let filter = filter(params, &terms)?;
        let order = order(params, endpoint, terms.is_empty())?;
        let limit = whole(params, "limit")?.filter(|limit| *limit > 0).unwrap_or(LIMIT_DEFAULT);
        if limit > LIMIT_MAX {
            return Err(ApiError::bad(format!(
                "limit {limit} exceeds the configured maximum ({LIMIT_MAX})"
            )));
        }
        let batch = whole(params, "batch_size")?.filter(|size| *size > 0).unwrap_or(BATCH_DEFAULT);
        let range = masthead_model::TimeRange { start, end };
        Ok(Self {
            query: LabelQuery { matchers, range, limit: 0 },
            filter,
            order,
            with_score: flag(params, "include_score", false)?,
            limit,
            batch,
        })
    }
}

fn filter(params: &Params, terms: &[&str]) -> Result<Filter, ApiError> {
    let threshold = match params.first("fuzz_threshold") {
        "" => 0,
        text => text.parse::<u8>().ok().filter(|percent| *percent <= 100).ok_or_else(|| {
            ApiError::bad(format!("invalid fuzz_threshold \"{text}\": must be 0-100"))
        })?,
    };
    let algorithm = match params.first("fuzz_alg") {
        "" | "subsequence" => Algorithm::Subsequence,
        "jarowinkler" => Algorithm::JaroWinkler,
        other => {
            return Err(ApiError::bad(format!(
                "unsupported fuzz_alg \"{other}\": must be one of [subsequence jarowinkler]"
            )));
        }
    };
    let case_sensitive = flag(params, "case_sensitive", true)?;
    Ok(Filter::new(terms, algorithm, f64::from(threshold) / 100.0, case_sensitive))
}

fn order(params: &Params, endpoint: &str, no_terms: bool) -> Result<Order, ApiError> {
    let (by, direction) = (params.first("sort_by"), params.first("sort_dir"));
    match (by, direction) {
        ("", "") => return Ok(Order::Rising),
        ("", _) => return Err(ApiError::bad("sort_dir is only valid when sort_by is set")),
        ("score", direction) if !direction.is_empty() => {
            return Err(ApiError::bad("sort_dir is not supported for sort_by=score"));
        }
        _ => {}
    }
    match (by, direction) {
        (_, direction) if !matches!(direction, "" | "asc" | "dsc") => Err(ApiError::bad(format!(
            "invalid sort_dir \"{direction}\": must be \"asc\" or \"dsc\""
        ))),
        ("score", _) if no_terms => Err(ApiError::bad("sort_by=score requires search[] to be set")),
        ("score", _) => Ok(Order::Score),
        ("alpha", "dsc") => Ok(Order::Falling),
        ("alpha", _) => Ok(Order::Rising),
        _ => Err(ApiError::bad(format!(
            "invalid sort_by \"{by}\" for {endpoint}: must be \"alpha\" or \"score\""
        ))),
    }
}

fn flag(params: &Params, name: &str, default: bool) -> Result<bool, ApiError> {
    let text = params.first(name);
    if text.is_empty() {
        return Ok(default);
    }
    let refuse = |_| ApiError::bad(format!("invalid {name} \"{text}\": must be boolean"));
    Params::boolean(text).map_err(refuse)
}

fn whole(params: &Params, name: &str) -> Result<Option<usize>, ApiError> {
    let text = params.first(name);
    if text.is_empty() {
        return Ok(None);
    }
    let refuse =
        |_| ApiError::bad(format!("invalid {name} \"{text}\": must be non-negative integer"));
    text.parse().map(Some).map_err(refuse)
}

/// One result; what was not asked for is left out.
#[derive(Serialize)]
struct Found<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    r#type: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    help: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    unit: &'a str,
}

#[derive(Serialize)]
struct Batch<'a> {
    results: Vec<Found<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Trailer {
    status: &'static str,
    has_more: bool,
}

async fn answer(
    shared: &Arc<Shared>,
    gzip: bool,
    question: Question,
    with_metadata: bool,
    find: impl FnOnce(
        &Shared,
        &QueryCtx,
        &LabelQuery,
    ) -> Result<Vec<String>, masthead_ports::QueryError>
    + Send
    + 'static,
) -> Result<Response, ApiError> {
    let ctx = shared.ctx(None);
    let place = shared.place(Work::Lookup, &ctx, shared.limits.query.timeout).await?;
    let content_type = "application/x-ndjson; charset=utf-8";
    let delivery = Delivery { content_type, ..shared.delivery(gzip, ctx.cancellation()) };
    let shared = Arc::clone(shared);
    let work = move |out: &mut ChunkWriter| {
        let names = find(&shared, &ctx, &question.query)?;
        let mut fitting: Vec<(&str, f64)> = names
            .iter()
            .filter_map(|name| Some((name.as_str(), question.filter.score(name)?)))
            .collect();
        ctx.check()?;
        sort(&mut fitting, question.order);
        let has_more = fitting.len() > question.limit;
        fitting.truncate(question.limit);
        let metadata = if with_metadata && !fitting.is_empty() {
            metadata(&shared, &ctx)?
        } else {
            HashMap::new()
        };
        write(out, &question, &fitting, &metadata, ctx.warnings())?;
        line(out, &Trailer { status: "success", has_more })
    };
    Ok(stream::respond(place, delivery, work).await)
}

fn sort(fitting: &mut [(&str, f64)], order: Order) {
    // Names come in rising order, and sorting is stable.
    match order {
        Order::Rising => {}
        Order::Falling => fitting.reverse(),
        Order::Score => {
            fitting.sort_by(|(_, a), (_, b)| b.partial_cmp(a).unwrap_or(Ordering::Equal));
        }
    }
}

/// What targets say, and for families that none has, what the store knows.
fn metadata(shared: &Shared, ctx: &QueryCtx) -> Result<HashMap<Arc<str>, Metadata>, ApiError> {
    let mut known = HashMap::new();
    let told = shared.parts.targets.metadata(None).into_iter().flat_map(|target| target.families);
    let stored = shared.parts.source.metadata(ctx, None)?;
    for family in told.chain(stored) {
        known.entry(Arc::clone(&family.family)).or_insert(family);
    }
    Ok(known)
}

fn write(
    out: &mut ChunkWriter,
    question: &Question,
    fitting: &[(&str, f64)],
    metadata: &HashMap<Arc<str>, Metadata>,
    mut warnings: Vec<String>,
) -> Result<(), Stop> {
    if fitting.is_empty() {
        // A first line is always there, because warnings have no other place.
        return line(out, &Batch { results: Vec::new(), warnings });
    }
    for batch in fitting.chunks(question.batch) {
        let results = batch
            .iter()
            .map(|fit| {
                let told = metadata.get(fit.0);
                Found {
                    name: fit.0,
                    score: question.with_score.then_some(fit.1),
                    r#type: told.map_or("", |told| told.metric_type.as_str()),
                    help: told.map_or("", |told| &told.help),
                    unit: told.map_or("", |told| &told.unit),
                }
            })
            .collect();
        line(out, &Batch { results, warnings: std::mem::take(&mut warnings) })?;
    }
    Ok(())
}

fn line(out: &mut ChunkWriter, value: &impl Serialize) -> Result<(), Stop> {
    out.buf.extend_from_slice(&json::to_vec(value));
    out.buf.push(b'\n');
    out.check()
}
