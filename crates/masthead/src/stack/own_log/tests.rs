//! The queue of the own log: bounded, never waited for, and quiet about itself.

use masthead_ports::LogStream;

use super::*;

fn logged(tap: Tap, act: impl FnOnce()) {
    let config = Config::parse(Some("info"), Some("json")).unwrap();
    tracing::dispatcher::with_default(&config.dispatch(tap), act);
}

fn counts(stats: &OwnLogStats) -> [u64; 4] {
    let of = [&stats.lines, &stats.dropped, &stats.queued_lines, &stats.queued_bytes];
    of.map(|count| count.load(Relaxed))
}

#[test]
fn a_full_queue_drops_and_counts() {
    let (tap, mut log) = pair(3);
    logged(tap, || (0..5).for_each(|at| tracing::info!(at, "said")));
    let lines = log.lines.as_mut().unwrap();
    let kept: Vec<_> = std::iter::from_fn(|| lines.try_recv().ok()).collect();
    let bytes: usize = kept.iter().map(|line| line.text.len()).sum();
    assert_eq!(counts(&log.stats), [3, 2, 3, bytes as u64]);
    assert!(kept.iter().all(|line| line.text.ends_with(b"}")), "{kept:?}");
    assert!(kept.is_sorted_by_key(|line| line.time), "{kept:?}");
    for line in &kept {
        log.stats.left(line);
    }
    assert_eq!(counts(&log.stats), [3, 2, 0, 0]);
}

#[test]
fn long_lines_fill_the_queue_too() {
    let (tap, log) = pair(QUEUE_LINES_MAX);
    let line = vec![b'x'; 1 << 20];
    (0..6).for_each(|_| tap.take(&line));
    assert_eq!(counts(&log.stats), [4, 2, 4, 4 << 20]);
}

#[test]
fn nobody_who_takes_lines_is_no_loss() {
    let (tap, log) = pair(3);
    let stats = log.stats();
    drop(log);
    tap.take(b"after the end");
    assert_eq!(counts(&stats), [0, 0, 0, 0]);
}

/// A sink that fails, and says so each time.
#[derive(Debug)]
struct Loud;

impl LogSink for Loud {
    fn append(&self, _: &LogBatch<'_>) -> Result<LogReport, AppendError> {
        tracing::error!("The disk is full.");
        Ok(LogReport::default())
    }

    fn progress(&self, _: &str) -> Result<Vec<Progress>, AppendError> {
        Ok(Vec::new())
    }
}

#[test]
fn what_storing_these_lines_says_is_not_one_of_them() {
    let (tap, log) = pair(100);
    let batch = LogBatch {
        streams: vec![LogStream { labels: labels(), rows: Vec::new() }],
        progress: Vec::new(),
    };
    logged(tap, || {
        let quiet = Quiet(Arc::new(Loud));
        (0..10).for_each(|_| drop(quiet.append(&batch)));
        // The same from anywhere else is.
        drop(Loud.append(&batch));
    });
    assert_eq!(counts(&log.stats)[..2], [1, 0]);
}

#[tokio::test]
async fn without_a_place_to_go_lines_do_not_pile_up() {
    let (tap, log) = pair(100);
    let stats = log.stats();
    (0..3).for_each(|_| tap.take(b"said"));
    let carrier = log.carry(Arc::default(), &Tasks::new());
    carrier.end().await;
    assert_eq!(counts(&stats), [3, 0, 0, 0]);
}
