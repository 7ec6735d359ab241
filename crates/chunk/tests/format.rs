//! The examples in the specification of the format, byte for byte.
//!
//! A row that no longer passes means that old files can no longer be read, or that new ones are
//! not what the specification says. Rows are added, never changed. `UPDATE=1` is not offered.

#![expect(clippy::unwrap_used, reason = "a helper of tests may fail as they do")]

use masthead_chunk::{floats, histograms, ints, times, xor};
use masthead_model::{Histogram, Schema, Span};

const SPECIFICATION: &str = include_str!("../../../docs/format/chunk.md");

fn bytes_of(hex: &str) -> Vec<u8> {
    hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

fn check_integers(
    values: &str,
    hex: &str,
    encode: fn(&[i64]) -> Vec<u8>,
    decode: fn(&[u8]) -> Vec<i64>,
) {
    let values: Vec<i64> = values.split(", ").map(|value| value.parse().unwrap()).collect();
    // What pco writes may become smaller with its next version; what it wrote stays readable.
    if !hex.starts_with("25") {
        assert_eq!(spell(&encode(&values)), hex, "{values:?}");
    }
    assert_eq!(decode(&bytes_of(hex)), values, "{hex}");
}

fn check_floats(values: &str, hex: &str, grows: bool) {
    let values: Vec<f64> = values.split(", ").map(|value| value.parse().unwrap()).collect();
    let mut bytes = Vec::new();
    if grows {
        let mut column = xor::Appender::default();
        for value in &values {
            column.push(*value).unwrap();
        }
        column.snapshot(&mut bytes).unwrap();
    } else {
        floats::encode(&values, &mut bytes).unwrap();
    }
    assert_eq!(spell(&bytes), hex, "{values:?}");
    let mut back = Vec::new();
    floats::decode_into(&bytes_of(hex), &mut back).unwrap();
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&back), bits(&values), "{hex}");
}

/// The column that the specification describes in words: it has grown by one in each bucket.
fn check_histograms(hex: &str) {
    let column = [0.0, 1.0].map(|more| Histogram {
        schema: Schema::new(2).unwrap(),
        zero_threshold: 2.0_f64.powi(-128),
        zero_count: 1.0,
        count: 6.0 + 2.0 * more,
        sum: 2.5 + 4.0 * more,
        positive_spans: vec![Span { offset: -1, length: 2 }],
        positive_buckets: vec![2.0 + more, 3.0 + more],
        ..Histogram::default()
    });
    let mut bytes = Vec::new();
    histograms::encode(&column, &mut bytes).unwrap();
    assert_eq!(spell(&bytes), hex);
    let mut back = Vec::new();
    histograms::decode_into(&bytes_of(hex), &mut back).unwrap();
    assert_eq!(back, column);
}

fn spell(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_examples_of_the_specification_are_written_and_read() {
    let (_, examples) = SPECIFICATION.split_once("## Examples").unwrap();
    let mut rows = 0;
    for line in examples.lines().filter(|line| line.contains('`')) {
        let cells: Vec<&str> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [_, kind, values, hex, _] = cells[..] else { panic!("{line}") };
        match kind {
            "integers" => check_integers(
                values,
                hex,
                |values| {
                    let mut out = Vec::new();
                    ints::encode(values, &mut out).unwrap();
                    out
                },
                |bytes| {
                    let mut out = Vec::new();
                    ints::decode_into(bytes, &mut out).unwrap();
                    out
                },
            ),
            "timestamps" => check_integers(
                values,
                hex,
                |values| {
                    let mut out = Vec::new();
                    times::encode(values, &mut out).unwrap();
                    out
                },
                |bytes| {
                    let mut out = Vec::new();
                    times::decode_into(bytes, &mut out).unwrap();
                    out
                },
            ),
            "floats" => check_floats(values, hex, false),
            "floats, growing" => check_floats(values, hex, true),
            "histograms" => check_histograms(hex),
            other => panic!("{other}"),
        }
        rows += 1;
    }
    assert!(rows >= 12, "{rows} examples");
}
