//! Comparing what came with what was expected, and showing both in promtool's layout.

use masthead_model::{Labels, Value};

/// Labels and annotations of an alert.
pub(super) type Told = (Labels, Labels);

/// Whether two values are the same; with `fuzzy`, neighbours among floats are.
pub(super) fn nearly(a: &Value, b: &Value, fuzzy: bool) -> bool {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => {
            #[expect(clippy::float_cmp, reason = "promtool compares exactly")]
            let same = a == b || (a.is_nan() && b.is_nan());
            same || fuzzy && a.min(*b).next_up().to_bits() == a.max(*b).to_bits()
        }
        (Value::Histogram(a), Value::Histogram(b)) => a.same_data(b),
        (Value::Float(_), Value::Histogram(_)) | (Value::Histogram(_), Value::Float(_)) => false,
    }
}

/// `{a="b"} 1E+00, …`, or `nil`.
pub(super) fn samples_text(samples: &[(Labels, Value)]) -> String {
    if samples.is_empty() {
        return "nil".to_owned();
    }
    let one = |(labels, value): &(Labels, Value)| match value {
        Value::Float(value) => format!("{labels} {}", exponent(*value)),
        Value::Histogram(histogram) => format!("{labels} {}", histogram.to_test_expression()),
    };
    samples.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The list of alerts, indented as promtool does.
pub(super) fn alerts_text(alerts: &[Told]) -> String {
    if alerts.is_empty() {
        return "[]".to_owned();
    }
    let mut shown = String::from("[\n");
    for (at, (labels, annotations)) in alerts.iter().enumerate() {
        let comma = if at > 0 { ",\n" } else { "" };
        let one = format!("{comma}{at}:\n  Labels:{labels}\n  Annotations:{annotations}");
        shown.push_str(&one);
    }
    shown.push_str("\n]");
    shown.replace('\n', "\n            ")
}

/// Go's `FormatFloat(value, 'E', -1, 64)`: `1E+00`.
fn exponent(value: f64) -> String {
    if !value.is_finite() {
        return masthead_model::format_exact(value);
    }
    let text = format!("{value:E}");
    let (mantissa, exponent) = text.split_once('E').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |d| ('-', d));
    format!("{mantissa}E{sign}{digits:0>2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_and_compared_as_by_promtool() {
        assert_eq!(exponent(1.0), "1E+00");
        assert_eq!(exponent(-0.001_25), "-1.25E-03");
        assert_eq!(exponent(f64::INFINITY), "+Inf");
        let f = |a: f64, b: f64, fuzzy: bool, want: bool| {
            assert_eq!(nearly(&Value::Float(a), &Value::Float(b), fuzzy), want, "{a} {b}");
        };
        f(0.3, 0.1 + 0.2, false, false);
        f(0.3, 0.1 + 0.2, true, true);
        f(0.3, 0.301, true, false);
        f(f64::NAN, f64::NAN, false, true);
    }
}
