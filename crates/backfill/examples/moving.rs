//! What a million samples cost to move: CPU and wall time to import and to export them.
//!
//! `cargo run --release -p masthead-backfill --example moving [SERIES] [SAMPLES]`
//!
//! Half of the series never change, the rest are counters and gauges with two decimals; samples are
//! 15 s apart. It works in a directory of its own below the current one.

use std::{fmt::Write as _, io, process::ExitCode, sync::Arc, time::Duration};

use camino::Utf8Path;
use masthead_backfill::{
    Filter,
    export::{self, Exporter},
    import::{Options, openmetrics},
};
use masthead_sysio::{Clock, Fs as _, Random, RealClock, RealFs};
use masthead_tsdb::Tsdb;

const INTERVAL_MS: i64 = 15_000;
const START_MS: i64 = 1_790_000_000_000;
const DIR: &str = "moving.tmp";

#[expect(clippy::print_stdout, reason = "it is what the example is for")]
fn main() -> ExitCode {
    let report = run();
    drop(RealFs.remove_dir_all(DIR.into()));
    match report {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<String, Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse::<usize>().ok());
    let (series, samples) = (arguments.next().unwrap_or(1000), arguments.next().unwrap_or(2000));
    let text = text(series, samples);
    let count = series * samples;
    let mut out = format!("{count} samples of {series} series, {} bytes of text\n", text.len());
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let mut measure =
        |what: &str, work: &mut dyn FnMut() -> Result<u64, masthead_backfill::Error>| {
            let (cpu, wall) = (cpu_time(), clock.monotonic());
            let bytes = work()?;
            let (cpu, wall) =
                (cpu_time().saturating_sub(cpu), clock.monotonic().saturating_sub(wall));
            #[expect(clippy::cast_precision_loss, reason = "for people")]
            let millions = count as f64 / 1e6;
            let (each, speed) = (cpu.as_secs_f64() / millions, millions / wall.as_secs_f64());
            writeln!(out, "{what}: {each:.2} CPU s and {speed:.2} million a second, {bytes} bytes")
                .unwrap_or_default();
            Ok::<_, masthead_backfill::Error>(())
        };
    let dir = Utf8Path::new(DIR);
    let open = || {
        Tsdb::open(
            Arc::new(RealFs),
            Arc::clone(&clock),
            &dir.join("metrics"),
            masthead_tsdb::Options::default(),
        )
    };
    let (store, _) = open()?;
    let scratch = dir.join("scratch");
    for (what, sort_bytes) in [("import in memory", usize::MAX), ("again, all there", usize::MAX)] {
        let place = openmetrics::Place {
            store: &store,
            fs: Arc::new(RealFs),
            clock: Arc::clone(&clock),
            scratch: &scratch,
            sort_bytes,
        };
        measure(what, &mut || {
            let options = Options::default();
            openmetrics::import(&place, text.as_bytes(), None, &options, &mut |_| ())?;
            Ok(store.stats().upkeep.block_bytes)
        })?;
    }
    let exporter = Exporter {
        source: &store,
        clock: Arc::clone(&clock),
        filter: Filter::default(),
        bounds: None,
    };
    measure("export openmetrics", &mut || {
        let mut sink = Counted::default();
        export::openmetrics(&exporter, &mut sink, &mut |_| ())?;
        Ok(sink.bytes)
    })?;
    measure("export parquet", &mut || {
        let mut sink = Counted::default();
        export::parquet(&exporter, &mut sink, &mut |_| ())?;
        Ok(sink.bytes)
    })?;
    drop(store);
    RealFs.remove_dir_all(dir)?;
    let (store, _) = open()?;
    let place = openmetrics::Place {
        store: &store,
        fs: Arc::new(RealFs),
        clock: Arc::clone(&clock),
        scratch: &scratch,
        sort_bytes: 32 << 20,
    };
    measure("import, sorted in 32 MiB", &mut || {
        openmetrics::import(&place, text.as_bytes(), None, &Options::default(), &mut |_| ())?;
        Ok(store.stats().upkeep.block_bytes)
    })?;
    Ok(out)
}

fn text(series: usize, samples: usize) -> String {
    let mut random = Random::new(1);
    let mut out = String::from("# TYPE load unknown\n");
    for number in 0..series {
        let mut value = 1000.0;
        for at in 0..i64::try_from(samples).unwrap_or(0) {
            match number % 4 {
                0 => value += f64::from(u32::try_from(random.index(50)).unwrap_or(0)),
                1 => value = f64::from(u32::try_from(random.index(10_000)).unwrap_or(0)) / 100.0,
                _ => {}
            }
            let time = (START_MS + at * INTERVAL_MS) / 1000;
            writeln!(out, "load{{host=\"host-{}\",instance=\"10.0.0.1:9100\",job=\"node\",number=\"{number}\"}} {value} {time}", number / 100)
                .unwrap_or_default();
        }
    }
    out.push_str("# EOF\n");
    out
}

/// CPU time of this process, to ten milliseconds.
#[expect(clippy::disallowed_methods, reason = "the process looks at itself, not at its files")]
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 =
        fields.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// Counts bytes and forgets them.
#[derive(Debug, Default)]
struct Counted {
    bytes: u64,
}

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
