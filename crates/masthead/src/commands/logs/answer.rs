//! What a server answers: lines or numbers, in the shapes of Loki's HTTP API.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::Value;

/// Labels by name.
pub(super) type LabelMap = BTreeMap<String, String>;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Nanoseconds since 1970.
    pub(super) at: i64,
    /// Of its stream.
    pub(super) stream: LabelMap,
    /// Its own: structured metadata and what the query made of it.
    pub(super) own: LabelMap,
    pub(super) text: String,
}

/// One series with its numbers: when, in seconds, and what.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Series {
    pub(super) labels: LabelMap,
    pub(super) points: Vec<(f64, String)>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Data {
    Lines(Vec<Line>),
    Numbers(Vec<Series>),
}

#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) data: Data,
    pub(super) warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Envelope {
    data: Body,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "resultType")]
    kind: String,
    result: Value,
}

#[derive(Deserialize)]
struct Stream {
    stream: LabelMap,
    values: Vec<Entry>,
}

/// Time, text, and with `categorize-labels` the line's own labels.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Own(String, String, Groups),
    Plain(String, String),
}

#[derive(Deserialize)]
struct Groups {
    #[serde(rename = "structuredMetadata", default)]
    metadata: LabelMap,
    #[serde(default)]
    parsed: LabelMap,
}

#[derive(Deserialize)]
struct Numbers {
    metric: LabelMap,
    #[serde(default)]
    value: Option<(f64, String)>,
    #[serde(default)]
    values: Vec<(f64, String)>,
}

/// Reads a successful answer.
///
/// # Errors
/// It is no answer of this API.
pub(super) fn parse(body: &[u8]) -> anyhow::Result<Answer> {
    let Envelope { data, warnings } =
        serde_json::from_slice(body).context("not an answer of Loki")?;
    let data = match data.kind.as_str() {
        "streams" => Data::Lines(lines(serde_json::from_value(data.result)?)?),
        "scalar" => {
            let (millis, value): (f64, String) = serde_json::from_value(data.result)?;
            let points = vec![(millis / 1000.0, value)];
            Data::Numbers(vec![Series { labels: LabelMap::new(), points }])
        }
        _ => {
            let series: Vec<Numbers> = serde_json::from_value(data.result)?;
            let series = series.into_iter().map(|mut series| {
                series.values.extend(series.value);
                Series { labels: series.metric, points: series.values }
            });
            Data::Numbers(series.collect())
        }
    };
    Ok(Answer { data, warnings })
}

/// Reads one message of a server that is followed: its lines, and how many were missed.
///
/// # Errors
/// It is no such message.
pub(super) fn parse_tail(text: &str) -> anyhow::Result<(Vec<Line>, usize)> {
    #[derive(Deserialize)]
    struct Message {
        #[serde(default)]
        streams: Vec<Stream>,
        #[serde(default)]
        dropped_entries: Option<Vec<Value>>,
    }
    let message: Message = serde_json::from_str(text).context("not a message of Loki")?;
    let missed = message.dropped_entries.map_or(0, |dropped| dropped.len());
    Ok((lines(message.streams)?, missed))
}

fn lines(streams: Vec<Stream>) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    for Stream { stream, values } in streams {
        for entry in values {
            let (at, text, own) = match entry {
                Entry::Plain(at, text) => (at, text, LabelMap::new()),
                Entry::Own(at, text, Groups { mut metadata, parsed }) => {
                    metadata.extend(parsed);
                    (at, text, metadata)
                }
            };
            let at = at.parse().with_context(|| format!("{at:?} is no time in nanoseconds"))?;
            lines.push(Line { at, stream: stream.clone(), own, text });
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> LabelMap {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn answers_of_all_types() {
        let body = br#"{"status":"success","data":{"resultType":"streams","result":[{"stream":{"a":"b"},"values":[["5","x",{"structuredMetadata":{"m":"1"},"parsed":{"p":"2"}}],["6","y"]]}],"encodingFlags":["categorize-labels"],"stats":{}},"warnings":["w"]}"#;
        let line = |at, own: &[(&str, &str)], text: &str| Line {
            at,
            stream: map(&[("a", "b")]),
            own: map(own),
            text: text.to_owned(),
        };
        let want = Answer {
            data: Data::Lines(vec![line(5, &[("m", "1"), ("p", "2")], "x"), line(6, &[], "y")]),
            warnings: vec!["w".to_owned()],
        };
        assert_eq!(parse(body).unwrap(), want);
        let numbers = |body: &str| match parse(body.as_bytes()).unwrap().data {
            Data::Numbers(series) => series,
            Data::Lines(lines) => panic!("{lines:?}"),
        };
        let series = numbers(
            r#"{"data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"2"],[2.5,"3"]]}]}}"#,
        );
        assert_eq!(series[0].points, [(1.0, "2".to_owned()), (2.5, "3".to_owned())]);
        let series =
            numbers(r#"{"data":{"resultType":"vector","result":[{"metric":{},"value":[1,"2"]}]}}"#);
        assert_eq!(series[0].points, [(1.0, "2".to_owned())]);
        let series = numbers(r#"{"data":{"resultType":"scalar","result":[1500,"2"]}}"#);
        assert_eq!(series[0].points, [(1.5, "2".to_owned())]);
        assert!(parse(b"<html>").unwrap_err().to_string().contains("not an answer of Loki"));
    }

    #[test]
    fn messages_of_a_tail() {
        let text = r#"{"streams":[{"stream":{"a":"b"},"values":[["7","x",{"structuredMetadata":{"m":"1"}}]]}],"dropped_entries":[{"timestamp":"t","labels":"{}"}]}"#;
        let (lines, missed) = parse_tail(text).unwrap();
        assert_eq!((lines[0].at, lines[0].text.as_str(), missed), (7, "x", 1));
        assert_eq!((&lines[0].stream, &lines[0].own), (&map(&[("a", "b")]), &map(&[("m", "1")])));
        let (lines, missed) = parse_tail(r#"{"streams":[],"dropped_entries":null}"#).unwrap();
        assert_eq!((lines.len(), missed), (0, 0));
        assert!(parse_tail("x").is_err());
    }
}
