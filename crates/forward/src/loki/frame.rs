//! The bytes of a journal frame: a batch of lines that was acknowledged.
//!
//! Layout: `docs/format/forward.md`.

use std::{borrow::Cow, sync::Arc};

use masthead_durable::bytes::{Bad, Reader, put_signed, put_slice, put_unsigned};
use masthead_model::{Labels, Nanos};
use masthead_ports::{LogBatch, LogRow, LogStream, Progress};

use crate::backlog::ITEMS;

/// Things of one kind in a frame; a frame is smaller than 64 MiB.
const COUNT_MAX: usize = 64 << 20;
/// Labels of one set.
const LABELS_MAX: usize = 1_000;

pub(super) fn encode(batch: &LogBatch<'_>) -> Vec<u8> {
    let mut out = vec![ITEMS];
    let lines: usize = batch.streams.iter().map(|stream| stream.rows.len()).sum();
    put_unsigned(&mut out, lines as u64);
    put_unsigned(&mut out, batch.progress.len() as u64);
    for Progress { key, value } in &batch.progress {
        put_slice(&mut out, key.as_bytes());
        match value {
            None => out.push(0),
            Some(value) => {
                out.push(1);
                put_slice(&mut out, value.as_bytes());
            }
        }
    }
    put_unsigned(&mut out, batch.streams.len() as u64);
    for stream in &batch.streams {
        put_labels(&mut out, &stream.labels);
        put_unsigned(&mut out, stream.rows.len() as u64);
        for row in &stream.rows {
            put_signed(&mut out, row.timestamp.0);
            put_slice(&mut out, &row.line);
            put_labels(&mut out, &row.structured_metadata);
        }
    }
    out
}

pub(super) fn decode(bytes: &[u8]) -> Result<LogBatch<'_>, Bad> {
    let mut reader = Reader::new(bytes);
    if reader.byte("kind")? != ITEMS {
        return Err(reader.bad("kind"));
    }
    reader.unsigned("lines")?;
    let mut batch = LogBatch::default();
    for _ in 0..reader.count(COUNT_MAX, "progress")? {
        let key: Arc<str> = reader.text("key")?.into();
        let value = match reader.byte("presence")? {
            0 => None,
            _ => Some(Arc::from(reader.text("value")?)),
        };
        batch.progress.push(Progress { key, value });
    }
    for _ in 0..reader.count(COUNT_MAX, "streams")? {
        let labels = labels(&mut reader)?;
        let mut rows = Vec::new();
        for _ in 0..reader.count(COUNT_MAX, "rows")? {
            rows.push(LogRow {
                timestamp: Nanos(reader.signed("timestamp")?),
                line: Cow::Borrowed(reader.slice("line")?),
                structured_metadata: self::labels(&mut reader)?,
            });
        }
        batch.streams.push(LogStream { labels, rows });
    }
    reader.finish("end of the frame")?;
    Ok(batch)
}

fn put_labels(out: &mut Vec<u8>, labels: &Labels) {
    put_unsigned(out, labels.len() as u64);
    for label in labels {
        put_slice(out, label.name.as_bytes());
        put_slice(out, label.value.as_bytes());
    }
}

fn labels(reader: &mut Reader<'_>) -> Result<Labels, Bad> {
    let count = reader.count(LABELS_MAX, "labels")?;
    if count == 0 {
        return Ok(Labels::default());
    }
    let mut pairs = Vec::new();
    for _ in 0..count {
        pairs.push((reader.text("name")?, reader.text("value")?));
    }
    Ok(pairs.into_iter().collect())
}

/// Reads a frame and throws it away, for the fuzzer.
#[doc(hidden)]
pub fn read_frame_for_fuzzing(bytes: &[u8]) -> bool {
    decode(bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::backlog::items;

    fn batch() -> LogBatch<'static> {
        let row = |timestamp, line: &'static [u8], metadata: &[(&str, &str)]| LogRow {
            timestamp: Nanos(timestamp),
            line: Cow::Borrowed(line),
            structured_metadata: metadata.iter().copied().collect(),
        };
        let progress = |key: &str, value: Option<&str>| Progress {
            key: key.into(),
            value: value.map(Arc::from),
        };
        LogBatch {
            streams: vec![LogStream {
                labels: [("app", "api")].into_iter().collect(),
                rows: vec![row(-5, b"one", &[]), row(7, b"\xff", &[("id", "1")])],
            }],
            progress: vec![progress("a", Some("1")), progress("b", None)],
        }
    }

    #[test]
    fn batches_come_back_and_are_refused_when_cut_anywhere() {
        let bytes = encode(&batch());
        assert_eq!(items(&bytes), 2);
        assert_eq!(format!("{:?}", decode(&bytes).unwrap()), format!("{:?}", batch()));
        for len in 0..bytes.len() {
            assert!(decode(&bytes[..len]).is_err(), "{len}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            drop(decode(&bytes));
            items(&bytes);
        }
    }
}
