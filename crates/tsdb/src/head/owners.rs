//! Which shard has which run of slots, for whoever holds nothing: a table of bytes, made page by
//! page as runs are given.

use std::sync::{
    OnceLock,
    atomic::{AtomicU8, Ordering},
};

/// Runs of one page.
const PAGE: usize = 1024;

#[derive(Debug)]
pub(super) struct Owners {
    runs: usize,
    /// The number of the shard plus one, or zero.
    pages: Box<[OnceLock<Box<[AtomicU8; PAGE]>>]>,
}

impl Owners {
    /// A table for so many runs.
    pub(super) fn new(runs: usize) -> Self {
        Self { runs, pages: (0..runs.div_ceil(PAGE)).map(|_| OnceLock::new()).collect() }
    }

    /// How many runs there can be.
    pub(super) fn runs(&self) -> usize {
        self.runs
    }

    /// The shard that has a run.
    pub(super) fn get(&self, run: u32) -> Option<usize> {
        let run = run as usize;
        let owner = self.pages.get(run / PAGE)?.get()?.get(run % PAGE)?;
        usize::from(owner.load(Ordering::Acquire)).checked_sub(1)
    }

    /// Notes that a run is of a shard, or of none.
    pub(super) fn set(&self, run: u32, shard: Option<usize>) {
        let run = run as usize;
        let Some(page) = self.pages.get(run / PAGE) else { return };
        let page = page.get_or_init(|| Box::new([const { AtomicU8::new(0) }; PAGE]));
        if let Some(owner) = page.get(run % PAGE) {
            let number = shard.and_then(|shard| u8::try_from(shard + 1).ok()).unwrap_or(0);
            owner.store(number, Ordering::Release);
        }
    }

    /// Takes over what another table of the same size says.
    pub(super) fn copy(&self, other: &Self) {
        let made =
            |owners: &Self, page: usize| owners.pages.get(page).is_some_and(|p| p.get().is_some());
        for page in (0..self.pages.len()).filter(|page| made(self, *page) || made(other, *page)) {
            let runs = page * PAGE..(page + 1) * PAGE;
            for run in runs.filter_map(|run| u32::try_from(run).ok()) {
                self.set(run, other.get(run));
            }
        }
    }
}
