//! What the items API's `/metrics` says, in one line.
//!
//! A [`Snapshot`] is one reading; a [`Summary`] is the difference of two. Counters that went down
//! have been reset, so their new value is the difference, as PromQL's `increase` takes it. The
//! percentile is PromQL's `histogram_quantile`: linear inside the bucket.

use std::time::Duration;

use super::exposition;

/// The figures of one reading, each summed over all label sets.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Snapshot {
    /// `http_requests_total`.
    pub requests: f64,
    /// The same with a status of 500 and above.
    pub failed: f64,
    /// `http_request_duration_seconds`: upper bound and cumulative count, bounds ascending.
    pub buckets: Vec<(f64, f64)>,
    /// `http_requests_in_progress`.
    pub in_progress: f64,
    /// `items_stored`; none when it is not exposed.
    pub items_stored: Option<f64>,
}

/// What happened between two snapshots.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Summary {
    pub requests_per_second: f64,
    /// Share of requests answered 5xx, 0 to 1; none without requests.
    pub failed_share: Option<f64>,
    /// Estimate in seconds; none without requests.
    pub p95_seconds: Option<f64>,
    pub items_stored: Option<f64>,
    pub in_progress: f64,
}

impl Snapshot {
    /// Reads an exposition.
    ///
    /// # Errors
    /// Those of [`exposition::parse`], and a bucket without a bound.
    pub(super) fn read(text: &str) -> anyhow::Result<Self> {
        let mut snapshot = Self::default();
        for sample in exposition::parse(text)? {
            match sample.name {
                "http_requests_total" => {
                    snapshot.requests += sample.value;
                    if sample.label("status").parse().is_ok_and(|status: u16| status >= 500) {
                        snapshot.failed += sample.value;
                    }
                }
                "http_request_duration_seconds_bucket" => {
                    let bound = sample.label("le").parse::<f64>().map_err(|_| {
                        anyhow::anyhow!("{}: the label le is not a number", sample.name)
                    })?;
                    snapshot.add_to_bucket(bound, sample.value);
                }
                "http_requests_in_progress" => snapshot.in_progress += sample.value,
                "items_stored" => {
                    *snapshot.items_stored.get_or_insert_default() += sample.value;
                }
                _ => {}
            }
        }
        Ok(snapshot)
    }

    fn add_to_bucket(&mut self, bound: f64, count: f64) {
        match self.buckets.binary_search_by(|(found, _)| found.total_cmp(&bound)) {
            Ok(at) => {
                if let Some((_, sum)) = self.buckets.get_mut(at) {
                    *sum += count;
                }
            }
            Err(at) => self.buckets.insert(at, (bound, count)),
        }
    }

    /// What happened since `before`, which was read `elapsed` earlier.
    pub(super) fn since(&self, before: &Self, elapsed: Duration) -> Summary {
        let requests = increase(before.requests, self.requests);
        let failed = increase(before.failed, self.failed);
        let buckets: Vec<_> = self
            .buckets
            .iter()
            .map(|&(bound, count)| {
                let old = before.buckets.iter().find(|(old, _)| old.total_cmp(&bound).is_eq());
                (bound, increase(old.map_or(0.0, |(_, count)| *count), count))
            })
            .collect();
        Summary {
            requests_per_second: requests / elapsed.as_secs_f64().max(f64::MIN_POSITIVE),
            failed_share: (requests > 0.0).then(|| failed / requests),
            p95_seconds: quantile(0.95, &buckets),
            items_stored: self.items_stored,
            in_progress: self.in_progress,
        }
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1} requests/s", self.requests_per_second)?;
        match self.failed_share {
            Some(share) => write!(f, " · {:.1} % errors", share * 100.0)?,
            None => write!(f, " · no errors")?,
        }
        match self.p95_seconds {
            Some(seconds) if seconds < 1.0 => write!(f, " · p95 {:.0} ms", seconds * 1000.0)?,
            Some(seconds) => write!(f, " · p95 {seconds:.2} s")?,
            None => write!(f, " · p95 unknown")?,
        }
        match self.items_stored {
            Some(items) => write!(f, " · {items} items stored")?,
            None => write!(f, " · items unknown")?,
        }
        write!(f, " · {} in progress", self.in_progress)
    }
}

