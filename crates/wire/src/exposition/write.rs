//! Writing what others scrape: `/metrics` and `/federate`.
//!
//! Names that older Prometheus refuses are written in quotes inside the braces, as the text
//! format 1.0.0 and OpenMetrics have it. Native histograms have no text form; callers leave them
//! out. Facts: `expfmt/text_create.go`, `expfmt/openmetrics_create.go`.

use std::fmt::Write as _;

use masthead_model::{
    Labels, METRIC_NAME, Millis, format_exact, format_shortest, is_legacy_label_name,
    is_legacy_metric_name,
};

use crate::{Exemplar, MetricType, go::format_openmetrics};

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WriteFormat {
    /// The text format.
    Text,
    /// OpenMetrics.
    OpenMetrics,
}

impl WriteFormat {
    /// The Content-Type of what is written.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8; escaping=allow-utf-8",
            Self::OpenMetrics => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
            }
        }
    }

    /// What the client would rather have; the text format unless OpenMetrics is accepted with a
    /// greater weight.
    pub fn from_accept(accept: &str) -> Self {
        let weight = |wanted: &str| {
            let matches = |offer: &&str| offer.split(';').next().map(str::trim) == Some(wanted);
            accept.split(',').find(matches).map(|offer| {
                let q = offer.split(';').find_map(|p| p.trim().strip_prefix("q="));
                q.and_then(|q| q.trim().parse::<f64>().ok()).unwrap_or(1.0)
            })
        };
        let text = weight("text/plain").or(weight("text/*")).or(weight("*/*")).unwrap_or(0.0);
        match weight("application/openmetrics-text") {
            Some(open) if open > text => Self::OpenMetrics,
            _ => Self::Text,
        }
    }
}

/// Writes families and their samples, in the order in which they are given.
#[derive(Debug)]
pub struct TextWriter {
    out: String,
    format: WriteFormat,
    /// The name of the current family if it is a counter.
    counter: Option<String>,
    /// Whether names that older Prometheus refuses get underscores rather than quotes.
    underscores: bool,
}

impl TextWriter {
    /// Starts with nothing.
    pub fn new(format: WriteFormat) -> Self {
        Self { out: String::new(), format, counter: None, underscores: false }
    }

    /// The same for readers that know no quoted names (`escaping=underscores`).
    pub fn with_underscores(format: WriteFormat) -> Self {
        Self { underscores: true, ..Self::new(format) }
    }

    /// Starts a family; an empty help or unit is not written, nor is a unit in the text format.
    pub fn family(&mut self, name: &str, metric_type: MetricType, help: &str, unit: &str) {
        let open = self.format == WriteFormat::OpenMetrics;
        let is_counter = metric_type == MetricType::Counter;
        self.counter = is_counter.then(|| name.to_owned());
        // There the family is called without the suffix that its samples have.
        let name = match name.strip_suffix("_total") {
            Some(base) if open && is_counter => base,
            _ => name,
        };
        let keyword = match (self.format, metric_type) {
            (WriteFormat::Text, MetricType::Unknown | MetricType::StateSet) => "untyped",
            (WriteFormat::Text, MetricType::Info) => "gauge",
            (WriteFormat::Text, MetricType::GaugeHistogram) => "histogram",
            _ => metric_type.as_str(),
        };
        if !help.is_empty() {
            self.metadata("HELP", name);
            escape(&mut self.out, help, open);
            self.out.push('\n');
        }
        self.metadata("TYPE", name);
        self.out.push_str(keyword);
        self.out.push('\n');
        // The specification wants it to be the end of the name.
        if open && name.strip_suffix(unit).is_some_and(|before| before.ends_with('_')) {
            self.metadata("UNIT", name);
            self.out.push_str(unit);
            self.out.push('\n');
        }
    }

    /// Writes a sample; exemplars are left out of the text format, which has none.
    pub fn sample(
        &mut self,
        labels: &Labels,
        value: f64,
        timestamp: Option<Millis>,
        exemplar: Option<&Exemplar>,
    ) {
        let own = labels.iter().filter(|label| label.name != METRIC_NAME);
        let pairs = own.map(|label| (label.name, label.value));
        self.line(labels.metric_name().unwrap_or(""), pairs, value, timestamp, exemplar);
    }

