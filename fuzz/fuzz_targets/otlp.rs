//! OTLP metrics in protobuf and JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use masthead_wire::{
    Limits,
    otlp::{Config, decode_json, decode_protobuf},
};

fuzz_target!(|body: &[u8]| {
    let (config, limits) = (Config::default(), Limits::default());
    drop(decode_protobuf(body, &config, &limits));
    drop(decode_json(body, &config, &limits));
});
