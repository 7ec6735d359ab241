//! The server's own metrics: what the store and the API count, read when they are scraped.
//!
//! Each is one line of a table here; `docs/reference/masthead-metrics.md` is made from a live server.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use masthead_forward::{Stats as ClientStats, remote_write::Stats as RemoteStats};
use masthead_http_api::{ApiStats, Auth, AuthStats, LokiApi, LokiStats, PrometheusApi};
use masthead_instrument::Telemetry;
use masthead_logdb::{Logdb, Stats as LogStats};
use masthead_scrape::Stats as ScrapeStats;
use masthead_tail::{CustomMetric, CustomValue, Stats as CollectStats};
use masthead_tsdb::{Stats, Tsdb, Upkeep};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _, MetricEncoder},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

use super::{
    api::Api, collecting::Collecting, connections::ConnectionStats, own_log::OwnLogStats,
    remotes::Remotes,
};

/// Shows the numbers of the store and the API at `/metrics`.
pub(super) fn register(
    telemetry: &Telemetry,
    store: &Arc<Tsdb>,
    logs: &Arc<Logdb>,
    (api, connections): (&Api, Arc<ConnectionStats>),
    moved: Moved,
) {
    let collector = Numbers {
        store: Arc::clone(store),
        logs: Arc::clone(logs),
        api: api.prometheus.clone(),
        auth: api.auth.clone(),
        connections,
        loki: api.loki.clone(),
    };
    telemetry.register(|registry| {
        registry.register_collector(Box::new(collector));
        registry.register_collector(Box::new(moved));
    });
}

#[derive(Debug)]
struct Numbers {
    store: Arc<Tsdb>,
    logs: Arc<Logdb>,
    api: PrometheusApi,
    auth: Auth,
    connections: Arc<ConnectionStats>,
    loki: LokiApi,
}

/// What brings samples and lines, and what takes them elsewhere: all that a process without stores
/// has to show.
#[derive(Debug)]
pub(crate) struct Moved {
    pub scrape: Arc<ScrapeStats>,
    pub collect: Arc<Collecting>,
    pub remotes: Arc<Remotes>,
    pub own_log: Arc<OwnLogStats>,
}

/// Name, meaning, number. Counters have no `_total` here: the exposition adds it.
type Row<S> = (&'static str, &'static str, MetricType, fn(&S) -> u64);

const C: MetricType = MetricType::Counter;
const G: MetricType = MetricType::Gauge;

/// Of both stores, each after its own prefix.
#[rustfmt::skip]
const UPKEEP: &[Row<Upkeep>] = &[
    ("append_failures", "Batches that could not be written to the journal.", C, |s| s.append_failures_total),
    ("journal_bytes", "Bytes of the journal.", G, |s| s.journal_bytes),
    ("journal_torn_bytes", "Bytes of a write that was cut short, which the start found and cut.", G, |s| s.journal_torn_bytes),
    ("journal_damages", "Places of damage that the start found in the journal.", G, |s| s.journal_damages),
    ("blocks", "Blocks that answer.", G, |s| s.blocks),
    ("blocks_damaged", "Blocks that answer in part.", G, |s| s.blocks_damaged),
    ("blocks_corrupt", "Blocks set aside for damage.", G, |s| s.blocks_corrupt),
    ("block_bytes", "Bytes of the blocks that answer.", G, |s| s.block_bytes),
    ("flushes", "Blocks written from memory.", C, |s| s.flushes_total),
    ("merges", "Blocks written from other blocks.", C, |s| s.merges_total),
    ("retention_deleted_blocks", "Blocks deleted by retention.", C, |s| s.retention_deleted_total),
    ("last_flush_success_timestamp_seconds", "When memory was last written to a block, or found to have nothing due.", G, |s| s.last_flush_success_ms / 1000),
    ("last_merge_success_timestamp_seconds", "When blocks were last merged, or found to have nothing due.", G, |s| s.last_merge_success_ms / 1000),
    ("last_retention_success_timestamp_seconds", "When retention last looked.", G, |s| s.last_retention_success_ms / 1000),
];

