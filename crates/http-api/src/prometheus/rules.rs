//! `/rules`, `/alerts` and `/alertmanagers`.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    extract::{Request, State},
    response::Response,
};
use masthead_model::{Matcher, Millis};
use masthead_ports::{Alert, AlertState, Rule, RuleGroup, RuleHealth, RuleKind};
use serde::Serialize;

use super::{LabelMap, Shared, envelope};
use crate::{
    error::ApiError,
    params::Params,
    time::{format_time, go_quote},
};

/// `/rules`
pub(super) async fn rules(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    let params = Params::read(request, &shared).await?;
    let wanted = Wanted::read(&params)?;
    let page = Page::read(&params)?;
    let work = move |shared: &Shared, _: &_, out: &mut _| {
        let groups = shared.parts.rules.groups();
        let mut shown: Vec<GroupShape<'_>> =
            groups.iter().filter_map(|group| wanted.group(group)).collect();
        let next = page.cut(&mut shown)?;
        envelope::write(out, &GroupsShape { groups: shown, group_next_token: next }, &[])
    };
    shared.lookup(params.gzip, work).await
}

/// Which rules are asked for; empty sets mean all.
struct Wanted {
    names: BTreeSet<String>,
    groups: BTreeSet<String>,
    files: BTreeSet<String>,
    matchers: Vec<Vec<Matcher>>,
    alerting: bool,
    recording: bool,
    with_alerts: bool,
}

impl Wanted {
    fn read(params: &Params) -> Result<Self, ApiError> {
        let set = |name: &str| params.all(name).map(str::to_owned).collect();
        let matchers = params.selectors("match[]").map_err(ApiError::bad)?;
        let kind = params.in_url("type").to_lowercase();
        if !matches!(kind.as_str(), "" | "alert" | "record") {
            let why = format!("not supported value {}", go_quote(&kind));
            return Err(ApiError::parameter("type", why));
        }
        let excluded = params.in_url("exclude_alerts").to_lowercase();
        let excluded = Params::boolean(&excluded).map_err(|why| {
            ApiError::parameter("exclude_alerts", format!("error converting exclude_alerts: {why}"))
        })?;
        Ok(Self {
            names: set("rule_name[]"),
            groups: set("rule_group[]"),
            files: set("file[]"),
            matchers,
            alerting: kind != "record",
            recording: kind != "alert",
            with_alerts: !excluded,
        })
    }

    /// A group with its wanted rules; nothing if none is left.
    fn group<'a>(&self, group: &'a RuleGroup) -> Option<GroupShape<'a>> {
        if !holds(&self.groups, &group.name) || !holds(&self.files, &group.file) {
            return None;
        }
        let wanted = |rule: &&Rule| {
            let labels = || rule.labels.clone();
            holds(&self.names, &rule.name)
                && (self.matchers.is_empty()
                    || self.matchers.iter().any(|all| {
                        let labels = labels();
                        all.iter().all(|matcher| matcher.matches_labels(&labels))
                    }))
                && match rule.kind {
                    RuleKind::Recording => self.recording,
                    RuleKind::Alerting { .. } => self.alerting,
                }
        };
        let rules: Vec<RuleShape<'a>> = group
            .rules
            .iter()
            .filter(wanted)
            .map(|rule| rule_shape(rule, self.with_alerts))
            .collect();
        (!rules.is_empty()).then(|| group_shape(group, Some(rules)))
    }
}

/// A group with these rules, or with all of its own.
fn group_shape<'a>(group: &'a RuleGroup, rules: Option<Vec<RuleShape<'a>>>) -> GroupShape<'a> {
    let all = || group.rules.iter().map(|rule| rule_shape(rule, true)).collect();
    GroupShape {
        name: &group.name,
        file: &group.file,
        rules: rules.unwrap_or_else(all),
        interval: group.interval.as_secs_f64(),
        limit: group.limit,
        evaluation_time: group.evaluation_time.as_secs_f64(),
        last_evaluation: format_time(group.last_evaluation),
    }
}

