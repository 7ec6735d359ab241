//! The encodings of log lines side by side: size, time to write and to read, size of the words.
//!
//! `cargo run --release -p masthead-logdb --example encodings [MEGABYTES] [SEGMENT_KIB]`
//!
//! The lines are those of `examples/ingest.rs`, stream by stream in segments, each with its time.

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use masthead_chunk::{
    lines::{Decoder, Encoder},
    words::{Query, Words},
};
use masthead_sysio::{Clock, Random, RealClock};

use self::corpus::Corpus;

#[path = "ingest/corpus.rs"]
mod corpus;

/// Text, where each line ends in it, and when it was written.
type Segment = (Vec<u8>, Vec<usize>, Vec<i64>);

#[expect(clippy::print_stdout, reason = "it is what the example is for")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |at: usize, default: usize| {
        arguments.get(at).and_then(|a| a.parse().ok()).unwrap_or(default)
    };
    let (segments, id) = segments(number(1, 60) * 1_000_000, number(2, 1024) << 10);
    println!(
        "encoding          raw:stored  write s/GB  read MB/s  words B/KB  strangers found  segments with an id"
    );
    for (name, encoder) in [
        ("zstd 3", Encoder::plain(3)),
        ("zstd 9", Encoder::plain(9)),
        ("templates, zstd 1", Encoder::new(1)),
        ("templates, zstd 3", Encoder::new(3)),
        ("templates, zstd 9", Encoder::new(9)),
    ] {
        match measure(encoder, &segments, &id) {
            Ok(figures) => println!("{name:<18}{figures}"),
            Err(error) => {
                println!("{name}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn segments(bytes: usize, segment_bytes: usize) -> (Vec<Segment>, String) {
    let mut corpus = Corpus::new(Random::new(1), bytes);
    let mut open: BTreeMap<String, Segment> = BTreeMap::new();
    let (mut full, mut sum) = (Vec::new(), 0);
    while sum < bytes {
        for (labels, rows) in corpus.batch() {
            let (text, ends, times) = open.entry(labels.to_string()).or_default();
            for (at, line) in rows {
                times.push(at);
                text.extend_from_slice(line.as_bytes());
                ends.push(text.len());
                sum += line.len();
            }
            if text.len() >= segment_bytes {
                full.push((std::mem::take(text), std::mem::take(ends), std::mem::take(times)));
            }
        }
    }
    full.extend(open.into_values());
    (full, corpus.some_id)
}

fn measure(
    mut encoder: Encoder,
    segments: &[Segment],
    id: &str,
) -> Result<String, masthead_chunk::Error> {
    let clock = RealClock::new();
    let (mut raw, mut stored, mut words_bytes, mut found) = (0, 0, 0, 0);
    let (mut write, mut read) = (Duration::ZERO, Duration::ZERO);
    let mut decoder = Decoder::default();
    let mut random = Random::new(2);
    let (wanted, mut holding) = (Query::new(id.as_bytes()), 0);
    for (text, ends, times) in segments {
        let (mut out, mut words) = (Vec::new(), Vec::new());
        let before = clock.monotonic();
        encoder.encode_with_words((text, ends, times), &mut out, &mut words)?;
        write += clock.monotonic().saturating_sub(before);
        let (mut back_ends, mut back) = (Vec::new(), Vec::new());
        let before = clock.monotonic();
        decoder.decode_with_times(&out, times, &mut back_ends, &mut back)?;
        read += clock.monotonic().saturating_sub(before);
        raw += text.len();
        stored += out.len();
        words_bytes += words.len();
        let Some(words) = Words::open(&words) else { continue };
        holding += usize::from(words.may_have(&wanted));
        for _ in 0..100 {
            let stranger = format!("{:016x}{:016x}", random.next_u64(), random.next_u64());
            found += usize::from(words.may_have(&Query::new(stranger.as_bytes())));
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "figures to be printed")]
    let share = |amount: usize, of: usize| amount as f64 / of as f64;
    Ok(format!(
        "{:>10.2}  {:>10.2}  {:>9.0}  {:>10.2}  {:>6.2} %  {holding} of {}",
        share(raw, stored),
        write.as_secs_f64() / share(raw, 1_000_000_000),
        share(raw, 1_000_000) / read.as_secs_f64(),
        share(words_bytes, raw) * 1000.0,
        share(found, segments.len()),
        segments.len(),
    ))
}