#[rustfmt::skip]
const STORE: &[Row<Stats>] = &[
    ("masthead_tsdb_head_series", "Series that can be written to without making them.", G, |s| s.series),
    ("masthead_tsdb_samples_appended", "Samples that were taken.", C, |s| s.samples_appended_total),
    ("masthead_tsdb_samples_duplicate", "Samples that were there already.", C, |s| s.samples_duplicate_total),
    ("masthead_tsdb_exemplars", "Exemplars in memory.", G, |s| s.exemplars),
    ("masthead_tsdb_exemplars_rejected", "Exemplars that were refused: older than the newest of their series, too long, or of a series that is not there.", C, |s| s.exemplars_rejected_total),
    ("masthead_tsdb_head_file_bytes", "Bytes of the file that memory was last written to for a quick start.", G, |s| s.head_bytes),
    ("masthead_tsdb_checkpoints", "Files written from memory for a quick start.", C, |s| s.checkpoints_total),
    ("masthead_tsdb_last_checkpoint_success_timestamp_seconds", "When memory was last written to such a file, or zero.", G, |s| s.last_checkpoint_success_ms / 1000),
    ("masthead_tsdb_block_samples", "Samples in blocks.", G, |s| s.block_samples),
];

#[rustfmt::skip]
const LOGS: &[Row<LogStats>] = &[
    ("masthead_logs_streams", "Streams with lines in memory.", G, |s| s.streams),
    ("masthead_logs_buffered_lines", "Lines that no block holds yet.", G, |s| s.buffered_lines),
    ("masthead_logs_buffered_bytes", "Bytes of those lines, as pushed.", G, |s| s.buffered_bytes),
    ("masthead_logs_lines_appended", "Lines that were taken.", C, |s| s.lines_appended_total),
    ("masthead_logs_bytes_appended", "Bytes of lines that were taken.", C, |s| s.bytes_appended_total),
    ("masthead_logs_lines_duplicate", "Lines that were there already.", C, |s| s.lines_duplicate_total),
    ("masthead_logs_out_of_space", "1 while lines are refused because the file system is nearly full.", G, |s| u64::from(s.out_of_space)),
    ("masthead_logs_deletions", "Deletions that wait for blocks to be rewritten.", G, |s| s.deletions),
    ("masthead_logs_readers", "Readers of files whose progress is kept.", G, |s| s.progress),
    ("masthead_logs_block_lines", "Lines in blocks.", G, |s| s.block_lines),
    ("masthead_logs_block_raw_bytes", "Bytes of the lines in blocks, as pushed.", G, |s| s.block_raw_bytes),
];

#[rustfmt::skip]
const LOKI: &[Row<LokiStats>] = &[
    ("masthead_http_api_lines_accepted", "Pushed lines that were taken.", C, |s| s.lines_accepted),
    ("masthead_http_api_log_followers", "Connections that follow lines.", G, |s| s.followers),
    ("masthead_http_api_log_lines_missed", "Lines that followers missed because they read too slowly.", C, |s| s.lines_missed),
];

#[rustfmt::skip]
const API: &[Row<ApiStats>] = &[
    ("masthead_http_api_queries_running", "Queries that are being answered.", G, |s| s.queries_running),
    ("masthead_http_api_queries_waiting", "Queries that wait for a place.", G, |s| s.queries_waiting),
    ("masthead_http_api_rejected_full", "Requests refused because too many ran and waited.", C, |s| s.rejected_full),
    ("masthead_http_api_abandoned", "Requests whose client went away.", C, |s| s.abandoned),
    ("masthead_http_api_streamed_bytes", "Bytes of answers, after compression.", C, |s| s.streamed_bytes),
    ("masthead_http_api_upload_bytes", "Bytes of request bodies held now.", G, |s| s.upload_bytes),
    ("masthead_http_api_samples_accepted", "Samples taken by remote write and OTLP.", C, |s| s.samples_accepted),
    ("masthead_http_api_samples_refused", "Samples refused by remote write and OTLP.", C, |s| s.samples_refused),
    ("masthead_http_api_exemplars_refused", "Exemplars refused by remote write and OTLP.", C, |s| s.exemplars_refused),
    ("masthead_http_api_panics", "Requests that ended in a panic; each is a bug.", C, |s| s.panics),
];

#[rustfmt::skip]
const CONNECTIONS: &[Row<ConnectionStats>] = &[
    ("masthead_connections_open", "Connections that are open.", G, |s| s.open.load(Relaxed)),
    ("masthead_connections_accepted", "Connections that were let in.", C, |s| s.accepted.load(Relaxed)),
    ("masthead_connections_refused", "Connections refused because as many were open as may.", C, |s| s.refused.load(Relaxed)),
    ("masthead_connections_handshakes_failed", "Connections whose TLS handshake failed or took too long.", C, |s| s.handshakes_failed.load(Relaxed)),
];

