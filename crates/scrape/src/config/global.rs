//! The `global` section: what every job starts from.

use std::{collections::BTreeMap, time::Duration};

use masthead_discovery::yaml::{self, Refused};
use masthead_model::{ByteSize, Labels};
use masthead_relabel::NameScheme;
use masthead_wire::exposition::{EscapingScheme, ScrapeProtocol};
use serde::{Deserialize, Deserializer, Serialize};

/// The defaults of all jobs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the switches of upstream's global section")]
pub struct GlobalConfig {
    /// From one scrape to the next.
    #[serde(with = "yaml::duration")]
    pub scrape_interval: Duration,
    /// How long one scrape may take.
    #[serde(with = "yaml::duration")]
    pub scrape_timeout: Duration,
    /// From one evaluation of rules to the next.
    #[serde(with = "yaml::duration")]
    pub evaluation_interval: Duration,
    /// Formats to offer to targets, if they are given.
    pub scrape_protocols: Option<Vec<ScrapeProtocol>>,
    /// Labels of everything that leaves this server.
    #[serde(skip)]
    pub external_labels: Labels,
    /// Bytes of a body, decompressed; zero for the program's own limit.
    pub body_size_limit: u64,
    /// Samples of a scrape after relabelling; zero for no limit, and so below.
    pub sample_limit: u64,
    /// Targets of a job.
    pub target_limit: u64,
    /// Labels of a series.
    pub label_limit: u64,
    /// Bytes of a label's name.
    pub label_name_length_limit: u64,
    /// Bytes of a label's value.
    pub label_value_length_limit: u64,
    /// Dropped targets of a job that are remembered.
    pub keep_dropped_targets: u64,
    /// Which names labels may have.
    #[serde(skip)]
    pub name_scheme: NameScheme,
    /// How names that do not fit are asked for, if it is given.
    pub metric_name_escaping_scheme: Option<EscapingScheme>,
    /// Whether native histograms are scraped.
    pub scrape_native_histograms: bool,
    /// Whether classic histograms become native ones.
    pub convert_classic_histograms_to_nhcb: bool,
    /// Whether classic histograms are kept beside native ones.
    pub always_scrape_classic_histograms: bool,
    /// Whether `scrape_timeout_seconds` and the like are stored.
    pub extra_scrape_metrics: bool,
}

const INTERVAL: Duration = Duration::from_mins(1);
const TIMEOUT: Duration = Duration::from_secs(10);

impl Default for GlobalConfig {
    fn default() -> Self {
        Self {
            scrape_interval: INTERVAL,
            scrape_timeout: TIMEOUT,
            evaluation_interval: INTERVAL,
            scrape_protocols: None,
            external_labels: Labels::default(),
            body_size_limit: 0,
            sample_limit: 0,
            target_limit: 0,
            label_limit: 0,
            label_name_length_limit: 0,
            label_value_length_limit: 0,
            keep_dropped_targets: 0,
            name_scheme: NameScheme::Utf8,
            metric_name_escaping_scheme: None,
            scrape_native_histograms: false,
            convert_classic_histograms_to_nhcb: false,
            always_scrape_classic_histograms: false,
            extra_scrape_metrics: false,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename = "global")]
#[expect(clippy::struct_excessive_bools, reason = "the switches of upstream's global section")]
pub(super) struct WrittenGlobal {
    #[serde(with = "yaml::duration")]
    scrape_interval: Duration,
    #[serde(with = "yaml::duration")]
    scrape_timeout: Duration,
    #[serde(with = "yaml::duration")]
    evaluation_interval: Duration,
    #[serde(rename = "rule_query_offset", with = "yaml::duration")]
    _rule_query_offset: Duration,
    scrape_protocols: Option<Vec<ScrapeProtocol>>,
    query_log_file: String,
    scrape_failure_log_file: String,
    external_labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "byte_size")]
    body_size_limit: u64,
    sample_limit: u64,
    target_limit: u64,
    label_limit: u64,
    label_name_length_limit: u64,
    label_value_length_limit: u64,
    keep_dropped_targets: u64,
    metric_name_validation_scheme: String,
    metric_name_escaping_scheme: Option<EscapingScheme>,
    scrape_native_histograms: bool,
    convert_classic_histograms_to_nhcb: bool,
    always_scrape_classic_histograms: bool,
    extra_scrape_metrics: bool,
}

