//! How long decoding takes, per line and per sample: `cargo run --profile bench --example decode_speed`.
//!
//! Not a test: the figures are for people, and compared only with each other on one machine.

use std::{hint::black_box, time::Duration};

use masthead_model::{Labels, Millis};
use masthead_wire::{
    Limits,
    exposition::{Entry, Format, Options, Parser},
    remote_write::{
        Decoder, EncoderV1, EncoderV2, FloatPoint, LabelScratch, Version, compress, decompress,
    },
};

const ROUNDS: usize = 200;
const SERIES: usize = 5_000;

fn main() {
    let lines: Vec<String> = (0..SERIES)
        .map(|n| {
            format!(
                "node_cpu_seconds_total{{cpu=\"{}\",mode=\"user\",zone=\"eu-west-{}\"}} {}.{}\n",
                n / 8,
                n % 3,
                n * 7919,
                n % 100
            )
        })
        .collect();
    let lines = lines.concat();
    let text = format!("# TYPE node_cpu_seconds_total counter\n{lines}");
    let open = format!("# TYPE node_cpu_seconds counter\n{lines}# EOF\n");
    exposition("text, series bytes only", &text, Format::Text, false);
    exposition("text, labels built", &text, Format::Text, true);
    exposition("OpenMetrics, series bytes only", &open, Format::OpenMetrics, false);
    let (mut v1, mut v2) = (EncoderV1::default(), EncoderV2::default());
    for n in 0..SERIES {
        let labels: Labels = [
            ("__name__", "node_cpu_seconds_total".to_owned()),
            ("cluster", "production".to_owned()),
            ("cpu", (n % 64).to_string()),
            ("instance", format!("10.0.{}.{}:9100", n % 7, n % 251)),
            ("job", "node-exporter".to_owned()),
            ("mode", "user".to_owned()),
            ("n", n.to_string()),
        ]
        .into_iter()
        .collect();
        let point = FloatPoint { timestamp: Millis(1_700_000_000_000), start: None, value: 1.5 };
        v1.series(&labels, &[point], &[], &[]);
        v2.series(&labels, &[point], &[], &[], None);
    }
    let (v1, v2) = (v1.finish(), v2.finish());
    remote_write("remote write 1.0, key only", &v1, Version::V1, Read::Key);
    remote_write("remote write 1.0, borrowed labels", &v1, Version::V1, Read::Pairs);
    remote_write("remote write 1.0, label sets built", &v1, Version::V1, Read::Labels);
    remote_write("remote write 2.0, borrowed labels", &v2, Version::V2, Read::Pairs);
    remote_write("remote write 2.0, label sets built", &v2, Version::V2, Read::Labels);
    for (what, body) in [("1.0", &v1), ("2.0", &v2)] {
        let compressed = compress(body).expect("small");
        let mut out = Vec::new();
        let took = timed(|| decompress(&compressed, &Limits::default(), &mut out).expect("valid"));
        report(&format!("snappy of {what}, {} → {} bytes", compressed.len(), body.len()), took);
    }
}

fn exposition(what: &str, body: &str, format: Format, labels: bool) {
    let took = timed(|| {
        let mut parser = Parser::new(body.as_bytes(), format, Options::default()).expect("small");
        while let Some(entry) = parser.advance().expect("valid") {
            if entry == Entry::Sample {
                black_box((parser.series(), parser.value(), parser.timestamp()));
                if labels {
                    black_box(parser.labels().expect("valid"));
                }
            }
        }
    });
    report(what, took);
}

#[derive(Clone, Copy, PartialEq)]
enum Read {
    Key,
    Pairs,
    Labels,
}

fn remote_write(what: &str, body: &[u8], version: Version, read: Read) {
    let limits = Limits::default();
    let took = timed(|| {
        let mut decoder = Decoder::new(body, version, limits).expect("small");
        let (mut scratch, mut pairs) = (LabelScratch::default(), Vec::new());
        while let Some(series) = decoder.next_series().expect("valid") {
            black_box((series.key(), &series.samples));
            match read {
                Read::Key => {}
                Read::Pairs => {
                    pairs.clear();
                    series.read_labels(&mut pairs).expect("valid");
                    black_box(&pairs);
                }
                Read::Labels => {
                    black_box(series.labels(&mut scratch, &limits).expect("valid"));
                }
            }
        }
    });
    report(what, took);
}

#[expect(clippy::disallowed_methods, reason = "an example that measures has no other clock")]
fn timed(mut run: impl FnMut()) -> Duration {
    // The fastest round is the one that the rest of the machine disturbed least.
    (0..ROUNDS)
        .map(|_| {
            let start = std::time::Instant::now();
            run();
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

#[expect(clippy::print_stdout, reason = "what an example is for")]
fn report(what: &str, took: Duration) {
    println!("{what}: {} ns a series", took.as_nanos() / SERIES as u128);
}
