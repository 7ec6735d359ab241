//! JSON as upstream writes it: numbers of samples, labels, histograms, and whole small documents.
//!
//! What can be large is written straight into a byte buffer here; what is small goes through
//! serde with the same rules ([`to_vec`]). The rules are those of upstream's `util/jsonutil` and
//! of Go's `encoding/json`: `<`, `>` and `&` are escaped, whole floats have no `.0`.
//! How the buffer becomes a body: `stream.rs`.

use std::io::{self, Write};

use masthead_model::{Bucket, Histogram, Labels};
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

/// A small document.
pub(crate) fn to_vec(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    // Writing to memory does not fail, and none of our types refuses to be serialised.
    match value.serialize(&mut Serializer::with_formatter(&mut out, GoFormatter)) {
        Ok(()) => out,
        Err(error) => {
            tracing::error!(%error, "Cannot serialise an answer.");
            b"null".to_vec()
        }
    }
}

/// Milliseconds as seconds, with as many of the three decimals as upstream prints.
pub(crate) fn push_timestamp(out: &mut Vec<u8>, millis: i64) {
    let mut digits = itoa::Buffer::new();
    if millis < 0 {
        out.push(b'-');
    }
    let millis = millis.unsigned_abs();
    out.extend_from_slice(digits.format(millis / 1000).as_bytes());
    let fraction = millis % 1000;
    if fraction != 0 {
        // All three digits, as upstream's MarshalTimestamp: 1.5 s is `1.500`.
        let digit = |n: u64| b'0' + u8::try_from(n % 10).unwrap_or(0);
        out.extend_from_slice(&[
            b'.',
            digit(fraction / 100),
            digit(fraction / 10),
            digit(fraction),
        ]);
    }
}

/// A sample's value as a string: all digits, an exponent below 1e-6 and from 1e21 on.
pub(crate) fn push_float(out: &mut Vec<u8>, value: f64) {
    out.push(b'"');
    push_bare_float(out, value);
    out.push(b'"');
}

/// Below this whole floats are exact integers.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

fn push_bare_float(out: &mut Vec<u8>, value: f64) {
    let size = value.abs();
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
    } else if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
    } else if size < WHOLE_MAX && value.trunc().to_bits() == value.to_bits() {
        // Most values are counts. The sign is kept by hand because -0 is `-0` in Go.
        if value.is_sign_negative() {
            out.push(b'-');
        }
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        #[expect(clippy::cast_sign_loss, reason = "an absolute value")]
        out.extend_from_slice(itoa::Buffer::new().format(size as u64).as_bytes());
    } else if (1e-6..1e-5).contains(&size) || (WHOLE_MAX..1e21).contains(&size) {
        // Rare: here the shortest digits would come with an exponent that Go does not write.
        push_text(out, format_args!("{value}"));
    } else {
        push_shortest(out, zmij::Buffer::new().format_finite(value));
    }
}

/// The shortest text with the exponent, if there is one, as Go writes it: at least two digits and
/// always a sign, `1e-07`.
fn push_shortest(out: &mut Vec<u8>, text: &str) {
    let Some((mantissa, exponent)) = text.split_once('e') else {
        out.extend_from_slice(text.as_bytes());
        return;
    };
    let (sign, digits) = exponent.split_at_checked(1).unwrap_or(("+", exponent));
    out.extend_from_slice(mantissa.as_bytes());
    out.push(b'e');
    out.extend_from_slice(sign.as_bytes());
    if digits.len() < 2 {
        out.push(b'0');
    }
    out.extend_from_slice(digits.as_bytes());
}

fn push_text(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    if out.write_fmt(text).is_err() {
        tracing::error!("BUG: writing to memory failed.");
    }
}

