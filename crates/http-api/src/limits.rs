//! The limits of the APIs, each with its flag.

use std::time::Duration;

use masthead_ports::QueryLimits;
use masthead_wire::Limits as WireLimits;

/// How much requests may take; errors name the flag in brackets.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Time and samples of one query (`--query.timeout`, `--query.max-samples`).
    pub query: QueryLimits,
    /// Queries that run at once, and as many look-ups of labels and series beside them
    /// (`--query.max-concurrency`).
    pub queries: usize,
    /// Queries that may wait for a place (`--query.max-queue`).
    pub queue: usize,
    /// Writes that are decoded and stored at once (`--web.max-concurrent-writes`).
    pub writes: usize,
    /// Bytes of one request body as sent (`--web.max-body-size`).
    pub body: usize,
    /// Bytes of one request body once decompressed (`--web.max-decompressed-size`).
    pub decompressed: usize,
    /// Bytes of all request bodies held at once (`--web.max-inflight-bytes`).
    pub inflight: usize,
    /// Bytes of one form (`--web.max-form-size`).
    pub form: usize,
    /// Series, labels and their lengths in one pushed body; its `body_bytes` is not looked at, see
    /// [`Limits::decompressed`].
    pub wire: WireLimits,
    /// How long a client may take for one piece of a request body or of an answer
    /// (`--web.stall-timeout`).
    pub stall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            query: QueryLimits::default(),
            queries: 20,
            queue: 200,
            writes: 8,
            body: 16 * MIB,
            decompressed: 64 * MIB,
            inflight: 128 * MIB,
            form: 10 * MIB,
            wire: WireLimits::default(),
            stall: Duration::from_secs(30),
        }
    }
}

/// How much lines, their labels and questions about them may take. Names and values are Loki's
/// (`pkg/validation/limits.go`) but for the flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLimits {
    /// Lines older than this are refused, in nanoseconds; 0 for none (`--logs.max-age`).
    pub age_ns: i64,
    /// Lines further ahead of the clock are refused, in nanoseconds (`--logs.max-ahead`).
    pub ahead_ns: i64,
    /// Bytes of a line (`--logs.max-line-size`).
    pub line_bytes: usize,
    /// Labels of a stream, the service's name aside (`--logs.max-label-names`).
    pub label_names: usize,
    /// Bytes of a label's name (`--logs.max-label-name-size`).
    pub label_name_bytes: usize,
    /// Bytes of a label's value (`--logs.max-label-value-size`).
    pub label_value_bytes: usize,
    /// Bytes of a line's structured metadata (`--logs.max-metadata-size`).
    pub metadata_bytes: usize,
    /// Pairs of a line's structured metadata (`--logs.max-metadata-pairs`).
    pub metadata_pairs: usize,
    /// Labels that name a stream's service, the first that is there; none for not at all
    /// (`--logs.discover-service-name`).
    pub discover_service_name: Vec<String>,
    /// Whether the level of a line is found and kept with it (`--logs.discover-levels`).
    pub discover_levels: bool,
    /// Lines of one answer (`--logs.max-entries`).
    pub entries: usize,
    /// How long the range of a query may be, in nanoseconds; 0 for any
    /// (`--logs.max-query-length`).
    pub query_ns: i64,
    /// Connections that follow lines at once (`--logs.max-tails`).
    pub tails: usize,
    /// Lines that one question for patterns reads (`--logs.max-pattern-lines`).
    pub pattern_lines: usize,
}

impl Default for LogLimits {
    fn default() -> Self {
        const HOUR_NS: i64 = 3_600_000_000_000;
        let names = [
            "service",
            "app",
            "application",
            "app_name",
            "name",
            "app_kubernetes_io_name",
            "container",
            "container_name",
            "k8s_container_name",
            "component",
            "workload",
            "job",
            "k8s_job_name",
        ];
        Self {
            age_ns: 7 * 24 * HOUR_NS,
            ahead_ns: HOUR_NS / 6,
            line_bytes: 256 * 1024,
            label_names: 15,
            label_name_bytes: 1024,
            label_value_bytes: 2048,
            metadata_bytes: 64 * 1024,
            metadata_pairs: 128,
            discover_service_name: names.map(str::to_owned).into(),
            discover_levels: true,
            entries: 5000,
            query_ns: (30 * 24 + 1) * HOUR_NS,
            tails: 10,
            pattern_lines: 100_000,
        }
    }
}
