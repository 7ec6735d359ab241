//! `load_with_nhcb`: the classic histograms among loaded series, once more as native ones with
//! custom buckets.

use std::collections::BTreeMap;

use masthead_model::{Labels, METRIC_NAME, Millis, Value, parse_number};
use masthead_vecmath::histogram::{ClassicBucket, from_classic};

use super::{LoadedSample, LoadedSeries};

#[derive(Default)]
struct Parts {
    buckets: Vec<ClassicBucket>,
    count: Option<f64>,
    sum: Option<f64>,
}

/// The native histograms of all classic ones in `series`.
pub(super) fn native_series(series: &[LoadedSeries]) -> Result<Vec<LoadedSeries>, String> {
    let mut found: BTreeMap<Labels, BTreeMap<Millis, Parts>> = BTreeMap::new();
    for one in series {
        let name = one.labels.metric_name().unwrap_or("");
        let Some((base, suffix)) = name.rsplit_once('_') else { continue };
        let upper = parse_number(one.labels.get("le").unwrap_or(""));
        let upper = match suffix {
            "bucket" => match upper.filter(|upper| !upper.is_nan()) {
                Some(upper) => upper,
                None => continue,
            },
            "count" | "sum" => 0.0,
            _ => continue,
        };
        let labels = one.labels.to_builder().set(METRIC_NAME, base).remove("le").build();
        let times = found.entry(labels).or_default();
        for sample in &one.samples {
            let Value::Float(value) = sample.value else { continue };
            let parts = times.entry(sample.timestamp).or_default();
            match suffix {
                "bucket" => parts.buckets.push(ClassicBucket { upper, count: value }),
                "count" => parts.count = Some(value),
                _ => parts.sum = Some(value),
            }
        }
    }
    let mut out = Vec::new();
    for (labels, times) in found {
        let mut samples = Vec::new();
        for (timestamp, mut parts) in times {
            let histogram = from_classic(&mut parts.buckets, parts.count, parts.sum)
                .map_err(|error| format!("{labels} at {timestamp}: {error}"))?;
            samples.push(LoadedSample {
                timestamp,
                start: None,
                value: Value::Histogram(Box::new(histogram)),
            });
        }
        out.push(LoadedSeries { labels, samples });
    }
    Ok(out)
}
