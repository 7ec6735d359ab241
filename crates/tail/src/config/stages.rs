//! The table of stages: how each is written, checked and made. One entry of `pipeline_stages` is a
//! map with the name of one stage in it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use masthead_model::{ByteSize, is_legacy_label_name};
use regex::bytes::Regex as Engine;
use serde::{Deserialize, Deserializer};

use super::{Ignored, Refused, go_duration};
use crate::{
    LINE_BYTES_MAX,
    pipeline::{
        Stage,
        cri::{self, Cri},
        decolorize::Decolorize,
        docker::Docker,
        drop::{self, Drop},
        json::{Expression, JsonStage},
        labels::{LabelAllow, LabelDrop, Labels, Metadata, Source, StaticLabels},
        limit::{self, Limit},
        logfmt::Logfmt,
        metrics::{Action as MetricAction, CustomMetrics, Kind, Metric, Metrics},
        multiline::{self, Multiline},
        output::Output,
        pack::Pack,
        regex::Regex,
        replace::Replace,
        sampling::Sampling,
        selector::{Action, Match, Selector, regex},
        template::{self, Template},
        tenant::Tenant,
        timestamp::{self, Timestamp},
    },
};

/// How a section is left out: not there, or there and empty.
type Given<T> = Option<Option<T>>;

/// One entry of `pipeline_stages`: every stage that there is, of which one is given.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WrittenStage {
    #[serde(deserialize_with = "given")]
    cri: Given<WrittenCri>,
    #[serde(deserialize_with = "given")]
    docker: Given<Ignored>,
    #[serde(deserialize_with = "given")]
    decolorize: Given<Ignored>,
    #[serde(deserialize_with = "given")]
    json: Given<WrittenJson>,
    #[serde(deserialize_with = "given")]
    logfmt: Given<WrittenLogfmt>,
    #[serde(deserialize_with = "given")]
    regex: Given<WrittenRegex>,
    #[serde(deserialize_with = "given")]
    replace: Given<WrittenReplace>,
    #[serde(deserialize_with = "given")]
    template: Given<WrittenTemplate>,
    #[serde(deserialize_with = "given")]
    timestamp: Given<WrittenTimestamp>,
    #[serde(deserialize_with = "given")]
    output: Given<WrittenOutput>,
    #[serde(deserialize_with = "given")]
    labels: Given<BTreeMap<String, Option<String>>>,
    #[serde(deserialize_with = "given")]
    structured_metadata: Given<BTreeMap<String, Option<String>>>,
    #[serde(deserialize_with = "given")]
    non_indexed_labels: Given<BTreeMap<String, Option<String>>>,
    #[serde(deserialize_with = "given")]
    labeldrop: Given<Vec<String>>,
    #[serde(deserialize_with = "given")]
    labelallow: Given<Vec<String>>,
    #[serde(deserialize_with = "given")]
    static_labels: Given<BTreeMap<String, Option<String>>>,
    #[serde(rename = "match", deserialize_with = "given")]
    matching: Given<WrittenMatch>,
    #[serde(deserialize_with = "given")]
    multiline: Given<WrittenMultiline>,
    #[serde(deserialize_with = "given")]
    drop: Given<WrittenDrop>,
    #[serde(deserialize_with = "given")]
    limit: Given<WrittenLimit>,
    #[serde(deserialize_with = "given")]
    pack: Given<WrittenPack>,
    #[serde(deserialize_with = "given")]
    tenant: Given<WrittenTenant>,
    #[serde(deserialize_with = "given")]
    metrics: Given<BTreeMap<String, WrittenMetric>>,
    #[serde(deserialize_with = "given")]
    sampling: Given<WrittenSampling>,
    #[serde(deserialize_with = "given")]
    geoip: Given<Ignored>,
    #[serde(deserialize_with = "given")]
    eventlogmessage: Given<Ignored>,
}

fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Given<T>, D::Error> {
    Option::deserialize(d).map(Some)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the keys, as they are written")]
struct WrittenCri {
    max_partial_lines: Option<usize>,
    max_partial_line_size: Option<String>,
    max_partial_line_size_truncate: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenJson {
    expressions: BTreeMap<String, Option<String>>,
    source: Option<String>,
    drop_malformed: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenLogfmt {
    mapping: BTreeMap<String, Option<String>>,
    source: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenRegex {
    expression: String,
    source: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenReplace {
    expression: String,
    source: Option<String>,
    replace: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenTemplate {
    source: String,
    template: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenTimestamp {
    source: String,
    format: String,
    fallback_formats: Vec<String>,
    location: Option<String>,
    action_on_failure: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenOutput {
    source: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenMatch {
    pipeline_name: Option<String>,
    selector: String,
    stages: Option<Vec<WrittenStage>>,
    action: String,
    drop_counter_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenMultiline {
    firstline: Option<String>,
    max_wait_time: Option<String>,
    max_lines: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenDrop {
    source: Option<OneOrMany>,
    separator: Option<String>,
    value: Option<String>,
    expression: Option<String>,
    older_than: Option<String>,
    longer_than: Option<String>,
    drop_counter_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenLimit {
    rate: f64,
    burst: f64,
    drop: bool,
    by_label_name: String,
    max_distinct_labels: usize,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenPack {
    labels: Vec<String>,
    ingest_timestamp: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenTenant {
    source: String,
    value: String,
    label: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenSampling {
    rate: f64,
    drop_counter_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenMetric {
    #[serde(rename = "type")]
    kind: String,
    description: String,
    source: Option<String>,
    prefix: String,
    max_idle_duration: Option<String>,
    config: WrittenMetricConfig,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenMetricConfig {
    match_all: bool,
    count_entry_bytes: bool,
    value: Option<String>,
    action: String,
    buckets: Vec<f64>,
}

/// Checks stages and makes them, as one flat list. `key` is where they stand; their metrics are put
/// into `metrics`.
pub(super) fn make(
    written: Vec<WrittenStage>,
    key: &str,
    metrics: &CustomMetrics,
) -> Result<Vec<Box<dyn Stage>>, Refused> {
    let mut made = Vec::new();
    let count = written.len();
    for (at, stage) in written.into_iter().enumerate() {
        let place = format!("{key}[{at}]");
        let below = |name: &str, what: String| match name {
            "" => Refused::new(&place, what),
            name => Refused::new(format!("{place}.{name}"), what),
        };
        let given = stage.names();
        let [name] = given.as_slice() else {
            let what = match given.len() {
                0 => "pipeline stage must contain only one key, and has none".to_owned(),
                _ => format!(
                    "pipeline stage must contain only one key, and has {}",
                    given.join(", ")
                ),
            };
            return Err(below("", what));
        };
        let name = *name;
        if let Some(Some(matching)) = stage.matching {
            made.extend(guard(matching, &format!("{place}.match"), metrics)?);
            continue;
        }
        let context = Context { metrics, last: at + 1 == count };
        made.push(stage.make(&context).map_err(|what| below(name, what))?);
    }
    Ok(made)
}

/// What a stage is made with beside its own section.
struct Context<'m> {
    metrics: &'m CustomMetrics,
    /// Nothing comes after it.
    last: bool,
}

fn guard(
    written: WrittenMatch,
    key: &str,
    metrics: &CustomMetrics,
) -> Result<Vec<Box<dyn Stage>>, Refused> {
    let refuse = |what: &str| Err(Refused::new(key, what));
    if written.pipeline_name.is_some_and(|name| name.is_empty()) {
        return refuse("match stage pipeline name can be omitted but cannot be an empty string");
    }
    if written.selector.is_empty() {
        return refuse("selector statement required for match stage");
    }
    let selector = Selector::parse(&written.selector)
        .map_err(|what| Refused::new(format!("{key}.selector"), what))?;
    let selector = Arc::new(selector);
    let stages = written.stages.unwrap_or_default();
    let reason = reason(written.drop_counter_reason, "match_stage");
    match written.action.as_str() {
        "" | "keep" if stages.is_empty() => {
            refuse("match stage requires at least one additional stage to be defined in '- stages'")
        }
        "" | "keep" => {
            let guarded = make(stages, &format!("{key}.stages"), metrics)?;
            let action = Action::Guard(guarded.len());
            let guard: Box<dyn Stage> = Box::new(Match { selector, action });
            Ok([guard].into_iter().chain(guarded).collect())
        }
        "drop" if !stages.is_empty() => {
            refuse("match stage configured to drop entries cannot contains stages")
        }
        "drop" => Ok(vec![Box::new(Match { selector, action: Action::Drop(reason) })]),
        _ => refuse("match stage action should be 'keep' or 'drop'"),
    }
}

macro_rules! stage_table {
    ($($field:ident $name:literal $make:expr;)*) => {
        impl WrittenStage {
            /// The stages that are given.
            fn names(&self) -> Vec<&'static str> {
                let all = [$((self.$field.is_some(), $name)),*, (self.matching.is_some(), "match")];
                all.into_iter().filter(|(given, _)| *given).map(|(_, name)| name).collect()
            }

            /// The one that is given, made.
            fn make(self, context: &Context<'_>) -> Result<Box<dyn Stage>, String> {
                $(
                    if let Some(written) = self.$field {
                        let make: fn(_, &Context<'_>) -> Result<Box<dyn Stage>, String> = $make;
                        return make(written, context);
                    }
                )*
                Err("empty stage configuration".to_owned())
            }
        }
    };
}

// One line for each stage: its section, its name, how it is made. `match` alone has no line,
// because it makes more than one.
stage_table! {
    cri "cri" cri;
    docker "docker" |_, _| Ok(Box::new(Docker::new()));
    decolorize "decolorize" |_, _| Ok(Box::new(Decolorize));
    json "json" json;
    logfmt "logfmt" logfmt;
    regex "regex" regex_stage;
    replace "replace" replace;
    template "template" template_stage;
    timestamp "timestamp" timestamp;
    output "output" output;
    labels "labels" |w, _| Ok(Box::new(Labels(sources(w)?)));
    structured_metadata "structured_metadata" |w, _| Ok(Box::new(Metadata(sources(w)?)));
    non_indexed_labels "non_indexed_labels" |w, _| Ok(Box::new(Metadata(sources(w)?)));
    labeldrop "labeldrop" |w, _| Ok(Box::new(LabelDrop(names(w)?)));
    labelallow "labelallow" |w, _| Ok(Box::new(LabelAllow(names(w)?)));
    static_labels "static_labels" static_labels;
    multiline "multiline" multiline;
    drop "drop" drop_stage;
    limit "limit" limit;
    pack "pack" |w, _| Ok(Box::new(pack(w)));
    tenant "tenant" tenant;
    metrics "metrics" metrics;
    sampling "sampling" sampling;
    geoip "geoip" |_, _| Err("not supported yet: geoip".to_owned());
    eventlogmessage "eventlogmessage" |_, _| Err("not supported: eventlogmessage; it is for Windows".to_owned());
}

type Made = Result<Box<dyn Stage>, String>;

fn cri(written: Option<WrittenCri>, context: &Context<'_>) -> Made {
    let written = written.unwrap_or_default();
    let mut settings = cri::Settings { extract: !context.last, ..cri::Settings::default() };
    if let Some(max) = written.max_partial_lines.filter(|max| *max > 0) {
        settings.partial_lines_max = max;
    }
    if let Some(size) = written.max_partial_line_size.filter(|size| size != "0") {
        // Without `truncate`, Promtail only looks at the size; longer lines are cut in any case.
        let size = byte_size(&size)?;
        if written.max_partial_line_size_truncate == Some(true) {
            settings.line_bytes_max = size.min(LINE_BYTES_MAX);
        }
    }
    Ok(Box::new(Cri::new(settings)))
}

fn json(written: Option<WrittenJson>, _: &Context<'_>) -> Made {
    let written = written.ok_or("empty json stage configuration")?;
    if written.expressions.is_empty() {
        return Err("JMES expression is required".to_owned());
    }
    let source = source(written.source)?;
    let mut expressions = Vec::new();
    for (name, text) in written.expressions {
        // Without an expression, the name is the expression.
        let text = text.filter(|text| !text.is_empty()).unwrap_or_else(|| name.clone());
        let expression = Expression::parse(&text)
            .map_err(|error| format!("could not compile JMES expression {text:?}: {error}"))?;
        expressions.push((Arc::from(name), expression));
    }
    Ok(Box::new(JsonStage::new(expressions, source, written.drop_malformed)))
}

fn logfmt(written: Option<WrittenLogfmt>, _: &Context<'_>) -> Made {
    let written = written.ok_or("empty logfmt stage configuration")?;
    if written.mapping.is_empty() {
        return Err("logfmt mapping is required".to_owned());
    }
    let pair = |(name, key): (String, Option<String>)| {
        let key = key.filter(|key| !key.is_empty()).unwrap_or_else(|| name.clone());
        (key, Arc::from(name))
    };
    let mapping = written.mapping.into_iter().map(pair).collect();
    Ok(Box::new(Logfmt { mapping, source: source(written.source)? }))
}

fn regex_stage(written: Option<WrittenRegex>, _: &Context<'_>) -> Made {
    let written = written.ok_or("empty regex stage configuration")?;
    let stage = Regex::new(expression(&written.expression)?, source(written.source)?);
    if stage.has_names() {
        Ok(Box::new(stage))
    } else {
        Err("the expression has no named group, so nothing can be extracted".to_owned())
    }
}

fn output(written: Option<WrittenOutput>, _: &Context<'_>) -> Made {
    let source = written.unwrap_or_default().source;
    if source.is_empty() {
        return Err("output source value is required if output is specified".to_owned());
    }
    Ok(Box::new(Output(source.into())))
}

fn static_labels(written: Option<BTreeMap<String, Option<String>>>, _: &Context<'_>) -> Made {
    let mut labels = Vec::new();
    for (name, value) in written.ok_or("static_labels stage config cannot be empty")? {
        check_label(&name)?;
        // An empty value is no label.
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            labels.push((Arc::from(name), Arc::from(value)));
        }
    }
    Ok(Box::new(StaticLabels(labels.into())))
}

fn multiline(written: Option<WrittenMultiline>, _: &Context<'_>) -> Made {
    let written = written.unwrap_or_default();
    let first = written
        .firstline
        .ok_or("multiline stage config must define `firstline` regular expression")?;
    let max_wait = match written.max_wait_time {
        Some(text) => go_duration(&text)
            .map_err(|error| format!("multiline stage `max_wait_time` parse error: {error}"))?,
        None => Duration::from_secs(3),
    };
    let max_lines = written.max_lines.filter(|max| *max > 0).unwrap_or(128);
    let firstline = expression(&first)?;
    Ok(Box::new(Multiline::new(multiline::Settings { firstline, max_wait, max_lines })))
}

fn drop_stage(written: Option<WrittenDrop>, _: &Context<'_>) -> Made {
    let written = written.unwrap_or_default();
    let nothing = written.source.is_none()
        && written.expression.is_none()
        && written.older_than.is_none()
        && written.longer_than.is_none();
    if nothing {
        return Err("drop stage config must contain at least one of `source`, `expression`, \
                    `older_than` or `longer_than`"
            .to_owned());
    }
    if written.value.is_some() && written.expression.is_some() {
        return Err("drop stage config error, `value` and `expression` cannot both be defined at \
                    the same time."
            .to_owned());
    }
    if written.value.is_some() && written.source.is_none() {
        return Err("drop stage config error, `value` needs a `source`".to_owned());
    }
    Ok(Box::new(Drop::new(drop::Settings {
        source: match written.source {
            None => Vec::new(),
            Some(OneOrMany::One(name)) => vec![name],
            Some(OneOrMany::Many(names)) => names,
        },
        separator: written.separator.unwrap_or_else(|| ";".to_owned()),
        value: written.value,
        expression: written.expression.map(|text| expression(&text)).transpose()?,
        older_than: written.older_than.map(|text| go_duration(&text)).transpose()?,
        longer_than: written.longer_than.map(|text| byte_size(&text)).transpose()?,
        reason: reason(written.drop_counter_reason, "drop_stage"),
    })))
}

fn limit(written: Option<WrittenLimit>, _: &Context<'_>) -> Made {
    let written = written.unwrap_or_default();
    if !(written.rate > 0.0 && written.burst >= 1.0) {
        return Err("limit stage failed to parse rate or burst".to_owned());
    }
    let by_label_name = Some(written.by_label_name).filter(|name| !name.is_empty());
    if by_label_name.is_some() && !written.drop {
        return Err("When ratelimiting by label, drop must be true".to_owned());
    }
    Ok(Box::new(Limit::new(limit::Settings {
        rate: written.rate,
        burst: written.burst,
        drop: written.drop,
        by_label_name,
        distinct_labels_max: written.max_distinct_labels.max(limit::DISTINCT_LABELS_MIN),
    })))
}

fn pack(written: Option<WrittenPack>) -> Pack {
    let written = written.unwrap_or_default();
    let mut labels: Vec<Arc<str>> = written.labels.into_iter().map(Arc::from).collect();
    labels.sort();
    let ingest_timestamp = written.ingest_timestamp.unwrap_or(true);
    Pack { labels: labels.into(), ingest_timestamp }
}

fn tenant(written: Option<WrittenTenant>, _: &Context<'_>) -> Made {
    let WrittenTenant { source, value, label } = written.unwrap_or_default();
    let given = [&source, &value, &label].iter().filter(|text| !text.is_empty()).count();
    match given {
        0 => Err("label, source or value config are required".to_owned()),
        1 if !value.is_empty() => Ok(Box::new(Tenant::Value(value.into()))),
        1 if !source.is_empty() => Ok(Box::new(Tenant::Source(source.into()))),
        1 => Ok(Box::new(Tenant::Label(label.into()))),
        _ => Err("label, source and value are mutually exclusive: you should set source, value \
                  or label but not all"
            .to_owned()),
    }
}

fn sampling(written: Option<WrittenSampling>, _: &Context<'_>) -> Made {
    let written = written.unwrap_or_default();
    if !(0.0..=1.0).contains(&written.rate) {
        return Err(format!(
            "sampling stage failed to parse rate, Sampling Rate must be between 0.0 and 1.0, \
             received {}",
            written.rate
        ));
    }
    let reason = reason(written.drop_counter_reason, "sampling_stage");
    Ok(Box::new(Sampling::new(written.rate, reason)))
}

fn metrics(written: Option<BTreeMap<String, WrittenMetric>>, context: &Context<'_>) -> Made {
    let written = written.ok_or("empty metric stage configuration")?;
    let made = written.into_iter().map(|(name, one)| {
        metric(&name, one, context.metrics).map_err(|error| format!("{name}: {error}"))
    });
    Ok(Box::new(Metrics(made.collect::<Result<_, _>>()?)))
}

fn metric(name: &str, written: WrittenMetric, all: &CustomMetrics) -> Result<Metric, String> {
    let config = written.config;
    let given = config.action.to_lowercase();
    let (kind, action) = match written.kind.to_lowercase().as_str() {
        "counter" => (Kind::Counter, counter_action(&config, &given)?),
        "gauge" => {
            let action = match given.as_str() {
                "inc" => MetricAction::Inc,
                "dec" => MetricAction::Dec,
                "add" => MetricAction::Add,
                "sub" => MetricAction::Sub,
                "set" => MetricAction::Set,
                other => return Err(format!("gauge action {other:?} is not valid")),
            };
            (Kind::Gauge, action)
        }
        "histogram" => {
            if !config.buckets.is_sorted() || config.buckets.iter().any(|bound| bound.is_nan()) {
                return Err("the buckets of a histogram must rise".to_owned());
            }
            let bounds = if config.buckets.is_empty() {
                DEFAULT_BUCKETS.to_vec()
            } else {
                config.buckets.into_iter().filter(|bound| bound.is_finite()).collect()
            };
            (Kind::Histogram(bounds), MetricAction::Observe)
        }
        other => {
            return Err(format!(
                "invalid metric type '{other}', metric type must be one of 'counter', 'gauge', or \
                 'histogram'"
            ));
        }
    };
    let idle_max = match &written.max_idle_duration {
        None => Duration::from_mins(5),
        Some(text) => {
            let idle = go_duration(text)
                .map_err(|error| format!("max_idle_duration could not be parsed: {error}"))?;
            if idle < Duration::from_secs(1) {
                return Err("max_idle_duration less than 1s not allowed".to_owned());
            }
            idle
        }
    };
    let prefix = match written.prefix.as_str() {
        "" => "promtail_custom_",
        prefix => prefix,
    };
    let full = format!("{prefix}{name}");
    if !masthead_model::is_legacy_metric_name(&full) {
        return Err(format!("{full:?} is no name of a metric"));
    }
    Ok(Metric {
        family: all.family(&full, &written.description, kind, idle_max)?,
        source: written.source.unwrap_or_else(|| name.to_owned()).into(),
        value: config.value,
        action,
        match_all: config.match_all,
        count_entry_bytes: config.count_entry_bytes,
    })
}

/// Those of Prometheus' client library.
const DEFAULT_BUCKETS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

fn counter_action(config: &WrittenMetricConfig, given: &str) -> Result<MetricAction, String> {
    let action = match given {
        "inc" => MetricAction::Inc,
        "add" => MetricAction::Add,
        "" => return Err("counter action must be defined as either `inc` or `add`".to_owned()),
        other => {
            return Err(format!(
                "action {other} is not valid, action must be either `inc` or `add`"
            ));
        }
    };
    if config.match_all && config.value.is_some() {
        return Err(
            "`match_all: true` cannot be combined with `value`, please remove `match_all` \
                    or `value`"
                .to_owned(),
        );
    }
    if config.count_entry_bytes && !config.match_all {
        return Err("`count_entry_bytes: true` can only be set with `match_all: true`".to_owned());
    }
    if config.count_entry_bytes && action != MetricAction::Add {
        return Err("`count_entry_bytes: true` can only be used with `action: add`".to_owned());
    }
    Ok(action)
}

fn replace(written: Option<WrittenReplace>, _: &Context<'_>) -> Made {
    let written = written.ok_or("empty replace stage configuration")?;
    let expression = expression(&written.expression)?;
    let template = template::parse(&written.replace)?;
    Ok(Box::new(Replace::new(expression, source(written.source)?, template)))
}

fn template_stage(written: Option<WrittenTemplate>, _: &Context<'_>) -> Made {
    let written = written.ok_or("template stage config cannot be empty")?;
    if written.source.is_empty() {
        return Err("template source value is required".to_owned());
    }
    let template = template::parse(&written.template)?;
    Ok(Box::new(Template { source: written.source.into(), template }))
}

fn timestamp(written: Option<WrittenTimestamp>, _: &Context<'_>) -> Made {
    let written = written.ok_or("timestamp stage config cannot be empty")?;
    if written.source.is_empty() {
        return Err("timestamp source value is required if timestamp is specified".to_owned());
    }
    if written.format.is_empty() {
        return Err("timestamp format is required".to_owned());
    }
    let location = written.location.unwrap_or_else(|| "UTC".to_owned());
    if jiff::tz::TimeZone::get(&location).is_err() {
        return Err(format!("invalid location specified: unknown time zone {location}"));
    }
    let fudge = match written.action_on_failure.as_deref() {
        None | Some("fudge") => true,
        Some("skip") => false,
        Some(other) => {
            return Err(format!(
                "invalid action on failure {other:?} (supported values are [skip fudge])"
            ));
        }
    };
    let formats = [written.format].into_iter().chain(written.fallback_formats);
    Ok(Box::new(Timestamp::new(timestamp::Settings {
        source: written.source.into(),
        formats: formats.map(|format| timestamp::Format::new(&format)).collect(),
        location,
        fudge,
    })))
}

fn sources(written: Option<BTreeMap<String, Option<String>>>) -> Result<Arc<[Source]>, String> {
    let mut sources = Vec::new();
    for (name, value) in written.ok_or("label stage config cannot be empty")? {
        check_label(&name)?;
        let value = value.filter(|value| !value.is_empty()).unwrap_or_else(|| name.clone());
        sources.push(Source { name: name.into(), value: value.into() });
    }
    Ok(sources.into())
}

fn names(written: Option<Vec<String>>) -> Result<Arc<[Arc<str>]>, String> {
    let names = written.filter(|names| !names.is_empty());
    let names = names.ok_or("stage config must contain at least one label")?;
    Ok(names.into_iter().map(Arc::from).collect())
}

fn check_label(name: &str) -> Result<(), String> {
    if is_legacy_label_name(name) { Ok(()) } else { Err(format!("invalid label name: {name}")) }
}

fn source(written: Option<String>) -> Result<Option<Arc<str>>, String> {
    match written {
        Some(name) if name.is_empty() => Err("empty source".to_owned()),
        name => Ok(name.map(Arc::from)),
    }
}

fn expression(text: &str) -> Result<Engine, String> {
    if text.is_empty() {
        return Err("expression is required".to_owned());
    }
    regex(text).map_err(|error| format!("could not compile regular expression: {error}"))
}

fn byte_size(text: &str) -> Result<usize, String> {
    let size = ByteSize::parse_binary(text)
        .map(|size| size.0)
        .or_else(|_| text.parse())
        .map_err(|_| format!("{text:?} is no size; write it like 8kb"))?;
    usize::try_from(size).map_err(|_| format!("{text:?} is too large"))
}

fn reason(written: Option<String>, default: &str) -> Arc<str> {
    written.filter(|reason| !reason.is_empty()).as_deref().unwrap_or(default).into()
}
