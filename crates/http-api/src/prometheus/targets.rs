//! `/targets`, `/targets/metadata`, `/targets/relabel_steps`, `/scrape_pools`,
//! `/scrape_pools/config` and `/metadata`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    extract::{Request, State},
    response::Response,
};
use masthead_model::{Labels, Matcher};
use masthead_ports::{ActiveTarget, DroppedTarget, Metadata, RuleValue, TargetHealth};
use serde::{Serialize, Serializer};

use super::{LabelMap, Shared, envelope};
use crate::{
    error::ApiError,
    params::{Params, parse_selector},
    time::{format_duration, format_time},
};

/// `/scrape_pools`
pub(super) async fn scrape_pools(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Pools {
        scrape_pools: Vec<String>,
    }
    let params = Params::read(request, &shared).await?;
    let work = |shared: &Shared, _: &_, out: &mut _| {
        envelope::write(out, &Pools { scrape_pools: shared.parts.targets.pools() }, &[])
    };
    shared.lookup(params.gzip, work).await
}

/// `/scrape_pools/config`
pub(super) async fn pool_config(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Shape {
        yaml: String,
    }
    let params = Params::read(request, &shared).await?;
    let pool = params.first("scrapePool").to_owned();
    if pool.is_empty() {
        return Err(ApiError::bad("no scrapePool parameter provided"));
    }
    let work = move |shared: &Shared, _: &_, out: &mut _| {
        let yaml = shared.parts.server.pool_config_text(&pool).ok_or_else(|| {
            ApiError::bad(format!("error retrieving scrape config: scrape pool {pool:?} not found"))
        })?;
        envelope::write(out, &Shape { yaml }, &[])
    };
    shared.lookup(params.gzip, work).await
}

/// `/targets`
pub(super) async fn targets(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    let params = Params::read(request, &shared).await?;
    let pool = params.in_url("scrapePool").to_owned();
    let state = params.in_url("state").to_lowercase();
    let shows = |what: &str| matches!(state.as_str(), "" | "any") || state == what;
    let (active, dropped) = (shows("active"), shows("dropped"));
    let work = move |shared: &Shared, _: &_, out: &mut _| {
        let view = &shared.parts.targets;
        let wanted = |of: &str| pool.is_empty() || pool == of;
        let mut answer = Found::default();
        if active {
            let targets = view.active().into_iter().filter(|target| wanted(&target.pool));
            answer.active_targets = targets.map(Active).collect();
        }
        if dropped {
            let targets = view.dropped().into_iter().filter(|target| wanted(&target.pool));
            answer.dropped_targets = targets.map(Dropped).collect();
            answer.dropped_target_counts = Some(view.dropped_counts());
        }
        envelope::write(out, &answer, &[])
    };
    shared.lookup(params.gzip, work).await
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Found {
    active_targets: Vec<Active>,
    dropped_targets: Vec<Dropped>,
    dropped_target_counts: Option<BTreeMap<String, u64>>,
}

struct Active(ActiveTarget);

impl Serialize for Active {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Shape<'a> {
            discovered_labels: LabelMap<'a>,
            labels: LabelMap<'a>,
            scrape_pool: &'a str,
            scrape_url: &'a str,
            global_url: &'a str,
            last_error: &'a str,
            last_scrape: String,
            last_scrape_duration: f64,
            health: &'static str,
            scrape_interval: String,
            scrape_timeout: String,
        }
        let target = &self.0;
        Shape {
            discovered_labels: LabelMap(&target.discovered),
            labels: LabelMap(&target.labels),
            scrape_pool: &target.pool,
            scrape_url: &target.url,
            global_url: &target.global_url,
            last_error: &target.last_error,
            last_scrape: format_time(target.last_scrape),
            last_scrape_duration: target.last_duration.as_secs_f64(),
            health: match target.health {
                TargetHealth::Unknown => "unknown",
                TargetHealth::Up => "up",
                TargetHealth::Down => "down",
            },
            scrape_interval: format_duration(target.interval),
            scrape_timeout: format_duration(target.timeout),
        }
        .serialize(to)
    }
}

struct Dropped(DroppedTarget);

impl Serialize for Dropped {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Shape<'a> {
            discovered_labels: LabelMap<'a>,
            scrape_pool: &'a str,
        }
        Shape { discovered_labels: LabelMap(&self.0.discovered), scrape_pool: &self.0.pool }
            .serialize(to)
    }
}

