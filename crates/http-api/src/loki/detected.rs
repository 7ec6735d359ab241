//! `/detected_labels`, `/detected_fields` and `/detected_field/NAME/values`: what could be filtered
//! by.
//!
//! Fields are found in a sample, the newest lines that a query selects: in structured metadata, and
//! in the text as JSON or else as logfmt. What is known of a field is `detected/fields.rs`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use masthead_logql::ast::{Expr, LogExpr};
use masthead_model::{Nanos, TimeRange};
use masthead_ports::{Direction, QueryCtx};
use serde::Serialize;

use super::{
    Refusal, Shared, language,
    params::{Asked, check_length},
    query,
};
use crate::error::ApiError;
use fields::{Fields, Known};

mod fields;

/// Fields or values of an answer when it is not said.
const LIMIT_DEFAULT: u64 = 1000;
/// Labels that are shown also when all their values are ids.
const ALWAYS_SHOWN: [&str; 4] = ["cluster", "namespace", "instance", "pod"];

/// `/detected_labels`
pub(super) async fn labels(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    struct Detected {
        #[serde(rename = "detectedLabels", skip_serializing_if = "Vec::is_empty")]
        labels: Vec<Label>,
    }
    #[derive(Serialize)]
    struct Label {
        label: String,
        cardinality: usize,
    }
    let asked = Asked::read(request, &shared).await?;
    let matchers = match asked.first("query") {
        "" => Vec::new(),
        text => vec![language::matchers_or_all(text)?],
    };
    let (start, end) = asked.range()?;
    check_length(start, end, shared.parts.limits.query_ns)?;
    let find = move |shared: &Shared, ctx: &QueryCtx| {
        let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for labels in shared.parts.source.streams(ctx, &matchers, TimeRange { start, end })? {
            for label in &labels {
                match values.get_mut(label.name) {
                    Some(values) if values.contains(label.value) => {}
                    Some(values) => drop(values.insert(label.value.to_owned())),
                    None => {
                        let first = BTreeSet::from([label.value.to_owned()]);
                        values.insert(label.name.to_owned(), first);
                    }
                }
            }
        }
        let shown = |(label, values): (String, BTreeSet<String>)| {
            let ids = values.len() > 1 && values.iter().all(|value| is_id(value));
            let shown = ALWAYS_SHOWN.contains(&label.as_str()) || !ids;
            shown.then_some(Label { label, cardinality: values.len() })
        };
        let labels = values.into_iter().filter_map(shown).collect();
        Ok::<_, ApiError>(Detected { labels })
    };
    shared.lookup(asked.gzip(), find).await
}

/// Whether a value is a number or a UUID, by which nobody wants to choose.
fn is_id(value: &str) -> bool {
    let is_uuid = value.len() == 36
        && value.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    is_uuid || masthead_model::parse_number(value).is_some()
}

/// What is asked of fields.
#[derive(Debug)]
struct Question {
    log: LogExpr,
    start: Nanos,
    end: Nanos,
    /// Lines of the sample.
    lines: usize,
    /// Fields or values of the answer.
    limit: usize,
}

impl Question {
    fn read(asked: &Asked, shared: &Shared) -> Result<Self, Refusal> {
        let log = language::parse_log(asked.first("query"))?;
        let (start, end) = asked.range()?;
        check_length(start, end, shared.parts.limits.query_ns)?;
        let lines = asked.limit("line_limit")?;
        let name = if asked.first("limit").is_empty() { "field_limit" } else { "limit" };
        let limit = usize::try_from(asked.count(name, LIMIT_DEFAULT)?).unwrap_or(usize::MAX);
        Ok(Self { log, start, end, lines: lines.min(shared.parts.limits.entries), limit })
    }

    fn fields(&self, shared: &Shared, ctx: &QueryCtx) -> Result<Fields, ApiError> {
        let expr = Expr::Log(self.log.clone());
        let range = (self.start, self.end);
        let sample = query::lines(shared, ctx, &expr, range, self.lines, Direction::Backward)?;
        Ok(Fields::of(ctx, &sample)?)
    }
}

/// `/detected_fields`
pub(super) async fn fields(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Refusal> {
    #[derive(Serialize, Default)]
    struct Detected {
        #[serde(skip_serializing_if = "Vec::is_empty")]
        fields: Vec<Known>,
        #[serde(skip_serializing_if = "Option::is_none")]
        limit: Option<usize>,
    }
    let asked = Asked::read(request, &shared).await?;
    let question = Question::read(&asked, &shared)?;
    let find = move |shared: &Shared, ctx: &QueryCtx| {
        let fields = question.fields(shared, ctx)?.known(question.limit);
        let limit = (!fields.is_empty()).then_some(question.limit);
        Ok(Detected { fields, limit })
    };
    shared.lookup(asked.gzip(), find).await
}

/// `/detected_field/NAME/values`
pub(super) async fn field_values(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    struct Detected {
        #[serde(skip_serializing_if = "Vec::is_empty")]
        values: Vec<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        limit: Option<usize>,
    }
    let asked = Asked::read(request, &shared).await?;
    let question = Question::read(&asked, &shared)?;
    let find = move |shared: &Shared, ctx: &QueryCtx| {
        let values = question.fields(shared, ctx)?.values(&name, question.limit);
        let limit = (!values.is_empty()).then_some(question.limit);
        Ok(Detected { values, limit })
    };
    shared.lookup(asked.gzip(), find).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_numbers_and_uuids() {
        let f = |value: &str, want: bool| assert_eq!(is_id(value), want, "{value}");
        f("1234", true);
        f("-1.5", true);
        f("123e4567-e89b-12d3-a456-426614174000", true);
        f("123e4567-e89b-12d3-a456-42661417400g", false);
        f("api-1", false);
        f("", false);
    }
}
