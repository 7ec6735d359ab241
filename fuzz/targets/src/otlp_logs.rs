//! OTLP logs, from protobuf and from JSON.

use masthead_model::Nanos;
use masthead_wire::{
    Limits,
    otlp::logs::{decode_json, decode_protobuf},
};

/// Takes any bytes.
pub fn run(body: &[u8]) {
    let discover = ["app".to_owned()];
    drop(decode_protobuf(body, &discover, Nanos(1), &Limits::default()));
    drop(decode_json(&mut body.to_vec(), &discover, Nanos(1), &Limits::default()));
}