/// `/targets/relabel_steps`
pub(super) async fn relabel_steps(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    let params = Params::read(request, &shared).await?;
    let pool = params.first("scrapePool").to_owned();
    if pool.is_empty() {
        return Err(ApiError::bad("no scrapePool parameter provided"));
    }
    let text = params.first("labels");
    if text.is_empty() {
        return Err(ApiError::bad("no labels parameter provided"));
    }
    let labels: BTreeMap<String, String> = serde_json::from_str(text)
        .map_err(|error| ApiError::bad(format!("error parsing labels: {error}")))?;
    let labels: Labels = labels.into_iter().collect();
    let work = move |shared: &Shared, _: &_, out: &mut _| {
        let steps =
            shared.parts.targets.relabel_steps(&pool, &labels).map_err(|error| {
                ApiError::bad(format!("error retrieving scrape config: {error}"))
            })?;
        let steps = steps.iter().map(|step| Step {
            rule: step.rule.iter().map(|(key, value)| (key.as_str(), Value(value))).collect(),
            output: LabelMap(&step.output),
            keep: step.keep,
        });
        envelope::write(out, &Steps { steps: steps.collect() }, &[])
    };
    shared.lookup(params.gzip, work).await
}

#[derive(Serialize)]
struct Steps<'a> {
    steps: Vec<Step<'a>>,
}

#[derive(Serialize)]
struct Step<'a> {
    rule: BTreeMap<&'a str, Value<'a>>,
    output: LabelMap<'a>,
    keep: bool,
}

struct Value<'a>(&'a RuleValue);

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            RuleValue::Text(text) => to.serialize_str(text),
            RuleValue::List(list) => list.serialize(to),
            RuleValue::Number(number) => to.serialize_u64(*number),
        }
    }
}

/// `/targets/metadata`
pub(super) async fn targets_metadata(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Shape<'a> {
        target: LabelMap<'a>,
        #[serde(skip_serializing_if = "str::is_empty")]
        metric: &'a str,
        r#type: &'static str,
        help: &'a str,
        unit: &'a str,
    }
    let params = Params::read(request, &shared).await?;
    let limit = params.count("limit")?;
    let matchers = match params.first("match_target") {
        "" => Vec::new(),
        text => parse_selector(text).map_err(|why| ApiError::parameter("match_target", why))?,
    };
    let metric = params.first("metric").to_owned();
    let work = move |shared: &Shared, _: &_, out: &mut _| {
        let one = (!metric.is_empty()).then_some(metric.as_str());
        let found = shared.parts.targets.metadata(one);
        let wanted = |target: &Labels| matchers.iter().all(|m: &Matcher| m.matches_labels(target));
        let mut answer = Vec::new();
        for target in found.iter().filter(|target| wanted(&target.target)) {
            // Looked at between targets, as upstream: the last target is shown whole.
            if limit.is_some_and(|limit| answer.len() >= limit) {
                break;
            }
            answer.extend(target.families.iter().map(|family| Shape {
                target: LabelMap(&target.target),
                // Left out when it is what was asked for.
                metric: if one.is_some() { "" } else { &family.family },
                r#type: family.metric_type.as_str(),
                help: &family.help,
                unit: &family.unit,
            }));
        }
        envelope::write(out, &answer, &[])
    };
    shared.lookup(params.gzip, work).await
}

/// `/metadata`: what targets say, and for families that none has, what the store knows.
pub(super) async fn metadata(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    let params = Params::read(request, &shared).await?;
    let limit = params.count("limit")?;
    let per_metric = params.count("limit_per_metric")?.filter(|limit| *limit > 0);
    let metric = params.first("metric").to_owned();
    let work = move |shared: &Shared, ctx: &_, out: &mut _| {
        let one = (!metric.is_empty()).then_some(metric.as_str());
        let mut families: BTreeMap<Arc<str>, BTreeSet<Told>> = BTreeMap::new();
        let mut tell = |family: Metadata| {
            let told = families.entry(Arc::clone(&family.family)).or_default();
            if per_metric.is_none_or(|limit| told.len() < limit) {
                told.insert(Told {
                    r#type: family.metric_type.as_str(),
                    help: family.help,
                    unit: family.unit,
                });
            }
        };
        let targets = shared.parts.targets.metadata(one);
        let known: BTreeSet<Arc<str>> = targets
            .iter()
            .flat_map(|target| &target.families)
            .map(|family| Arc::clone(&family.family))
            .collect();
        targets.into_iter().flat_map(|target| target.families).for_each(&mut tell);
        let stored = shared.parts.source.metadata(ctx, one)?;
        stored.into_iter().filter(|family| !known.contains(&family.family)).for_each(tell);
        let limit = limit.unwrap_or(usize::MAX);
        let answer: BTreeMap<&str, &BTreeSet<Told>> =
            families.iter().take(limit).map(|(name, told)| (name.as_ref(), told)).collect();
        envelope::write(out, &answer, &[])
    };
    shared.lookup(params.gzip, work).await
}

/// What is known about one family.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    r#type: &'static str,
    help: Arc<str>,
    unit: Arc<str>,
}

impl Serialize for Told {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shape<'a> {
            r#type: &'a str,
            help: &'a str,
            unit: &'a str,
        }
        Shape { r#type: self.r#type, help: &self.help, unit: &self.unit }.serialize(to)
    }
}
