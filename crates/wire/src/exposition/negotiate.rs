//! The two headers that choose a format: the Accept that a scraper sends and the Content-Type
//! that it gets.
//!
//! Facts: `scrape.go: acceptHeader`, `textparse/interface.go: extractMediaType`,
//! `config.go: ScrapeProtocolsHeaders`.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::Error;

/// A format that bodies can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// The text format.
    Text,
    /// OpenMetrics.
    OpenMetrics,
    /// Delimited protobuf.
    Protobuf,
}

impl Format {
    /// The media type without parameters.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain",
            Self::OpenMetrics => "application/openmetrics-text",
            Self::Protobuf => "application/vnd.google.protobuf",
        }
    }
}

/// What `scrape_protocols` and `fallback_scrape_protocol` name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub enum ScrapeProtocol {
    /// Delimited protobuf.
    PrometheusProto,
    /// The text format.
    #[serde(rename = "PrometheusText0.0.4")]
    PrometheusText0_0_4,
    /// The text format with quoted names.
    #[serde(rename = "PrometheusText1.0.0")]
    PrometheusText1_0_0,
    /// OpenMetrics as it was drafted.
    #[serde(rename = "OpenMetricsText0.0.1")]
    OpenMetricsText0_0_1,
    /// OpenMetrics.
    #[serde(rename = "OpenMetricsText1.0.0")]
    OpenMetricsText1_0_0,
}

impl ScrapeProtocol {
    /// How many there are, which is where upstream's weights start from.
    const COUNT: usize = 5;

    /// What a scraper offers unless told otherwise, first choice first.
    pub const DEFAULT: [Self; 4] = [
        Self::OpenMetricsText1_0_0,
        Self::OpenMetricsText0_0_1,
        Self::PrometheusText1_0_0,
        Self::PrometheusText0_0_4,
    ];

    /// The same with protobuf first, for targets whose native histograms are wanted.
    pub const PROTO_FIRST: [Self; 5] = [
        Self::PrometheusProto,
        Self::OpenMetricsText1_0_0,
        Self::OpenMetricsText0_0_1,
        Self::PrometheusText1_0_0,
        Self::PrometheusText0_0_4,
    ];

    /// The format that it asks for.
    pub fn format(self) -> Format {
        match self {
            Self::PrometheusProto => Format::Protobuf,
            Self::PrometheusText0_0_4 | Self::PrometheusText1_0_0 => Format::Text,
            Self::OpenMetricsText0_0_1 | Self::OpenMetricsText1_0_0 => Format::OpenMetrics,
        }
    }

    fn header(self) -> &'static str {
        match self {
            Self::PrometheusProto => {
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
            }
            Self::PrometheusText0_0_4 => "text/plain;version=0.0.4",
            Self::PrometheusText1_0_0 => "text/plain;version=1.0.0",
            Self::OpenMetricsText0_0_1 => "application/openmetrics-text;version=0.0.1",
            Self::OpenMetricsText1_0_0 => "application/openmetrics-text;version=1.0.0",
        }
    }
}

/// How names that older Prometheus refuses are to be sent (`metric_name_escaping_scheme`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EscapingScheme {
    /// As they are.
    #[default]
    #[serde(rename = "allow-utf-8")]
    AllowUtf8,
    /// With underscores for what does not fit.
    Underscores,
    /// With dots spelled out.
    Dots,
    /// With code points spelled out.
    Values,
}

impl EscapingScheme {
    /// The name in headers and configuration files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllowUtf8 => "allow-utf-8",
            Self::Underscores => "underscores",
            Self::Dots => "dots",
            Self::Values => "values",
        }
    }
}

/// The Accept header that offers `protocols`, first choice first.
pub fn accept_header(protocols: &[ScrapeProtocol], scheme: EscapingScheme) -> String {
    let mut header = String::new();
    let mut weight = ScrapeProtocol::COUNT + 1;
    for protocol in protocols {
        header.push_str(protocol.header());
        // Older versions do not know the parameter.
        if matches!(
            protocol,
            ScrapeProtocol::PrometheusText1_0_0 | ScrapeProtocol::OpenMetricsText1_0_0
        ) {
            header.push_str(";escaping=");
            header.push_str(scheme.as_str());
        }
        // Writing to a String cannot fail.
        write!(header, ";q=0.{weight},").unwrap_or_default();
        weight = weight.saturating_sub(1);
    }
    write!(header, "*/*;q=0.{weight}").unwrap_or_default();
    header
}

/// The format that a Content-Type names, else the fallback and what to warn about.
///
/// # Errors
/// [`Error::ContentType`] where there is no fallback, with the text that upstream fails the
/// scrape with.
pub fn choose_format(
    content_type: &str,
    fallback: Option<ScrapeProtocol>,
) -> Result<(Format, Option<String>), Error> {
    let shown = masthead_model::quote(content_type);
    let media_type = parse_media_type(content_type);
    let (with, without) = match media_type.as_deref() {
        Ok("text/plain") => return Ok((Format::Text, None)),
        Ok("application/openmetrics-text") => return Ok((Format::OpenMetrics, None)),
        Ok("application/vnd.google.protobuf") => return Ok((Format::Protobuf, None)),
        _ if content_type.is_empty() => (
            "non-compliant scrape target sending blank Content-Type".to_owned(),
            "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target".to_owned(),
        ),
        Ok(_) => (
            format!("received unsupported Content-Type {shown}"),
            format!("received unsupported Content-Type {shown} and no fallback_scrape_protocol specified for target"),
        ),
        Err(error) => (
            format!("could not parse received Content-Type {shown} ({error})"),
            format!("cannot parse Content-Type {shown} and no fallback_scrape_protocol for target\n{error}"),
        ),
    };
    let Some(fallback) = fallback else { return Err(Error::ContentType(without)) };
    let format = fallback.format();
    let name = masthead_model::quote(format.media_type());
    Ok((format, Some(format!("{with}, using fallback_scrape_protocol {name}"))))
}

