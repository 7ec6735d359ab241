//! The questions of typical dashboards, and how they are timed.
//!
//! To add one: add its line to [`QUERIES`]. `$host` stands for the `instance` of one host.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::{
    answers::{self, Answer},
    data::Plan,
    measure,
    server::Server,
};

/// How much of the fleet a query reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    OneHost,
    Fleet,
}

/// When it is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Span {
    /// At the end of the data.
    Instant,
    /// Over this long until the end of the data, or over less where there are less: the first
    /// window has to be full ([`WINDOW_SECONDS`]).
    Range { minutes: i64, step_seconds: i64 },
}

/// A question.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query {
    pub name: &'static str,
    pub reach: Reach,
    pub span: Span,
    pub expr: &'static str,
}

/// The longest window of a range query with the two intervals that hosts are apart. Versions of
/// Prometheus differ in how they extrapolate where a window reaches back before a counter's start.
const WINDOW_SECONDS: i64 = 330;

const HOUR: Span = Span::Range { minutes: 60, step_seconds: 15 };
const TWO_HOURS: Span = Span::Range { minutes: 120, step_seconds: 30 };

const fn one(name: &'static str, span: Span, expr: &'static str) -> Query {
    Query { name, reach: Reach::OneHost, span, expr }
}

const fn fleet(name: &'static str, span: Span, expr: &'static str) -> Query {
    Query { name, reach: Reach::Fleet, span, expr }
}

/// All queries.
pub(crate) const QUERIES: &[Query] = &[
    fleet("requests by handler", HOUR, "sum by (handler) (rate(http_requests_total[5m]))"),
    fleet("requests by code", TWO_HOURS, "sum by (code) (rate(http_requests_total[1m]))"),
    fleet(
        "error ratio",
        HOUR,
        r#"sum(rate(http_requests_total{code=~"5.."}[5m])) / sum(rate(http_requests_total[5m]))"#,
    ),
    fleet(
        "error ratio by handler",
        HOUR,
        r#"sum by (handler) (rate(http_requests_total{code=~"5.."}[5m])) / sum by (handler) (rate(http_requests_total[5m]))"#,
    ),
    fleet(
        "p95 of all requests",
        HOUR,
        "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))",
    ),
    fleet(
        "p99 by handler",
        HOUR,
        "histogram_quantile(0.99, sum by (le, handler) (rate(http_request_duration_seconds_bucket[5m])))",
    ),
    fleet(
        "p50 by host",
        TWO_HOURS,
        "histogram_quantile(0.5, sum by (le, instance) (rate(http_request_duration_seconds_bucket[5m])))",
    ),
    fleet(
        "mean duration by handler",
        HOUR,
        "sum by (handler) (rate(http_request_duration_seconds_sum[5m])) / sum by (handler) (rate(http_request_duration_seconds_count[5m]))",
    ),
    fleet(
        "busiest hosts",
        Span::Instant,
        "topk(5, sum by (instance) (rate(http_requests_total[5m])))",
    ),
    fleet(
        "busiest hosts over time",
        HOUR,
        "topk(3, sum by (instance) (rate(http_requests_total[5m])))",
    ),
    fleet("hosts that are up", Span::Instant, "count(up == 1)"),
    fleet(
        "processors in use, by host",
        HOUR,
        r#"sum by (instance) (rate(node_cpu_seconds_total{mode!="idle"}[5m]))"#,
    ),
    fleet("processors by mode", TWO_HOURS, "avg by (mode) (rate(node_cpu_seconds_total[5m]))"),
    fleet(
        "share of processors in use",
        HOUR,
        r#"1 - avg(rate(node_cpu_seconds_total{mode="idle"}[5m]))"#,
    ),
    fleet(
        "memory in use",
        HOUR,
        "sum(node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes)",
    ),
    fleet(
        "fullest memories",
        Span::Instant,
        "topk(5, 1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)",
    ),
    fleet(
        "network by host",
        HOUR,
        r#"sum by (instance) (rate(node_network_receive_bytes_total{device!="lo"}[5m]))"#,
    ),
    fleet(
        "disk writes by host over an hour",
        Span::Instant,
        "sum by (instance) (increase(node_disk_written_bytes_total[1h]))",
    ),
    fleet(
        "fullest file system of each host",
        HOUR,
        "max by (instance) (1 - node_filesystem_avail_bytes / node_filesystem_size_bytes)",
    ),
    fleet(
        "space in four hours",
        Span::Instant,
        r#"predict_linear(node_filesystem_avail_bytes{mountpoint="/"}[1h], 14400)"#,
    ),
    fleet("load, 90th percentile", HOUR, "quantile(0.9, node_load1)"),
    fleet("mean load by host", Span::Instant, "avg_over_time(node_load5[1h])"),
    fleet("units by state", Span::Instant, "count by (state) (node_systemd_unit_state == 1)"),
    fleet("series by name", Span::Instant, r#"count by (__name__) ({__name__=~"node_.+"})"#),
    one(
        "host: processors by mode",
        HOUR,
        r#"sum by (mode) (rate(node_cpu_seconds_total{instance="$host"}[1m]))"#,
    ),
    one(
        "host: memory",
        HOUR,
        r#"node_memory_MemTotal_bytes{instance="$host"} - node_memory_MemAvailable_bytes{instance="$host"}"#,
    ),
    one("host: load", HOUR, r#"{__name__=~"node_load(1|5|15)",instance="$host"}"#),
    one(
        "host: network",
        TWO_HOURS,
        r#"irate(node_network_receive_bytes_total{instance="$host"}[1m]) * 8"#,
    ),
    one(
        "host: disks in use",
        HOUR,
        r#"rate(node_disk_io_time_seconds_total{instance="$host"}[5m])"#,
    ),
    one(
        "host: file systems",
        Span::Instant,
        r#"1 - node_filesystem_avail_bytes{instance="$host"} / node_filesystem_size_bytes{instance="$host"}"#,
    ),
    one(
        "host: p99",
        HOUR,
        r#"histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{instance="$host"}[5m])))"#,
    ),
    one("host: up since", Span::Instant, r#"time() - node_boot_time_seconds{instance="$host"}"#),
    one(
        "host: failed units",
        Span::Instant,
        r#"sum(node_systemd_unit_state{instance="$host",state="failed"})"#,
    ),
];

/// How often each query is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// At least this often, the first time not counted.
    pub least: usize,
    /// At most this often.
    pub most: usize,
    /// After this long no more.
    pub time: Duration,
}

/// What one query took.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The median from the request to the last byte of the answer.
    pub p50_ms: f64,
    /// Processor time of the server for one repetition; at least the clock's tick divided by the
    /// repetitions, which is the finest that can be seen.
    pub cpu_ms: f64,
    pub answer: Answer,
}

impl Query {
    /// The path and the parameters of the HTTP API.
    fn request(&self, plan: &Plan) -> (&'static str, Vec<(&'static str, String)>) {
        let host = Plan::instance(plan.hosts / 2);
        let expr = ("query", self.expr.replace("$host", &host));
        let end = plan.end.0 / 1000;
        match self.span {
            Span::Instant => ("/api/v1/query", vec![expr, ("time", end.to_string())]),
            Span::Range { minutes, step_seconds } => {
                let start =
                    (end - minutes * 60).max(plan.start().0.div_euclid(1000) + WINDOW_SECONDS);
                let parameters = vec![
                    expr,
                    ("start", start.to_string()),
                    ("end", end.to_string()),
                    ("step", step_seconds.to_string()),
                ];
                ("/api/v1/query_range", parameters)
            }
        }
    }

    /// Asks `server` again and again.
    ///
    /// # Errors
    /// When it refuses or its answer cannot be read.
    pub(crate) fn time(&self, server: &Server<'_>, plan: &Plan, effort: Effort) -> Result<Asked> {
        let (path, parameters) = self.request(plan);
        let parameters: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = answers::read(&server.ask(path, &parameters)?)?;
        let (began, cpu_before) = (Instant::now(), measure::cpu_seconds(server.pid())?);
        let mut times = Vec::new();
        while times.len() < effort.least
            || (times.len() < effort.most && began.elapsed() < effort.time)
        {
            let asked = Instant::now();
            server.ask(path, &parameters)?;
            times.push(asked.elapsed().as_secs_f64() * 1000.0);
        }
        let cpu = measure::cpu_seconds(server.pid())? - cpu_before;
        let cpu = cpu.max(1.0 / measure::ticks_per_second());
        Ok(Asked { p50_ms: median(&mut times), cpu_ms: cpu * 1000.0 / times.len() as f64, answer })
    }
}

pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    if values.len() % 2 == 1 {
        at(middle)
    } else {
        f64::midpoint(at(middle.wrapping_sub(1)), at(middle))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use masthead_model::Millis;

    use super::*;

    #[test]
    fn there_are_about_thirty_queries_of_both_reaches_and_spans_with_names_of_their_own() {
        let names: HashSet<&str> = QUERIES.iter().map(|query| query.name).collect();
        assert_eq!(names.len(), QUERIES.len());
        assert!((28..=40).contains(&QUERIES.len()), "{}", QUERIES.len());
        for query in QUERIES {
            let one = query.reach == Reach::OneHost;
            assert_eq!(query.expr.contains("$host"), one, "{}", query.name);
        }
        assert!(QUERIES.iter().filter(|query| query.reach == Reach::OneHost).count() >= 8);
        assert!(QUERIES.iter().filter(|query| matches!(query.span, Span::Instant)).count() >= 8);
    }

    #[test]
    fn a_range_ends_with_the_data_and_never_starts_before_them() {
        let f = |query: Query, rounds: u32, want: &[(&str, &str)]| {
            let end = Millis(1_800_000_000_000);
            let plan = Plan { hosts: 4, series: 300, rounds, jitter_percent: 0, seed: 1, end };
            let (_, parameters) = query.request(&plan);
            let got: Vec<(&str, &str)> = parameters.iter().map(|(n, v)| (*n, v.as_str())).collect();
            assert_eq!(got, want);
        };
        let host = |expr| ("query", expr);
        let query = one("x", HOUR, r#"up{instance="$host"}"#);
        let expr = host(r#"up{instance="host-0002:9100"}"#);
        let end = ("end", "1800000000");
        f(query, 1_000, &[expr, ("start", "1799996400"), end, ("step", "15")]);
        f(query, 80, &[expr, ("start", "1799999130"), end, ("step", "15")]);
        let instant = one("x", Span::Instant, "up");
        f(instant, 38, &[host("up"), ("time", "1800000000")]);
    }

    #[test]
    fn the_median_is_the_middle() {
        let f = |values: &[f64], want: f64| {
            assert!((median(&mut values.to_vec()) - want).abs() < 1e-9, "{values:?}");
        };
        f(&[3.0, 1.0, 2.0], 2.0);
        f(&[4.0, 1.0, 2.0, 100.0], 3.0);
        f(&[7.0], 7.0);
    }
}
