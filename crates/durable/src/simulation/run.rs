//! One run: what is done to a store, in which order, and what is then expected.

use std::{io, sync::Arc, time::Duration};

use masthead_sysio::{Fs as _, Random, SimClock, SimFs};

use super::{Model, Report, Subject, WORK, World};
use crate::journal::{JournalOptions, SyncPolicy};

const STEPS: usize = 70;
const CAPACITY: u64 = 64 << 20;

/// What is counted of every store.
pub(super) const HAPPENS: &[&str] = &[
    "acknowledged",
    "rejected",
    "failures",
    "kills",
    "power cuts",
    "flushes",
    "merges",
    "deletions",
    "expired",
    "snapshots",
    "compared",
];

/// Runs the simulation of `seed`.
///
/// # Errors
/// What was wrong and at which step, for the same seed always the same.
pub fn run_seed<S: Subject>(seed: u64) -> Result<Report, String> {
    let mut run = Run::<S>::start(seed)?;
    for step in 0..STEPS {
        run.step().map_err(|error| format!("seed {seed}, step {step}: {error}"))?;
    }
    run.restart(false).map_err(|error| format!("seed {seed}, at the end: {error}"))?;
    Ok(run.world.report)
}

struct Run<S: Subject> {
    subject: S,
    store: Option<S::Store>,
    world: World<S>,
    /// Something was made to fail since the store was opened, so that a sync may have.
    faulty: bool,
    /// What the store said when it was opened.
    opened: String,
}

impl<S: Subject> Run<S> {
    fn start(seed: u64) -> Result<Self, String> {
        let mut random = Random::new(seed);
        let clock = SimClock::default();
        let fs = SimFs::with_clock(random.next_u64(), Arc::new(clock.clone()));
        fs.set_capacity(CAPACITY);
        let interval = SyncPolicy::Interval(Duration::from_secs(random.below(40)));
        let sync = if random.coin() { SyncPolicy::Always } else { interval };
        let journal =
            JournalOptions { sync, segment_bytes: 500 + random.below(3000), ..Default::default() };
        let subject = S::new(journal, &mut random);
        let world = World { random, clock, fs, model: Model::default(), report: Report::default() };
        let mut run = Self { subject, store: None, world, faulty: false, opened: String::new() };
        run.open()?;
        Ok(run)
    }

    fn step(&mut self) -> Result<(), String> {
        let world = &mut self.world;
        world.clock.advance(Duration::from_millis(world.random.below(S::PAUSE_MS_MAX)));
        match world.random.below(40) {
            roll @ 0..WORK => {
                let store = self.store.as_ref().ok_or("BUG: there is no store")?;
                self.subject.work(roll, world, store)?;
            }
            28 => drop(self.check("while it runs")?),
            29 => self.snapshot()?,
            30 => self.restart(false)?,
            31 | 32 => self.restart(true)?,
            33 => {
                let far = i64::try_from(world.random.below(120_000)).unwrap_or(0) - 60_000;
                world.clock.step(far * 1_000_000);
            }
            34 => world.fs.set_capacity(world.random.below(40_000)),
            35 => world.fs.set_capacity(CAPACITY),
            36 => self.fail(false),
            37 | 38 => self.fail(true),
            _ => {
                world.fs.short_reads(true);
                drop(self.check("with short reads")?);
            }
        }
        Ok(())
    }

    /// Lets one operation fail, or all from one on, until the next restart.
    fn fail(&mut self, all: bool) {
        let (random, fs) = (&mut self.world.random, &self.world.fs);
        let kinds = [io::ErrorKind::Other, io::ErrorKind::StorageFull];
        let kind = *kinds.get(random.index(2)).unwrap_or(&io::ErrorKind::Other);
        let nth = 1 + random.below(60);
        self.faulty = true;
        if all {
            fs.fail_from(nth, kind);
        } else {
            fs.fail_nth(nth, kind);
        }
    }

    fn snapshot(&mut self) -> Result<(), String> {
        let name = format!("s{}", self.world.random.next_u64());
        let store = self.store.as_ref().ok_or("BUG: there is no store")?;
        let Some(dir) = self.subject.snapshot(store, &name) else {
            self.world.count("failures", 1);
            return Ok(());
        };
        if let Some(copy) = self.subject.open_snapshot(&self.world, &dir)
            && let Ok(found) = self.subject.read(&self.world, &copy)
        {
            self.world.model.check(&found).map_err(|error| format!("snapshot: {error}"))?;
            self.world.count("snapshots", 1);
        }
        drop(self.world.fs.remove_dir_all(&dir));
        Ok(())
    }

    /// Ends the process, perhaps with the machine, and opens the store again.
    fn restart(&mut self, power: bool) -> Result<(), String> {
        let mut synced = u64::MAX;
        if let Some(store) = self.store.take() {
            self.subject.end(&mut self.world, &store);
            synced = S::synced_frame(&store);
            if power || self.faulty {
                self.world.model.power_lost(synced);
            }
            self.world.forget_expired(&store);
            let (upkeep, _) = S::stats(&store);
            self.world.count("flushes", upkeep.flushes_total);
            self.world.count("merges", upkeep.merges_total);
            self.world.count("expired", upkeep.retention_deleted_total);
        }
        self.stop(power);
        self.world.count(if power { "power cuts" } else { "kills" }, 1);
        self.world.fs.set_capacity(CAPACITY);
        self.faulty = false;
        while self.world.random.below(4) == 0 {
            // The power goes, or something fails, while the store is being opened.
            self.world.fs.fail_from(1 + self.world.random.below(40), io::ErrorKind::Other);
            drop(self.open());
            self.store = None;
            let power = self.world.random.coin();
            if power {
                self.world.model.power_lost(synced);
            }
            self.stop(power);
        }
        self.open()?;
        let found = self.check("after a restart")?;
        let store = self.store.as_ref().ok_or("BUG: there is no store")?;
        self.subject.restarted(store, &found)?;
        self.world.model.settle(found);
        Ok(())
    }

    /// What is left on the disk when the process or the machine stops.
    fn stop(&mut self, power: bool) {
        let fs = &self.world.fs;
        self.world.fs = if power { fs.crash() } else { fs.kill() };
    }

    fn open(&mut self) -> Result<(), String> {
        let (store, opened) = self.subject.open(&mut self.world)?;
        self.store = Some(store);
        self.opened = opened;
        Ok(())
    }

    fn check(&mut self, when: &str) -> Result<super::Entries<S>, String> {
        let store = self.store.as_ref().ok_or("BUG: there is no store")?;
        let found = self.subject.read(&self.world, store)?;
        self.world.count("compared", found.len() as u64);
        let checked = self.world.model.check(&found);
        checked.map_err(|error| format!("{when}: {error}; opened with {}", self.opened))?;
        Ok(found)
    }
}
