//! The items API as the stack sees it: scraped as a ServiceMonitor would have it, its output
//! collected with the labels of a container.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use masthead_model::Labels;
use masthead_scrape::{PromConfig, ScrapeConfig};
use masthead_tail::LineSource;
use tokio::sync::mpsc;

use crate::{
    child::{Line, Stream},
    stack::{Stack, collecting::node_name},
    tasks::{Task, Tasks},
};

/// Where the demo's API would run in a cluster.
pub(super) const NAMESPACE: &str = "devops-demo";
const APP: &str = "api";
const POD: &str = "api-0";
/// Lines between the collector and the screen.
const LINES_QUEUED_MAX: usize = 64;

/// The ways in of both outputs.
#[derive(Debug, Clone)]
pub(super) struct Pipes {
    stdout: LineSource,
    stderr: LineSource,
}

impl Pipes {
    /// Opens them at the stack.
    ///
    /// # Errors
    /// The machine has no thread left.
    pub(super) fn open(stack: &Stack) -> anyhow::Result<Self> {
        let job = format!("{NAMESPACE}/{APP}");
        let node = node_name();
        let labels = |stream: &str| -> Labels {
            let names = ["namespace", "app", "pod", "container", "stream", "job", "node_name"];
            names.into_iter().zip([NAMESPACE, APP, POD, APP, stream, &job, &node]).collect()
        };
        let of = vec![(job.as_str(), labels("stdout")), (job.as_str(), labels("stderr"))];
        match <[LineSource; 2]>::try_from(stack.pipes(of)?) {
            Ok([stdout, stderr]) => Ok(Self { stdout, stderr }),
            Err(_) => anyhow::bail!("BUG: two pipes were asked for"),
        }
    }

    /// Hands every line to the collector, which may make the API wait, and then on.
    pub(super) fn collect(
        self,
        mut lines: mpsc::Receiver<Line>,
        tasks: &Tasks,
    ) -> (Task, mpsc::Receiver<Line>) {
        let (sender, receiver) = mpsc::channel(LINES_QUEUED_MAX);
        let task = tasks.spawn("collect the API's lines", async move {
            while let Some(line) = lines.recv().await {
                let pipe = match line.stream {
                    Stream::Stdout => &self.stdout,
                    Stream::Stderr => &self.stderr,
                };
                // Either end may be gone when the demo ends; the other still wants the line.
                let collected = pipe.send(line.text.as_bytes()).await.is_ok();
                if sender.send(line).await.is_err() && !collected {
                    return;
                }
            }
        });
        (task, receiver)
    }
}

/// The job that scrapes the API's metrics, with the labels that a ServiceMonitor would give.
pub(super) fn job(metrics: SocketAddr, every: Duration) -> anyhow::Result<Arc<ScrapeConfig>> {
    let millis = every.as_millis().max(1);
    let text = format!(
        "scrape_configs:\n- job_name: {APP}\n  scrape_interval: {millis}ms\n  scrape_timeout: {millis}ms\n  \
         static_configs:\n  - targets: ['{metrics}']\n    \
         labels: {{namespace: {NAMESPACE}, service: {APP}, pod: {POD}, container: {APP}, endpoint: metrics}}\n"
    );
    let jobs = PromConfig::parse(&text)?.scrape_configs;
    jobs.into_iter().next().ok_or_else(|| anyhow::anyhow!("BUG: one job was written"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_job_is_one_that_the_scraper_takes() {
        let job = job("127.0.0.1:9464".parse().unwrap(), Duration::from_secs(5)).unwrap();
        assert_eq!((job.job_name.as_str(), job.scrape_interval.as_secs()), ("api", 5));
    }
}
