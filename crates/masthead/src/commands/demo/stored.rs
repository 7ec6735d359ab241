//! What the stores have of the demo, asked over the same HTTP APIs as anyone asks.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use http::Request;
use http_body_util::Full;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{check::Verdict, observed::NAMESPACE};
use crate::client::Client;

/// Between two questions while the stores catch up.
const ASK_EVERY: Duration = Duration::from_millis(100);
/// How long lines may be on their way, and samples beyond the time of a scrape.
const CATCH_UP_TIME_MAX: Duration = Duration::from_secs(10);

/// The number that a query comes to; nothing when it has no answer.
async fn number(client: &Client, base: &str, query: &str) -> anyhow::Result<Option<f64>> {
    let form = form_urlencoded::Serializer::new(String::new()).append_pair("query", query).finish();
    let url = format!("{base}/query?{form}");
    let answer = client.send(Request::get(&url).body(Full::default())?).await;
    let answer = answer.with_context(|| format!("cannot ask {url}"))?;
    anyhow::ensure!(answer.status.is_success(), "{url} answered {}", answer.status);
    let value: Value = serde_json::from_slice(&answer.body)?;
    let text = value.pointer("/data/result/0/value/1").and_then(Value::as_str);
    Ok(text.and_then(|text| text.parse().ok()))
}

/// Asks until the answer is `wanted` or more, or it is too late; the last answer.
async fn reaches(client: &Client, base: &str, query: &str, wanted: f64, time: Duration) -> f64 {
    let deadline = Instant::now() + time;
    loop {
        let now = number(client, base, query).await.ok().flatten().unwrap_or_default();
        if now >= wanted || Instant::now() >= deadline {
            return now;
        }
        sleep(ASK_EVERY).await;
    }
}

/// Whether the store of metrics has the counter where the API itself shows it.
pub(super) async fn metrics(
    client: &Client,
    at: SocketAddr,
    api_metrics: SocketAddr,
    shown: Option<f64>,
    every: Duration,
) -> Verdict {
    let Some(shown) = shown else {
        return Verdict { good: false, text: "nothing to compare the stored metrics with".into() };
    };
    let query =
        format!("sum(http_requests_total{{namespace=\"{NAMESPACE}\",instance=\"{api_metrics}\"}})");
    let time = every * 2 + CATCH_UP_TIME_MAX;
    let stored = reaches(client, &format!("http://{at}/api/v1"), &query, shown, time).await;
    #[expect(clippy::float_cmp, reason = "both are counts")]
    let good = stored == shown;
    Verdict { good, text: format!("PromQL counts {stored} requests, the API itself {shown}") }
}

/// Whether the store of logs has the lines of the demo's requests.
pub(super) async fn logs(
    client: &Client,
    at: SocketAddr,
    id_prefix: &str,
    seen: u64,
    since: Duration,
) -> Verdict {
    let query = format!(
        "sum(count_over_time({{namespace=\"{NAMESPACE}\",app=\"api\"}} | json | status!=\"\" | duration_ms!=\"\" | request_id=~\"{id_prefix}.*\" [{}s]))",
        since.as_secs() + 60
    );
    #[expect(clippy::cast_precision_loss, reason = "counts of one demo are far below 2^53")]
    let wanted = seen as f64;
    let base = format!("http://{at}/loki/api/v1");
    let stored = reaches(client, &base, &query, wanted, CATCH_UP_TIME_MAX).await;
    #[expect(clippy::float_cmp, reason = "both are counts")]
    let good = stored == wanted;
    Verdict { good, text: format!("LogQL counts {stored} request lines, the API wrote {seen}") }
}
