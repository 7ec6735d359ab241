//! The one place that starts background tasks.
//!
//! A task that panics is never lost: its name and message reach [`Tasks::failed`], which the
//! command waits on beside its other events and answers by an orderly end. A task never outlives
//! its handle.

#![expect(clippy::disallowed_methods, reason = "this is the supervised spawn that the ban names")]

use std::{any::Any, panic::AssertUnwindSafe};

use futures::FutureExt as _;
use tokio::{sync::watch, task::JoinHandle};

/// Starts tasks and hears of their panics. Clones share one record of failure.
#[derive(Clone, Debug)]
pub(crate) struct Tasks {
    failure: watch::Sender<Option<String>>,
}

/// A running task; dropping it ends the task at its next await.
#[derive(Debug)]
#[must_use = "dropping the handle ends the task"]
pub(crate) struct Task(JoinHandle<()>);

impl Tasks {
    pub(crate) fn new() -> Self {
        Self { failure: watch::Sender::new(None) }
    }

    /// Runs `future` beside the caller until it is done or its handle is dropped.
    pub(crate) fn spawn(
        &self,
        name: &'static str,
        future: impl Future<Output = ()> + Send + 'static,
    ) -> Task {
        let failure = self.failure.clone();
        Task(tokio::spawn(async move {
            if let Err(panic) = AssertUnwindSafe(future).catch_unwind().await {
                failure.send_replace(Some(format!("task {name} panicked: {}", message(&*panic))));
            }
        }))
    }

    /// Waits until a task has panicked and says which and how; pends for ever otherwise.
    pub(crate) async fn failed(&self) -> anyhow::Error {
        let mut failure = self.failure.subscribe();
        // `self` holds the sender, so the channel cannot be closed while this waits.
        let found = failure.wait_for(Option::is_some).await.ok().and_then(|text| text.clone());
        anyhow::Error::msg(found.unwrap_or_default())
    }
}

impl Task {
    /// Waits until the task is done.
    pub(crate) async fn done(mut self) {
        // An error here is a panic, which `Tasks::failed` reports.
        drop((&mut self.0).await);
    }

    /// Ends the task at its next await and waits until it is gone. Not to be called on a thread of
    /// the runtime that serves.
    pub(crate) fn cancel(mut self) {
        self.0.abort();
        // An error is the cancellation.
        drop(tokio::runtime::Handle::current().block_on(&mut self.0));
    }
}

impl Task {
    /// Ends the task at its next await, and waits for that.
    pub(crate) async fn end(self) {
        self.0.abort();
        self.done().await;
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_reported_with_the_name_of_its_task() {
        let tasks = Tasks::new();
        let quiet = tasks.spawn("quiet", async {});
        quiet.done().await;
        assert!(tokio::time::timeout(Duration::from_millis(20), tasks.failed()).await.is_err());
        let _loud = tasks.spawn("loud", async { panic!("over {}", "board") });
        assert_eq!(tasks.failed().await.to_string(), "task loud panicked: over board");
    }

    #[tokio::test]
    async fn a_task_ends_with_its_handle() {
        let (sender, mut receiver) = tokio::sync::mpsc::channel::<()>(1);
        let task = Tasks::new().spawn("waits", async move {
            std::future::pending::<()>().await;
            drop(sender);
        });
        drop(task);
        let closed = tokio::time::timeout(Duration::from_secs(5), receiver.recv()).await;
        assert_eq!(closed, Ok(None));
    }
}
