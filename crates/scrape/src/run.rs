//! One target's loop: wait for its turn, scrape, and again.
//!
//! Facts: `scrape/scrape.go: run, endOfRunStaleness`. Times of scrapes are put on the grid of the
//! interval when they are off by no more than two milliseconds, because equal steps take less room.

use std::{sync::Arc, time::Duration};

use masthead_model::{Millis, Nanos};
use masthead_sysio::Clock;
use parking_lot::Mutex;
use tokio::{
    sync::{Semaphore, oneshot},
    time::{Instant, MissedTickBehavior, interval_at, sleep, timeout},
};
use tracing::error;

use crate::{
    cache::Cache,
    fetch::{Failure, Fetch},
    ingest::{Common, Ingest, Meanings, Outcome},
    target::{Target, offset},
    view::Health,
};

/// How far a scrape may be off its grid and still be put on it; at most a hundredth of the interval.
const ALIGN_WITHIN: Duration = Duration::from_millis(2);

/// What a loop needs.
#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) ingest: Ingest,
    pub(crate) fetch: Fetch,
    pub(crate) common: Common,
    /// How many may parse and append at once.
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) health: Arc<Mutex<Health>>,
    /// An error that takes the place of every scrape, such as too many targets.
    pub(crate) forced: Arc<Mutex<Option<String>>>,
}

/// What a loop leaves behind when it is stopped.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) ingest: Ingest,
    /// When it would have scraped next, if it scraped at all.
    pub(crate) next: Option<Instant>,
}

impl Loop {
    /// Scrapes until `stop` is sent or dropped; a scrape that is under way is finished first.
    /// Returns nothing when a scrape panicked, because then nothing is remembered either.
    pub(crate) async fn run(mut self, mut stop: oneshot::Receiver<()>) -> Option<Left> {
        let target = Arc::clone(&self.ingest.target);
        let every = target.interval;
        let seed = self.common.settings.offset_seed;
        let wait = offset(target.hash, seed, every, self.common.clock.now().0);
        tokio::select! {
            () = sleep(wait) => {}
            _ = &mut stop => return Some(Left { ingest: self.ingest, next: None }),
        }
        let mut grid = self.common.clock.now().0;
        let start = Instant::now();
        let mut ticker = interval_at(start, every);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut last = start;
        loop {
            tokio::select! {
                biased;
                _ = &mut stop => {
                    return Some(Left { ingest: self.ingest, next: Some(last + every) });
                }
                tick = ticker.tick() => last = tick,
            }
            let at = aligned(&*self.common.clock, &mut grid, every);
            self = self.scrape(at).await?;
        }
    }

    async fn scrape(mut self, at: Millis) -> Option<Self> {
        let began = self.common.clock.monotonic();
        let limit = self.ingest.body_limit();
        let forced = self.forced.lock().clone();
        let fetched = match forced {
            Some(what) => Err(Failure::new(what)),
            None => match timeout(self.ingest.target.timeout, self.fetch.get(limit)).await {
                Ok(fetched) => fetched,
                Err(_) => {
                    let url = &self.ingest.target.url;
                    Err(Failure::new(format!("Get {:?}: context deadline exceeded", url.as_str())))
                }
            },
        };
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok()?;
        let Self { mut ingest, fetch, common, permits, health, forced } = self;
        let done = tokio::task::spawn_blocking(move || {
            let outcome = ingest.scrape(fetched, at, began);
            drop(permit);
            (ingest, outcome)
        })
        .await;
        match done {
            Ok((ingest, outcome)) => {
                health.lock().scraped(at, &outcome);
                Some(Self { ingest, fetch, common, permits, health, forced })
            }
            Err(error) => {
                error!(%error, "A scrape panicked; its target starts anew.");
                let what = "internal error while reading the answer".to_owned();
                health.lock().scraped(at, &Outcome { error: Some(what), duration: Duration::ZERO });
                None
            }
        }
    }
}

/// Starts what a loop works with.
pub(crate) fn ingest(
    target: &Arc<Target>,
    config: &Arc<crate::ScrapeConfig>,
    common: &Common,
    cache: Cache,
) -> (Ingest, Arc<Mutex<Meanings>>) {
    let meanings = Arc::new(Mutex::new(Meanings::default()));
    let ingest =
        Ingest::new(Arc::clone(target), Arc::clone(config), common, Arc::clone(&meanings), cache);
    (ingest, meanings)
}

/// The wall clock, on the grid if it is near.
fn aligned(clock: &dyn Clock, grid: &mut i64, every: Duration) -> Millis {
    let every = i64::try_from(every.as_nanos()).unwrap_or(i64::MAX).max(1);
    let tolerance = i64::try_from(ALIGN_WITHIN.as_nanos()).unwrap_or(0).min(every / 100);
    let now = clock.now().0;
    let passed = now.saturating_sub(*grid);
    if passed >= every {
        // Ticks may have been skipped; the grid goes on at whole steps.
        *grid = grid.saturating_add(passed - passed % every);
    }
    let off = now.saturating_sub(*grid);
    // A clock that was set back is not on the grid either.
    let time = if (0..=tolerance).contains(&off) { *grid } else { now };
    Nanos(time).to_millis_floor()
}

#[cfg(test)]
mod tests {
    use super::*;
    use masthead_sysio::{SimClock, UnixNanos};

    #[test]
    fn scrapes_a_little_late_are_put_on_the_grid() {
        let clock = SimClock::new(UnixNanos(5_000_000_000));
        let mut grid = clock.now().0;
        let every = Duration::from_secs(10);
        let mut f = |nanos: i64, want: i64| {
            clock.step(nanos);
            assert_eq!(aligned(&clock, &mut grid, every), Millis(want));
        };
        f(0, 5_000);
        f(10_000_000_000 + 1_500_000, 15_000);
        f(10_000_000_000, 25_000);
        f(10_000_000_000 + 2_500_000, 35_004);
        f(30_000_000_000 - 4_000_000, 65_000);
        f(-7_000_000_000, 58_000);
    }
}