fn holds(set: &BTreeSet<String>, name: &str) -> bool {
    set.is_empty() || set.contains(name)
}

/// Which groups of all are asked for.
struct Page {
    limit: Option<usize>,
    token: String,
}

impl Page {
    fn read(params: &Params) -> Result<Self, ApiError> {
        let token = params.in_url("group_next_token").to_owned();
        let limit = params.in_url("group_limit");
        if limit.is_empty() {
            if !token.is_empty() {
                let why = "group_limit needs to be present in order to paginate over the groups";
                return Err(ApiError::parameter("group_next_token", why));
            }
            return Ok(Self { limit: None, token });
        }
        let parsed: i32 = limit.parse().map_err(|_| {
            let why = format!(
                "group_limit needs to be a valid number: strconv.ParseInt: parsing {}: invalid syntax",
                go_quote(limit)
            );
            ApiError::parameter("group_limit", why)
        })?;
        match usize::try_from(parsed) {
            Ok(limit) if limit > 0 => Ok(Self { limit: Some(limit), token }),
            _ => Err(ApiError::parameter("group_limit", "group_limit needs to be greater than 0")),
        }
    }

    /// Cuts `groups` to this page and returns the token of the next, empty on the last.
    fn cut(&self, groups: &mut Vec<GroupShape<'_>>) -> Result<String, ApiError> {
        let Some(limit) = self.limit else { return Ok(String::new()) };
        if !self.token.is_empty() {
            let first = groups.iter().position(|group| group.token() == self.token);
            let Some(first) = first else {
                let why =
                    format!("invalid group_next_token '{}'. were rule groups changed?", self.token);
                return Err(ApiError::parameter("group_next_token", why));
            };
            groups.drain(..first);
        }
        let next = groups.get(limit).map(GroupShape::token).unwrap_or_default();
        groups.truncate(limit);
        Ok(next)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupsShape<'a> {
    groups: Vec<GroupShape<'a>>,
    #[serde(skip_serializing_if = "String::is_empty")]
    group_next_token: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupShape<'a> {
    name: &'a str,
    file: &'a str,
    rules: Vec<RuleShape<'a>>,
    interval: f64,
    limit: u64,
    evaluation_time: f64,
    last_evaluation: String,
}

impl GroupShape<'_> {
    /// Names the group in a token. Opaque to clients, so it need not be upstream's hash.
    fn token(&self) -> String {
        use std::fmt::Write as _;
        let mut token = String::with_capacity(2 * (self.file.len() + self.name.len() + 1));
        for byte in self.file.bytes().chain([b';']).chain(self.name.bytes()) {
            if write!(token, "{byte:02x}").is_err() {
                break;
            }
        }
        token
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleShape<'a> {
    #[serde(skip_serializing_if = "Option::is_none", flatten)]
    alerting: Option<AlertingShape<'a>>,
    name: &'a str,
    query: &'a str,
    labels: LabelMap<'a>,
    health: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    last_error: &'a str,
    evaluation_time: f64,
    last_evaluation: String,
    r#type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AlertingShape<'a> {
    state: &'static str,
    duration: f64,
    keep_firing_for: f64,
    annotations: LabelMap<'a>,
    /// `null` when they are not wanted, as upstream.
    alerts: Option<Vec<AlertShape<'a>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AlertShape<'a> {
    labels: LabelMap<'a>,
    annotations: LabelMap<'a>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    active_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_firing_since: Option<String>,
    value: String,
}

fn rule_shape(rule: &Rule, with_alerts: bool) -> RuleShape<'_> {
    let (kind, alerting) = match &rule.kind {
        RuleKind::Recording => ("recording", None),
        RuleKind::Alerting { hold, keep_firing, annotations, state, alerts } => {
            let shape = AlertingShape {
                state: state_text(*state),
                duration: hold.as_secs_f64(),
                keep_firing_for: keep_firing.as_secs_f64(),
                annotations: LabelMap(annotations),
                alerts: with_alerts.then(|| alerts.iter().map(alert_shape).collect()),
            };
            ("alerting", Some(shape))
        }
    };
    RuleShape {
        alerting,
        name: &rule.name,
        query: &rule.query,
        labels: LabelMap(&rule.labels),
        health: match rule.health {
            RuleHealth::Unknown => "unknown",
            RuleHealth::Ok => "ok",
            RuleHealth::Err => "err",
        },
        last_error: &rule.last_error,
        evaluation_time: rule.evaluation_time.as_secs_f64(),
        last_evaluation: format_time(rule.last_evaluation),
        r#type: kind,
    }
}

fn alert_shape(alert: &Alert) -> AlertShape<'_> {
    let time = |at: Millis| format_time(Some(at));
    AlertShape {
        labels: LabelMap(&alert.labels),
        annotations: LabelMap(&alert.annotations),
        state: state_text(alert.state),
        active_at: alert.active_at.map(time),
        keep_firing_since: alert.keep_firing_since.map(time),
        value: exponent_form(alert.value),
    }
}