/// A string in quotes.
pub(crate) fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut plain = 0;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            b'<' => b"\\u003c",
            b'>' => b"\\u003e",
            b'&' => b"\\u0026",
            0xe2 if bytes.get(at..at + 3) == Some("\u{2028}".as_bytes()) => b"\\u2028",
            0xe2 if bytes.get(at..at + 3) == Some("\u{2029}".as_bytes()) => b"\\u2029",
            0..0x20 => b"",
            _ => {
                at += 1;
                continue;
            }
        };
        out.extend_from_slice(bytes.get(plain..at).unwrap_or_default());
        if escape.is_empty() {
            push_text(out, format_args!("\\u{byte:04x}"));
        } else {
            out.extend_from_slice(escape);
        }
        at += if byte == 0xe2 { 3 } else { 1 };
        plain = at;
    }
    out.extend_from_slice(bytes.get(plain..).unwrap_or_default());
    out.push(b'"');
}

/// `{"name":"value",…}` in the order of names.
pub(crate) fn push_labels(out: &mut Vec<u8>, labels: &Labels) {
    push_pairs(out, labels.iter().map(|label| (label.name, label.value)));
}

/// Names and values as an object of strings.
pub(crate) fn push_pairs<'a>(
    out: &mut Vec<u8>,
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
) {
    out.push(b'{');
    for (at, (name, value)) in pairs.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        push_string(out, name);
        out.push(b':');
        push_string(out, value);
    }
    out.push(b'}');
}

/// `{"count":…,"sum":…,"buckets":[[bounds,lower,upper,count],…]}`, empty buckets left out.
pub(crate) fn push_histogram(out: &mut Vec<u8>, histogram: &Histogram) {
    out.extend_from_slice(b"{\"count\":");
    push_float(out, histogram.count);
    out.extend_from_slice(b",\"sum\":");
    push_float(out, histogram.sum);
    let mut any = false;
    let mut push = |out: &mut Vec<u8>, bucket: &Bucket| {
        if bucket.count == 0.0 {
            return;
        }
        out.extend_from_slice(if any { b"," } else { b",\"buckets\":[" });
        any = true;
        push_bucket(out, bucket);
    };
    // Buckets in the order of their bounds: the negative side runs away from zero.
    let negative: Vec<Bucket> = histogram.negative().collect();
    for bucket in negative.iter().rev() {
        push(out, bucket);
    }
    if histogram.zero_count != 0.0 {
        push(out, &histogram.zero());
    }
    for bucket in histogram.positive() {
        push(out, &bucket);
    }
    if any {
        out.push(b']');
    }
    out.push(b'}');
}

fn push_bucket(out: &mut Vec<u8>, bucket: &Bucket) {
    // 0: (lower, upper], 1: [lower, upper), 2: both open, 3: both closed.
    let bounds = match (bucket.lower_inclusive, bucket.upper_inclusive) {
        (false, true) => b'0',
        (true, false) => b'1',
        (false, false) => b'2',
        (true, true) => b'3',
    };
    out.extend_from_slice(&[b'[', bounds]);
    for value in [bucket.lower, bucket.upper, bucket.count] {
        out.push(b',');
        push_float(out, value);
    }
    out.push(b']');
}

/// Labels of a small document.
pub(crate) fn labels<S: serde::Serializer>(labels: &Labels, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(labels.iter().map(|label| (label.name, label.value)))
}

/// `serde_json`'s compact form with Go's escapes and Go's whole floats.
struct GoFormatter;

impl Formatter for GoFormatter {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let mut out = Vec::with_capacity(24);
        push_bare_float(&mut out, value);
        writer.write_all(&out)
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let special = |c: char| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
        let mut rest = fragment;
        while let Some(at) = rest.find(special) {
            let (before, from) = rest.split_at(at);
            CompactFormatter.write_string_fragment(writer, before)?;
            let c = from.chars().next().unwrap_or_default();
            write!(writer, "\\u{:04x}", u32::from(c))?;
            rest = from.get(c.len_utf8()..).unwrap_or("");
        }
        CompactFormatter.write_string_fragment(writer, rest)
    }
}

#[cfg(test)]
mod tests;
