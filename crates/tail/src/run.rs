//! The thread that takes the collector's steps.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use crate::{Collector, Error, Step};

/// A collector at work; it stops when this is dropped.
#[derive(Debug)]
pub struct Running {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Collector {
    /// Lets a thread of its own take the steps.
    ///
    /// # Errors
    /// [`Error::Thread`].
    pub fn start(mut self) -> Result<Running, Error> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let wake = self.wake_handle();
        let work = move || {
            while !stopping.load(Ordering::Acquire) {
                match self.step() {
                    Step::Busy => {}
                    // Woken early by a line from a pipe, or to stop.
                    Step::Idle(pause) | Step::Blocked(pause) => thread::park_timeout(pause),
                }
            }
            self.finish();
        };
        let thread =
            thread::Builder::new().name("collector".into()).spawn(work).map_err(Error::Thread)?;
        *wake.lock() = Some(thread.thread().clone());
        Ok(Running { stop, thread: Some(thread) })
    }
}

impl Running {
    /// Ends after the step that is being taken. What was read and not taken by the sink is read
    /// again by the next collector.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("The thread that collects had panicked.");
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}
