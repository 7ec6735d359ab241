//! What the demo says first: where everything is, and what to try.

use super::service::{Addresses, Data};

/// The whole text, several lines; each `curl` line can be pasted into a shell as it is.
pub(super) fn text(at: &Addresses, data: &Data, rate: f64, seed: u32) -> String {
    let Addresses { api, metrics } = at;
    let kept = match data {
        Data::Kept(_) => "kept",
        Data::Temporary(_) => "removed at the end; keep it with --data DIR",
    };
    format!(
        "\
Masthead {version} demo: an items API under light traffic

  API       http://{api}/items
  Docs      http://{api}/docs
  Metrics   http://{metrics}/metrics
  Data      {data} ({kept})
  Traffic   {rate} requests/s on average, seed {seed}

Try in another terminal:
  curl http://{api}/items
  curl -i http://{api}/items --json '{{\"name\": \"Anchor\", \"price\": \"19.90\"}}'
  curl -i http://{api}/items/none -H 'X-Request-Id: look-for-me'
  curl http://{metrics}/metrics

Ctrl-C ends the demo. Below: the API's log (times in UTC), and summaries of its metrics.
",
        version = env!("CARGO_PKG_VERSION"),
        data = data.path().display(),
    )
}