/// The media type in lower case, if the header has the syntax that Go's `mime` asks for.
fn parse_media_type(header: &str) -> Result<String, &'static str> {
    let mut parts = header.split(';');
    let media_type = parts.next().unwrap_or("").trim().to_ascii_lowercase();
    let is_token = |text: &str| {
        let special = "()<>@,;:\\\"/[]?= \t";
        !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && !special.contains(c))
    };
    match media_type.split_once('/') {
        _ if media_type.is_empty() => return Err("mime: no media type"),
        Some((kind, _)) if !is_token(kind) => return Err("mime: expected token after slash"),
        Some((_, subtype)) if !is_token(subtype) => {
            return Err("mime: expected token after slash");
        }
        None if !is_token(&media_type) => return Err("mime: expected slash after first token"),
        _ => {}
    }
    for parameter in parts.map(str::trim).filter(|parameter| !parameter.is_empty()) {
        let value = parameter.split_once('=').filter(|(name, _)| is_token(name.trim()));
        let fits = value.is_some_and(|(_, value)| {
            let value = value.trim();
            is_token(value) || (value.len() > 1 && value.starts_with('"') && value.ends_with('"'))
        });
        if !fits {
            return Err("mime: invalid media parameter");
        }
    }
    Ok(media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_weighted_as_upstream_weights_them() {
        assert_eq!(
            accept_header(&ScrapeProtocol::DEFAULT, EscapingScheme::AllowUtf8),
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
        );
        assert_eq!(
            accept_header(&ScrapeProtocol::PROTO_FIRST, EscapingScheme::Underscores),
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=underscores;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
        );
    }

    #[test]
    fn names_in_configuration_are_upstreams() {
        let f = |protocol: ScrapeProtocol, name: &str| {
            let json = format!("\"{name}\"");
            assert_eq!(serde_json::to_string(&protocol).expect("plain"), json);
            assert_eq!(serde_json::from_str::<ScrapeProtocol>(&json).expect("known"), protocol);
        };
        f(ScrapeProtocol::PrometheusProto, "PrometheusProto");
        f(ScrapeProtocol::PrometheusText0_0_4, "PrometheusText0.0.4");
        f(ScrapeProtocol::PrometheusText1_0_0, "PrometheusText1.0.0");
        f(ScrapeProtocol::OpenMetricsText0_0_1, "OpenMetricsText0.0.1");
        f(ScrapeProtocol::OpenMetricsText1_0_0, "OpenMetricsText1.0.0");
        for scheme in ["allow-utf-8", "underscores", "dots", "values"] {
            let json = format!("\"{scheme}\"");
            let read: EscapingScheme = serde_json::from_str(&json).expect("known");
            assert_eq!(read.as_str(), scheme);
        }
    }

    #[test]
    fn the_content_type_decides_and_the_fallback_catches() {
        let f = |content_type: &str, want: Format| {
            assert_eq!(choose_format(content_type, None), Ok((want, None)), "{content_type}");
        };
        f("text/plain", Format::Text);
        f("text/plain; version=0.0.4; charset=utf-8", Format::Text);
        f("Application/OpenMetrics-Text;version=1.0.0", Format::OpenMetrics);
        f(
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=\"delimited\"",
            Format::Protobuf,
        );
        let f = |content_type: &str, error: &str, warning: &str| {
            assert_eq!(
                choose_format(content_type, None).map_err(|e| e.to_string()),
                Err(error.to_owned())
            );
            let got = choose_format(content_type, Some(ScrapeProtocol::PrometheusText0_0_4));
            assert_eq!(got, Ok((Format::Text, Some(warning.to_owned()))));
        };
        f(
            "",
            "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target",
            "non-compliant scrape target sending blank Content-Type, using fallback_scrape_protocol \"text/plain\"",
        );
        f(
            "text/html",
            "received unsupported Content-Type \"text/html\" and no fallback_scrape_protocol specified for target",
            "received unsupported Content-Type \"text/html\", using fallback_scrape_protocol \"text/plain\"",
        );
        f(
            "text/plain;x",
            "cannot parse Content-Type \"text/plain;x\" and no fallback_scrape_protocol for target\nmime: invalid media parameter",
            "could not parse received Content-Type \"text/plain;x\" (mime: invalid media parameter), using fallback_scrape_protocol \"text/plain\"",
        );
        f(
            "a b",
            "cannot parse Content-Type \"a b\" and no fallback_scrape_protocol for target\nmime: expected slash after first token",
            "could not parse received Content-Type \"a b\" (mime: expected slash after first token), using fallback_scrape_protocol \"text/plain\"",
        );
    }
}
