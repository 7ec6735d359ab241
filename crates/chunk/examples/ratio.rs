//! Prints bytes and nanoseconds per sample of each encoding on data like that of real targets.
//!
//! `cargo run --release -p masthead-chunk --example ratio`. The data are made from a seed; the
//! shapes (which share never changes, how far scrapes are off their grid) follow recordings of a
//! node exporter and two databases.

#![expect(clippy::print_stdout, reason = "a table is what it is for")]
#![expect(clippy::disallowed_methods, reason = "measures time")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::hint::black_box;
use std::time::Instant;

use masthead_chunk::{floats, histograms, ints, peek, times, xor};
use masthead_model::{Histogram, Schema, Span, stale_nan};

const TURNS: usize = 200;

fn main() {
    println!(
        "appenders: xor {} bytes, times {} bytes",
        size_of::<xor::Appender>(),
        size_of::<times::Appender>()
    );
    for count in [120, 480, 5_760] {
        println!(
            "\n{count} values        sealed B/sample   tag  ns/sample in  out |  xor B/sample   ns in  out"
        );
        for (name, make) in SHAPES {
            row(name, count, *make);
        }
        times_row("times exact", count, 0);
        times_row("times ±5 ms", count, 5);
        starts_row(count);
        histogram_row(count.min(480));
    }
}

type Make = fn(&mut fastrand::Rng, usize) -> Vec<f64>;

const SHAPES: &[(&str, Make)] = &[
    ("constant", |_, count| vec![1.0; count]),
    ("gauge, changes 1 %", |random, count| {
        let mut value = 4_096.0;
        walk(count, || {
            if random.u32(..100) == 0 {
                value += f64::from(random.i32(-5..5));
            }
            value
        })
    }),
    ("counter, requests", |random, count| {
        let mut value = 120_000.0;
        walk(count, || {
            value += (60.0 + 8.0 * normal(random)).round().max(0.0);
            value
        })
    }),
    ("counter, 2 restarts", |random, count| {
        let mut value = 120_000.0;
        walk(count, || {
            value = if random.usize(..count) < 2 { 0.0 } else { value };
            value += f64::from(random.u32(..20));
            value
        })
    }),
    ("counter, rare steps", |random, count| {
        let mut value = 17.0;
        walk(count, || {
            value += f64::from(u32::from(random.u32(..20) == 0));
            value
        })
    }),
    ("cpu seconds, 0.01", |random, count| {
        let mut hundredths = 12_345_678.0;
        walk(count, || {
            hundredths += (40.0 + 12.0 * normal(random)).round().max(0.0);
            hundredths / 100.0
        })
    }),
    ("gauge, 2 decimals", |random, count| {
        walk(count, || (4_200.0 + 150.0 * normal(random)).round() / 100.0)
    }),
    ("gauge, bytes of pages", |random, count| {
        let mut pages = 300_000.0;
        walk(count, || {
            pages += (200.0 * normal(random)).round();
            pages * 4_096.0
        })
    }),
    ("counter, bytes", |random, count| {
        let mut value = 1e10;
        walk(count, || {
            value += (2e6 + 3e5 * normal(random)).round().max(0.0);
            value
        })
    }),
    ("sum of seconds, noisy", |random, count| {
        let mut value = 1_000.0;
        walk(count, || {
            value += 0.05 + random.f64() * 0.1;
            value
        })
    }),
    ("gauge, 32-bit floats", |random, count| walk(count, || f64::from(random.f32() * 100.0))),
    ("ends stale", |random, count| {
        let mut values = walk(count, || f64::from(random.u32(..50)));
        values[count - 1] = stale_nan();
        values
    }),
    ("random bits", |random, count| walk(count, || f64::from_bits(random.u64(..)))),
];

fn walk(count: usize, mut next: impl FnMut() -> f64) -> Vec<f64> {
    (0..count).map(|_| next()).collect()
}

/// Sum of twelve uniform numbers: near enough to a normal distribution.
fn normal(random: &mut fastrand::Rng) -> f64 {
    (0..12).map(|_| random.f64()).sum::<f64>() - 6.0
}

