//! The files of a Prometheus block with any bytes: index, chunk, tombstones, meta.

use masthead_model::Histogram;
use masthead_wire::prometheus_block::{
    Chunk, ChunkFile, Index, Meta, SampleVisitor, SeriesEntry, Tombstones,
};

/// Counts what it is shown.
struct Count(usize);

impl SampleVisitor for Count {
    fn float(&mut self, _: i64, _: i64, _: f64) {
        self.0 += 1;
    }

    fn histogram(&mut self, _: i64, histogram: Histogram) {
        assert!(histogram.validate().is_ok());
        self.0 += 1;
    }
}

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    match kind % 8 {
        0 => {
            let Ok(index) = Index::new(bytes) else { return };
            let mut entry = SeriesEntry::default();
            for at in 0..index.len() {
                if index.read(at, &mut entry).is_ok() {
                    drop(index.labels(&entry));
                }
            }
        }
        1 => drop(Tombstones::decode(bytes)),
        2 => drop(Meta::decode(bytes)),
        3 => {
            let Ok(file) = ChunkFile::new(bytes) else { return };
            let mut count = Count(0);
            if let Ok(chunk) = file.chunk(8) {
                drop(chunk.visit(&mut count));
            }
        }
        encoding => {
            let mut count = Count(0);
            drop(Chunk::new(encoding - 3, bytes).visit(&mut count));
            assert!(count.0 <= 8 * bytes.len());
        }
    }
}
