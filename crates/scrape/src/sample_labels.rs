//! Labels of samples: the target's added, conflicts resolved, rules applied, limits checked.
//!
//! Facts: `scrape/scrape.go: mutateSampleLabels, resolveConflictingExposedLabels,
//! verifyLabelLimits`.

use masthead_model::{Labels, METRIC_NAME, is_legacy_label_name, is_legacy_metric_name, quote};
use masthead_relabel::{NameScheme, process};

use crate::ScrapeConfig;

/// The label set that a sample is stored under, or nothing if relabelling dropped it.
pub(crate) fn mutate(exposed: &Labels, target: &Labels, config: &ScrapeConfig) -> Option<Labels> {
    let mut labels = exposed.to_builder();
    if config.honor_labels {
        for label in target {
            if exposed.get(label.name).is_none() {
                labels.set(label.name, label.value);
            }
        }
    } else {
        let mut conflicts = Vec::new();
        for label in target {
            if let Some(value) = exposed.get(label.name) {
                conflicts.push((label.name, value));
            }
            labels.set(label.name, label.value);
        }
        // Shortest names first, so that `exported_x` of the target finds its name taken.
        conflicts.sort_by_key(|(name, _)| name.len());
        for (name, value) in conflicts {
            let mut name = format!("exported_{name}");
            while labels.get(&name).is_some() {
                name.insert_str(0, "exported_");
            }
            labels.set(&name, value);
        }
    }
    if !config.metric_relabel_rules.is_empty()
        && !process(&mut labels, &config.metric_relabel_rules)
    {
        return None;
    }
    let labels = labels.build();
    (!labels.is_empty()).then_some(labels)
}

/// Checks names and limits.
///
/// # Errors
/// Upstream's text; `true` when it is a limit that was exceeded.
pub(crate) fn check(labels: &Labels, config: &ScrapeConfig) -> Result<(), (String, bool)> {
    let Some(metric) = labels.metric_name() else {
        return Err((format!("missing metric name ({METRIC_NAME} label)"), false));
    };
    if config.name_scheme == NameScheme::Legacy {
        let fits = is_legacy_metric_name(metric)
            && labels.iter().all(|label| is_legacy_label_name(label.name));
        if !fits {
            return Err((format!("invalid metric name or label names: {labels}"), false));
        }
    }
    limits(labels, metric, config).map_err(|what| (what, true))
}

fn limits(labels: &Labels, metric: &str, config: &ScrapeConfig) -> Result<(), String> {
    let exceeds = |len: usize, limit: u64| limit > 0 && len as u64 > limit;
    let metric = cut(metric);
    if config.label_limit > 0 && exceeds(labels.len(), config.label_limit) {
        return Err(format!(
            "label_limit exceeded (metric: {metric}, number of labels: {}, limit: {})",
            labels.len(),
            config.label_limit
        ));
    }
    if config.label_name_length_limit == 0 && config.label_value_length_limit == 0 {
        return Ok(());
    }
    for label in labels {
        let name = cut(label.name);
        if exceeds(label.name.len(), config.label_name_length_limit) {
            return Err(format!(
                "label_name_length_limit exceeded (metric: {metric}, label name: {name}, length: \
                 {}, limit: {})",
                label.name.len(),
                config.label_name_length_limit
            ));
        }
        if exceeds(label.value.len(), config.label_value_length_limit) {
            return Err(format!(
                "label_value_length_limit exceeded (metric: {metric}, label name: {name}, value: \
                 {}, length: {}, limit: {})",
                quote(cut(label.value)),
                label.value.len(),
                config.label_value_length_limit
            ));
        }
    }
    Ok(())
}

/// The first fifty characters, as `%.50s` prints.
fn cut(text: &str) -> &str {
    text.char_indices().nth(50).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PromConfig;

    fn config(text: &str) -> ScrapeConfig {
        let file = format!("scrape_configs:\n- job_name: j\n{text}");
        (*PromConfig::parse(&file).expect("valid").scrape_configs[0]).clone()
    }

    fn set(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().copied().collect()
    }

    #[test]
    fn conflicts_are_resolved_by_exported_or_by_honouring_the_sample() {
        let f = |exposed: &[(&str, &str)], target: &[(&str, &str)], honor: bool, want: &str| {
            let config = config(if honor { "  honor_labels: true\n" } else { "" });
            let got = mutate(&set(exposed), &set(target), &config).expect("kept");
            assert_eq!(got.to_string(), want, "{exposed:?} {target:?}");
        };
        f(
            &[("__name__", "m"), ("a", "1")],
            &[("b", "2")],
            false,
            r#"{__name__="m", a="1", b="2"}"#,
        );
        f(&[("a", "1")], &[("a", "2")], false, r#"{a="2", exported_a="1"}"#);
        f(&[("a", "1")], &[("a", "2")], true, r#"{a="1"}"#);
        f(
            &[("a", "1"), ("exported_a", "x")],
            &[("a", "2"), ("exported_a", "3")],
            false,
            r#"{a="2", exported_a="3", exported_exported_a="1", exported_exported_exported_a="x"}"#,
        );
        f(
            &[("a", "1"), ("exported_a", "x")],
            &[("a", "2")],
            false,
            r#"{a="2", exported_a="x", exported_exported_a="1"}"#,
        );
    }

    #[test]
    fn rules_drop_samples() {
        let config = config(
            "  metric_relabel_configs:\n  - {source_labels: [__name__], regex: 'go_.*', action: drop}\n",
        );
        assert_eq!(mutate(&set(&[("__name__", "go_gc")]), &set(&[("a", "b")]), &config), None);
        assert!(mutate(&set(&[("__name__", "up")]), &set(&[("a", "b")]), &config).is_some());
    }

    #[test]
    fn limits_are_told_in_upstream_words() {
        let f = |options: &str, pairs: &[(&str, &str)], want: &str| {
            let got = check(&set(pairs), &config(options)).err().map(|(what, _)| what);
            assert_eq!(got.unwrap_or_default(), want);
        };
        let metric = [("__name__", "m"), ("label", "value")];
        f("", &metric, "");
        f("", &[("a", "b")], "missing metric name (__name__ label)");
        f("  label_limit: 2\n", &metric, "");
        f(
            "  label_limit: 1\n",
            &metric,
            "label_limit exceeded (metric: m, number of labels: 2, limit: 1)",
        );
        f(
            "  label_name_length_limit: 4\n",
            &metric,
            "label_name_length_limit exceeded (metric: m, label name: __name__, length: 8, limit: 4)",
        );
        f(
            "  label_value_length_limit: 4\n",
            &metric,
            r#"label_value_length_limit exceeded (metric: m, label name: label, value: "value", length: 5, limit: 4)"#,
        );
        f(
            "  metric_name_validation_scheme: legacy\n",
            &[("__name__", "a.b")],
            "invalid metric name or label names: {__name__=\"a.b\"}",
        );
    }
}
