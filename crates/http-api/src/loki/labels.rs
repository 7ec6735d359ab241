//! `/labels`, `/label/NAME/values` and `/series`.
//!
//! An answer of names or values without any has no `data` at all, as Loki's.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use masthead_model::{Labels, Matcher, Nanos, TimeRange};
use masthead_ports::QueryCtx;
use serde::Serialize;

use super::{
    Refusal, Shared, Success, language,
    params::{Asked, check_length},
};
use crate::{error::ApiError, json};

/// `/labels`
pub(super) async fn names(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Refusal> {
    texts(shared, request, |labels, found| {
        let names = labels.iter().map(|label| label.name);
        found.extend(
            names.filter(|name| !found.contains(*name)).map(str::to_owned).collect::<Vec<_>>(),
        );
    })
    .await
}

/// `/label/NAME/values`
pub(super) async fn values(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    texts(shared, request, move |labels, found| {
        if let Some(value) = labels.get(&name)
            && !found.contains(value)
        {
            found.insert(value.to_owned());
        }
    })
    .await
}

async fn texts(
    shared: Arc<Shared>,
    request: Request,
    collect: impl Fn(&Labels, &mut BTreeSet<String>) + Send + 'static,
) -> Result<Response, Refusal> {
    let asked = Asked::read(request, &shared).await?;
    let range = range(&asked, &shared)?;
    let matchers = match asked.first("query") {
        "" => Vec::new(),
        text => vec![language::matchers(text)?],
    };
    let find = move |shared: &Shared, ctx: &QueryCtx| {
        let mut found = BTreeSet::new();
        for labels in shared.parts.source.streams(ctx, &matchers, range)? {
            collect(&labels, &mut found);
        }
        Ok(Texts { status: "success", data: found })
    };
    shared.lookup(asked.gzip(), find).await
}

#[derive(Serialize)]
struct Texts {
    status: &'static str,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    data: BTreeSet<String>,
}

/// `/series`
pub(super) async fn series(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Refusal> {
    let asked = Asked::read(request, &shared).await?;
    let range = range(&asked, &shared)?;
    let mut sets: Vec<Vec<Matcher>> = Vec::new();
    for text in asked.all("match[]").chain(asked.all("match")) {
        sets.push(language::matchers_or_all(text)?);
    }
    // Everything is asked for alone.
    if sets.len() > 1 && sets.iter().any(Vec::is_empty) {
        return Err(Refusal::bad("0 matchers in group: {}"));
    }
    sets.retain(|set| !set.is_empty());
    let find = move |shared: &Shared, ctx: &QueryCtx| {
        let found = shared.parts.source.streams(ctx, &sets, range)?;
        Ok::<_, ApiError>(Success::new(found.into_iter().map(LabelMap).collect::<Vec<_>>()))
    };
    shared.lookup(asked.gzip(), find).await
}

/// A label set as an object.
#[derive(Debug)]
pub(super) struct LabelMap(pub(super) Labels);

impl Serialize for LabelMap {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        json::labels(&self.0, to)
    }
}

/// The range of a look-up; both ends are in it.
fn range(asked: &Asked, shared: &Shared) -> Result<TimeRange<Nanos>, Refusal> {
    let (start, end) = asked.bounds()?;
    if end < start {
        let why = "this data is no longer available, it is past now - max_query_lookback (0s)";
        return Err(Refusal::bad(why));
    }
    check_length(start, end, shared.parts.limits.query_ns)?;
    Ok(TimeRange { start, end })
}
