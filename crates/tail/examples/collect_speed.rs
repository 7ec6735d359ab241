//! How much processor time a backlog of container logs costs, and how much memory:
//! `cargo run --release -p masthead-tail --example collect_speed -- MEGABYTES`.
//!
//! The lines are those of ten containers, in CRI format, 0.3 % of them in parts. The sink counts
//! and throws away, so the store's own cost is not in the figure.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use camino::Utf8PathBuf;
use masthead_ports::{AppendError, LogBatch, LogReport, LogSink, Progress};
use masthead_sysio::{Fs as _, OpenOptions, RealClock, RealFs};
use masthead_tail::{PromtailConfig, Setup, Stats, Step};

#[derive(Debug, Default)]
struct Counting {
    lines: AtomicU64,
    bytes: AtomicU64,
}

impl LogSink for Counting {
    fn append(&self, batch: &LogBatch<'_>) -> Result<LogReport, AppendError> {
        let rows = || batch.streams.iter().flat_map(|stream| &stream.rows);
        let lines = rows().count();
        let bytes: usize = rows().map(|row| row.line.len()).sum();
        self.lines.fetch_add(lines as u64, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(LogReport { appended: lines, ..LogReport::default() })
    }

    fn progress(&self, _: &str) -> Result<Vec<Progress>, AppendError> {
        Ok(Vec::new())
    }
}

#[expect(clippy::print_stdout, reason = "it prints what it measured")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let megabytes: u64 = std::env::args().nth(1).unwrap_or_default().parse().unwrap_or(200);
    let directory = tempfile::tempdir()?;
    let root = Utf8PathBuf::from_path_buf(directory.path().to_owned()).map_err(|_| "no UTF-8")?;
    let mut raw = 0;
    for container in 0..10 {
        let directory = root.join(format!("default_app{container}-0_uid/main"));
        RealFs.create_dir_all(&directory)?;
        let file = RealFs.open(&directory.join("0.log"), OpenOptions::APPEND)?;
        let mut text = Vec::new();
        for number in 0_u64.. {
            let stamp =
                format!("2026-11-22T10:{:02}:{:02}.{number:09}Z", number / 60 % 60, number % 60);
            let part = "x".repeat(8_000);
            let line = if number % 333 == 0 {
                format!("{stamp} stdout P {part}\n{stamp} stdout F {part}\n")
            } else {
                format!(
                    "{stamp} stdout F {{\"level\":\"info\",\"path\":\"/items/{number}\",\"status\":200,\"duration_ms\":{},\"request_id\":\"{:016x}\",\"msg\":\"request served to a client\"}}\n",
                    number % 97,
                    number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
                )
            };
            text.extend_from_slice(line.as_bytes());
            if text.len() > 1 << 20 {
                file.append_all(&text)?;
                raw += text.len() as u64;
                text.clear();
                if raw > megabytes * 100_000 * (container + 1) {
                    break;
                }
            }
        }
    }
    let mut config = PromtailConfig::parse("")?;
    config.add_pods(&root, None);
    let sink = Arc::new(Counting::default());
    let mut collector = config.collector(&Setup {
        fs: Arc::new(RealFs),
        clock: Arc::new(RealClock::new()),
        sink: Arc::clone(&sink) as Arc<dyn LogSink>,
        tenants: false,
        node: "node".into(),
        stats: Arc::new(Stats::default()),
        kubernetes: Arc::default(),
    })?;
    let before = ticks()?;
    while let Step::Busy = collector.step() {}
    let ticks = ticks()? - before;
    let lines = sink.lines.load(Ordering::Relaxed);
    let status = read_proc("/proc/self/status")?;
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    // A tick is 10 ms on Linux.
    let hundredths = ticks * 1_000_000_000 / raw.max(1);
    println!(
        "{raw} bytes, {lines} lines, {ticks} ticks: {}.{:02} s per GB; {peak}",
        hundredths / 100,
        hundredths % 100
    );
    Ok(())
}

/// Processor time of this process so far, user and system.
fn ticks() -> Result<u64, Box<dyn std::error::Error>> {
    let stat = read_proc("/proc/self/stat")?;
    let after = stat.rsplit_once(')').ok_or("no name in stat")?.1;
    let mut fields = after.split_whitespace().skip(11);
    let user: u64 = fields.next().ok_or("short")?.parse()?;
    let system: u64 = fields.next().ok_or("short")?.parse()?;
    Ok(user + system)
}

/// A file that says it has no bytes, and has some.
fn read_proc(path: &str) -> Result<String, Box<dyn std::error::Error>> {
    let mut bytes = vec![0; 16 << 10];
    let len = RealFs.open(path.into(), OpenOptions::READ)?.read_at(&mut bytes, 0)?;
    bytes.truncate(len);
    Ok(String::from_utf8(bytes)?)
}
