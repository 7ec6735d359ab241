//! Custom resources of prometheus-operator: translated to scrape configurations that our own reader
//! takes or refuses, or rejected.

use masthead_discovery::{
    kubernetes::Meta,
    operator::{Kind, Store, translate},
};
use masthead_scrape::PromConfig;

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    let Ok(spec) = serde_json::from_slice(bytes) else { return };
    let mut meta = Meta::default();
    meta.name.push('m');
    meta.namespace.push('n');
    for kind in [Kind::ServiceMonitor, Kind::PodMonitor, Kind::Probe, Kind::ScrapeConfig] {
        let Ok(jobs) = translate(kind, &meta, &spec, &Store::default()) else { continue };
        let file = serde_json::json!({ "scrape_configs": jobs });
        drop(PromConfig::parse(&file.to_string()));
    }
}
