//! Answers of queries as JSON, in Loki's shapes (`pkg/loghttp/query.go`, `pkg/logqlmodel/stats`).

use std::time::Duration;

use masthead_logql::{Answer, LineEntry, LineLabels, Lines, Pair};
use masthead_model::Nanos;
use masthead_ports::QueryCtx;
use masthead_wire::loki::label_text;
use serde_json::json;

use crate::{
    json,
    stream::{ChunkWriter, Stop},
};

/// What lines look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One set of labels.
    Merged,
    /// The labels of the stream, and for each line what else there is, by where it comes from.
    Categorized,
    /// As before the first version.
    Legacy,
}

/// Writes a whole answer.
pub(super) fn answer(
    out: &mut ChunkWriter,
    ctx: &QueryCtx,
    answer: &Answer,
    shape: Shape,
    queued: Duration,
) -> Result<(), Stop> {
    let mut returned = 0;
    match (answer, shape) {
        (Answer::Streams(lines), Shape::Legacy) => return legacy(out, lines),
        (Answer::Streams(lines), _) => {
            open(out, "streams");
            returned = lines.entries.len();
            if shape == Shape::Categorized {
                streams(out, lines, |labels| labels.stream.iter().collect(), push_categorized)?;
                out.buf.extend_from_slice(b",\"encodingFlags\":[\"categorize-labels\"]");
            } else {
                streams(out, lines, LineLabels::all, |_, _| {})?;
            }
        }
        (Answer::Vector(samples), _) => {
            open(out, "vector");
            out.list(samples, |buf, sample| {
                buf.extend_from_slice(b"{\"metric\":");
                json::push_labels(buf, &sample.labels);
                buf.extend_from_slice(b",\"value\":");
                push_point(buf, sample.at, sample.value);
                buf.push(b'}');
            })?;
        }
        (Answer::Matrix(series), _) => {
            open(out, "matrix");
            out.list(series, |buf, series| {
                buf.extend_from_slice(b"{\"metric\":");
                json::push_labels(buf, &series.labels);
                buf.extend_from_slice(b",\"values\":[");
                for (at, (moment, value)) in series.points.iter().enumerate() {
                    if at > 0 {
                        buf.push(b',');
                    }
                    push_point(buf, *moment, *value);
                }
                buf.extend_from_slice(b"]}");
            })?;
        }
        (Answer::Scalar(value, at), _) => {
            open(out, "scalar");
            // Milliseconds, unlike everywhere else.
            out.buf.push(b'[');
            push_whole(&mut out.buf, at.to_millis_floor().0);
            out.buf.push(b',');
            push_value(&mut out.buf, *value);
            out.buf.push(b']');
        }
    }
    out.buf.extend_from_slice(b",\"stats\":");
    out.buf.extend_from_slice(&stats(ctx, queued, returned));
    out.buf.extend_from_slice(b"}");
    let warnings = ctx.warnings();
    if !warnings.is_empty() {
        out.buf.extend_from_slice(b",\"warnings\":");
        out.buf.extend_from_slice(&json::to_vec(&warnings));
    }
    out.buf.push(b'}');
    out.check()
}

fn open(out: &mut ChunkWriter, kind: &str) {
    out.buf.extend_from_slice(b"{\"status\":\"success\",\"data\":{\"resultType\":\"");
    out.buf.extend_from_slice(kind.as_bytes());
    out.buf.extend_from_slice(b"\",\"result\":");
}

fn streams<'a>(
    out: &mut ChunkWriter,
    lines: &'a Lines,
    shown: impl Fn(&'a LineLabels) -> Vec<&'a Pair>,
    more: impl Fn(&mut Vec<u8>, &LineLabels),
) -> Result<(), Stop> {
    out.buf.push(b'[');
    for (at, (labels, entries)) in lines.grouped(shown).into_iter().enumerate() {
        out.buf.extend_from_slice(if at > 0 { b",{\"stream\":" } else { b"{\"stream\":" });
        push_pairs(&mut out.buf, labels);
        out.buf.extend_from_slice(b",\"values\":[");
        for (at, entry) in entries.into_iter().enumerate() {
            out.buf.extend_from_slice(if at > 0 { b",[\"" } else { b"[\"" });
            push_whole(&mut out.buf, entry.at.0);
            out.buf.extend_from_slice(b"\",");
            push_text(&mut out.buf, &entry.text);
            if let Some(labels) = lines.labels.get(entry.labels) {
                more(&mut out.buf, labels);
            }
            out.buf.push(b']');
            out.check()?;
        }
        out.buf.extend_from_slice(b"]}");
    }
    out.buf.push(b']');
    out.check()
}

/// `,{"structuredMetadata":{…},"parsed":{…}}`, each left out when it is empty.
pub(in crate::loki) fn push_categorized(out: &mut Vec<u8>, labels: &LineLabels) {
    out.extend_from_slice(b",{");
    let groups = [("structuredMetadata", &labels.metadata), ("parsed", &labels.parsed)];
    let mut any = false;
    for (name, pairs) in groups.into_iter().filter(|(_, pairs)| !pairs.is_empty()) {
        if any {
            out.push(b',');
        }
        any = true;
        json::push_string(out, name);
        out.push(b':');
        push_pairs(out, pairs);
    }
    out.push(b'}');
}

