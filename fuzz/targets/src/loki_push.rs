//! Loki's push in each of its forms, with the labels of its streams.

use masthead_wire::{
    Error, Limits,
    loki::{
        Push, StreamLabels, decode_json, decode_legacy_json, decode_protobuf, metadata_name,
    },
    remote_write::decompress,
};

/// Takes any bytes.
pub fn run(body: &[u8]) {
    let limits = Limits::default();
    let mut plain = Vec::new();
    drop(decompress(body, &limits, &mut plain));
    read(decode_protobuf(&plain, &limits));
    read(decode_protobuf(body, &limits));
    read(decode_json(&mut body.to_vec(), &limits));
    read(decode_legacy_json(&mut body.to_vec(), &limits));
    if let Ok(text) = std::str::from_utf8(body) {
        drop(StreamLabels::Text(text).read());
    }
}

fn read(push: Result<Push<'_>, Error>) {
    for mut stream in push.into_iter().flat_map(|push| push.streams) {
        for entry in &stream.entries {
            for (name, _) in stream.metadata(entry) {
                drop(metadata_name(name));
            }
        }
        drop(std::mem::take(&mut stream.labels).read());
    }
}
