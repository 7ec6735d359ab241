//! Promtail's configuration: any text loads or is refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use masthead_tail::PromtailConfig;

fuzz_target!(|text: &str| {
    drop(PromtailConfig::parse_with(text, &|name| Some(name.to_owned())));
});
