//! The limits of the API, each with its flag.

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