impl WrittenGlobal {
    /// Checks what upstream checks; also returns warnings.
    pub(super) fn check(
        self,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(GlobalConfig, Vec<String>), Refused> {
        let name_scheme = name_scheme(&self.metric_name_validation_scheme)?.unwrap_or_default();
        for name in self.external_labels.keys() {
            if !name_scheme.accepts(name) {
                let what = format!("{name:?} is not a valid label name");
                return Err(Refused::new("external_labels", what));
            }
        }
        let external_labels = self
            .external_labels
            .iter()
            .map(|(name, value)| (name.as_str(), expand(value, environment)))
            .collect();
        let or = |given: Duration, default| if given.is_zero() { default } else { given };
        let scrape_interval = or(self.scrape_interval, INTERVAL);
        if self.scrape_timeout > scrape_interval {
            let what = "global scrape timeout greater than scrape interval";
            return Err(Refused::new("scrape_timeout", what));
        }
        if let Some(protocols) = &self.scrape_protocols {
            check_protocols(protocols).map_err(|what| {
                Refused::new("scrape_protocols", format!("{what} for global config"))
            })?;
        }
        let ignored = [
            ("query_log_file", !self.query_log_file.is_empty(), "queries are not logged to a file"),
            (
                "scrape_failure_log_file",
                !self.scrape_failure_log_file.is_empty(),
                "failures are shown on the targets page",
            ),
        ];
        let warnings = ignored
            .into_iter()
            .filter(|(_, given, _)| *given)
            .map(|(name, _, meaning)| format!("not supported yet: global.{name} ({meaning})"))
            .collect();
        let global = GlobalConfig {
            scrape_interval,
            scrape_timeout: or(self.scrape_timeout, TIMEOUT.min(scrape_interval)),
            evaluation_interval: or(self.evaluation_interval, INTERVAL),
            scrape_protocols: self.scrape_protocols,
            external_labels,
            body_size_limit: self.body_size_limit,
            sample_limit: self.sample_limit,
            target_limit: self.target_limit,
            label_limit: self.label_limit,
            label_name_length_limit: self.label_name_length_limit,
            label_value_length_limit: self.label_value_length_limit,
            keep_dropped_targets: self.keep_dropped_targets,
            name_scheme,
            metric_name_escaping_scheme: self.metric_name_escaping_scheme,
            scrape_native_histograms: self.scrape_native_histograms,
            convert_classic_histograms_to_nhcb: self.convert_classic_histograms_to_nhcb,
            always_scrape_classic_histograms: self.always_scrape_classic_histograms,
            extra_scrape_metrics: self.extra_scrape_metrics,
        };
        Ok((global, warnings))
    }
}

/// `utf8`, `legacy`, or nothing where the text is empty.
pub(super) fn name_scheme(text: &str) -> Result<Option<NameScheme>, Refused> {
    match text {
        "" => Ok(None),
        "utf8" => Ok(Some(NameScheme::Utf8)),
        "legacy" => Ok(Some(NameScheme::Legacy)),
        other => Err(Refused::new(
            "metric_name_validation_scheme",
            format!(
                "unknown scrape config name validation method specified, must be either '', \
                 'legacy' or 'utf8', got {other}"
            ),
        )),
    }
}

/// Refuses an empty list and a name given twice.
pub(super) fn check_protocols(protocols: &[ScrapeProtocol]) -> Result<(), String> {
    if protocols.is_empty() {
        return Err("scrape_protocols cannot be empty".to_owned());
    }
    let twice = protocols.iter().enumerate().any(|(at, one)| protocols[..at].contains(one));
    if twice {
        return Err(format!("duplicated protocol in scrape_protocols, got {protocols:?}"));
    }
    Ok(())
}

/// A size such as `10MB`, in which every prefix is a power of 1,024.
pub(super) fn byte_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    ByteSize::parse_binary(&text).map(|size| size.0).map_err(serde::de::Error::custom)
}

/// Go's `os.Expand`: `$NAME`, `${NAME}`, and `$$` for a dollar.
fn expand(value: &str, environment: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (name, tail) = if let Some(inner) = after.strip_prefix('{') {
            // An opening brace without its end swallows nothing but itself.
            inner.split_once('}').unwrap_or(("", inner))
        } else if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
            continue;
        } else {
            let len = after
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .unwrap_or(after.len());
            after.split_at(len)
        };
        if name == "$" {
            out.push('$');
        } else if !name.is_empty() {
            out.push_str(&environment(name).unwrap_or_default());
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_expanded_as_go_does() {
        let environment = |name: &str| (name == "ZONE").then(|| "eu".to_owned());
        let f = |text: &str, want: &str| assert_eq!(expand(text, &environment), want, "{text}");
        f("plain", "plain");
        f("$ZONE", "eu");
        f("a-${ZONE}-b", "a-eu-b");
        f("$MISSING!", "!");
        f("$$ZONE", "$ZONE");
        f("${ZONE", "ZONE");
        f("cost: 5$", "cost: 5");
    }
}
