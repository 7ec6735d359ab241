//! prometheus.yml: any text is taken, or refused with a place.

use masthead_scrape::PromConfig;

use crate::text;

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    drop(PromConfig::parse(text));
}
