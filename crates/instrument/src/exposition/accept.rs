//! Content negotiation of a scrape: RFC 9110, sections 12.4.2 (weights), 12.5.1 and 12.5.3.

use http::{HeaderMap, HeaderName};

use super::Format;

/// More choices than any scraper sends; the rest is not read.
const CHOICES_MAX: usize = 32;

/// The format with the highest weight; a tie goes to OpenMetrics if it is named, because it says
/// more. A client that wants something else gets text, as from the Prometheus client libraries.
pub(super) fn format(headers: &HeaderMap, accept: &HeaderName) -> Format {
    let (mut open_metrics, mut text) = (0.0_f32, 0.0_f32);
    for choice in choices(headers, accept) {
        let version = choice.parameter("version");
        let weight = choice.weight();
        match choice.name.to_ascii_lowercase().as_str() {
            "application/openmetrics-text" if matches!(version, None | Some("1.0.0")) => {
                open_metrics = open_metrics.max(weight);
            }
            "text/plain" if matches!(version, None | Some("0.0.4")) => text = text.max(weight),
            "text/*" | "*/*" => text = text.max(weight),
            _ => {}
        }
    }
    if open_metrics > 0.0 && open_metrics >= text { Format::OpenMetrics } else { Format::Text }
}

/// Whether the client takes gzip: by name, or by `*` when it does not refuse gzip by name.
pub(super) fn gzip(headers: &HeaderMap, accept_encoding: &HeaderName) -> bool {
    let weight_of = |name: &str| {
        choices(headers, accept_encoding)
            .find(|choice| choice.name.eq_ignore_ascii_case(name))
            .map(|choice| choice.weight())
    };
    weight_of("gzip").or_else(|| weight_of("*")).is_some_and(|weight| weight > 0.0)
}

/// One element of the list: `name;parameter=value;q=0.5`.
struct Choice<'a> {
    name: &'a str,
    parameters: &'a str,
}

impl<'a> Choice<'a> {
    fn parameter(&self, name: &str) -> Option<&'a str> {
        self.parameters.split(';').find_map(|parameter| {
            let (key, value) = parameter.split_once('=')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
        })
    }

    /// 1 without a weight; 0, which means "not this", for a weight that is not one.
    fn weight(&self) -> f32 {
        let Some(text) = self.parameter("q") else { return 1.0 };
        let weight = text.parse().unwrap_or(0.0);
        if (0.0..=1.0).contains(&weight) { weight } else { 0.0 }
    }
}

fn choices<'a>(headers: &'a HeaderMap, header: &HeaderName) -> impl Iterator<Item = Choice<'a>> {
    let values = headers.get_all(header).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).take(CHOICES_MAX).map(|element| {
        let (name, parameters) = element.split_once(';').unwrap_or((element, ""));
        Choice { name: name.trim(), parameters }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::{ACCEPT, ACCEPT_ENCODING};

    fn one(header: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header, value.parse().unwrap())])
    }

    #[test]
    fn the_format_with_the_highest_weight_wins() {
        let f = |accept: &str, want: Format| {
            assert_eq!(format(&one(ACCEPT, accept), &ACCEPT), want, "{accept}");
        };
        assert_eq!(format(&HeaderMap::new(), &ACCEPT), Format::Text);
        f("*/*", Format::Text);
        f("text/html,application/xhtml+xml,*/*;q=0.8", Format::Text);
        f("application/json", Format::Text);
        f("application/openmetrics-text", Format::OpenMetrics);
        f("Application/OpenMetrics-Text; version=\"1.0.0\"", Format::OpenMetrics);
        f("application/openmetrics-text;version=2.0.0", Format::Text);
        f("application/openmetrics-text;version=0.0.1", Format::Text);
        f("application/openmetrics-text;q=0.4,text/plain;version=0.0.4;q=0.5", Format::Text);
        f("application/openmetrics-text;q=0.5,text/plain;version=0.0.4;q=0.5", Format::OpenMetrics);
        f("application/openmetrics-text;q=0", Format::Text);
        f("application/openmetrics-text;q=nonsense", Format::Text);
        f("application/openmetrics-text;q=NaN", Format::Text);
        // What Prometheus 3 sends with its default protocols, and what it sends when it prefers text.
        f(
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            Format::OpenMetrics,
        );
        f(
            "text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.2",
            Format::Text,
        );
    }

    #[test]
    fn gzip_is_used_only_when_it_is_allowed() {
        let f = |value: &str, want: bool| {
            assert_eq!(gzip(&one(ACCEPT_ENCODING, value), &ACCEPT_ENCODING), want, "{value}");
        };
        assert!(!gzip(&HeaderMap::new(), &ACCEPT_ENCODING));
        f("gzip", true);
        f("br, GZIP;q=0.5", true);
        f("gzip;q=0", false);
        f("identity", false);
        f("*", true);
        f("*, gzip;q=0", false);
    }
}
