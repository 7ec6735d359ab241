//! Frames of the journal round trip, and no bytes panic.

use std::collections::HashMap;

use masthead_durable::bytes::Bad;
use masthead_model::{Millis, stale_nan};
use masthead_ports::MetricType;
use masthead_sysio::Random;

use super::*;

/// Bases as a replay keeps them.
fn read(payload: &[u8], bases: &mut HashMap<u64, u64>) -> Result<Decoded, Bad> {
    decode(payload, &mut |id, value| {
        let base = bases.entry(id).or_default();
        *base = value(*base)?;
        Ok(*base)
    })
}

fn labels(text: &str) -> Labels {
    text.parse().unwrap()
}

fn random_value(random: &mut Random, before: f64) -> f64 {
    match random.below(9) {
        0 => before + 1.0,
        1 => (before * 100.0 + 3.0).round() / 100.0,
        2 => f64::from_bits(random.next_u64()),
        3 => stale_nan(),
        4 => -0.0,
        5 => 1e300,
        6 => f64::from(u32::try_from(random.below(1 << 32)).unwrap()) * 0.001,
        _ => before,
    }
}

#[test]
fn batches_come_back_bit_for_bit_whatever_the_values() {
    let mut random = Random::new(1);
    let (mut bases, mut seen) = (HashMap::new(), HashMap::new());
    let mut builder = FrameBuilder::default();
    for round in 0..50_i64 {
        let mut want = Batch { group: 7, floats_good: true, ..Batch::default() };
        for _ in 0..random.below(200) {
            let (id, late) = (random.below(20), random.below(10) == 0);
            let before = bases.get(&id).copied().unwrap_or(0);
            let bits = random_value(&mut random, f64::from_bits(before)).to_bits();
            let start = if random.coin() { round } else { 0 };
            let row = FloatRow { id, time: round * 15_000 + start % 3, start, bits, late };
            builder.float(row, if late { 0 } else { before });
            if !late {
                bases.insert(id, bits);
            }
            want.floats.push(row);
        }
        if round % 5 == 0 {
            let set = labels("up{job=\"é\"}");
            builder.define(1 << 40, &set);
            want.definitions.push((1 << 40, set.clone()));
            let exemplar = Exemplar { labels: set, value: 0.5, timestamp: Some(Millis(round - 3)) };
            builder.exemplar(3, &exemplar);
            want.exemplars.push((3, exemplar));
            let metadata = Metadata {
                family: "up".into(),
                metric_type: MetricType::StateSet,
                help: "h".into(),
                unit: "".into(),
            };
            builder.metadata(&metadata);
            want.metadata.push(metadata);
            let histogram = Histogram { count: 3.0, sum: stale_nan(), ..Histogram::default() };
            builder.histogram((9, round, 0, true), &histogram).unwrap();
            want.histograms.push(HistogramRow {
                id: 9,
                time: round,
                start: 0,
                late: true,
                histogram,
            });
        }
        let frame = builder.finish(7);
        assert!(builder.is_empty());
        match read(&frame, &mut seen).unwrap() {
            // A stale sum is no number, so it is not equal to itself.
            Decoded::Batch(got) => assert_eq!(format!("{got:?}"), format!("{want:?}")),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn unchanged_values_cost_next_to_nothing() {
    let mut builder = FrameBuilder::default();
    for id in 0..5000 {
        builder.float(FloatRow { id, time: 5, start: 0, bits: id, late: false }, id);
    }
    let len = builder.finish(0).len();
    assert!(len < 80, "{len}");
}

#[test]
fn a_frame_whose_predecessor_is_lost_is_noticed() {
    let mut builder = FrameBuilder::default();
    let row = FloatRow { id: 1, time: 5, start: 0, bits: 7.5_f64.to_bits(), late: false };
    builder.float(row, 3.5_f64.to_bits());
    let frame = builder.finish(0);
    let Decoded::Batch(batch) = read(&frame, &mut HashMap::new()).unwrap() else { panic!() };
    assert!(!batch.floats_good);
    let mut bases = HashMap::from([(1, 3.5_f64.to_bits())]);
    let Decoded::Batch(batch) = read(&frame, &mut bases).unwrap() else { panic!() };
    assert!(batch.floats_good && batch.floats == [row]);
}

#[test]
fn deletions_and_state_come_back() {
    let mut bases = HashMap::new();
    let f = |bytes: &[u8], want: Decoded, bases: &mut HashMap<u64, u64>| {
        assert_eq!(read(bytes, bases), Ok(want));
        assert!(read(&bytes[..bytes.len() - 1], bases).is_err());
    };
    let want = Decoded::Deletion { ids: vec![3, 1 << 50], first: i64::MIN, last: -4 };
    f(&encode_deletion(&[3, 1 << 50], i64::MIN, -4), want, &mut bases);
    f(&encode_state(-7, 9), Decoded::State { floor: -7, generation: 9 }, &mut bases);
}

#[test]
fn foreign_bytes_never_panic() {
    let mut random = Random::new(3);
    let mut builder = FrameBuilder::default();
    builder.define(5, &labels("a{b=\"c\"}"));
    for id in 0..20 {
        let bits = random.next_u64();
        builder.float(FloatRow { id, time: 3, start: 1, bits, late: false }, 0);
    }
    builder.histogram((1, 2, 3, false), &Histogram::default()).unwrap();
    let good = builder.finish(1);
    for cut in 0..good.len() {
        assert!(read(&good[..cut], &mut HashMap::new()).is_err(), "{cut}");
    }
    for _ in 0..20_000 {
        let mut bytes = good.clone();
        let at = random.index(bytes.len());
        bytes[at] = u8::try_from(random.below(256)).unwrap();
        drop(read(&bytes, &mut HashMap::new()));
    }
}

#[test]
fn a_frame_written_by_hand_from_the_document_is_read() {
    // docs/format/samples.md: a batch of group 7 that brings the series {a="b"}, number
    // 1 << 32 | 3, with 2.5 at 1000 and, unchanged, at 1015.
    let id = [0x83, 0x80, 0x80, 0x80, 0x10];
    let mut frame = vec![1, 7, 1];
    frame.extend_from_slice(&id);
    frame.extend_from_slice(&[1, 1, b'a', 1, b'b']);
    frame.extend_from_slice(&[0, 2]); // no metadata, two floats
    frame.extend_from_slice(&[0x86, 0x80, 0x80, 0x80, 0x20, 1]); // the number in zigzag, once
    frame.extend_from_slice(&[1, 1]); // one less than what would follow, once
    frame.extend_from_slice(&[0xd0, 0x0f, 1, 30, 1]); // 1000 once, 15 later once
    frame.extend_from_slice(&[0, 2]); // no start, twice
    frame.extend_from_slice(&[0, 2]); // not late, twice
    frame.extend_from_slice(&[0x81, 50, 0]); // 25 tenths more than nothing, then one unchanged
    let bits = 2.5_f64.to_bits();
    let crc = crc32c::crc32c(&[bits.to_le_bytes(), bits.to_le_bytes()].concat());
    frame.extend_from_slice(&crc.to_le_bytes());
    frame.extend_from_slice(&[0, 0]); // no histograms, no exemplars
    let row = |time| FloatRow { id: 1 << 32 | 3, time, start: 0, bits, late: false };
    let want = Batch {
        group: 7,
        definitions: vec![(1 << 32 | 3, labels("{a=\"b\"}"))],
        floats: vec![row(1000), row(1015)],
        floats_good: true,
        ..Batch::default()
    };
    assert_eq!(read(&frame, &mut HashMap::new()), Ok(Decoded::Batch(want)));
}