#[rustfmt::skip]
const AUTH: &[Row<AuthStats>] = &[
    ("masthead_auth_sessions", "Sessions of browsers.", G, |s| s.sessions),
    ("masthead_auth_logins", "Browsers that logged in.", C, |s| s.logins),
    ("masthead_auth_passwords_hashed", "Passwords that were hashed to be compared.", C, |s| s.hashed),
    ("masthead_auth_wrong_passwords", "Passwords that were wrong.", C, |s| s.wrong_passwords),
    ("masthead_auth_too_many", "Requests refused after too many wrong passwords.", C, |s| s.too_many),
    ("masthead_auth_unauthenticated", "Requests refused for missing or wrong credentials.", C, |s| s.unauthenticated),
    ("masthead_auth_forbidden", "Requests refused because credentials were not enough, or for where they came from.", C, |s| s.forbidden),
];

#[rustfmt::skip]
const COLLECT: &[Row<CollectStats>] = &[
    ("masthead_tail_bytes_read", "Bytes read from files and pipes.", C, |s| s.bytes_read.get()),
    ("masthead_tail_lines_read", "Lines read, before any stage.", C, |s| s.lines_read.get()),
    ("masthead_tail_lines_sent", "Collected lines that the store took.", C, |s| s.lines_sent.get()),
    ("masthead_tail_lines_duplicate", "Collected lines that were in the store already.", C, |s| s.lines_duplicate.get()),
    ("masthead_tail_lines_cut", "Lines of which a part is missing, because of the limit on their length.", C, |s| s.lines_cut.get()),
    ("masthead_tail_partial_lines_cut", "Groups of lines that went on unfinished, because of a limit on what is held back.", C, |s| s.partial_lines_cut.get()),
    ("masthead_tail_append_failures", "Batches that the store refused; reading waits, and they are sent again.", C, |s| s.appends_failed.get()),
    ("masthead_tail_rotations", "Files that got the name of one that was followed.", C, |s| s.rotations.get()),
    ("masthead_tail_truncations", "Files that were emptied.", C, |s| s.truncations.get()),
    ("masthead_tail_rotated_gone", "Rotated files that were gone before it was known that they were read to their end.", C, |s| s.rotated_gone.get()),
    ("masthead_tail_compressed_skipped", "Compressed files that a pattern named.", C, |s| s.compressed_skipped.get()),
    ("masthead_tail_file_errors", "Files that could not be looked at or read.", C, |s| s.file_errors.get()),
    ("masthead_tail_files_over_limit", "Files that a limit kept from being followed.", C, |s| s.files_over_limit.get()),
    ("masthead_tail_files", "Files that are followed.", G, |s| s.files.get()),
    ("masthead_tail_files_open", "Files that are open.", G, |s| s.files_open.get()),
    ("masthead_tail_last_append_success_timestamp_seconds", "When the store last took collected lines.", G, |s| s.last_append_ms.get() / 1000),
];

#[rustfmt::skip]
const OWN_LOG: &[Row<OwnLogStats>] = &[
    ("masthead_self_log_lines", "Lines of Masthead's own log that were queued for the store or the clients.", C, |s| s.lines.load(Relaxed)),
    ("masthead_self_log_lines_dropped", "Lines of its own log that went to stdout alone because the queue was full: more than 4,096 lines or 4 MiB waited.", C, |s| s.dropped.load(Relaxed)),
    ("masthead_self_log_queued_lines", "Lines of its own log that wait.", G, |s| s.queued_lines.load(Relaxed)),
    ("masthead_self_log_queued_bytes", "Bytes of these lines.", G, |s| s.queued_bytes.load(Relaxed)),
];

#[rustfmt::skip]
const CLIENT: &[Row<ClientStats>] = &[
    ("masthead_forward_lines_journaled", "Lines that wait or waited for a client, by client.", C, |s| s.lines_journaled.get()),
    ("masthead_forward_lines_sent", "Lines that a client took, by client.", C, |s| s.lines_sent.get()),
    ("masthead_forward_pushes", "Pushes that a client took, by client.", C, |s| s.pushes.get()),
    ("masthead_forward_push_failures", "Pushes that failed and were tried again, by client.", C, |s| s.pushes_failed.get()),
    ("masthead_forward_sent_bytes", "Bytes pushed, compressed, by client.", C, |s| s.bytes_sent.get()),
    ("masthead_forward_journal_bytes", "Bytes of the journal of a client, by client.", G, |s| s.journal_bytes.get()),
    ("masthead_forward_last_push_success_timestamp_seconds", "When a client last took a push, by client.", G, |s| s.last_push_ms.get() / 1000),
];

