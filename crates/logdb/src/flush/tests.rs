//! Who compresses what.

use std::borrow::Cow;

use masthead_model::Nanos;
use masthead_ports::{LogBatch, LogRow, LogSink as _, LogStream};
use masthead_sysio::{SimClock, SimFs, UnixNanos};

use super::*;
use crate::Options;

#[test]
fn a_piece_is_compressed_by_one_of_those_who_could() {
    let clock = Arc::new(SimClock::new(UnixNanos(1_000_000_000)));
    let options = Options { segment_bytes: 100, free_bytes_min: 0, ..Options::default() };
    let fs = Arc::new(SimFs::new(1));
    let (store, _) = Logdb::open(fs, clock, "/data".into(), options).unwrap();
    // Numbers of pieces are those of the segments, from one on.
    store.sealing.lock().insert(1);
    let row = |at: i64| LogRow {
        timestamp: Nanos(at),
        line: Cow::Owned(vec![b'x'; 120]),
        structured_metadata: Labels::default(),
    };
    let push = |at: i64| {
        let labels = r#"{a="b"}"#.parse().unwrap();
        let streams = vec![LogStream { labels, rows: vec![row(at)] }];
        store.append(&LogBatch { streams, progress: vec![] }).unwrap();
    };
    let is_frozen = |seq: u64| store.state.read().head.is_frozen(0, seq);
    (1..=3).for_each(push);
    assert!(is_frozen(1), "somebody else has it");
    assert!(!is_frozen(2) && store.state.read().head.frozen == 1);
    store.sealing.lock().clear();
    store.seal().unwrap();
    assert!(!is_frozen(1) && store.sealing.lock().is_empty());
    assert_eq!(store.state.read().head.frozen, 0);
    // One that was compressed meanwhile is left alone.
    let rows = Rows::default();
    store.seal_piece(0, 1, &rows).unwrap();
    let state = store.state.read();
    let piece = state.head.stream(0).and_then(|stream| stream.pieces.first());
    assert!(piece.is_some_and(|piece| matches!(&piece.state, State::Sealed(_))));
    drop(state);
    assert!(store.flush_all().unwrap());
}
