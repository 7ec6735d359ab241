//! A file of tests as it is written. Unknown keys are refused, as everywhere.

use std::{collections::BTreeMap, time::Duration};

use masthead_discovery::yaml;
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct UnitFile {
    pub(super) rule_files: Vec<String>,
    /// Files whose rules are LogQL; ours.
    pub(super) log_rule_files: Vec<String>,
    #[serde(with = "yaml::duration")]
    pub(super) evaluation_interval: Duration,
    pub(super) group_eval_order: Vec<String>,
    pub(super) fuzzy_compare: bool,
    pub(super) tests: Vec<TestGroup>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TestGroup {
    #[serde(with = "yaml::duration")]
    pub(super) interval: Duration,
    pub(super) name: String,
    pub(super) input_series: Vec<InputSeries>,
    /// Log lines; ours.
    pub(super) input_streams: Vec<InputStream>,
    pub(super) alert_rule_test: Vec<AlertTest>,
    pub(super) promql_expr_test: Vec<ExprTest>,
    /// As `promql_expr_test`, over the lines; ours.
    pub(super) logql_expr_test: Vec<ExprTest>,
    pub(super) external_labels: BTreeMap<String, String>,
    pub(super) external_url: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InputSeries {
    pub(super) series: String,
    pub(super) values: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InputStream {
    /// `{app="api"}`
    pub(super) stream: String,
    pub(super) lines: Vec<InputLine>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InputLine {
    /// When the first is written.
    #[serde(default, with = "yaml::duration")]
    pub(super) at: Duration,
    /// Its text, in which `%d` is the number of the line.
    pub(super) line: String,
    /// Structured metadata, such as `detected_level`.
    #[serde(default)]
    pub(super) metadata: BTreeMap<String, String>,
    /// How many there are.
    #[serde(default = "once")]
    pub(super) times: u64,
    /// From one to the next.
    #[serde(default = "second", with = "yaml::duration")]
    pub(super) every: Duration,
}

fn once() -> u64 {
    1
}

fn second() -> Duration {
    Duration::from_secs(1)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AlertTest {
    #[serde(with = "yaml::duration")]
    pub(super) eval_time: Duration,
    pub(super) alertname: String,
    pub(super) exp_alerts: Vec<ExpectedAlert>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ExpectedAlert {
    pub(super) exp_labels: BTreeMap<String, String>,
    pub(super) exp_annotations: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ExprTest {
    pub(super) expr: String,
    #[serde(with = "yaml::duration")]
    pub(super) eval_time: Duration,
    pub(super) exp_samples: Vec<ExpectedSample>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ExpectedSample {
    pub(super) labels: String,
    pub(super) value: f64,
    pub(super) histogram: String,
}
