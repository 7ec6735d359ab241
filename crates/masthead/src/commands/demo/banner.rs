//! What the demo says first: where everything is, and what to try.

use std::net::SocketAddr;

use super::service::{Addresses, Data};

/// The whole text, several lines; each line to try can be pasted into a shell as it is, because
/// `program` is how this one was called.
pub(super) fn text(
    program: &str,
    at: SocketAddr,
    api: &Addresses,
    data: &Data,
    rate: f64,
    seed: u32,
) -> String {
    let Addresses { api, metrics } = api;
    let kept = match data {
        Data::Kept(_) => "kept",
        Data::Temporary(_) => "removed at the end; keep it with --data DIR",
    };
    format!(
        "\
Masthead {version} demo: an items API under light traffic, and the stack that watches it

  Dashboards  http://{at}
  API         http://{api}/items
  Docs        http://{api}/docs
  Metrics     http://{metrics}/metrics
  Data        {data} ({kept})
  Traffic     {rate} requests/s on average, seed {seed}

Click first:
  http://{at}/d/api-overview   requests, errors and latency of the API, as they come
  http://{at}/d/api-logs       its log lines; click a request_id for all lines of one request
  http://{at}/d/host           this machine

Try in another terminal:
  {program} logs '{{app=\"api\"}} | json | level=\"ERROR\"' --url http://{at}
  {program} query 'sum by (status) (rate(http_requests_total[1m]))' --url http://{at}
  curl -i http://{api}/items/none -H 'X-Request-Id: look-for-me'
  {program} doctor http://{at}
  curl -i http://{api}/items --json '{{\"name\": \"Anchor\", \"price\": \"19.90\"}}'

Ctrl-C ends all of it. Below: the API's log (times in UTC), and summaries of its metrics.
",
        version = env!("CARGO_PKG_VERSION"),
        data = data.path().display(),
    )
}
