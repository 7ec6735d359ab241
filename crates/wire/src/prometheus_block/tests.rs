//! Round trips through the test writer, and what cut and flipped bytes do. That the test writer
//! writes what upstream does is shown by `tests/it` of `masthead-backfill`, which reads a block of a
//! real Prometheus.

use masthead_model::{CounterResetHint, Histogram, Labels, Schema, Span, stale_nan};
use proptest::prelude::*;

use super::{testing::*, *};
use crate::Error;

/// Collects what it is shown: time, start, value; floats by their bits.
#[derive(Debug, Default, PartialEq)]
struct Shown {
    floats: Vec<(i64, i64, u64)>,
    histograms: Vec<(i64, Histogram)>,
}

impl SampleVisitor for Shown {
    fn float(&mut self, time: i64, start: i64, value: f64) {
        self.floats.push((time, start, value.to_bits()));
    }

    fn histogram(&mut self, time: i64, histogram: Histogram) {
        self.histograms.push((time, histogram));
    }
}

fn shown(chunk: &TestChunk) -> Result<Shown, Error> {
    let mut shown = Shown::default();
    Chunk::new(chunk.encoding, &chunk.data).visit(&mut shown)?;
    Ok(shown)
}

fn labels(text: &str) -> Labels {
    text.parse().unwrap()
}

fn histogram(n: f64, hint: CounterResetHint) -> Histogram {
    Histogram {
        counter_reset_hint: hint,
        schema: Schema::new(3).unwrap(),
        zero_threshold: 0.001,
        zero_count: 2.0 + n,
        count: 20.0 + 9.0 * n,
        sum: 18.4 * n,
        positive_spans: vec![Span { offset: -2, length: 2 }, Span { offset: 3, length: 2 }],
        positive_buckets: vec![1.0 + n, 2.0 + n, 1.0 + 3.0 * n, 5.0],
        negative_spans: vec![Span { offset: 0, length: 1 }],
        negative_buckets: vec![7.0 + n],
        custom_values: vec![],
    }
}

fn custom(n: f64) -> Histogram {
    Histogram {
        schema: Schema::CUSTOM,
        count: 3.0 + n,
        sum: 0.5 * n,
        positive_spans: vec![Span { offset: 1, length: 2 }],
        positive_buckets: vec![1.0, 2.0 + n],
        custom_values: vec![0.005, 0.1, 1e9, 1.5e9 + 0.1],
        ..Histogram::default()
    }
}

