//! Blocks answer what was written, and say where they are damaged.

use masthead_durable::blocks::{Block as _, DATA, name};
use masthead_sysio::{Random, SimFs};

use super::*;

const DIR: &str = "/blocks";

fn write(fs: &SimFs, series: &[(masthead_model::Labels, Part)]) -> Block {
    let dir = Utf8Path::new(DIR).join(name(7));
    fs.create_dir_all(&dir).unwrap();
    let mut writer = BlockWriter::create(fs, &dir).unwrap();
    for (labels, part) in series {
        writer.push(labels, part).unwrap();
    }
    writer.finish(Origin::Merge, 5, vec![3, 9]).unwrap();
    Block::open(fs, DIR.into(), &name(7)).unwrap()
}

fn series(random: &mut Random) -> Vec<(masthead_model::Labels, Part)> {
    (0..30_i64)
        .map(|n| {
            let mut part = Part::default();
            let count = [0, 1, 100, 5000][random.index(4)];
            for at in 0..count {
                if random.below(50) == 0 {
                    continue;
                }
                let start = if n % 3 == 0 { 40 } else { 0 };
                if n % 7 == 0 && at % 2 == 0 {
                    #[expect(clippy::cast_precision_loss, reason = "small")]
                    let histogram = Histogram { sum: at as f64, ..Histogram::default() };
                    part.push_histogram(at * 1000 + 1, start, Arc::new(histogram));
                } else {
                    let value = f64::from_bits(random.next_u64());
                    part.push_float(at * 1000, start, value);
                }
            }
            (masthead_model::Labels::from_iter([("n", format!("{n:03}"))]), part)
        })
        .collect()
}

#[test]
fn series_read_back_bit_for_bit_in_every_range() {
    let mut random = Random::new(11);
    let all = series(&mut random);
    let block = write(&SimFs::new(1), &all);
    assert_eq!((block.meta.floor, &block.meta.sources[..]), (5, &[3, 9][..]));
    let full: Vec<_> = all.iter().filter(|(_, part)| part.len() > 0).collect();
    assert_eq!(block.meta.series, full.len() as u64);
    let cache = block.times_cache();
    for (id, (labels, want)) in (0..).zip(&full) {
        assert_eq!(&block.index.cursor().labels(id).unwrap(), labels);
        for (first, last) in [(i64::MIN, i64::MAX), (0, 0), (1_500_000, 3_100_000), (9, 3)] {
            let mut want = want.clone();
            want.remove(i64::MIN, first.saturating_sub(1));
            want.remove(last.saturating_add(1), i64::MAX);
            if first == i64::MIN {
                want = full[id as usize].1.clone();
            }
            let mut got = Part::default();
            block.read(id, (first, last), &cache, &Tombstones::default(), &mut got).unwrap();
            assert_eq!(bits(&got), bits(&want), "{labels} {first} {last}");
        }
    }
}

#[test]
fn equal_columns_of_several_series_are_in_the_file_once() {
    let mut random = Random::new(14);
    let mut part = Part::default();
    for at in 0..1_000 {
        part.push_float(at * 1_000, 0, f64::from_bits(random.next_u64()));
    }
    let all: Vec<_> = ["a", "b", "c"]
        .map(|n| (masthead_model::Labels::from_iter([("n", n.to_owned())]), part.clone()))
        .into();
    let block = write(&SimFs::new(1), &all);
    assert!((7_000..9_000).contains(&block.data.len()), "{}", block.data.len());
    let cache = block.times_cache();
    for id in 0..3 {
        let mut got = Part::default();
        let all = (i64::MIN, i64::MAX);
        block.read(id, all, &cache, &Tombstones::default(), &mut got).unwrap();
        assert_eq!(bits(&got), bits(&part));
    }
}

