//! Label sets as text: printing then parsing is identity.

#![no_main]

use libfuzzer_sys::fuzz_target;
use masthead_model::Labels;

fuzz_target!(|text: &str| {
    if let Ok(labels) = text.parse::<Labels>() {
        assert_eq!(labels.to_string().parse(), Ok(labels));
    }
});
