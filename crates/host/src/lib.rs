//! Metrics of this machine under the names of Prometheus' `node_exporter`, so that the dashboards
//! written for it work and an empty stack has something to show.
//!
//! Everything is read from files below a root (`/proc`, `/sys`, `/etc`), plus one call that measures
//! a mounted file system. A file that is missing, cut or full of garbage costs one collector its
//! rows, told by `node_scrape_collector_success`; it never panics and never stops the others.
//! Nothing here keeps time, opens a socket or writes.
//!
//! - `collectors.rs`: the table of collectors, one file each, one line each.
//! - `families.rs`: what a collector fills in. `text.rs`: the exposition of the result.
//! - `files.rs`: bounded reads. `space.rs`: the seam to `statvfs`.
//!
//! What is covered and what is not: `docs/reference/host-metrics.md`.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::{fmt::Debug, sync::Arc};

use camino::Utf8PathBuf;
use masthead_sysio::{Clock, Fs};

mod collectors;
mod error;
mod families;
mod files;
mod options;
mod space;
mod text;

pub use error::Error;
pub use families::{Families, Family, Row};
pub use options::Options;
pub use space::{MountSpace, RealSpace, Space};

use collectors::{COLLECTORS, Context, State};
use files::Files;
use options::Patterns;

/// Reads the machine's metrics on demand.
#[derive(Debug)]
pub struct Host {
    files: Files,
    space: Arc<dyn Space>,
    clock: Arc<dyn Clock>,
    patterns: Patterns,
    page_bytes: f64,
    state: State,
}

impl Host {
    /// Prepares to read below `options.root`. Nothing is read yet.
    ///
    /// # Errors
    /// [`Error::Pattern`] when one of the patterns in `options` is not a regular expression.
    pub fn new(
        fs: Arc<dyn Fs>,
        space: Arc<dyn Space>,
        clock: Arc<dyn Clock>,
        options: &Options,
    ) -> Result<Self, Error> {
        Ok(Self {
            files: Files::new(fs, Utf8PathBuf::from(&options.root)),
            space,
            clock,
            patterns: options.compile()?,
            #[expect(clippy::cast_precision_loss, reason = "pages are a few KiB to a few MiB")]
            page_bytes: options.page_bytes as f64,
            state: State::default(),
        })
    }

    /// Reads everything once. Blocks on file reads, for milliseconds on an ordinary machine and for
    /// as long as `statvfs` does on a mount whose server is gone: call it where blocking is allowed.
    pub fn collect(&self) -> Families {
        let mut families = Families::default();
        for (name, collect) in COLLECTORS {
            let before = self.clock.monotonic();
            let mut rows = Families::default();
            let outcome = collect(&self.context(), &mut rows);
            let seconds = self.clock.monotonic().saturating_sub(before).as_secs_f64();
            // As node_exporter does, what was read before a failure is still handed out.
            families.merge(rows);
            families
                .gauge("node_scrape_collector_duration_seconds", "Time that a collector took.")
                .row(&[("collector", name)], seconds);
            families
                .gauge("node_scrape_collector_success", "Whether a collector found its data.")
                .row(&[("collector", name)], f64::from(u8::from(outcome.is_ok())));
        }
        families
    }

    /// Runs one collector by its name and returns its rows, for tests and for `doctor`.
    ///
    /// # Errors
    /// [`Error::UnknownCollector`], or what stopped the collector.
    pub fn collect_one(&self, name: &str) -> Result<Families, Error> {
        let (_, collect) = COLLECTORS
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| Error::UnknownCollector { name: name.to_owned() })?;
        let mut families = Families::default();
        collect(&self.context(), &mut families)?;
        Ok(families)
    }

    fn context(&self) -> Context<'_> {
        Context {
            files: &self.files,
            space: &*self.space,
            clock: &*self.clock,
            now: self.clock.now(),
            patterns: &self.patterns,
            page_bytes: self.page_bytes,
            state: &self.state,
        }
    }
}

#[cfg(test)]
mod tests;