/// How far a counter moved from `before` to `now`, a reset included.
pub(super) fn increase(before: f64, now: f64) -> f64 {
    if now < before { now } else { now - before }
}

fn quantile(q: f64, buckets: &[(f64, f64)]) -> Option<f64> {
    let (_, total) = *buckets.last()?;
    let rank = q * total;
    let at = buckets.iter().position(|&(_, count)| count >= rank && total > 0.0)?;
    let (upper, count) = *buckets.get(at)?;
    let (lower, below) = match at.checked_sub(1) {
        Some(previous) => *buckets.get(previous)?,
        None => (0.0, 0.0),
    };
    if upper.is_infinite() {
        return Some(lower);
    }
    let inside = count - below;
    Some(if inside > 0.0 { lower + (upper - lower) * (rank - below) / inside } else { upper })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
# TYPE http_requests_total counter
http_requests_total{method="GET",handler="/items",status="200"} 90
http_requests_total{method="GET",handler="/items",status="500"} 4
http_requests_total{method="GET",handler="none",status="404"} 6
http_request_duration_seconds_bucket{handler="/items",le="0.1"} 80
http_request_duration_seconds_bucket{handler="/items",le="+Inf"} 94
http_request_duration_seconds_bucket{handler="/items",le="0.5"} 94
http_request_duration_seconds_bucket{handler="none",le="0.1"} 6
http_request_duration_seconds_bucket{handler="none",le="0.5"} 6
http_request_duration_seconds_bucket{handler="none",le="+Inf"} 6
http_requests_in_progress{handler="/items"} 2
http_requests_in_progress{handler="none"} 1
items_stored 17
"#;

    #[test]
    fn a_snapshot_sums_over_label_sets() {
        let snapshot = Snapshot::read(TEXT).unwrap();
        assert_eq!(
            snapshot,
            Snapshot {
                requests: 100.0,
                failed: 4.0,
                buckets: vec![(0.1, 86.0), (0.5, 100.0), (f64::INFINITY, 100.0)],
                in_progress: 3.0,
                items_stored: Some(17.0),
            }
        );
        assert!(Snapshot::read("http_request_duration_seconds_bucket{le=\"x\"} 1").is_err());
    }

    #[test]
    fn a_summary_is_the_difference() {
        let now = Snapshot::read(TEXT).unwrap();
        let before = Snapshot {
            requests: 50.0,
            failed: 3.0,
            buckets: vec![(0.1, 46.0), (0.5, 50.0), (f64::INFINITY, 50.0)],
            ..Snapshot::default()
        };
        let text = now.since(&before, Duration::from_secs(10)).to_string();
        // 50 requests, 40 of them in the first bucket: rank 47.5 is 7.5 of 10 into 0.1..0.5.
        assert_eq!(
            text,
            "5.0 requests/s · 2.0 % errors · p95 400 ms · 17 items stored · 3 in progress"
        );
    }

    #[test]
    fn nothing_happened() {
        let now = Snapshot::default();
        let text = now.since(&now, Duration::from_secs(10)).to_string();
        assert_eq!(
            text,
            "0.0 requests/s · no errors · p95 unknown · items unknown · 0 in progress"
        );
    }

    #[test]
    fn counters_survive_a_reset() {
        let f = |before: f64, now: f64, want: f64| {
            assert!((increase(before, now) - want).abs() < 1e-9, "{before} -> {now}");
        };
        f(10.0, 15.0, 5.0);
        f(10.0, 10.0, 0.0);
        f(10.0, 3.0, 3.0);
    }

    #[test]
    fn quantiles() {
        let f = |q: f64, buckets: &[(f64, f64)], want: Option<f64>| {
            let got = quantile(q, buckets);
            let close = match (got, want) {
                (Some(got), Some(want)) => (got - want).abs() < 1e-9,
                (got, want) => got.is_none() && want.is_none(),
            };
            assert!(close, "{q} of {buckets:?}: {got:?}");
        };
        let inf = f64::INFINITY;
        f(0.5, &[(1.0, 10.0), (inf, 10.0)], Some(0.5));
        f(0.5, &[(1.0, 0.0), (3.0, 10.0), (inf, 10.0)], Some(2.0));
        f(0.95, &[(1.0, 10.0), (inf, 100.0)], Some(1.0));
        f(0.95, &[(1.0, 0.0), (inf, 0.0)], None);
        f(0.95, &[], None);
    }
}