#[rustfmt::skip]
const REMOTE: &[Row<RemoteStats>] = &[
    ("masthead_remote_write_samples_journaled", "Samples that wait or waited for a remote end, by remote.", C, |s| s.samples_journaled.get()),
    ("masthead_remote_write_samples_sent", "Samples that a remote end took, by remote.", C, |s| s.samples_sent.get()),
    ("masthead_remote_write_samples_refused_partly", "Samples of those that the remote end says it did not keep, by remote.", C, |s| s.samples_refused_partly.get()),
    ("masthead_remote_write_exemplars_lost", "Exemplars that were not sent because they came without a sample of their series, by remote.", C, |s| s.exemplars_lost.get()),
    ("masthead_remote_write_samples_waiting", "Samples in the journal that are not sent yet, by remote.", G, |s| s.samples_waiting.get()),
    ("masthead_remote_write_metadata_sent", "Descriptions of metric families that were sent, by remote.", C, |s| s.metadata_sent.get()),
    ("masthead_remote_write_requests", "Requests that a remote end took, by remote.", C, |s| s.requests.get()),
    ("masthead_remote_write_request_failures", "Requests that failed and were tried again, by remote.", C, |s| s.requests_failed.get()),
    ("masthead_remote_write_sent_bytes", "Bytes sent, compressed, by remote.", C, |s| s.bytes_sent.get()),
    ("masthead_remote_write_shards", "Shards that sent beside each other the last time, by remote.", G, |s| s.shards.get()),
    ("masthead_remote_write_journal_bytes", "Bytes of the journal of a remote end, by remote.", G, |s| s.journal_bytes.get()),
    ("masthead_remote_write_last_request_success_timestamp_seconds", "When a remote end last took a request, by remote.", G, |s| s.last_request_ms.get() / 1000),
    ("masthead_remote_write_newest_journaled_timestamp_seconds", "The time of the newest sample in the journal, by remote.", G, |s| s.newest_journaled_ms.get() / 1000),
    ("masthead_remote_write_newest_sent_timestamp_seconds", "The time of the newest sample that a remote end took, by remote.", G, |s| s.newest_sent_ms.get() / 1000),
];

#[rustfmt::skip]
const SCRAPE: &[Row<ScrapeStats>] = &[
    ("masthead_scrape_scrapes", "Scrapes that were begun.", C, |s| s.scrapes.get()),
    ("masthead_scrape_failures", "Scrapes that failed.", C, |s| s.scrapes_failed.get()),
    ("masthead_scrape_samples_appended", "Samples that scrapes brought, reports and ends of series included.", C, |s| s.samples_appended.get()),
    ("masthead_scrape_samples_out_of_order", "Scraped samples refused as out of order.", C, |s| s.out_of_order.get()),
    ("masthead_scrape_samples_duplicate", "Scraped samples refused because their moment has another value.", C, |s| s.duplicates.get()),
    ("masthead_scrape_samples_out_of_bounds", "Scraped samples refused as too old or too new.", C, |s| s.out_of_bounds.get()),
    ("masthead_scrape_samples_rejected", "Scraped samples refused for another reason.", C, |s| s.rejected.get()),
    ("masthead_scrape_appends_failed", "Scrapes that the store refused as a whole.", C, |s| s.appends_failed.get()),
    ("masthead_scrape_exceeded_body_size", "Scrapes with a body over the limit.", C, |s| s.exceeded_body_size_limit.get()),
    ("masthead_scrape_exceeded_samples", "Scrapes with samples over the limit.", C, |s| s.exceeded_sample_limit.get()),
    ("masthead_scrape_exceeded_buckets", "Scrapes with a native histogram of too many buckets.", C, |s| s.exceeded_bucket_limit.get()),
    ("masthead_scrape_exceeded_labels", "Scrapes with labels over a limit.", C, |s| s.exceeded_label_limits.get()),
    ("masthead_scrape_exceeded_targets", "Jobs with targets over the limit.", C, |s| s.exceeded_target_limit.get()),
    ("masthead_scrape_sync_failures", "Targets that could not be made from what was discovered.", C, |s| s.sync_failed.get()),
];

