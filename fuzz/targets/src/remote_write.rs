//! Remote write 1.0 and 2.0, compressed and plain.

use masthead_wire::{
    Limits,
    remote_write::{Decoder, LabelScratch, Version, decompress},
};

/// Takes any bytes.
pub fn run(body: &[u8]) {
    let limits = Limits::default();
    let mut plain = Vec::new();
    drop(decompress(body, &limits, &mut plain));
    for version in [Version::V1, Version::V2] {
        for body in [body, &plain] {
            let Ok(mut decoder) = Decoder::new(body, version, limits) else { continue };
            let mut scratch = LabelScratch::default();
            while let Ok(Some(series)) = decoder.next_series() {
                drop(series.labels(&mut scratch, &limits));
            }
        }
    }
}
