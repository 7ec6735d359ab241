//! From discovered labels to a target: defaults, relabelling, checks.
//!
//! Facts: `scrape/target.go: PopulateLabels`. No default port is added to an address, as since
//! Prometheus 3.

use std::time::Duration;

use masthead_discovery::yaml::duration;
use masthead_model::{Labels, LabelsBuilder, PromDuration};
use masthead_relabel::process;
use url::Url;

use crate::ScrapeConfig;

pub(crate) const ADDRESS: &str = "__address__";
const SCHEME: &str = "__scheme__";
const METRICS_PATH: &str = "__metrics_path__";
const INTERVAL: &str = "__scrape_interval__";
const TIMEOUT: &str = "__scrape_timeout__";
const PARAM_PREFIX: &str = "__param_";
const META_PREFIX: &str = "__meta_";
const RESERVED_PREFIX: &str = "__";
const JOB: &str = "job";
const INSTANCE: &str = "instance";

/// One thing to scrape.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Labels before relabelling.
    pub(crate) discovered: Labels,
    /// Labels that its samples get.
    pub(crate) labels: Labels,
    pub(crate) url: Url,
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
    /// The same for the same labels and URL, in every process; never zero.
    pub(crate) hash: u64,
}

/// What became of discovered labels.
#[derive(Debug)]
pub(crate) enum Populated {
    Target(Box<Target>),
    /// Relabelling dropped it; these are its labels before.
    Dropped(Labels),
}

/// The labels as relabelling gets them.
pub(crate) fn before_relabelling(found: &Labels, config: &ScrapeConfig) -> Labels {
    let mut labels = found.to_builder();
    let interval = duration::text(config.scrape_interval);
    let timeout = duration::text(config.scrape_timeout);
    for (name, value) in [
        (JOB, config.job_name.as_str()),
        (INTERVAL, &interval),
        (TIMEOUT, &timeout),
        (METRICS_PATH, &config.metrics_path),
        (SCHEME, &config.scheme),
    ] {
        if found.get(name).is_none() {
            labels.set(name, value);
        }
    }
    for (name, values) in &config.params {
        let label = format!("{PARAM_PREFIX}{name}");
        if let Some(first) = values.first()
            && found.get(&label).is_none()
        {
            labels.set(&label, first);
        }
    }
    labels.build()
}

/// Makes a target of discovered labels.
///
/// # Errors
/// Upstream's text for what is wrong with them.
pub(crate) fn populate(found: &Labels, config: &ScrapeConfig) -> Result<Populated, String> {
    let discovered = before_relabelling(found, config);
    let mut labels = discovered.to_builder();
    if !process(&mut labels, &config.relabel_rules) {
        return Ok(Populated::Dropped(discovered));
    }
    let address = labels.get(ADDRESS).ok_or("no address")?.to_owned();
    if address.contains('/') {
        return Err(format!("{address:?} is not a valid hostname"));
    }
    let length = |what: &str, label: &str| {
        let text = labels.get(label).unwrap_or("");
        let parsed = PromDuration::parse(text)
            .map_err(|error| format!("error parsing scrape {what}: {error}"))?;
        let millis = u64::try_from(parsed.as_millis()).unwrap_or(0);
        if millis == 0 {
            return Err(format!("scrape {what} cannot be 0"));
        }
        Ok((text.to_owned(), Duration::from_millis(millis)))
    };
    let (interval_text, interval) = length("interval", INTERVAL)?;
    let (timeout_text, timeout) = length("timeout", TIMEOUT)?;
    if timeout > interval {
        return Err(format!(
            "scrape timeout cannot be greater than scrape interval ({timeout_text:?} > \
             {interval_text:?})"
        ));
    }
    let url = url(&labels, &address, config)?;
    labels.retain(|label| !label.name.starts_with(META_PREFIX));
    if labels.get(INSTANCE).is_none() {
        labels.set(INSTANCE, &address);
    }
    labels.retain(|label| !label.name.starts_with(RESERVED_PREFIX));
    let labels = labels.build();
    let hash = hash(&labels, &url);
    let target = Target { discovered, labels, url, interval, timeout, hash };
    Ok(Populated::Target(Box::new(target)))
}

fn url(labels: &LabelsBuilder, address: &str, config: &ScrapeConfig) -> Result<Url, String> {
    let scheme = labels.get(SCHEME).unwrap_or("http");
    if !matches!(scheme, "http" | "https") {
        return Err(format!("invalid scheme: {scheme:?}"));
    }
    let mut url = Url::parse(&format!("{scheme}://{address}"))
        .map_err(|error| format!("{address:?} is not a valid hostname: {error}"))?;
    url.set_path(labels.get(METRICS_PATH).unwrap_or("/metrics"));
    // The first value of a parameter is the label's, the others are the configuration's.
    let mut query = form_urlencoded::Serializer::new(String::new());
    let mut names: Vec<&str> = config.params.keys().map(String::as_str).collect();
    names.extend(labels.iter().filter_map(|label| label.name.strip_prefix(PARAM_PREFIX)));
    names.sort_unstable();
    names.dedup();
    for name in names {
        let values = config.params.get(name).map_or(&[][..], Vec::as_slice);
        match labels.get(&format!("{PARAM_PREFIX}{name}")) {
            Some(first) => {
                query.append_pair(name, first);
                query.extend_pairs(values.iter().skip(1).map(|value| (name, value)));
            }
            None => {
                query.extend_pairs(values.iter().map(|value| (name, value)));
            }
        }
    }
    let query = query.finish();
    url.set_query((!query.is_empty()).then_some(&query));
    Ok(url)
}

