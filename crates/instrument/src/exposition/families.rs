//! What this crate exposes: one family after the other, each with all its series.
//!
//! `docs/reference/api-metrics.md` explains each to its reader; a new one goes into both.

use std::sync::atomic::Ordering;

use super::writer::{Kind, Writer};
use crate::logs;
use crate::metrics::{Histogram, Series, as_f64};
use crate::telemetry::Shared;

pub(super) fn write(shared: &Shared, writer: &mut Writer) {
    build(shared, writer);
    http(shared, writer);
    process(shared, writer);
}

fn build(shared: &Shared, writer: &mut Writer) {
    writer.family("build_info", Kind::Gauge, "What is running: always 1, the labels tell.");
    let labels: Vec<_> =
        shared.build_labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
    writer.sample(&labels, 1.0);
}

fn http(shared: &Shared, writer: &mut Writer) {
    let rows = shared.metrics.rows();

    writer.family("http_requests", Kind::Counter, "Requests that are over, by status.");
    for (method, route, series) in &rows {
        for (status, count) in series.statuses() {
            let status = status.to_string();
            let labels =
                [("method", method.name()), ("handler", &route.handler), ("status", &status)];
            writer.sample(&labels, as_f64(count));
        }
    }

    writer.family("http_requests_in_progress", Kind::Gauge, "Requests that are not over yet.");
    for (method, route, series) in &rows {
        #[expect(clippy::cast_precision_loss, reason = "no service has 2^53 requests at once")]
        let value = series.in_progress.load(Ordering::Relaxed) as f64;
        writer.sample(&[("method", method.name()), ("handler", &route.handler)], value);
    }

    let mut histograms = |name, help, of: fn(&Series) -> &Histogram| {
        writer.family(name, Kind::Histogram, help);
        for (method, route, series) in &rows {
            let labels = [("method", method.name()), ("handler", &*route.handler)];
            writer.histogram(&labels, of(series));
        }
    };
    histograms(
        "http_request_duration_seconds",
        "Time from the head of a request to the last byte of its response.",
        |series| &series.duration,
    );
    histograms("http_request_size_bytes", "Bytes of the request body that were read.", |series| {
        &series.request_size
    });
    histograms(
        "http_response_size_bytes",
        "Bytes of the response body that were sent.",
        |series| &series.response_size,
    );

    writer.family("http_panics", Kind::Counter, "Panics in handlers and response bodies.");
    writer.sample(&[], as_f64(shared.metrics.panics.load(Ordering::Relaxed)));

    writer.family("log_lines_dropped", Kind::Counter, "Log lines that could not be written.");
    writer.sample(&[], as_f64(logs::lines_dropped()));
}

fn process(shared: &Shared, writer: &mut Writer) {
    let usage = shared.process.usage();
    let mut one = |name, kind, help, value: Option<f64>| {
        if let Some(value) = value {
            writer.family(name, kind, help);
            writer.sample(&[], value);
        }
    };
    one(
        "process_cpu_seconds",
        Kind::Counter,
        "Total user and system CPU time spent in seconds.",
        usage.cpu_seconds,
    );
    one(
        "process_resident_memory_bytes",
        Kind::Gauge,
        "Resident memory size in bytes.",
        usage.resident_memory_bytes.map(as_f64),
    );
    one(
        "process_virtual_memory_bytes",
        Kind::Gauge,
        "Virtual memory size in bytes.",
        usage.virtual_memory_bytes.map(as_f64),
    );
    one(
        "process_start_time_seconds",
        Kind::Gauge,
        "Start time of the process since unix epoch in seconds.",
        Some(usage.start_time_seconds),
    );
    one(
        "process_open_fds",
        Kind::Gauge,
        "Number of open file descriptors.",
        usage.open_fds.map(as_f64),
    );
    one(
        "process_max_fds",
        Kind::Gauge,
        "Maximum number of open file descriptors.",
        usage.max_fds.map(as_f64),
    );
}
