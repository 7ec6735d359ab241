//! Frames come back, and no bytes make the decoder panic.

use masthead_model::{MatchOp, Matcher, Nanos, TimeRange};
use masthead_ports::{LineFilter, LinePattern};

use super::*;

fn frames() -> Vec<Vec<u8>> {
    let metadata = Labels::from_iter([("trace", "x y"), ("level", "info")]);
    let mut builder = FrameBuilder::default();
    builder.stream(7, Some(&Labels::from_iter([("app", "tést")])));
    builder.row(Row { time: -5, line: b"one", metadata: Some(&metadata) });
    builder.row(Row { time: i64::MAX, line: b"", metadata: None });
    builder.row(Row { time: i64::MIN, line: b"\xff\0", metadata: Some(&metadata) });
    builder.stream(0, None);
    builder.row(Row { time: 1, line: b"two", metadata: None });
    let progress = [("file:/a", Some("12")), ("file:/b", None)];
    let lines = builder.finish(progress.into_iter()).payload().to_vec();
    assert!(builder.is_empty());
    let deletion = deletion();
    let known = BTreeMap::from([(Arc::from("k"), Arc::from("v"))]);
    let state = encode_state(9, 4, &known, &[Arc::new(deletion)]);
    vec![lines, encode_deletion(&self::deletion()), state]
}

fn deletion() -> Deletion {
    let matchers =
        [Matcher::equal("a", "b"), Matcher::new(MatchOp::NotMatches, "c", "d.*").unwrap()];
    let any =
        vec![LinePattern::Literal(Arc::from(&b"\xfe"[..])), LinePattern::Regexp(Arc::from("x+"))];
    let filters = [LineFilter { negated: true, any }];
    let range = TimeRange { start: Nanos(-1), end: Nanos::MAX };
    Deletion::new(3, &matchers, &filters, range).unwrap()
}

#[test]
fn frames_come_back() {
    let frames = frames();
    let Ok(Decoded::Lines { groups, sets, progress }) = decode(&frames[0]) else { panic!() };
    assert_eq!(progress, [("file:/a", Some("12")), ("file:/b", None)]);
    assert_eq!(sets.len(), 1);
    let all: Vec<_> = groups.iter().flat_map(|group| &group.rows).copied().collect();
    assert_eq!(
        all,
        [(-5, 1, &b"one"[..]), (i64::MAX, 0, b""), (i64::MIN, 1, b"\xff\0"), (1, 0, b"two")]
    );
    assert_eq!((groups[0].id, groups[1].id), (7, 0));
    assert!(groups[0].labels.is_some() && groups[1].labels.is_none());
    let Ok(Decoded::Deletion(found)) = decode(&frames[1]) else { panic!() };
    assert_eq!(format!("{found:?}").len(), format!("{:?}", deletion()).len());
    assert_eq!((found.number, found.range.end), (3, Nanos::MAX));
    let Ok(Decoded::State { seq, generation, progress, deletions }) = decode(&frames[2]) else {
        panic!()
    };
    assert_eq!((seq, generation, deletions.len()), (9, 4, 1));
    assert_eq!(progress, [("k", Some("v"))]);
}

#[test]
fn cut_frames_are_refused_and_flipped_ones_never_panic() {
    for frame in frames() {
        for at in 0..frame.len() {
            assert!(decode(&frame[..at]).is_err(), "{at}");
            for bit in 0..8 {
                let mut flipped = frame.clone();
                flipped[at] ^= 1 << bit;
                drop(decode(&flipped));
            }
        }
    }
}
