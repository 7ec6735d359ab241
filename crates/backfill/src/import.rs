//! Into a store: what a history is, and what became of it.

use std::collections::{BTreeMap, BTreeSet};

use masthead_model::Labels;
use masthead_ports::Columns;

use crate::{Error, Filter, Result};

mod fill;
mod lines;
pub mod openmetrics;
pub mod prometheus;
mod runs;

pub use fill::fill;

/// Most windows of a day that an import may touch: two hundred and seventy years.
const WINDOWS_MAX: usize = 100_000;

/// Samples from elsewhere, to be read window by window.
pub trait History {
    /// The windows that have samples, by their first time; `window_of` gives first and last time
    /// of the window of a time.
    ///
    /// # Errors
    /// What cannot be read; [`Error::Limit`] for more windows than anybody's history has.
    fn windows(&self, window_of: &dyn Fn(i64) -> (i64, i64)) -> Result<BTreeSet<i64>>;

    /// Shows the samples in `first..=last` of every series that has some, in label order, each
    /// series once, samples in time order.
    ///
    /// # Errors
    /// What cannot be read, and those of `visit`.
    fn read(
        &mut self,
        first: i64,
        last: i64,
        visit: &mut dyn FnMut(&Labels, &mut Columns) -> Result<()>,
    ) -> Result<()>;
}

/// Adds the windows of `first..=last` to `windows`.
fn add_windows(
    windows: &mut BTreeSet<i64>,
    (first, last): (i64, i64),
    window_of: &dyn Fn(i64) -> (i64, i64),
) -> Result<()> {
    let mut time = first;
    loop {
        let (start, end) = window_of(time);
        windows.insert(start);
        if windows.len() > WINDOWS_MAX {
            let (found, limit) = (windows.len() as u64, WINDOWS_MAX as u64);
            return Err(Error::Limit { what: "days that have samples", found, limit });
        }
        if end >= last || end == i64::MAX {
            return Ok(());
        }
        time = end + 1;
    }
}

/// What is imported, and how.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which series and times.
    pub filter: Filter,
    /// Samples later than this are left out: they would make everything that is scraped now too
    /// old. None for no limit.
    pub not_after: Option<i64>,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// How much of it is done: bytes read, or windows written.
    pub done: u64,
    /// Out of how much; zero where that is not known.
    pub total: u64,
    /// Samples so far.
    pub samples: u64,
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Text is read; `done` counts bytes.
    Reading,
    /// Blocks are written; `done` counts windows of a day.
    Writing,
    /// Series are exported; `done` counts metrics.
    Exporting,
}

/// Why samples were left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skipped {
    /// The store has the same sample.
    AlreadyThere,
    /// The store has another value at that time, which stays.
    OtherValueThere,
    /// The import itself has another sample of that time.
    GivenTwice,
    /// Later than the clock.
    Future,
    /// Labels longer than the store takes, or none.
    Labels,
    /// Not asked for.
    Filtered,
    /// Examples beside samples: they are of the present, and an import is of the past.
    Exemplar,
}

impl Skipped {
    /// For the user.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AlreadyThere => "already in the store",
            Self::OtherValueThere => "in the store with another value, which stays",
            Self::GivenTwice => "given more than once for the same time",
            Self::Future => "later than the clock",
            Self::Labels => "without labels or with labels that are too long",
            Self::Filtered => "not asked for by --match, --from or --to",
            Self::Exemplar => "exemplars, which an import leaves out",
        }
    }
}

/// What became of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Series of which samples were written.
    pub series: u64,
    /// Samples that were written.
    pub samples: u64,
    /// Blocks that were published.
    pub blocks: u64,
    /// First and last time of what was written.
    pub times: Option<(i64, i64)>,
    /// Samples that were left out, and why.
    pub skipped: BTreeMap<Skipped, u64>,
    /// What the store could not tell of its own samples.
    pub warnings: Vec<String>,
}

impl Report {
    fn skip(&mut self, why: Skipped, samples: u64) {
        if samples > 0 {
            *self.skipped.entry(why).or_default() += samples;
        }
    }
}
