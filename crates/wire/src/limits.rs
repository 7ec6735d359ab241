//! How much of anything one body may bring.

use crate::{Error, error::LimitKind};

/// What takes more memory than its bytes: samples, histograms and exemplars of one series, buckets
/// of one metric, symbols of remote write 2.0, messages and attributes of OTLP. Far more than any
/// sender brings, and little enough to be held, so it is the same for everyone.
const ITEMS_MAX: usize = 2_000_000;

/// Limits on what one body may bring; exceeding one is an error that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body after decompression.
    pub body_bytes: usize,
    /// Series, OTLP data points included, that one body may hold.
    pub series: usize,
    /// Labels of one series.
    pub labels: usize,
    /// Bytes of a label's name.
    pub label_name_bytes: usize,
    /// Bytes of a label's value.
    pub label_value_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 64 << 20,
            series: 2_000_000,
            labels: 256,
            label_name_bytes: 4 << 10,
            label_value_bytes: 64 << 10,
        }
    }
}

impl Limits {
    pub(crate) fn check_body(&self, bytes: usize) -> Result<(), Error> {
        check(LimitKind::BodyBytes, bytes, self.body_bytes, || "the body".to_owned())
    }

    pub(crate) fn check_series(&self, count: usize) -> Result<(), Error> {
        check(LimitKind::Series, count, self.series, || "the body".to_owned())
    }

    #[inline]
    pub(crate) fn check_items(count: usize) -> Result<(), Error> {
        check(LimitKind::Items, count, ITEMS_MAX, || "the body".to_owned())
    }

    /// `series` tells the user which series it was; it is only asked on failure.
    pub(crate) fn check_label_count(
        &self,
        count: usize,
        series: impl FnOnce() -> String,
    ) -> Result<(), Error> {
        check(LimitKind::Labels, count, self.labels, series)
    }

    #[inline]
    pub(crate) fn check_label(&self, name: &str, value: &str) -> Result<(), Error> {
        if name.len() > self.label_name_bytes {
            let what = || format!("label name {}", shortened(name));
            return check(LimitKind::LabelNameBytes, name.len(), self.label_name_bytes, what);
        }
        if value.len() > self.label_value_bytes {
            let what = || format!("the value of label {}", shortened(name));
            return check(LimitKind::LabelValueBytes, value.len(), self.label_value_bytes, what);
        }
        Ok(())
    }
}

/// Enough of `text` to find it by, because an error must not be as long as what it refuses.
pub(crate) fn shortened(text: &str) -> String {
    const CHARS_MAX: usize = 100;
    match text.char_indices().nth(CHARS_MAX) {
        None => masthead_model::quote(text),
        Some((end, _)) => format!("{}…", masthead_model::quote(text.get(..end).unwrap_or(""))),
    }
}

#[inline]
fn check(
    limit: LimitKind,
    got: usize,
    max: usize,
    subject: impl FnOnce() -> String,
) -> Result<(), Error> {
    if got <= max { Ok(()) } else { Err(Error::Limit { limit, got, max, subject: subject() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_limit_the_subject_and_both_numbers() {
        let limits = Limits { label_value_bytes: 3, labels: 1, ..Limits::default() };
        let f = |result: Result<(), Error>, want: &str| {
            assert_eq!(result.map_err(|e| e.to_string()), Err(want.to_owned()));
        };
        assert_eq!(limits.check_label("a", "xyz"), Ok(()));
        f(
            limits.check_label("a", "wxyz"),
            "the value of label \"a\" has 4 bytes, more than the limit of 3 (label_value_bytes)",
        );
        f(
            limits.check_label(&"n".repeat(4097), ""),
            &format!(
                "label name \"{}\"… has 4097 bytes, more than the limit of 4096 (label_name_bytes)",
                "n".repeat(100)
            ),
        );
        f(
            limits.check_label_count(2, || "series up".into()),
            "series up has 2 labels, more than the limit of 1 (labels)",
        );
        f(
            limits.check_body((64 << 20) + 1),
            "the body has 67108865 bytes, more than the limit of 67108864 (body_bytes)",
        );
        f(
            Limits::check_items(2_000_001),
            "the body has 2000001 items, more than the limit of 2000000 (items, fixed)",
        );
        f(
            limits.check_series(2_000_001),
            "the body has 2000001 series, more than the limit of 2000000 (series)",
        );
    }
}
