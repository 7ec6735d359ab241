//! Places for work that costs: so many at once, so many waiting, and the wait is bounded.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A number of places and a number of requests that may wait for one.
#[derive(Debug)]
pub(crate) struct Lane {
    places: Arc<Semaphore>,
    size: usize,
    queue: usize,
    waiting: AtomicUsize,
}

/// A place that was taken; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// As many wait as may.
    Full,
    /// The time to wait is over.
    Waited,
}

impl Lane {
    pub(crate) fn new(size: usize, queue: usize) -> Self {
        // The semaphore's own limit is far above any sensible setting.
        let size = size.clamp(1, Semaphore::MAX_PERMITS);
        Self { places: Arc::new(Semaphore::new(size)), size, queue, waiting: AtomicUsize::new(0) }
    }

    /// Takes a place, first come first served, after waiting for at most `patience`.
    pub(crate) async fn enter(&self, patience: Duration) -> Result<Place, Refused> {
        if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(Place { _permit: permit });
        }
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.queue {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Refused::Full);
        }
        // Counted down also when the client goes away while it waits.
        let _waiting = Waiting(&self.waiting);
        let permit = tokio::time::timeout(patience, Arc::clone(&self.places).acquire_owned());
        match permit.await {
            Ok(Ok(permit)) => Ok(Place { _permit: permit }),
            // Nothing ever closes the semaphore.
            Ok(Err(_)) | Err(_) => Err(Refused::Waited),
        }
    }

    /// Places that are taken now.
    pub(crate) fn running(&self) -> usize {
        self.size - self.places.available_permits().min(self.size)
    }

    /// Requests that wait now.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(5);

    #[tokio::test]
    async fn places_then_a_queue_then_refusal() {
        let lane = Arc::new(Lane::new(1, 1));
        let first = lane.enter(SHORT).await.expect("a free place");
        assert_eq!((lane.running(), lane.waiting()), (1, 0));
        let other = Arc::clone(&lane);
        let second = async move { other.enter(Duration::from_secs(9)).await };
        let mut second = Box::pin(second);
        assert!(tokio::time::timeout(SHORT, &mut second).await.is_err(), "waits");
        assert_eq!(lane.waiting(), 1);
        assert_eq!(lane.enter(SHORT).await.expect_err("full"), Refused::Full);
        drop(first);
        let second = second.await.expect("got the place");
        assert_eq!((lane.running(), lane.waiting()), (1, 0));
        assert_eq!(lane.enter(SHORT).await.expect_err("waited"), Refused::Waited);
        assert_eq!(lane.waiting(), 0);
        drop(second);
        assert_eq!(lane.running(), 0);
    }

    #[tokio::test]
    async fn who_leaves_the_queue_is_not_counted_any_more() {
        let lane = Lane::new(1, 1);
        let _first = lane.enter(SHORT).await.expect("a free place");
        let waiting = lane.enter(Duration::from_secs(9));
        assert!(tokio::time::timeout(SHORT, waiting).await.is_err());
        assert_eq!(lane.waiting(), 0);
    }
}