fn push_pairs<'a>(out: &mut Vec<u8>, pairs: impl IntoIterator<Item = &'a Pair>) {
    out.push(b'{');
    for (at, (name, value)) in pairs.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        json::push_string(out, name);
        out.push(b':');
        push_text(out, value);
    }
    out.push(b'}');
}

fn legacy(out: &mut ChunkWriter, lines: &Lines) -> Result<(), Stop> {
    out.buf.extend_from_slice(b"{\"streams\":[");
    for (at, (labels, entries)) in lines.grouped(LineLabels::all).into_iter().enumerate() {
        out.buf.extend_from_slice(if at > 0 { b",{\"labels\":" } else { b"{\"labels\":" });
        json::push_string(&mut out.buf, &text_of(&labels));
        out.buf.extend_from_slice(b",\"entries\":[");
        for (at, entry) in entries.into_iter().enumerate() {
            if at > 0 {
                out.buf.push(b',');
            }
            push_legacy_entry(&mut out.buf, entry);
            out.check()?;
        }
        out.buf.extend_from_slice(b"]}");
    }
    out.buf.extend_from_slice(b"]}");
    out.check()
}

fn push_legacy_entry(out: &mut Vec<u8>, entry: &LineEntry) {
    out.extend_from_slice(b"{\"ts\":");
    json::push_string(out, &time_text(entry.at));
    out.extend_from_slice(b",\"line\":");
    push_text(out, &entry.text);
    out.push(b'}');
}

/// `{a="b"}` of labels whose values need not be UTF-8.
fn text_of(labels: &[&Pair]) -> String {
    let values: Vec<_> = labels.iter().map(|(_, value)| String::from_utf8_lossy(value)).collect();
    label_text(labels.iter().zip(&values).map(|((name, _), value)| (name.as_ref(), value.as_ref())))
}

/// RFC 3339 to the nanosecond.
pub(in crate::loki) fn time_text(at: Nanos) -> String {
    let at = jiff::Timestamp::from_nanosecond(i128::from(at.0));
    at.map(|at| at.to_string()).unwrap_or_default()
}

/// Bytes as a string; what is not UTF-8 is replaced.
pub(in crate::loki) fn push_text(out: &mut Vec<u8>, text: &[u8]) {
    json::push_string(out, &String::from_utf8_lossy(text));
}

fn push_point(out: &mut Vec<u8>, at: Nanos, value: f64) {
    out.push(b'[');
    json::push_timestamp(out, at.to_millis_floor().0);
    out.push(b',');
    push_value(out, value);
    out.push(b']');
}

/// The shortest digits, never with an exponent.
fn push_value(out: &mut Vec<u8>, value: f64) {
    use std::io::Write as _;

    let written = if value.is_finite() {
        write!(out, "\"{value}\"")
    } else if value.is_nan() {
        write!(out, "\"NaN\"")
    } else {
        write!(out, "\"{}Inf\"", if value > 0.0 { '+' } else { '-' })
    };
    if written.is_err() {
        tracing::error!("BUG: writing to memory failed.");
    }
}

pub(in crate::loki) fn push_whole(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// What clients show of a query's cost; what we do not count is 0.
fn stats(ctx: &QueryCtx, queued: Duration, returned: usize) -> Vec<u8> {
    let (touched, total) = (ctx.stats(), ctx.elapsed());
    let seconds = total.saturating_sub(queued).as_secs_f64();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rate for people"
    )]
    let per_second = |count: u64| if seconds > 0.0 { (count as f64 / seconds) as u64 } else { 0 };
    let store = json!({
        "totalChunksRef": 0, "totalChunksDownloaded": 0, "chunksDownloadTime": 0,
        "chunk": {
            "headChunkBytes": 0, "headChunkLines": 0, "decompressedBytes": touched.bytes,
            "decompressedLines": touched.samples, "compressedBytes": 0, "totalDuplicates": 0,
        },
    });
    json::to_vec(&json!({
        "summary": {
            "bytesProcessedPerSecond": per_second(touched.bytes),
            "linesProcessedPerSecond": per_second(touched.samples),
            "totalBytesProcessed": touched.bytes,
            "totalLinesProcessed": touched.samples,
            "execTime": seconds,
            "queueTime": queued.as_secs_f64(),
            "subqueries": 0,
            "totalEntriesReturned": returned,
            "splits": 0,
            "shards": 0,
        },
        "querier": {"store": store},
        "ingester": {
            "totalReached": 0, "totalChunksMatched": 0, "totalBatches": 0, "totalLinesSent": 0,
            "store": store,
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_never_have_an_exponent() {
        let f = |value: f64, want: &str| {
            let mut out = Vec::new();
            push_value(&mut out, value);
            assert_eq!(String::from_utf8(out).expect("ASCII"), format!("\"{want}\""));
        };
        f(1e20, "100000000000000000000");
        f(1e-7, "0.0000001");
        f(0.5, "0.5");
        f(-0.0, "-0");
        f(f64::NAN, "NaN");
        f(f64::INFINITY, "+Inf");
        f(f64::NEG_INFINITY, "-Inf");
    }
}
