//! prometheus.yml: any text is taken, or refused with a place.

#![no_main]

use libfuzzer_sys::fuzz_target;
use masthead_scrape::PromConfig;

fuzz_target!(|text: &str| {
    drop(PromConfig::parse(text));
});