    /// Writes a sample whose labels may be empty and in any order, as federation has them.
    pub fn sample_of<'l>(
        &mut self,
        name: &str,
        labels: impl IntoIterator<Item = (&'l str, &'l str)>,
        value: f64,
        timestamp: Option<Millis>,
    ) {
        self.line(name, labels, value, timestamp, None);
    }

    fn line<'l>(
        &mut self,
        name: &str,
        labels: impl IntoIterator<Item = (&'l str, &'l str)>,
        value: f64,
        timestamp: Option<Millis>,
        exemplar: Option<&Exemplar>,
    ) {
        let open = self.format == WriteFormat::OpenMetrics;
        let lacks_total =
            open && self.counter.as_deref() == Some(name) && !name.ends_with("_total");
        self.series(name, labels, if lacks_total { "_total" } else { "" });
        self.out.push(' ');
        self.number(value);
        if let Some(timestamp) = timestamp {
            self.out.push(' ');
            self.timestamp(timestamp);
        }
        if let Some(exemplar) = exemplar.filter(|_| open) {
            self.out.push_str(" # ");
            if exemplar.labels.is_empty() {
                self.out.push_str("{}");
            }
            self.labels(exemplar.labels.iter().map(|label| (label.name, label.value)), true);
            self.out.push(' ');
            self.number(exemplar.value);
            if let Some(timestamp) = exemplar.timestamp {
                self.out.push(' ');
                self.timestamp(timestamp);
            }
        }
        self.out.push('\n');
    }

    /// The text that names a series, for [`TextWriter::point`].
    pub fn series_text(&self, labels: &Labels) -> String {
        let mut writer = Self::new(self.format);
        let own = labels.iter().filter(|label| label.name != METRIC_NAME);
        let pairs = own.map(|label| (label.name, label.value));
        writer.series(labels.metric_name().unwrap_or(""), pairs, "");
        writer.out
    }

    /// Writes a sample of a series whose text was made before; it takes the name as it is.
    pub fn point(&mut self, series: &str, value: f64, timestamp: Millis) {
        self.out.push_str(series);
        self.out.push(' ');
        self.number(value);
        self.out.push(' ');
        self.timestamp(timestamp);
        self.out.push('\n');
    }

    /// Takes what was written so far; more can follow.
    pub fn take(&mut self) -> String {
        let empty = String::with_capacity(self.out.len());
        std::mem::replace(&mut self.out, empty)
    }

    /// Bytes so far.
    pub fn byte_len(&self) -> usize {
        self.out.len()
    }

    /// The body.
    pub fn finish(mut self) -> String {
        if self.format == WriteFormat::OpenMetrics {
            self.out.push_str("# EOF\n");
        }
        self.out
    }

    /// The name with `suffix`, and the labels.
    fn series<'l>(
        &mut self,
        name: &str,
        labels: impl IntoIterator<Item = (&'l str, &'l str)>,
        suffix: &str,
    ) {
        let quoted = !self.underscores && !is_legacy_metric_name(name);
        if !quoted {
            self.name(name, is_legacy_metric_name(name), |c| is_label_char(c) || c == ':');
            self.out.push_str(suffix);
        }
        let mut first = true;
        if quoted && !name.is_empty() {
            self.out.push_str("{\"");
            escape(&mut self.out, name, true);
            self.out.push_str(suffix);
            self.out.push('"');
            first = false;
        }
        self.labels(labels, first);
    }

    fn metadata(&mut self, keyword: &str, name: &str) {
        self.out.push_str("# ");
        self.out.push_str(keyword);
        self.out.push(' ');
        self.name(name, is_legacy_metric_name(name), |c| is_label_char(c) || c == ':');
        self.out.push(' ');
    }

    /// The labels with their braces; `first` if no brace is open yet.
    fn labels<'l>(
        &mut self,
        labels: impl IntoIterator<Item = (&'l str, &'l str)>,
        mut first: bool,
    ) {
        for (name, value) in labels {
            self.out.push(if first { '{' } else { ',' });
            first = false;
            self.name(name, is_legacy_label_name(name), is_label_char);
            self.out.push_str("=\"");
            escape(&mut self.out, value, true);
            self.out.push('"');
        }
        if !first {
            self.out.push('}');
        }
    }

    /// A name as it is if it is `legacy`, else in quotes or with underscores.
    fn name(&mut self, name: &str, legacy: bool, plain: fn(char) -> bool) {
        if legacy {
            self.out.push_str(name);
        } else if self.underscores {
            // A digit may not come first.
            let fits = |at: usize, c: char| plain(c) && !(at == 0 && c.is_ascii_digit());
            let chars = name.chars().enumerate();
            self.out.extend(chars.map(|(at, c)| if fits(at, c) { c } else { '_' }));
        } else {
            self.out.push('"');
            escape(&mut self.out, name, true);
            self.out.push('"');
        }
    }

    fn number(&mut self, value: f64) {
        self.out.push_str(&match self.format {
            WriteFormat::Text => format_shortest(value, 6),
            WriteFormat::OpenMetrics => format_openmetrics(value),
        });
    }

    /// Milliseconds, or in OpenMetrics seconds.
    fn timestamp(&mut self, timestamp: Millis) {
        // Writing to a String cannot fail.
        match self.format {
            WriteFormat::Text => write!(self.out, "{}", timestamp.0).unwrap_or_default(),
            WriteFormat::OpenMetrics => self.out.push_str(&seconds(timestamp)),
        }
    }
}

