//! `GET /api/discovery`: what was found, what is scraped of it, and why the rest is not.
//!
//! Our own shape, for the browser and for `masthead doctor`: every scrape pool with its counts, and
//! every custom resource of a cluster with the pools that it became. Where a pool scrapes nothing
//! though targets were found, the rule that dropped most of them is named.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::get,
};
use masthead_ports::{ActiveTarget, DiscoveryView, DroppedTarget, RuleValue, TargetsView};
use serde::Serialize;

use crate::json;

/// Dropped targets of one pool that are asked why.
const ASKED_MAX: usize = 100;

/// The route over these views.
pub fn discovery_router(found: Arc<dyn DiscoveryView>, targets: Arc<dyn TargetsView>) -> Router {
    Router::new().route("/api/discovery", get(discovery)).with_state((found, targets))
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Discovery {
    pools: Vec<Pool>,
    resources: Vec<Resource>,
    /// What discovery cannot do now, such as what the API server refuses.
    problems: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Pool {
    name: String,
    active: usize,
    dropped: u64,
    /// Why nothing is scraped; empty where something is.
    reason: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(crate) struct Resource {
    kind: String,
    namespace: String,
    name: String,
    state: ResourceState,
    /// Why it is empty or rejected.
    reason: String,
    /// The scrape pools that it became.
    pools: Vec<String>,
}

/// What became of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub(crate) enum ResourceState {
    /// Every pool of it scrapes something.
    Scraped,
    /// A pool of it scrapes nothing.
    Empty,
    /// It is not taken.
    Rejected,
    /// It is taken, and there is nothing to scrape in its kind, such as rules.
    Taken,
}

type Views = (Arc<dyn DiscoveryView>, Arc<dyn TargetsView>);

async fn discovery(State((found, targets)): State<Views>) -> Response {
    let shown = tokio::task::spawn_blocking(move || show(found.as_ref(), targets.as_ref())).await;
    match shown {
        Ok(shown) => {
            let kind = [("content-type", "application/json")];
            (StatusCode::OK, kind, json::to_vec(&shown)).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn show(found: &dyn DiscoveryView, targets: &dyn TargetsView) -> Discovery {
    let pools = pools(targets);
    let resource = |one: masthead_ports::FoundResource| {
        let reason = |name: &String| match pools.get(name) {
            Some(pool) if pool.active == 0 && pool.dropped == 0 && !one.looks.is_empty() => {
                Some(format!("{}: there are no {}", pool.reason, one.looks))
            }
            Some(pool) => (pool.active == 0).then(|| pool.reason.clone()),
            None => Some("nothing was found to scrape yet".to_owned()),
        };
        let empty = one.pools.iter().find_map(reason);
        let (state, reason) = match (&one.rejected, empty) {
            (Some(why), _) => (ResourceState::Rejected, why.clone()),
            (None, Some(reason)) => (ResourceState::Empty, reason),
            (None, None) if one.brought == Some(0) => {
                (ResourceState::Empty, nothing_in(&one.kind).to_owned())
            }
            (None, None) if one.pools.is_empty() => (ResourceState::Taken, String::new()),
            (None, None) => (ResourceState::Scraped, String::new()),
        };
        let masthead_ports::FoundResource { kind, namespace, name, pools, .. } = one;
        Resource { kind, namespace, name, state, reason, pools }
    };
    let resources = found.resources().into_iter().map(resource).collect();
    Discovery { resources, problems: found.problems(), pools: pools.into_values().collect() }
}

/// Why a resource that is no job brings nothing.
fn nothing_in(kind: &str) -> &'static str {
    match kind {
        "PrometheusRule" => "it has no rules",
        _ => "none of its keys is the name of a file that is read",
    }
}

/// Every pool with its counts.
fn pools(targets: &dyn TargetsView) -> BTreeMap<String, Pool> {
    let (active, dropped) = (targets.active(), targets.dropped());
    let counts = targets.dropped_counts();
    let shape = |name: String| {
        let of_pool = |target: &&ActiveTarget| target.pool == name;
        let active = active.iter().filter(of_pool).count();
        let all = counts.get(&name).copied().unwrap_or(0);
        let reason = match (active, all) {
            (0, 0) => "nothing was found to scrape".to_owned(),
            (0, _) => {
                let own: Vec<&DroppedTarget> =
                    dropped.iter().filter(|target| target.pool == name).collect();
                reason(targets, &name, &own, all)
            }
            _ => String::new(),
        };
        (name.clone(), Pool { name, active, dropped: all, reason })
    };
    targets.pools().into_iter().map(shape).collect()
}

/// Which rule dropped most of a pool's targets, of those that came furthest: the rules before it let
/// some through, so this is where it ends.
fn reason(targets: &dyn TargetsView, pool: &str, dropped: &[&DroppedTarget], all: u64) -> String {
    let mut ends: BTreeMap<usize, (u64, String)> = BTreeMap::new();
    for target in dropped.iter().take(ASKED_MAX) {
        let steps = targets.relabel_steps(pool, &target.discovered).unwrap_or_default();
        let end = steps.iter().position(|step| !step.keep);
        if let Some((at, step)) = end.and_then(|at| Some((at, steps.get(at)?))) {
            let text = |key: &str| {
                let value = step.rule.iter().find(|(name, _)| name == key).map(|(_, value)| value);
                match value {
                    Some(RuleValue::Text(text)) => text.clone(),
                    Some(RuleValue::List(list)) => list.join(", "),
                    _ => String::new(),
                }
            };
            let words =
                format!("{} {} =~ {:?}", text("action"), text("source_labels"), text("regex"));
            ends.entry(at).or_insert((0, words)).0 += 1;
        }
    }
    let last = ends.last_key_value();
    in_words(all, last.map(|(at, (count, words))| (*at, *count, words.as_str())))
}

/// `all` targets were dropped, so many of them last, by the rule at a place.
fn in_words(all: u64, last: Option<(usize, u64, &str)>) -> String {
    let dropped = match all {
        1 => "the only target was dropped".to_owned(),
        _ => format!("all {all} targets were dropped"),
    };
    let which = |count: u64| if all == 1 { String::new() } else { format!("; the last {count}") };
    last.map_or(dropped.clone(), |(at, count, words)| {
        format!("{dropped}{} by relabel_configs[{at}]: {words}", which(count))
    })
}

#[cfg(test)]
mod tests {
    use masthead_model::Labels;
    use masthead_ports::{
        AdminError, FoundResource, NoCluster, RelabelStep, TargetHealth, TargetMetadata,
    };

    use super::*;

    /// Pool `a` scrapes one target; `b` has dropped two, one by the selector, one by the port.
    #[derive(Debug)]
    struct Targets;

    impl TargetsView for Targets {
        fn pools(&self) -> Vec<String> {
            ["a", "b", "c"].map(str::to_owned).to_vec()
        }
        fn active(&self) -> Vec<ActiveTarget> {
            vec![ActiveTarget {
                discovered: Labels::default(),
                labels: Labels::default(),
                pool: "a".to_owned(),
                url: String::new(),
                global_url: String::new(),
                last_error: String::new(),
                last_scrape: None,
                last_duration: std::time::Duration::ZERO,
                health: TargetHealth::Up,
                interval: std::time::Duration::ZERO,
                timeout: std::time::Duration::ZERO,
            }]
        }
        fn dropped(&self) -> Vec<DroppedTarget> {
            let of = |app: &str| DroppedTarget {
                discovered: [("app", app)].into_iter().collect(),
                pool: "b".to_owned(),
            };
            vec![of("other"), of("api")]
        }
        fn dropped_counts(&self) -> BTreeMap<String, u64> {
            [("b".to_owned(), 2)].into_iter().collect()
        }
        fn metadata(&self, _: Option<&str>) -> Vec<TargetMetadata> {
            Vec::new()
        }
        fn relabel_steps(&self, _: &str, labels: &Labels) -> Result<Vec<RelabelStep>, AdminError> {
            let step = |label: &str, regex: &str, keep| RelabelStep {
                rule: vec![
                    ("source_labels".to_owned(), RuleValue::List(vec![label.to_owned()])),
                    ("action".to_owned(), RuleValue::Text("keep".to_owned())),
                    ("regex".to_owned(), RuleValue::Text(regex.to_owned())),
                ],
                output: Labels::default(),
                keep,
            };
            let selected = labels.get("app") == Some("api");
            Ok(vec![step("app", "api", selected), step("port", "metrics", false)])
        }
    }

    #[derive(Debug)]
    struct Cluster;

    impl DiscoveryView for Cluster {
        fn resources(&self) -> Vec<FoundResource> {
            let of = |name: &str, pools: &[&str], rejected: Option<&str>| FoundResource {
                kind: "ServiceMonitor".to_owned(),
                namespace: "shop".to_owned(),
                name: name.to_owned(),
                pools: pools.iter().map(|pool| (*pool).to_owned()).collect(),
                looks: "pods in namespace shop".to_owned(),
                brought: None,
                rejected: rejected.map(str::to_owned),
            };
            let brings = |kind: &str, brought: usize| FoundResource {
                kind: kind.to_owned(),
                brought: Some(brought),
                ..of(kind, &[], None)
            };
            vec![
                of("one", &["a"], None),
                of("two", &["b"], None),
                of("three", &["c"], None),
                of("bad", &[], Some("no key")),
                of("new", &["d"], None),
                brings("PrometheusRule", 0),
                brings("PrometheusRule", 2),
                brings("ConfigMap", 0),
            ]
        }
        fn problems(&self) -> Vec<String> {
            vec!["probes: 403".to_owned()]
        }
    }

    #[test]
    fn the_rule_that_ends_it_is_named() {
        let reasons: Vec<String> = pools(&Targets).into_values().map(|pool| pool.reason).collect();
        let want = [
            "",
            r#"all 2 targets were dropped; the last 1 by relabel_configs[1]: keep port =~ "metrics""#,
            "nothing was found to scrape",
        ];
        assert_eq!(reasons, want);
    }

    #[test]
    fn one_target_is_the_only_one() {
        assert_eq!(in_words(3, None), "all 3 targets were dropped");
        assert_eq!(in_words(1, None), "the only target was dropped");
        let got = in_words(1, Some((2, 1, "keep a =~ \"b\"")));
        assert_eq!(got, "the only target was dropped by relabel_configs[2]: keep a =~ \"b\"");
    }

    #[test]
    fn resources_have_the_state_of_their_pools() {
        let shown = show(&Cluster, &Targets);
        let states: Vec<String> = shown
            .resources
            .iter()
            .map(|one| format!("{}: {:?} {}", one.name, one.state, one.reason))
            .collect();
        let want = [
            "one: Scraped ",
            "two: Empty all 2 targets were dropped; the last 1 by relabel_configs[1]: keep port =~ \"metrics\"",
            "three: Empty nothing was found to scrape: there are no pods in namespace shop",
            "bad: Rejected no key",
            "new: Empty nothing was found to scrape yet",
            "PrometheusRule: Empty it has no rules",
            "PrometheusRule: Taken ",
            "ConfigMap: Empty none of its keys is the name of a file that is read",
        ];
        assert_eq!(states, want);
        assert_eq!(shown.problems.len(), 1);
        let shown = show(&NoCluster, &Targets);
        assert_eq!((shown.resources.len(), shown.pools.len()), (0, 3));
    }
}