/// FNV-1a over labels and URL: it decides when a target is scraped, so it must not change between
/// processes as the standard hasher's does.
fn hash(labels: &Labels, url: &Url) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut eat = |text: &str| {
        for byte in text.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for label in labels {
        eat(label.name);
        eat(label.value);
    }
    eat(url.as_str());
    hash.max(1)
}

/// How long from `now_nanos` (since the epoch) until the target's turn: each has its own fixed place
/// within the interval, whenever the process started.
pub(crate) fn offset(hash: u64, seed: u64, interval: Duration, now_nanos: i64) -> Duration {
    let interval = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX).max(1);
    let now = u64::try_from(now_nanos).unwrap_or(0);
    let to_next = interval - now % interval;
    let place = (hash ^ seed) % interval;
    let wait = to_next.saturating_add(place);
    Duration::from_nanos(if wait > interval { wait - interval } else { wait })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PromConfig;

    fn config(text: &str) -> ScrapeConfig {
        let file = format!("scrape_configs:\n- job_name: j\n{text}");
        let parsed = PromConfig::parse(&file).expect("valid");
        (*parsed.scrape_configs[0]).clone()
    }

    fn shown(found: &[(&str, &str)], config: &ScrapeConfig) -> String {
        match populate(&found.iter().copied().collect(), config) {
            Ok(Populated::Target(target)) => format!("{} {}", target.labels, target.url),
            Ok(Populated::Dropped(labels)) => format!("dropped {labels}"),
            Err(error) => error,
        }
    }

    #[test]
    fn labels_become_targets_with_upstream_rules() {
        let plain = config("");
        let f = |found: &[(&str, &str)], want: &str| assert_eq!(shown(found, &plain), want);
        f(
            &[("__address__", "h:1"), ("a", "b"), ("__meta_x", "y")],
            r#"{a="b", instance="h:1", job="j"} http://h:1/metrics"#,
        );
        f(
            &[
                ("__address__", "h"),
                ("__scheme__", "https"),
                ("__metrics_path__", "/p"),
                ("job", "own"),
            ],
            r#"{instance="h", job="own"} https://h/p"#,
        );
        f(
            &[("__address__", "[::1]:9"), ("__param_q", "a b"), ("instance", "me")],
            r#"{instance="me", job="j"} http://[::1]:9/metrics?q=a+b"#,
        );
        f(&[], "no address");
        f(&[("__address__", "h/x")], r#""h/x" is not a valid hostname"#);
        f(&[("__address__", "h"), ("__scheme__", "ftp")], r#"invalid scheme: "ftp""#);
        f(&[("__address__", "h"), ("__scrape_interval__", "0s")], "scrape interval cannot be 0");
        f(
            &[("__address__", "h"), ("__scrape_timeout__", "x")],
            r#"error parsing scrape timeout: not a valid duration string: "x""#,
        );
        f(
            &[("__address__", "h"), ("__scrape_timeout__", "2m")],
            r#"scrape timeout cannot be greater than scrape interval ("2m" > "1m")"#,
        );
    }

    #[test]
    fn relabelling_moves_and_drops_and_params_keep_their_other_values() {
        let rules = "  params: {m: [x, y]}\n  relabel_configs:\n  - {source_labels: [__address__], \
                     regex: 'drop.*', action: drop}\n  - {source_labels: [__address__], \
                     target_label: __param_m}\n  - {target_label: __address__, replacement: 'exporter:1'}\n";
        let config = config(rules);
        assert_eq!(
            shown(&[("__address__", "db")], &config),
            r#"{instance="exporter:1", job="j"} http://exporter:1/metrics?m=db&m=y"#
        );
        assert!(shown(&[("__address__", "dropped")], &config).starts_with("dropped {"));
    }

    #[test]
    fn each_target_has_its_own_place_within_the_interval() {
        let interval = Duration::from_secs(10);
        let second = 1_000_000_000;
        let f = |hash: u64, now: i64, want: u64| {
            assert_eq!(offset(hash, 0, interval, now * second), Duration::from_secs(want));
        };
        let three = 3 * 1_000_000_000;
        f(three, 0, 3);
        f(three, 1, 2);
        f(three, 3, 10);
        f(three, 4, 9);
        assert_ne!(offset(three, 7, interval, 0), offset(three, 0, interval, 0));
    }
}