impl Collector for Numbers {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let stats = self.store.stats();
        table(&mut encoder, STORE, &stats)?;
        upkeep(&mut encoder, "tsdb", &stats.upkeep)?;
        by_reason(&mut encoder, SAMPLES_REJECTED, &listed(&stats.samples_rejected_total))?;
        let stats = self.logs.stats();
        table(&mut encoder, LOGS, &stats)?;
        upkeep(&mut encoder, "logs", &stats.upkeep)?;
        by_reason(&mut encoder, LINES_REJECTED, &listed(&stats.lines_rejected_total))?;
        let stats = self.loki.stats();
        table(&mut encoder, LOKI, &stats)?;
        by_reason(&mut encoder, LINES_REFUSED, &listed(&stats.lines_refused))?;
        table(&mut encoder, API, &self.api.stats())?;
        table(&mut encoder, CONNECTIONS, &*self.connections)?;
        table(&mut encoder, AUTH, &self.auth.stats())
    }
}

impl Collector for Moved {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        table(&mut encoder, SCRAPE, &*self.scrape)?;
        table(&mut encoder, OWN_LOG, &*self.own_log)?;
        let remotes = self.remotes.counts();
        by_name(&mut encoder, REMOTE, "remote", &remotes)?;
        let lost = remotes.iter().map(|(name, stats)| (name, stats.lost_samples()));
        by_name_and_reason(&mut encoder, REMOTE_SAMPLES_LOST, "remote", lost)?;
        self.collected(&mut encoder)
    }
}

impl Moved {
    /// What the collectors and the clients count, and the metrics that the configuration makes.
    fn collected(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let counts = self.collect.counts();
        let stats = &counts.stats;
        table(encoder, COLLECT, &**stats)?;
        by_reason(encoder, LINES_DROPPED, &stats.dropped_lines())?;
        by_reason(encoder, LINES_LOST, &stats.rejected_lines())?;
        by_reason(encoder, LINES_UNPARSED, &stats.unparsed_lines())?;
        by_name(encoder, CLIENT, "client", &counts.clients)?;
        let lost = counts.clients.iter().map(|(name, stats)| (name, stats.dropped_lines()));
        by_name_and_reason(encoder, CLIENT_LINES_LOST, "client", lost)?;
        let Some((custom, clock)) = &counts.custom else { return Ok(()) };
        custom
            .collect(clock.monotonic())
            .iter()
            .try_for_each(|metric| custom_metric(encoder, metric))
    }
}

/// A metric of a `metrics` stage. A counter ends in `_total`, whatever it was called.
fn custom_metric(
    encoder: &mut DescriptorEncoder<'_>,
    metric: &CustomMetric,
) -> Result<(), fmt::Error> {
    let Some((_, first)) = metric.series.first() else { return Ok(()) };
    let (name, kind) = match first {
        CustomValue::Counter(_) => (metric.name.trim_end_matches("_total"), C),
        CustomValue::Gauge(_) => (metric.name.as_str(), G),
        CustomValue::Histogram { .. } => (metric.name.as_str(), MetricType::Histogram),
    };
    let mut family = encoder.encode_descriptor(name, &metric.help, None, kind)?;
    for (labels, value) in &metric.series {
        let labels: Vec<(&str, &str)> = labels.iter().map(|l| (l.name, l.value)).collect();
        let mut one = family.encode_family(&labels)?;
        match value {
            CustomValue::Counter(total) => ConstCounter::new(*total).encode(one)?,
            CustomValue::Gauge(now) => ConstGauge::new(*now).encode(one)?,
            CustomValue::Histogram { buckets, sum, count } => {
                one.encode_histogram::<[(&str, &str); 1]>(*sum, *count, buckets, None)?;
            }
        }
    }
    Ok(())
}

/// Name and meaning of what is counted by reason.
type ByReason = (&'static str, &'static str);

const SAMPLES_REJECTED: ByReason =
    ("masthead_tsdb_samples_rejected", "Samples that were refused, by reason.");
const LINES_REJECTED: ByReason =
    ("masthead_logs_lines_rejected", "Lines that the store refused, by reason.");
const LINES_DROPPED: ByReason =
    ("masthead_tail_lines_dropped", "Collected lines that a stage dropped, by reason.");
const LINES_LOST: ByReason =
    ("masthead_tail_lines_lost", "Collected lines that the store refused for good, by reason.");