fn is_label_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// A bound of a bucket or a quantile as the parsers of OpenMetrics rewrite it.
pub fn canonical_bound(value: f64) -> String {
    format_openmetrics(value)
}

/// Seconds that read back as the same milliseconds.
///
/// Upstream multiplies by a thousand and cuts the rest off (`openmetricsparse.go`), which makes
/// some early times, such as 1.001, a millisecond less; those are written a little larger.
fn seconds(timestamp: Millis) -> String {
    let millis = timestamp.0;
    let mut seconds = timestamp.as_seconds();
    #[expect(clippy::cast_possible_truncation, reason = "as it is read")]
    let read = |seconds: f64| (seconds * 1000.0) as i64;
    if read(seconds) == millis {
        // The usual case, without looking for the shortest digits.
        let (sign, whole, rest) = (
            if millis < 0 { "-" } else { "" },
            millis.unsigned_abs() / 1000,
            millis.unsigned_abs() % 1000,
        );
        return match rest {
            0 => format!("{sign}{whole}"),
            _ => format!("{sign}{whole}.{rest:03}").trim_end_matches('0').to_owned(),
        };
    }
    // Beyond 2^53 milliseconds there is no such number, and the next one is as good.
    for _ in 0..4 {
        seconds = if millis < 0 { seconds.next_down() } else { seconds.next_up() };
        if read(seconds) == millis {
            break;
        }
    }
    format_exact(seconds)
}

fn escape(out: &mut String, text: &str, quotes: bool) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::go::parse_float;

    #[test]
    fn seconds_read_back_as_the_same_milliseconds() {
        let f = |millis: i64, want: &str| assert_eq!(seconds(Millis(millis)), want);
        f(0, "0");
        f(1_795_341_600_000, "1795341600");
        f(1_795_341_600_120, "1795341600.12");
        f(-1, "-0.001");
        f(1000, "1");
        // 1.001 would be read as 1000 ms.
        f(1001, "1.0010000000000001");
        f(-1001, "-1.0010000000000001");
        let near = |start: i64| start..start + 3000;
        for millis in near(-1500).chain(near(1_700_000_000_000)).chain(near(1 << 50)) {
            let read = parse_float(seconds(Millis(millis)).as_bytes()).unwrap();
            #[expect(clippy::cast_possible_truncation, reason = "as it is read")]
            let cut = (read * 1000.0) as i64;
            assert_eq!(cut, millis);
        }
        assert!(!seconds(Millis::MAX).is_empty() && !seconds(Millis::MIN).is_empty());
    }

    #[test]
    fn a_series_written_point_by_point_looks_as_one_written_at_once() {
        let labels: Labels = r#"{"ü \"m", a="b\\\nc", "x y"="z"}"#.parse().unwrap();
        let mut at_once = TextWriter::new(WriteFormat::OpenMetrics);
        at_once.sample(&labels, 1.5, Some(Millis(7)), None);
        let mut by_points = TextWriter::new(WriteFormat::OpenMetrics);
        let text = by_points.series_text(&labels);
        by_points.point(&text, 1.5, Millis(7));
        assert_eq!(by_points.take(), at_once.take());
        assert_eq!(by_points.finish(), "# EOF\n");
    }
}
