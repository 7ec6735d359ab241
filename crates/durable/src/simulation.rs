//! A store on a simulated disk that loses, tears and refuses, compared with a map.
//!
//! Everything comes from one seed, so a failure replays: [`run_seed`]. A run lets a store work; it
//! kills the process, cuts the power at any operation, fills the disk, lets single operations fail
//! and steps the clock. After each of these the store must hold every acknowledged entry once and
//! nothing that was never sent. What a loss of power may take under an interval of syncs is told by
//! the journal's own count.
//!
//! What the work is, each store says: it is a [`Subject`]. `simulation/run.rs` has the run,
//! `simulation/model.rs` the map with what may be uncertain.

use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};
use masthead_sysio::{Clock, Fs, Random, SimClock, SimFs};

mod model;
mod run;

pub use model::Model;
pub use run::run_seed;

use crate::{journal::JournalOptions, stats::Upkeep};

/// Seeds are run by so many threads; each is a world of its own.
const THREADS: usize = 2;

/// How often what happened, so that a caller can see that something did.
pub type Report = BTreeMap<&'static str, u64>;

/// What a store must show of itself, and what it does in a run beside being opened and ended.
pub trait Subject: Sized {
    /// The store.
    type Store;
    /// Where an entry is.
    type Key: Ord + Clone + Debug;
    /// What may differ in its place.
    type Value: PartialEq + Clone + Debug;

    /// What some of many runs must have done, beside what the run itself counts.
    const HAPPENS: &'static [&'static str];
    /// What retention keeps, in the unit of the store's times.
    const SPAN: i64;
    /// Milliseconds that pass before a step, at most.
    const PAUSE_MS_MAX: u64;

    /// The store that is to be opened, and whatever else there is to know.
    fn new(journal: JournalOptions, random: &mut Random) -> Self;

    /// Opens the store. Returns what it found too, for the text of a failure.
    ///
    /// # Errors
    /// The store cannot be opened, or says that its files are not what it wrote.
    fn open(&mut self, world: &mut World<Self>) -> Result<(Self::Store, String), String>;

    /// Lets the store do something; `roll` below [`WORK`] says what.
    ///
    /// # Errors
    /// What the store did wrong; a failure of its disk is not.
    fn work(
        &mut self,
        roll: u64,
        world: &mut World<Self>,
        store: &Self::Store,
    ) -> Result<(), String>;

    /// The process ends.
    fn end(&mut self, world: &mut World<Self>, store: &Self::Store);

    /// The store was opened again and has `found`.
    ///
    /// # Errors
    /// What is wrong with that beside what the model sees.
    fn restarted(&mut self, store: &Self::Store, found: &Entries<Self>) -> Result<(), String>;

    /// Makes a snapshot and returns its directory; none if it failed.
    fn snapshot(&self, store: &Self::Store, name: &str) -> Option<Utf8PathBuf>;

    /// Opens a snapshot; none if it failed.
    fn open_snapshot(&self, world: &World<Self>, dir: &Utf8Path) -> Option<Self::Store>;

    /// Reads everything.
    ///
    /// # Errors
    /// What is missing, doubled or out of order.
    fn read(&self, world: &World<Self>, store: &Self::Store) -> Result<Entries<Self>, String>;

    /// Number of the last frame of the journal that survives a loss of power.
    fn synced_frame(store: &Self::Store) -> u64;

    /// What the store did to its files, and the time of its newest entry.
    fn stats(store: &Self::Store) -> (Upkeep, Option<i64>);

    /// The time of an entry.
    fn time(key: &Self::Key) -> i64;
}

/// What a store holds.
pub type Entries<S> = BTreeMap<<S as Subject>::Key, <S as Subject>::Value>;

/// Rolls below this are the store's to interpret.
pub const WORK: u64 = 28;

/// What a store is in, and what is known of it.
#[derive(Debug)]
pub struct World<S: Subject> {
    /// Everything that is left to chance.
    pub random: Random,
    /// The clock.
    pub clock: SimClock,
    /// The disk.
    pub fs: SimFs,
    /// What must be in the store.
    pub model: Model<S::Key, S::Value>,
    report: Report,
}

impl<S: Subject> World<S> {
    /// Disk and clock as a store takes them.
    pub fn handles(&self) -> (Arc<dyn Fs>, Arc<dyn Clock>) {
        (Arc::new(self.fs.clone()), Arc::new(self.clock.clone()))
    }

    /// Counts what happened.
    pub fn count(&mut self, what: &'static str, times: u64) {
        *self.report.entry(what).or_default() += times;
    }

    /// Counts a call that failed, which it may because of the disk. Returns whether it went well.
    pub fn done<T, E>(&mut self, call: &Result<T, E>) -> bool {
        self.count("failures", u64::from(call.is_err()));
        call.is_ok()
    }

    /// What retention may have deleted may be gone.
    pub fn forget_expired(&mut self, store: &S::Store) {
        let known = self.model.keys().map(S::time).max();
        if let Some(newest) = S::stats(store).1.max(known) {
            self.model.may_be_gone(|key| S::time(key) <= newest - S::SPAN);
        }
    }
}

/// Runs the simulation of seeds 0 to `seeds`, and sums up what happened.
///
/// # Errors
/// The failures of all seeds; or what happened in none of them: that shows nothing.
pub fn run_seeds<S: Subject>(seeds: u64) -> Result<Report, String> {
    let runs: Vec<_> = std::thread::scope(|scope| {
        let work = |first| move || (first..seeds).step_by(THREADS).map(run_seed::<S>).collect();
        let threads: Vec<_> = (0..THREADS as u64).map(|first| scope.spawn(work(first))).collect();
        let joined = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined.map(|run| run.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    let (mut sum, mut failures) = (Report::new(), Vec::new());
    for run in runs.into_iter().flat_map(|part: Vec<Result<Report, String>>| part) {
        match run {
            Ok(report) => report.iter().for_each(|(what, n)| *sum.entry(what).or_default() += n),
            Err(error) => failures.push(error),
        }
    }
    if !failures.is_empty() {
        return Err(format!("{} seeds failed:\n{}", failures.len(), failures.join("\n")));
    }
    let never = |what: &&&str| sum.get(**what).is_none_or(|count| *count == 0);
    match run::HAPPENS.iter().chain(S::HAPPENS).find(never) {
        Some(what) => Err(format!("there were no {what}: {sum:?}")),
        None => Ok(sum),
    }
}
