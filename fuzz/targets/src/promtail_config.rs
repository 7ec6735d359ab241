//! Promtail's configuration: any text loads or is refused.

use masthead_tail::PromtailConfig;

use crate::text;

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    drop(PromtailConfig::parse_with(text, &|name| Some(name.to_owned())));
}
