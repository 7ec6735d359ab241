//! OTLP metrics in protobuf and JSON.

use masthead_wire::{
    Limits,
    otlp::{Config, decode_json, decode_protobuf},
};

/// Takes any bytes.
pub fn run(body: &[u8]) {
    let (config, limits) = (Config::default(), Limits::default());
    drop(decode_protobuf(body, &config, &limits));
    drop(decode_json(&mut body.to_vec(), &config, &limits));
}
