//! `{"status":"success","data":…,"warnings":…,"infos":…}` around what is streamed.

use serde::Serialize;

use crate::{
    json,
    stream::{ChunkWriter, Stop},
};

/// Texts of each kind at most, as upstream's `respond` asks of `annotations.AsStrings`.
const ANNOTATIONS_MAX: usize = 10;

/// What is said when a limit cut the answer.
pub(super) const TRUNCATED: &str = "results truncated due to limit";

/// Opens the envelope up to where the data begins.
pub(super) fn open(out: &mut ChunkWriter) {
    out.buf.extend_from_slice(b"{\"status\":\"success\",\"data\":");
}

/// Closes the envelope after the data.
pub(super) fn close(out: &mut ChunkWriter, warnings: &[String], infos: &[String]) {
    push_texts(out, "warnings", "warning", warnings);
    push_texts(out, "infos", "info", infos);
    out.buf.push(b'}');
}

fn push_texts(out: &mut ChunkWriter, key: &str, kind: &str, texts: &[String]) {
    if texts.is_empty() {
        return;
    }
    let more = texts.len().saturating_sub(ANNOTATIONS_MAX);
    let more = (more > 0).then(|| format!("{more} more {kind} annotations omitted"));
    out.buf.extend_from_slice(b",\"");
    out.buf.extend_from_slice(key.as_bytes());
    out.buf.extend_from_slice(b"\":");
    let shown: Vec<&String> = texts.iter().take(ANNOTATIONS_MAX).chain(&more).collect();
    out.buf.extend_from_slice(&json::to_vec(&shown));
}

/// A whole answer made of small data.
pub(super) fn write(
    out: &mut ChunkWriter,
    data: &impl Serialize,
    warnings: &[String],
) -> Result<(), Stop> {
    open(out);
    out.buf.extend_from_slice(&json::to_vec(data));
    close(out, warnings, &[]);
    out.check()
}
