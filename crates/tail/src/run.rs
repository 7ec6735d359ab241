//! The thread that takes the collector's steps.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::{Collector, Error, Step};

/// Between two looks whether a collector that drains is done.
const DRAIN_LOOK_EVERY: Duration = Duration::from_millis(5);

/// A collector at work; it stops when this is dropped.
#[derive(Debug)]
pub struct Running {
    stop: Arc<AtomicBool>,
    drain: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Collector {
    /// Lets a thread of its own take the steps.
    ///
    /// # Errors
    /// [`Error::Thread`].
    pub fn start(mut self) -> Result<Running, Error> {
        let (stop, drain) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let (stopping, draining) = (Arc::clone(&stop), Arc::clone(&drain));
        let wake = self.wake_handle();
        let work = move || {
            while !stopping.load(Ordering::Acquire) {
                let last = draining.load(Ordering::Acquire);
                match self.step() {
                    Step::Busy => {}
                    // An idle step has taken every line that was sent before it.
                    Step::Idle(_) if last => break,
                    // Woken early by a line from a pipe, or to stop.
                    Step::Idle(pause) | Step::Blocked(pause) => thread::park_timeout(pause),
                }
            }
            self.finish();
        };
        let thread =
            thread::Builder::new().name("collector".into()).spawn(work).map_err(Error::Thread)?;
        *wake.lock() = Some(thread.thread().clone());
        Ok(Running { stop, drain, thread: Some(thread) })
    }
}

impl Running {
    /// Ends after the step that is being taken. What was read and not taken by the sink is read
    /// again by the next collector.
    pub fn stop(mut self) {
        self.end();
    }

    /// Ends once the sink has every line that was sent until now, or after `time_max` at the latest.
    pub fn drain(mut self, time_max: Duration) {
        self.drain.store(true, Ordering::Release);
        if let Some(thread) = &self.thread {
            let looks = time_max.as_millis() / DRAIN_LOOK_EVERY.as_millis();
            for _ in 0..=looks {
                if thread.is_finished() {
                    break;
                }
                thread.thread().unpark();
                thread::park_timeout(DRAIN_LOOK_EVERY);
            }
        }
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