/// Columns as text, with floats by their bits.
fn bits(part: &Part) -> String {
    let floats: Vec<u64> = part.columns.floats.iter().map(|value| value.to_bits()).collect();
    let starts = |starts: &[i64]| starts.iter().filter(|start| **start != 0).count();
    format!(
        "{:?} {floats:?} {} {:?} {:?} {}",
        part.columns.float_times,
        starts(&part.columns.float_starts),
        part.columns.histogram_times,
        part.columns.histograms.iter().map(|h| h.sum).collect::<Vec<_>>(),
        starts(&part.columns.histogram_starts),
    )
}

#[test]
fn tombstones_hide_samples_and_survive() {
    let mut random = Random::new(12);
    let all = series(&mut random);
    let fs = SimFs::new(2);
    let block = write(&fs, &all);
    let mut tombstones = Tombstones::default();
    tombstones.add([0, 2].into_iter().collect(), 0, 2_000_000);
    tombstones.add([1].into_iter().collect(), 0, 2_000_000);
    tombstones.store(&fs, &block.dir).unwrap();
    let block = Block::open(&fs, DIR.into(), &name(7)).unwrap();
    let loaded = Arc::clone(&block.tombstones.read());
    assert_eq!(*loaded, tombstones);
    let mut got = Part::default();
    block.read(1, (i64::MIN, i64::MAX), &block.times_cache(), &loaded, &mut got).unwrap();
    assert!(got.bounds().is_none_or(|(first, _)| first > 2_000_000));
    fs.flip_bit(&block.dir.join("tombstones"), 20, 1).unwrap();
    assert!(Block::open(&fs, DIR.into(), &name(7)).is_err());
}

#[test]
fn rot_anywhere_is_an_error_with_a_place_and_never_other_samples() {
    let mut random = Random::new(13);
    let all: Vec<_> = series(&mut random).into_iter().take(9).collect();
    let fs = SimFs::new(3);
    let block = write(&fs, &all);
    let path = block.dir.join(DATA);
    let len = fs.metadata(&path).unwrap().len;
    let read_all = |block: &Block| -> Result<Vec<String>> {
        let cache = block.times_cache();
        (0..block.index.len())
            .map(|id| {
                let mut part = Part::default();
                block.read(id, (i64::MIN, i64::MAX), &cache, &Tombstones::default(), &mut part)?;
                Ok(bits(&part))
            })
            .collect()
    };
    let want = read_all(&block).unwrap();
    drop(block);
    for _ in 0..300 {
        let (at, bit) = (random.below(len), 3);
        fs.flip_bit(&path, at, bit).unwrap();
        match Block::open(&fs, DIR.into(), &name(7)).and_then(|block| read_all(&block)) {
            Ok(got) => assert_eq!(got, want, "byte {at}"),
            Err(error) => assert!(error.to_string().contains("/data"), "{error}"),
        }
        fs.flip_bit(&path, at, bit).unwrap();
    }
}

#[test]
fn tombstones_written_by_hand_from_the_document_are_read() {
    // docs/format/block.md: series 5 and 9 from -1 to 10; a bitmap of one array container.
    let mut bitmap = vec![0x3a, 0x30, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 16, 0, 0, 0];
    bitmap.extend_from_slice(&[5, 0, 9, 0]);
    let mut body = vec![1, 0, 0, 0, 1, 1, 20, 20];
    body.extend_from_slice(&bitmap);
    let mut file = b"MHTOMBST".to_vec();
    file.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
    file.extend_from_slice(&body);
    let fs = SimFs::new(1);
    fs.create_dir_all("/b".into()).unwrap();
    masthead_sysio::atomic_write(&fs, "/b/tombstones".into(), &file).unwrap();
    let (tombstones, len) = Tombstones::load(&fs, "/b".into()).unwrap();
    assert_eq!((tombstones.of(9).collect::<Vec<_>>(), len), (vec![(-1, 10)], file.len() as u64));
    assert_eq!(tombstones.of(6).count(), 0);
}