fn sample_block() -> TestBlock {
    use CounterResetHint::Unknown;
    let floats =
        |from: i64| xor(&[(from, 1.5), (from + 15_000, 2.5), (from + 30_001, stale_nan())]);
    let both: Vec<_> = [0.0, 1.0].iter().map(|n| (5, histogram(*n, Unknown))).collect();
    let series = [
        (labels(r#"{Z="early", a="b"}"#), vec![floats(-5_000)]),
        (labels(r#"up{job="api"}"#), vec![floats(1000), floats(60_000), floats(9_000_000)]),
        (
            labels(r#"wait{job="api"}"#),
            vec![histograms(&[both[0].clone(), (9, both[1].1.clone())])],
        ),
    ];
    write("01ARZ3NDEKTSV4RRFFQ69G5FAV", 2, &series, &[(1, 0, 20_000), (2, 5, 5)])
}

/// Reads everything in a block, as an import does.
fn read_all(block: &TestBlock) -> Result<Vec<(Labels, Shown)>, Error> {
    Meta::decode(&block.meta)?;
    let stones = Tombstones::decode(&block.tombstones)?;
    let index = Index::new(&block.index)?;
    let chunks = ChunkFile::new(&block.chunks)?;
    let mut found = Vec::new();
    let mut entry = SeriesEntry::default();
    for at in 0..index.len() {
        index.read(at, &mut entry)?;
        let mut shown = Shown::default();
        for place in &entry.chunks {
            chunks.chunk(place.offset())?.visit(&mut shown)?;
        }
        assert!(stones.of(entry.reference).len() < 9);
        found.push((index.labels(&entry)?, shown));
    }
    Ok(found)
}

#[test]
fn a_block_gives_back_labels_places_samples_and_what_is_deleted() {
    let block = sample_block();
    let meta = Meta::decode(&block.meta).unwrap();
    assert_eq!((meta.first, meta.last, meta.parents), (-5000, 9_030_001, vec![]));
    let all = read_all(&block).unwrap();
    let names: Vec<_> = all.iter().map(|(labels, _)| labels.to_string()).collect();
    assert_eq!(
        names,
        [
            r#"{Z="early", a="b"}"#,
            r#"{__name__="up", job="api"}"#,
            r#"{__name__="wait", job="api"}"#
        ]
    );
    assert_eq!(all[1].1.floats.len(), 9);
    assert_eq!(all[1].1.floats[5], (90_001, 0, masthead_model::STALE_NAN_BITS));
    assert_eq!(all[2].1.histograms.len(), 2);
    let index = Index::new(&block.index).unwrap();
    let mut entry = SeriesEntry::default();
    index.read(1, &mut entry).unwrap();
    let times: Vec<_> = entry.chunks.iter().map(|place| (place.first, place.last)).collect();
    assert_eq!(times, [(1000, 31_001), (60_000, 90_001), (9_000_000, 9_030_001)]);
    assert_eq!(entry.chunks[2].file(), 0);
    let stones = Tombstones::decode(&block.tombstones).unwrap();
    assert_eq!(stones.of(entry.reference), [(0, 20_000)]);
    assert!(index.read(3, &mut entry).is_err());
}

#[test]
fn version_1_of_the_index_refers_by_offset() {
    let series = [
        (labels(r#"a{x="1"}"#), vec![xor(&[(1, 1.0)])]),
        (labels(r#"a{x="2"}"#), vec![xor(&[(2, 2.0)])]),
    ];
    let [one, two] = [1, 2].map(|version| {
        let block = write("01ARZ3NDEKTSV4RRFFQ69G5FAV", version, &series, &[(1, 2, 2)]);
        read_all(&block).unwrap()
    });
    assert_eq!(one, two);
    assert_eq!(one[1].1.floats, [(2, 0, 2.0_f64.to_bits())]);
}

#[test]
fn histograms_come_back_with_floats_for_counts_and_hints_for_resets() {
    use CounterResetHint::{CounterReset, Gauge, NotCounterReset, Unknown};
    let f = |hint: CounterResetHint, want: [CounterResetHint; 2]| {
        for encode in [histograms, float_histograms] {
            let samples = [(100, histogram(0.0, hint)), (250, histogram(4.0, hint))];
            let shown = shown(&encode(&samples)).unwrap();
            let want = [
                (100, Histogram { counter_reset_hint: want[0], ..samples[0].1.clone() }),
                (250, Histogram { counter_reset_hint: want[1], ..samples[1].1.clone() }),
            ];
            assert_eq!(shown.histograms, want);
        }
    };
    f(Unknown, [Unknown, NotCounterReset]);
    f(NotCounterReset, [Unknown, NotCounterReset]);
    f(CounterReset, [CounterReset, NotCounterReset]);
    f(Gauge, [Gauge, Gauge]);
}

#[test]
fn custom_bounds_fractions_and_stale_histograms() {
    let stale = Histogram { sum: stale_nan(), ..Histogram::default() };
    let samples = [(1, custom(0.0)), (2, custom(7.0)), (5, stale)];
    for encode in [histograms, float_histograms] {
        let shown = shown(&encode(&samples)).unwrap().histograms;
        assert_eq!(shown[0], samples[0]);
        assert_eq!(shown[1].1.positive_buckets, samples[1].1.positive_buckets);
        assert!(masthead_model::is_stale(shown[2].1.sum) && shown[2].1.custom_values.is_empty());
    }
    let mut half = custom(0.0);
    half.positive_buckets = vec![0.25, 0.5];
    let chunk = float_histograms(&[(1, half.clone()), (2, half.clone())]);
    assert_eq!(shown(&chunk).unwrap().histograms[1].1.positive_buckets, [0.25, 0.5]);
}

#[test]
fn every_cut_is_an_error_and_no_file_is_read_past_its_end() {
    let block = sample_block();
    assert!(read_all(&block).is_ok());
    let f = |len: usize, cut: &dyn Fn(&mut TestBlock, usize)| {
        for at in 0..len {
            let mut cut_block = block.clone();
            cut(&mut cut_block, at);
            assert!(read_all(&cut_block).is_err(), "cut at {at}");
        }
    };
    f(block.index.len(), &|block, at| block.index.truncate(at));
    f(block.chunks.len(), &|block, at| block.chunks.truncate(at));
    f(block.meta.len(), &|block, at| block.meta.truncate(at));
    for at in 1..block.tombstones.len() {
        assert!(Tombstones::decode(&block.tombstones[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn every_flip_is_noticed_but_in_padding() {
    let block = sample_block();
    let want = read_all(&block).unwrap();
    let flip = |file: &dyn Fn(&mut TestBlock) -> &mut Vec<u8>, quiet: &[usize]| {
        for at in 0..file(&mut block.clone()).len() {
            for bit in 0..8 {
                let mut flipped = block.clone();
                file(&mut flipped)[at] ^= 1 << bit;
                match read_all(&flipped) {
                    Err(_) => {}
                    Ok(read) => {
                        assert!(quiet.contains(&at), "byte {at} bit {bit} makes no difference");
                        assert_eq!(read, want, "byte {at} bit {bit}");
                    }
                }
            }
        }
    };
    // Three bytes after the version of a file of chunks mean nothing.
    flip(&|block| &mut block.chunks, &[5, 6, 7]);
    flip(&|block| &mut block.tombstones, &[]);
    let gaps: Vec<usize> = gaps(&block);
    flip(&|block| &mut block.index, &gaps);
}

/// Bytes between the series of an index.
fn gaps(block: &TestBlock) -> Vec<usize> {
    let zero_flips_quietly = |at: usize| {
        let mut flipped = block.index.clone();
        flipped[at] ^= 1;
        block.index[at] == 0
            && Index::new(&flipped).is_ok_and(|index| {
                (0..index.len()).all(|at| index.read(at, &mut SeriesEntry::default()).is_ok())
            })
    };
    let gaps: Vec<usize> = (0..block.index.len()).filter(|at| zero_flips_quietly(*at)).collect();
    assert!(gaps.len() < 3 * 16);
    gaps
}

#[test]
fn later_versions_and_unknown_encodings_are_refused_by_name() {
    let f = |error: Error, want: &str| assert_eq!(error.to_string(), want);
    let block = sample_block();
    let mut index = block.index.clone();
    index[4] = 3;
    f(Index::new(&index).unwrap_err(), "the index has format version 3, and 1 and 2 are known");
    let mut chunks = block.chunks.clone();
    chunks[4] = 2;
    f(ChunkFile::new(&chunks).unwrap_err(), "chunks have format version 2, and 1 is known");
    let chunk = TestChunk { encoding: 9, ..xor(&[(1, 1.0)]) };
    f(shown(&chunk).unwrap_err(), "chunks of encoding 9 are not known");
    f(ChunkFile::new(b"whatever").unwrap_err(), "corrupt header of chunks at byte 0");
    let meta = String::from_utf8(block.meta).unwrap().replace("\"version\":1", "\"version\":2");
    f(Meta::decode(meta.as_bytes()).unwrap_err(), "the block has format version 2, and 1 is known");
}

#[test]
fn a_length_that_is_only_claimed_allocates_nothing() {
    // A span of four thousand million buckets.
    let mut wide = histogram(0.0, CounterResetHint::Unknown);
    wide.positive_spans = vec![Span { offset: 0, length: u32::MAX }];
    assert!(shown(&histograms(&[(1, wide.clone())])).is_err());
    assert!(shown(&float_histograms(&[(1, wide)])).is_err());
    let mut chunks = vec![0x85, 0xBD, 0x40, 0xDD, 1, 0, 0, 0];
    chunks.extend([0xff, 0xff, 0xff, 0xff, 0x0f]);
    assert!(ChunkFile::new(&chunks).unwrap().chunk(8).is_err());
}

fn floats() -> impl Strategy<Value = Vec<(i64, i64, f64)>> {
    let step = prop_oneof![Just(15_000_i64), 14_990..15_010_i64, 1..2_000_000_i64, 1..1_i64 << 45];
    let value = prop_oneof![
        Just(1.0),
        Just(f64::NAN),
        Just(stale_nan()),
        (0..100_u32).prop_map(f64::from),
        any::<f64>(),
    ];
    let start = prop_oneof![Just(0_i64), Just(777), -5..1_000_000_i64];
    proptest::collection::vec((step, start, value), 1..120).prop_map(|steps| {
        let mut time = -40_000_000;
        let place = |(step, start, value): (i64, i64, f64)| {
            time += step;
            (time, start, value)
        };
        steps.into_iter().map(place).collect()
    })
}

proptest! {
    #[test]
    fn floats_come_back_bit_by_bit(samples in floats()) {
        let plain: Vec<(i64, f64)> = samples.iter().map(|(time, _, value)| (*time, *value)).collect();
        let want: Vec<_> = plain.iter().map(|(time, value)| (*time, 0, value.to_bits())).collect();
        prop_assert_eq!(shown(&xor(&plain)).unwrap().floats, want);
        let want: Vec<_> =
            samples.iter().map(|(time, start, value)| (*time, *start, value.to_bits())).collect();
        prop_assert_eq!(shown(&xor2(&samples)).unwrap().floats, want);
    }

    #[test]
    fn any_bytes_are_a_chunk_or_an_error(
        encoding in 0..6_u8,
        data in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut shown = Shown::default();
        // Whether it is one makes no difference here: it ends, and without a panic.
        let _ended: Result<(), Error> = Chunk::new(encoding, &data).visit(&mut shown);
        prop_assert!(shown.floats.len() + shown.histograms.len() <= 8 * data.len());
    }

    #[test]
    fn any_bytes_are_an_index_or_an_error(data in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Index::new(&data).is_err());
        let mut headed = vec![0xBA, 0xAA, 0xD7, 0x00, 2];
        headed.extend(&data);
        prop_assert!(Index::new(&headed).is_err());
    }
}
