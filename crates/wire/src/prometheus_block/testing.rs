//! Writes blocks for tests: as upstream lays them out, with no care for size or speed.
//!
//! Chunks are made by `testing/chunks.rs`; [`write`] puts them into files. Nothing but tests and
//! fuzz targets uses this.

use std::collections::{BTreeMap, BTreeSet};

use masthead_model::Labels;

mod chunks;

pub use chunks::{TestChunk, float_histograms, histograms, xor, xor2};

/// The files of a block, by their names below its directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TestBlock {
    /// `meta.json`
    pub meta: Vec<u8>,
    /// `index`
    pub index: Vec<u8>,
    /// `chunks/000001`
    pub chunks: Vec<u8>,
    /// `tombstones`
    pub tombstones: Vec<u8>,
}

/// Writes a block of series in label order with an index of `version` 1 or 2; `stones` are
/// (number of the series, first time, last time).
///
/// # Panics
/// When something does not fit into the format.
pub fn write(
    ulid: &str,
    version: u8,
    series: &[(Labels, Vec<TestChunk>)],
    stones: &[(usize, i64, i64)],
) -> TestBlock {
    let all = || series.iter().flat_map(|(_, chunks)| chunks);
    let first = all().map(|chunk| chunk.first).min().unwrap_or(0);
    let last = all().map(|chunk| chunk.last).max().unwrap_or(0);
    let meta = format!(
        r#"{{"ulid":"{ulid}","minTime":{first},"maxTime":{},"stats":{{}},"compaction":{{"level":1,"sources":["{ulid}"]}},"version":1}}"#,
        last + 1
    );
    let (chunks, places) = chunk_file(series);
    let (index, references) = index(version, series, &places);
    let stones: Vec<(u64, i64, i64)> =
        stones.iter().map(|(at, first, last)| (references[*at], *first, *last)).collect();
    TestBlock { meta: meta.into_bytes(), index, chunks, tombstones: tombstones(&stones) }
}

/// The chunks one after the other, and where each begins.
fn chunk_file(series: &[(Labels, Vec<TestChunk>)]) -> (Vec<u8>, Vec<Vec<u64>>) {
    let mut out = vec![0x85, 0xBD, 0x40, 0xDD, 1, 0, 0, 0];
    let mut places = Vec::new();
    for (_, chunks) in series {
        let mut of_series = Vec::new();
        for chunk in chunks {
            of_series.push(out.len() as u64);
            put_unsigned(&mut out, chunk.data.len() as u64);
            let mut contents = vec![chunk.encoding];
            contents.extend_from_slice(&chunk.data);
            put_checked(&mut out, &contents);
        }
        places.push(of_series);
    }
    (out, places)
}

/// The index, and the reference of each series.
fn index(
    version: u8,
    series: &[(Labels, Vec<TestChunk>)],
    places: &[Vec<u64>],
) -> (Vec<u8>, Vec<u64>) {
    let mut out = vec![0xBA, 0xAA, 0xD7, 0x00, version];
    let mut words: BTreeSet<&str> = BTreeSet::new();
    for (labels, _) in series {
        words.extend(labels.iter().flat_map(|label| [label.name, label.value]));
    }
    let symbols_at = out.len() as u64;
    let mut contents = word(words.len());
    let mut symbols = BTreeMap::new();
    for (number, text) in words.iter().enumerate() {
        let offset = out.len() as u64 + 4 + contents.len() as u64;
        symbols.insert(*text, if version == 1 { offset } else { number as u64 });
        put_unsigned(&mut contents, text.len() as u64);
        contents.extend_from_slice(text.as_bytes());
    }
    put_section(&mut out, &contents);

    let series_at = out.len() as u64;
    let mut references = Vec::new();
    for ((labels, chunks), places) in series.iter().zip(places) {
        out.resize(out.len().next_multiple_of(16), 0);
        let offset = out.len() as u64;
        references.push(if version == 1 { offset } else { offset / 16 });
        let mut contents = Vec::new();
        put_unsigned(&mut contents, labels.len() as u64);
        for label in labels {
            put_unsigned(&mut contents, symbols[label.name]);
            put_unsigned(&mut contents, symbols[label.value]);
        }
        put_unsigned(&mut contents, chunks.len() as u64);
        let mut before: Option<(i64, u64)> = None;
        for (chunk, place) in chunks.iter().zip(places) {
            let length = (chunk.last - chunk.first).cast_unsigned();
            match before {
                None => {
                    put_signed(&mut contents, chunk.first);
                    put_unsigned(&mut contents, length);
                    put_unsigned(&mut contents, *place);
                }
                Some((last, reference)) => {
                    put_unsigned(&mut contents, (chunk.first - last).cast_unsigned());
                    put_unsigned(&mut contents, length);
                    put_signed(&mut contents, place.cast_signed() - reference.cast_signed());
                }
            }
            before = Some((chunk.last, *place));
        }
        put_unsigned(&mut out, contents.len() as u64);
        put_checked(&mut out, &contents);
    }

    let postings_at = out.len() as u64;
    let mut contents = word(references.len());
    for reference in &references {
        contents.extend(word(usize::try_from(*reference).unwrap_or(usize::MAX)));
    }
    put_section(&mut out, &contents);
    let table_at = out.len() as u64;
    let mut contents = word(1);
    contents.push(2);
    contents.extend([0, 0]);
    put_unsigned(&mut contents, postings_at);
    put_section(&mut out, &contents);

    let offsets = [symbols_at, series_at, 0, 0, postings_at, table_at];
    let toc: Vec<u8> = offsets.into_iter().flat_map(u64::to_be_bytes).collect();
    put_checked(&mut out, &toc);
    (out, references)
}

/// A file of tombstones: (reference of the series, first time, last time).
pub fn tombstones(stones: &[(u64, i64, i64)]) -> Vec<u8> {
    let mut out = vec![0x01, 0x30, 0xBA, 0x30, 1];
    let mut contents = Vec::new();
    for (series, first, last) in stones {
        put_unsigned(&mut contents, *series);
        put_signed(&mut contents, *first);
        put_signed(&mut contents, *last);
    }
    put_checked(&mut out, &contents);
    out
}

fn word(number: usize) -> Vec<u8> {
    u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes().to_vec()
}

fn put_section(out: &mut Vec<u8>, contents: &[u8]) {
    out.extend(word(contents.len()));
    put_checked(out, contents);
}

fn put_checked(out: &mut Vec<u8>, contents: &[u8]) {
    out.extend_from_slice(contents);
    out.extend(crc32c::crc32c(contents).to_be_bytes());
}

fn put_unsigned(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push((number & 0x7f) as u8);
}

fn put_signed(out: &mut Vec<u8>, number: i64) {
    put_unsigned(out, ((number << 1) ^ (number >> 63)).cast_unsigned());
}
