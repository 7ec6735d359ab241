//! OTLP logs, from protobuf and from JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use masthead_wire::{
    Limits,
    otlp::logs::{decode_json, decode_protobuf},
};

fuzz_target!(|body: &[u8]| {
    let discover = ["app".to_owned()];
    drop(decode_protobuf(body, &discover, &Limits::default()));
    drop(decode_json(body, &discover, &Limits::default()));
});