fn row(name: &str, count: usize, make: Make) {
    let values = make(&mut fastrand::Rng::with_seed(7), count);
    let mut bytes = Vec::new();
    let encode_ns = per_sample(count, || {
        bytes.clear();
        floats::encode(black_box(&values), &mut bytes).expect("encodes");
    });
    let mut back = Vec::new();
    let decode_ns = per_sample(count, || {
        back.clear();
        floats::decode_into(black_box(&bytes), &mut back).expect("decodes");
    });
    assert!(values.iter().zip(&back).all(|(a, b)| a.to_bits() == b.to_bits()));
    let mut column = xor::Appender::default();
    let push_ns = per_sample(count, || {
        column = xor::Appender::default();
        for value in black_box(&values) {
            column.push(*value).expect("has room");
        }
    });
    let read_ns = per_sample(count, || {
        back.clear();
        black_box(&column).decode_into(&mut back);
    });
    let mut xored = Vec::new();
    column.snapshot(&mut xored).expect("seals");
    println!(
        "{name:24} {:8.3} {:12} {encode_ns:8.1} {decode_ns:6.1} | {:8.3} {push_ns:8.1} {read_ns:6.1}",
        bytes.len() as f64 / count as f64,
        tags(&bytes),
        xored.len() as f64 / count as f64,
    );
    assert_eq!(peek(&bytes).map(|column| column.values), Ok(count));
}

/// The encoding, and the one inside it.
fn tags(bytes: &[u8]) -> String {
    let tag = bytes.first().map_or(0, |tag| tag & 0x1f);
    format!("{tag}")
}

fn times_row(name: &str, count: usize, jitter: i64) {
    let mut random = fastrand::Rng::with_seed(3);
    let stamps: Vec<i64> = (0..count)
        .map(|at| {
            1_700_000_000_123
                + 15_000 * i64::try_from(at).unwrap_or(0)
                + random.i64(-jitter..=jitter)
        })
        .collect();
    let mut bytes = Vec::new();
    let encode_ns = per_sample(count, || {
        bytes.clear();
        times::encode(black_box(&stamps), &mut bytes).expect("encodes");
    });
    let mut back = Vec::new();
    let decode_ns = per_sample(count, || {
        back.clear();
        times::decode_into(black_box(&bytes), &mut back).expect("decodes");
    });
    let mut column = times::Appender::default();
    for time in &stamps {
        column.push(*time).expect("rises");
    }
    println!(
        "{name:24} {:8.3} {:12} {encode_ns:8.1} {decode_ns:6.1} | {:8.3}",
        bytes.len() as f64 / count as f64,
        tags(&bytes),
        column.heap_bytes() as f64 / count as f64
    );
}

fn starts_row(count: usize) {
    let starts: Vec<i64> = (0..count)
        .map(|at| if at < count / 3 { 1_700_000_000_123 } else { 1_700_001_000_456 })
        .collect();
    let mut bytes = Vec::new();
    ints::encode(&starts, &mut bytes).expect("encodes");
    println!(
        "{:24} {:8.3} {}",
        "starts, one restart",
        bytes.len() as f64 / count as f64,
        tags(&bytes)
    );
}

fn histogram_row(count: usize) {
    let mut random = fastrand::Rng::with_seed(5);
    let mut state = Histogram {
        schema: Schema::new(3).expect("known"),
        zero_threshold: 2.0_f64.powi(-128),
        positive_spans: vec![Span { offset: -20, length: 30 }, Span { offset: 3, length: 10 }],
        positive_buckets: vec![0.0; 40],
        ..Histogram::default()
    };
    let column: Vec<Histogram> = (0..count)
        .map(|_| {
            for _ in 0..30 {
                let bucket = (20.0 + 5.0 * normal(&mut random)).round().clamp(0.0, 39.0);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "0 to 39"
                )]
                let bucket = bucket as usize;
                state.positive_buckets[bucket] += 1.0;
                state.count += 1.0;
                state.sum += random.f64();
            }
            state.clone()
        })
        .collect();
    let mut bytes = Vec::new();
    let encode_ns = per_sample(count, || {
        bytes.clear();
        histograms::encode(black_box(&column), &mut bytes).expect("encodes");
    });
    let mut back = Vec::new();
    let decode_ns = per_sample(count, || {
        back.clear();
        histograms::decode_into(black_box(&bytes), &mut back).expect("decodes");
    });
    println!(
        "{:24} {:8.3} {:12} {encode_ns:8.1} {decode_ns:6.1}  ({count} of 40 buckets)",
        "histograms",
        bytes.len() as f64 / count as f64,
        ""
    );
}

/// The fastest of many turns, because other work on the machine only ever adds.
fn per_sample(count: usize, mut turn: impl FnMut()) -> f64 {
    let turns = (TURNS * 480 / count).max(20);
    let fastest = (0..turns)
        .map(|_| {
            let start = Instant::now();
            turn();
            start.elapsed()
        })
        .min()
        .unwrap_or_default();
    fastest.as_nanos() as f64 / count as f64
}
