//! The threads that keep the stores up: syncing, writing, merging, deleting what is too old.
//!
//! Syncing a journal has a thread of its own, because a merge takes seconds and the promise of
//! `--storage.sync-interval` does not wait for it.

use std::{
    fmt::Display,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Between two lines about the same trouble.
const COMPLAIN_EVERY: u32 = 60;

/// The threads; they end when this is stopped or dropped.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Upkeep {
    /// Starts a thread that does `work` again and again.
    ///
    /// # Errors
    /// The machine has no thread left.
    pub(super) fn spawn<E: Display>(
        &mut self,
        name: &'static str,
        every: Duration,
        work: impl Fn() -> Result<(), E> + Send + 'static,
    ) -> anyhow::Result<()> {
        let stop = Arc::clone(&self.stop);
        let run = move || {
            let mut complaints = 0_u32;
            while !stop.load(Ordering::Relaxed) {
                match work() {
                    Ok(()) => complaints = 0,
                    Err(error) => {
                        if complaints.is_multiple_of(COMPLAIN_EVERY) {
                            tracing::error!(thread = name, %error, "Upkeep of the store failed; it is tried again.");
                        }
                        complaints = complaints.saturating_add(1);
                    }
                }
                // Woken early, it finds that it is to stop.
                thread::park_timeout(every);
            }
        };
        self.threads.push(thread::Builder::new().name(name.to_owned()).spawn(run)?);
        Ok(())
    }

    /// Ends the threads after what they are doing.
    pub(super) fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in &self.threads {
            thread.thread().unpark();
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("A thread that keeps up a store had panicked.");
            }
        }
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.end();
    }
}