fn state_text(state: AlertState) -> &'static str {
    match state {
        AlertState::Inactive => "inactive",
        AlertState::Pending => "pending",
        AlertState::Firing => "firing",
    }
}

/// Go's `FormatFloat(value, 'e', -1, 64)`: `1e+00`.
fn exponent_form(value: f64) -> String {
    if !value.is_finite() {
        return masthead_model::format_exact(value);
    }
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |d| ('-', d));
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// All groups with all of their rules, as `/rules` shows them.
pub(crate) fn groups_value(groups: &[RuleGroup]) -> serde_json::Value {
    let shapes: Vec<_> = groups.iter().map(|group| group_shape(group, None)).collect();
    serde_json::json!(shapes)
}

/// All alerts, as `/alerts` shows them.
pub(crate) fn alerts_value(groups: &[RuleGroup]) -> serde_json::Value {
    serde_json::json!(all_alerts(groups).map(alert_shape).collect::<Vec<_>>())
}

fn all_alerts(groups: &[RuleGroup]) -> impl Iterator<Item = &Alert> {
    groups.iter().flat_map(|group| &group.rules).flat_map(|rule| match &rule.kind {
        RuleKind::Recording => [].as_slice(),
        RuleKind::Alerting { alerts, .. } => alerts.as_slice(),
    })
}

/// `/alerts`
pub(super) async fn alerts(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Shape<'a> {
        alerts: Vec<AlertShape<'a>>,
    }
    let params = Params::read(request, &shared).await?;
    let work = |shared: &Shared, _: &_, out: &mut _| {
        let groups = shared.parts.rules.groups();
        let all = all_alerts(&groups);
        envelope::write(out, &Shape { alerts: all.map(alert_shape).collect() }, &[])
    };
    shared.lookup(params.gzip, work).await
}

/// `/alertmanagers`
pub(super) async fn alertmanagers(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Url {
        url: String,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Shape {
        active_alertmanagers: Vec<Url>,
        dropped_alertmanagers: Vec<Url>,
    }
    let params = Params::read(request, &shared).await?;
    let work = |shared: &Shared, _: &_, out: &mut _| {
        let found = shared.parts.rules.alertmanagers();
        let urls = |urls: Vec<String>| urls.into_iter().map(|url| Url { url }).collect();
        let active_alertmanagers = urls(found.active);
        let dropped_alertmanagers = urls(found.dropped);
        envelope::write(out, &Shape { active_alertmanagers, dropped_alertmanagers }, &[])
    };
    shared.lookup(params.gzip, work).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_alerts_have_an_exponent() {
        let f = |value: f64, want: &str| assert_eq!(exponent_form(value), want);
        f(1.0, "1e+00");
        f(0.0, "0e+00");
        f(123.5, "1.235e+02");
        f(1e-7, "1e-07");
        f(f64::INFINITY, "+Inf");
    }
}
