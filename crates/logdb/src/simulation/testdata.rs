//! A small store with some of everything, always the same: what `testdata/format/` is made of.

use std::{borrow::Cow, sync::Arc};

use camino::Utf8Path;
use masthead_model::{Labels, Matcher, Nanos, TimeRange};
use masthead_ports::{LineFilter, LinePattern, LogBatch, LogRow, LogSink, LogStream, Progress};
use masthead_sysio::{Fs, SimClock, UnixNanos};

use crate::{JournalOptions, Logdb, Options, Result};

const START: i64 = 1_704_067_200_000_000_000;
const SECOND: i64 = 1_000_000_000;
const LINES: i64 = 300;

/// Writes the store to `dir`: blocks, a checkpoint with a deletion, a journal with what is newer.
///
/// # Errors
/// Those of the store.
pub fn write_testdata(fs: Arc<dyn Fs>, dir: &Utf8Path) -> Result<()> {
    let clock = Arc::new(SimClock::new(UnixNanos(START + 1000 * SECOND)));
    let journal = JournalOptions { segment_bytes: 4_000, ..JournalOptions::default() };
    let options =
        Options { journal, segment_bytes: 4_000, free_bytes_min: 0, ..Options::default() };
    let (store, _) = Logdb::open(fs, clock, dir, options)?;
    for at in 0..LINES {
        let streams = lines(at)
            .into_iter()
            .map(|(stream, time, line, metadata)| LogStream {
                labels: labels(stream),
                rows: vec![LogRow {
                    timestamp: Nanos(time),
                    line: Cow::Owned(line),
                    structured_metadata: metadata,
                }],
            })
            .collect();
        let progress = vec![Progress {
            key: "file:/var/log/tést".into(),
            value: Some(at.to_string().as_str().into()),
        }];
        if let Err(error) = store.append(&LogBatch { streams, progress }) {
            return Err(std::io::Error::other(error).into());
        }
        if at == LINES / 2 {
            store.flush_all()?;
            let filter = LineFilter {
                negated: true,
                any: vec![LinePattern::Regexp("path|blk|usb|raw".into())],
            };
            let range = TimeRange { start: Nanos(START), end: Nanos(START + 20 * SECOND) };
            store.delete(&[Matcher::equal("app", "1")], &[filter], range)?;
            store.flush_all()?;
        }
    }
    store.sync()
}

/// The lines that such a store must answer with: stream, time, line, metadata, in the order of
/// time for each stream.
pub fn testdata_lines() -> Vec<(Labels, i64, Vec<u8>, Labels)> {
    let deleted = |stream: i64, time: i64, line: &[u8]| {
        stream == 1
            && time <= START + 20 * SECOND
            && !["path", "blk", "usb", "raw"]
                .iter()
                .any(|text| line.windows(text.len()).any(|part| part == text.as_bytes()))
    };
    let mut all: Vec<_> = (0..LINES)
        .flat_map(lines)
        .filter(|(stream, time, line, _)| !deleted(*stream, *time, line))
        .map(|(stream, time, line, metadata)| (labels(stream), time, line, metadata))
        .collect();
    all.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    all
}

fn labels(stream: i64) -> Labels {
    Labels::from_iter([("app", stream.to_string()), ("job", "tést".to_owned())])
}

fn lines(at: i64) -> Vec<(i64, i64, Vec<u8>, Labels)> {
    let time = START + at * SECOND / 3;
    let id = format!("{:016x}{:016x}", at * 0x1234_5678_9abc, at * 0x0fed_cba9_8765);
    let json = format!(
        r#"{{"path":"/items/{}","id":"{}-{}-{}-{}-{}","took":{}.{:03},"client":"10.0.{}.1"}}"#,
        at % 17,
        id.get(..8).unwrap_or_default(),
        id.get(8..12).unwrap_or_default(),
        id.get(12..16).unwrap_or_default(),
        id.get(16..20).unwrap_or_default(),
        id.get(20..).unwrap_or_default(),
        at / 7,
        at * 31 % 1000,
        at % 9,
    );
    let daemon = match at % 5 {
        0 => format!("kernel: [{}.{:06}] usb {}: new device", at, at * 77, at % 4).into_bytes(),
        1 => format!("blk_{} of {id} at 2024-01-01T00:{:02}:{:02}Z", at * 99_991, at / 60, at % 60)
            .into_bytes(),
        2 => vec![0, 1, 2, 0xff, 0xfe, u8::try_from(at % 256).unwrap_or(0)],
        3 => Vec::new(),
        _ => format!("level=warn msg=\"raw and \\\"quoted\\\" {at}\"").into_bytes(),
    };
    let metadata = Labels::from_iter([
        ("detected_level", if at % 3 == 0 { "info" } else { "" }.to_owned()),
        ("trace_id", if at % 10 == 0 { id } else { String::new() }),
    ]);
    // Now and then between others of its stream.
    let late = if at % 50 == 49 { 10 * SECOND } else { 0 };
    vec![(0, time - late, json.into_bytes(), metadata), (1, time, daemon, Labels::default())]
}