const LINES_UNPARSED: ByReason = (
    "masthead_tail_lines_unparsed",
    "Collected lines that a stage could not parse, by stage in reason; they are kept as they are.",
);
const CLIENT_LINES_LOST: ByReason =
    ("masthead_forward_lines_lost", "Lines that never reached a client, by client and reason.");
const REMOTE_SAMPLES_LOST: ByReason = (
    "masthead_remote_write_samples_lost",
    "Samples that never reached a remote end, by remote and reason.",
);
const LINES_REFUSED: ByReason =
    ("masthead_http_api_lines_refused", "Pushed lines that were refused, by reason.");

fn by_reason<R: AsRef<str>>(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): ByReason,
    counts: &[(R, u64)],
) -> Result<(), fmt::Error> {
    let mut family = encoder.encode_descriptor(name, help, None, C)?;
    for (reason, count) in counts {
        let labels = [("reason", reason.as_ref())];
        ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

/// The same table once for each `label`.
fn by_name<S>(
    encoder: &mut DescriptorEncoder<'_>,
    rows: &[Row<S>],
    label: &str,
    of: &[(String, Arc<S>)],
) -> Result<(), fmt::Error> {
    for (metric, help, kind, number) in rows {
        let mut family = encoder.encode_descriptor(metric, help, None, *kind)?;
        for (name, stats) in of {
            let labels = [(label, name.as_str())];
            one(family.encode_family(&labels)?, *kind, number(stats))?;
        }
    }
    Ok(())
}

/// [`by_reason`], once for each `label`.
fn by_name_and_reason<'a>(
    encoder: &mut DescriptorEncoder<'_>,
    (metric, help): ByReason,
    label: &str,
    of: impl Iterator<Item = (&'a String, Vec<(&'static str, u64)>)>,
) -> Result<(), fmt::Error> {
    let mut family = encoder.encode_descriptor(metric, help, None, C)?;
    for (name, counts) in of {
        for (reason, count) in counts {
            let labels = [(label, name.as_str()), ("reason", reason)];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

/// The counts of a map, as [`by_reason`] wants them.
fn listed(counts: &BTreeMap<&'static str, u64>) -> Vec<(&'static str, u64)> {
    counts.iter().map(|(reason, count)| (*reason, *count)).collect()
}

fn table<S>(
    encoder: &mut DescriptorEncoder<'_>,
    rows: &[Row<S>],
    stats: &S,
) -> Result<(), fmt::Error> {
    for (name, help, kind, number) in rows {
        one(encoder.encode_descriptor(name, help, None, *kind)?, *kind, number(stats))?;
    }
    Ok(())
}

fn upkeep(
    encoder: &mut DescriptorEncoder<'_>,
    store: &str,
    stats: &Upkeep,
) -> Result<(), fmt::Error> {
    for (name, help, kind, number) in UPKEEP {
        let name = format!("masthead_{store}_{name}");
        one(encoder.encode_descriptor(&name, help, None, *kind)?, *kind, number(stats))?;
    }
    Ok(())
}

fn one(metric: MetricEncoder<'_>, kind: MetricType, number: u64) -> Result<(), fmt::Error> {
    match kind {
        MetricType::Counter => ConstCounter::new(number).encode(metric),
        _ => ConstGauge::new(i64::try_from(number).unwrap_or(i64::MAX)).encode(metric),
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::{encoding::text::encode_registry, registry::Registry};

    use super::*;

    #[derive(Debug)]
    struct Shown(CustomMetric);

    impl Collector for Shown {
        fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
            custom_metric(&mut encoder, &self.0)
        }
    }

    #[test]
    fn the_last_bucket_of_a_histogram_has_no_bound() {
        let buckets = vec![(0.5, 1), (f64::INFINITY, 2)];
        let labels = [("app", "api")].into_iter().collect();
        let histogram = CustomValue::Histogram { buckets, sum: 4.5, count: 3 };
        let metric = CustomMetric {
            name: "took".to_owned(),
            help: "Took.".to_owned(),
            series: vec![(labels, histogram)],
        };
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Shown(metric)));
        let mut text = String::new();
        encode_registry(&mut text, &registry).unwrap();
        let buckets: Vec<&str> = text.lines().filter(|line| line.contains("_bucket")).collect();
        let last = r#"took_bucket{le="+Inf",app="api"} 3"#;
        assert_eq!(buckets, [r#"took_bucket{le="0.5",app="api"} 1"#, last], "{text}");
    }
}
