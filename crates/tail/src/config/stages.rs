//! The table of stages. One entry of `pipeline_stages` is a map with the name of one stage in it; how
//! the section below it is written and checked stands with the stage (`pipeline/`).

use std::sync::Arc;

use masthead_discovery::yaml::Refused;
use serde::{Deserialize, Deserializer, de::IgnoredAny};

use crate::pipeline::{
    Stage, cri,
    decolorize::Decolorize,
    docker::Docker,
    drop, json, labels, limit, logfmt,
    metrics::{self, CustomMetrics},
    multiline, output, pack, regex, replace, sampling,
    section::{Context, Made, reason},
    selector::{Action, Match, Selector},
    template, tenant, timestamp,
};

/// How a section is left out: not there, or there and empty.
type Given<T> = Option<Option<T>>;

fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Given<T>, D::Error> {
    Option::deserialize(d).map(Some)
}

macro_rules! stage_table {
    ($($name:ident: $written:ty => $make:expr;)*) => {
        /// One entry of `pipeline_stages`: every stage that there is, of which one is given.
        #[derive(Debug, Default, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(super) struct WrittenStage {
            #[serde(rename = "match", deserialize_with = "given")]
            matching: Given<WrittenMatch>,
            $(#[serde(deserialize_with = "given")] $name: Given<$written>,)*
        }

        impl WrittenStage {
            /// The stages that are given.
            fn names(&self) -> Vec<&'static str> {
                let all = [
                    $((self.$name.is_some(), stringify!($name)),)*
                    (self.matching.is_some(), "match"),
                ];
                all.into_iter().filter(|(given, _)| *given).map(|(_, name)| name).collect()
            }

            /// The one that is given, made.
            fn make(self, context: &Context<'_>) -> Made {
                $(
                    if let Some(written) = self.$name {
                        let make: fn(_, &Context<'_>) -> Made = $make;
                        return make(written, context);
                    }
                )*
                Err("empty stage configuration".to_owned())
            }
        }
    };
}

// One line for each stage: its name, its section, how it is made. `match` alone has no line,
// because it makes more than one.
stage_table! {
    cri: cri::Written => cri::make;
    docker: IgnoredAny => |_, _| Ok(Box::new(Docker::new()));
    decolorize: IgnoredAny => |_, _| Ok(Box::new(Decolorize));
    json: json::Written => json::make;
    logfmt: logfmt::Written => logfmt::make;
    regex: regex::Written => regex::make;
    replace: replace::Written => replace::make;
    template: template::Written => template::make;
    timestamp: timestamp::Written => timestamp::make;
    output: output::Written => output::make;
    labels: labels::Written => labels::make;
    structured_metadata: labels::Written => labels::make_metadata;
    non_indexed_labels: labels::Written => labels::make_metadata;
    labeldrop: Vec<String> => labels::make_drop;
    labelallow: Vec<String> => labels::make_allow;
    static_labels: labels::Written => labels::make_static;
    multiline: multiline::Written => multiline::make;
    drop: drop::Written => drop::make;
    limit: limit::Written => limit::make;
    pack: pack::Written => |written, _| Ok(Box::new(pack::make(written)));
    tenant: tenant::Written => tenant::make;
    metrics: metrics::Written => metrics::make;
    sampling: sampling::Written => sampling::make;
    geoip: IgnoredAny => |_, _| Err("not supported yet: geoip".to_owned());
    eventlogmessage: IgnoredAny => |_, _| {
        Err("not supported: eventlogmessage; it is for Windows".to_owned())
    };
}

/// The stages that a text lists, if it can be read.
pub(crate) fn for_fuzzing(text: &str, metrics: &CustomMetrics) -> Option<Vec<Box<dyn Stage>>> {
    let written: Option<Vec<WrittenStage>> = masthead_discovery::yaml::parse(text).ok()?;
    make(written.unwrap_or_default(), "stages", metrics).ok()
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
