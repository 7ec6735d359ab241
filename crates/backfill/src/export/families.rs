//! Metrics into families, as OpenMetrics wants them: one type each, and names that do not clash.
//!
//! A type is only kept where the names of the metrics fit it and reading it back gives the same
//! labels. Everything else becomes a family of its own and of unknown type, because samples weigh
//! more than types.

use std::collections::{BTreeMap, BTreeSet};

use masthead_ports::{Metadata, MetricType};

/// A family, with its metrics in the order in which they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Family {
    pub(super) name: String,
    pub(super) metric_type: MetricType,
    pub(super) help: String,
    pub(super) unit: String,
    /// Suffix and whole name of each metric.
    pub(super) metrics: Vec<(&'static str, String)>,
}

impl Family {
    /// The label that tells the lines of one member of the family apart, and of which metrics.
    pub(super) fn bound(&self) -> Option<(&'static str, &'static str)> {
        match self.metric_type {
            MetricType::Histogram | MetricType::GaugeHistogram => Some(("_bucket", "le")),
            MetricType::Summary => Some(("", "quantile")),
            MetricType::Counter
            | MetricType::Gauge
            | MetricType::Info
            | MetricType::StateSet
            | MetricType::Unknown => None,
        }
    }

    /// Each metric as a family of its own, of unknown type.
    pub(super) fn untyped(&self) -> impl Iterator<Item = Self> + '_ {
        self.metrics.iter().map(|(_, metric)| Self::unknown(metric, &self.help))
    }

    fn unknown(metric: &str, help: &str) -> Self {
        Self {
            name: metric.to_owned(),
            metric_type: MetricType::Unknown,
            help: help.to_owned(),
            unit: String::new(),
            metrics: vec![("", metric.to_owned())],
        }
    }
}

/// What metrics of a type are called behind the name of their family.
fn suffixes(metric_type: MetricType) -> &'static [&'static str] {
    match metric_type {
        MetricType::Counter => &["_total", "_created"],
        MetricType::Histogram => &["_bucket", "_count", "_sum", "_created"],
        MetricType::GaugeHistogram => &["_bucket", "_gcount", "_gsum"],
        MetricType::Summary => &["", "_count", "_sum", "_created"],
        MetricType::Info => &["_info"],
        MetricType::Gauge | MetricType::Unknown => &[""],
        // Its label has the family's name; without looking at labels that cannot be told.
        MetricType::StateSet => &[],
    }
}

/// Sorts metrics, given in order, into families.
pub(super) fn families(metrics: &[String], metadata: &[Metadata]) -> Vec<Family> {
    let known: BTreeMap<&str, &Metadata> =
        metadata.iter().map(|metadata| (&*metadata.family, metadata)).collect();
    let mut families: BTreeMap<String, Vec<Family>> = BTreeMap::new();
    for metric in metrics {
        let family = family_of(metric, &known);
        let same = families.entry(family.name.clone()).or_default();
        match same.iter_mut().find(|there| there.metric_type == family.metric_type) {
            Some(there) => there.metrics.extend(family.metrics),
            None => same.push(family),
        }
    }
    // A name may stand for one family only, and be the name of no metric of another.
    let names: BTreeSet<&String> = metrics.iter().collect();
    let mut out = Vec::new();
    for (name, mut same) in families {
        let clashes = same.len() > 1
            || same.iter().any(|family| {
                names.contains(&name) && family.metrics.iter().all(|(_, metric)| *metric != name)
            });
        if clashes {
            out.extend(same.iter().flat_map(Family::untyped));
        } else {
            out.append(&mut same);
        }
    }
    for family in &mut out {
        let order = suffixes(family.metric_type);
        family.metrics.sort_by_key(|(suffix, _)| order.iter().position(|known| known == suffix));
    }
    out
}

fn family_of(metric: &str, known: &BTreeMap<&str, &Metadata>) -> Family {
    let family = |name: &str, suffix: &'static str, metadata: &Metadata| Family {
        name: name.to_owned(),
        metric_type: metadata.metric_type,
        help: metadata.help.to_string(),
        unit: metadata.unit.to_string(),
        metrics: vec![(suffix, metric.to_owned())],
    };
    let all = ["", "_total", "_created", "_bucket", "_count", "_sum", "_gcount", "_gsum", "_info"];
    for suffix in all {
        let Some(base) = metric.strip_suffix(suffix).filter(|base| !base.is_empty()) else {
            continue;
        };
        // The text format calls the family of a counter, and of an info, by its metric's name.
        for written in ["", "_total", "_info"] {
            let Some(metadata) = known.get(format!("{base}{written}").as_str()) else { continue };
            let is_of_type = match written {
                "_total" => metadata.metric_type == MetricType::Counter,
                "_info" => metadata.metric_type == MetricType::Info,
                _ => true,
            };
            if is_of_type && suffixes(metadata.metric_type).contains(&suffix) {
                return family(base, suffix, metadata);
            }
        }
    }
    let help = known.get(metric).map_or("", |metadata| &metadata.help);
    Family::unknown(metric, help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn f(metrics: &[&str], metadata: &[(&str, MetricType)], want: &[&str]) {
        let metrics: Vec<String> = metrics.iter().map(|name| (*name).to_owned()).collect();
        let describe = |(family, metric_type): &(&str, MetricType)| Metadata {
            family: (*family).into(),
            metric_type: *metric_type,
            help: "h".into(),
            unit: "".into(),
        };
        let metadata: Vec<Metadata> = metadata.iter().map(describe).collect();
        let shown: Vec<String> = families(&metrics, &metadata)
            .iter()
            .map(|family| {
                let metrics: Vec<&str> = family.metrics.iter().map(|(_, m)| m.as_str()).collect();
                format!("{} {}: {}", family.name, family.metric_type.as_str(), metrics.join(" "))
            })
            .collect();
        assert_eq!(shown, want);
    }

    #[test]
    fn families_take_the_metrics_that_their_type_has() {
        use MetricType::{Counter, Gauge, Histogram, Info, Summary};
        f(
            &["h_bucket", "h_count", "h_created", "h_sum", "s", "s_count", "s_sum"],
            &[("h", Histogram), ("s", Summary)],
            &["h histogram: h_bucket h_count h_sum h_created", "s summary: s s_count s_sum"],
        );
        // As OpenMetrics names it, and as the text format does.
        f(&["a_created", "a_total"], &[("a", Counter)], &["a counter: a_total a_created"]);
        f(&["a_created", "a_total"], &[("a_total", Counter)], &["a counter: a_total a_created"]);
        f(&["b_info"], &[("b_info", Info)], &["b info: b_info"]);
        f(&["g", "n"], &[("g", Gauge)], &["g gauge: g", "n unknown: n"]);
    }

    #[test]
    fn names_that_do_not_fit_or_clash_are_unknown() {
        use MetricType::{Counter, Gauge, Histogram, StateSet};
        f(&["requests"], &[("requests", Counter)], &["requests unknown: requests"]);
        f(&["state"], &[("state", StateSet)], &["state unknown: state"]);
        f(
            &["a", "a_total"],
            &[("a", Gauge), ("a_total", Counter)],
            &["a unknown: a", "a_total unknown: a_total"],
        );
        // A native histogram beside the classic one.
        f(&["h", "h_bucket"], &[("h", Histogram)], &["h unknown: h", "h_bucket unknown: h_bucket"]);
    }
}
