//! `/openapi.yaml`: the API described for programs, as OpenAPI 3.1.
//!
//! Every path of `/api/v1` is one row of [`PATHS`]; a test asks each of them. What the answers look
//! like beyond their envelope is in `docs/reference/http-prometheus.md`.

use std::fmt::Write as _;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

/// `/openapi.yaml`
pub(super) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/yaml; charset=utf-8")], document()).into_response()
}

/// One path: where, how, what for, with which parameters. A `*` marks a parameter that must be
/// there, `[]` one that may be repeated; one in braces is part of the path.
struct Path(&'static str, &'static str, &'static str, &'static str);

const GET_POST: &str = "get post";
const CHANGE: &str = "post put";
const SEARCH: &str = "search[] match[] start end limit batch_size fuzz_alg fuzz_threshold case_sensitive sort_by sort_dir include_score";

#[rustfmt::skip]
const PATHS: &[Path] = &[
    Path("/query", GET_POST, "Evaluate a query at one instant", "query* time timeout limit lookback_delta stats explain"),
    Path("/query_range", GET_POST, "Evaluate a query at every step of a range", "query* start* end* step* timeout limit lookback_delta stats explain"),
    Path("/query_exemplars", GET_POST, "Exemplars of the series that a query selects", "query* start end"),
    Path("/format_query", GET_POST, "A query in canonical form", "query*"),
    Path("/parse_query", GET_POST, "A query as a syntax tree", "query*"),
    Path("/labels", GET_POST, "Names of labels", "match[] start end limit"),
    Path("/label/{name}/values", "get", "Values of a label", "{name} match[] start end limit"),
    Path("/series", GET_POST, "Label sets of series", "match[]* start end limit"),
    Path("/metadata", "get", "Type, help and unit of metrics", "metric limit limit_per_metric"),
    Path("/search/metric_names", GET_POST, "Names of metrics while they are typed, as lines of JSON", SEARCH),
    Path("/search/label_names", GET_POST, "Names of labels while they are typed, as lines of JSON", SEARCH),
    Path("/search/label_values", GET_POST, "Values of a label while they are typed, as lines of JSON", SEARCH),
    Path("/read", "post", "Remote read: protobuf, compressed with snappy", ""),
    Path("/write", "post", "Remote write 1.0 and 2.0: protobuf, compressed with snappy", ""),
    Path("/otlp/v1/metrics", "post", "OTLP metrics as protobuf or JSON", ""),
    Path("/targets", "get", "What is scraped", "state scrapePool"),
    Path("/targets/metadata", "get", "What targets say of their metrics", "match_target metric limit"),
    Path("/targets/relabel_steps", "get", "What each relabelling rule makes of a label set", "scrapePool* labels*"),
    Path("/scrape_pools", "get", "Names of scrape pools", ""),
    Path("/scrape_pools/config", "get", "The configuration of a scrape pool as YAML, secrets masked", "scrapePool*"),
    Path("/rules", "get", "Recording and alerting rules", "type rule_name[] rule_group[] file[] match[] exclude_alerts group_limit group_next_token"),
    Path("/alerts", "get", "Pending and firing alerts", ""),
    Path("/alertmanagers", "get", "Where alerts are sent", ""),
    Path("/status/config", "get", "The configuration as YAML, secrets masked", ""),
    Path("/status/flags", "get", "Flags and their values", ""),
    Path("/status/runtimeinfo", "get", "The process", ""),
    Path("/status/buildinfo", "get", "The build", ""),
    Path("/status/tsdb", "get", "How many series there are and what they are made of", "limit"),
    Path("/status/tsdb/blocks", "get", "The blocks on disk", ""),
    Path("/status/walreplay", "get", "How far the journal is replayed", ""),
    Path("/status/self_metrics", "get", "The server's own metrics as JSON", "metric_name_pattern"),
    Path("/features", "get", "What is switched on", ""),
    Path("/notifications", "get", "What an operator should know", ""),
    Path("/notifications/live", "get", "The same as it happens", ""),
    Path("/openapi.yaml", "get", "This document", ""),
    Path("/admin/tsdb/delete_series", CHANGE, "Delete series (--web.enable-admin-api)", "match[]* start end"),
    Path("/admin/tsdb/clean_tombstones", CHANGE, "Give back the space of deleted series (--web.enable-admin-api)", ""),
    Path("/admin/tsdb/snapshot", CHANGE, "Make a snapshot (--web.enable-admin-api)", "skip_head"),
];

/// Success that is no envelope: the beginning of paths, the status, and the kinds of body, none for
/// no body.
const OTHER: &[(&str, u16, &[&str])] = &[
    ("/search/", 200, &["application/x-ndjson"]),
    ("/read", 200, &["application/x-protobuf", "application/x-streamed-protobuf"]),
    ("/write", 204, &[]),
    ("/otlp/", 200, &["application/x-protobuf", "application/json"]),
    ("/notifications/live", 204, &[]),
    ("/openapi.yaml", 200, &["application/yaml"]),
    ("/admin/tsdb/delete_series", 204, &[]),
    ("/admin/tsdb/clean_tombstones", 204, &[]),
];

const HEAD: &str = "\
openapi: 3.1.0
info:
  title: The Prometheus HTTP API of Masthead
";

const TAIL: &str = "\
components:
  responses:
    success:
      description: What was asked for; most answers have the JSON envelope of Envelope.
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Envelope'}
    error:
      description: Why there is no answer.
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Error'}
        text/plain:
          schema: {type: string}
  schemas:
    Envelope:
      type: object
      required: [status, data]
      properties:
        status: {const: success}
        data: {}
        warnings: {type: array, items: {type: string}}
        infos: {type: array, items: {type: string}}
    Error:
      type: object
      required: [status, errorType, error]
      properties:
        status: {const: error}
        errorType: {type: string}
        error: {type: string}
";

fn document() -> String {
    let mut out = String::from(HEAD);
    let version = super::COMPATIBLE_VERSION;
    // Writing to a String cannot fail.
    writeln!(out, "  version: {version}\nservers:\n  - url: /api/v1\npaths:").unwrap_or_default();
    for Path(path, methods, summary, parameters) in PATHS {
        writeln!(out, "  {path}:").unwrap_or_default();
        for method in methods.split(' ') {
            writeln!(out, "    {method}:\n      summary: '{}'", quoted(summary))
                .unwrap_or_default();
            let id = format!("{method}{path}");
            let id: Vec<&str> =
                id.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
            writeln!(out, "      operationId: {}", id.join("-")).unwrap_or_default();
            push_parameters(&mut out, parameters);
            push_success(&mut out, path);
            out.push_str("        default: {$ref: '#/components/responses/error'}\n");
        }
    }
    out.push_str(TAIL);
    out
}

/// A text within single quotes of YAML.
fn quoted(text: &str) -> String {
    text.replace('\'', "''")
}

fn push_success(out: &mut String, path: &str) {
    out.push_str("      responses:\n");
    let Some((_, status, kinds)) = OTHER.iter().find(|(known, ..)| path.starts_with(known)) else {
        out.push_str("        '200': {$ref: '#/components/responses/success'}\n");
        return;
    };
    writeln!(out, "        '{status}':\n          description: Done.").unwrap_or_default();
    if !kinds.is_empty() {
        out.push_str("          content:\n");
    }
    for kind in *kinds {
        writeln!(out, "            {kind}: {{}}").unwrap_or_default();
    }
}

fn push_parameters(out: &mut String, parameters: &str) {
    if parameters.is_empty() {
        return;
    }
    out.push_str("      parameters:\n");
    for word in parameters.split(' ') {
        let name = word.trim_end_matches('*').trim_matches(['{', '}']);
        let place = if word.starts_with('{') { "path" } else { "query" };
        let required = word.ends_with('*') || place == "path";
        let schema = if name.ends_with("[]") {
            "{type: array, items: {type: string}}"
        } else {
            "{type: string}"
        };
        writeln!(
            out,
            "        - {{name: '{name}', in: {place}, required: {required}, schema: {schema}}}"
        )
        .unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use masthead_discovery::yaml;
    use serde_json::Value;

    use super::*;

    #[test]
    fn it_is_yaml_and_every_operation_says_what_it_answers() {
        let document: Value = yaml::parse(&document()).expect("YAML");
        assert_eq!(
            document["paths"]["/status/self_metrics"]["get"]["summary"],
            "The server's own metrics as JSON"
        );
        let paths = document["paths"].as_object().expect("paths");
        assert_eq!(paths.len(), PATHS.len());
        for (path, operations) in paths {
            for (method, operation) in operations.as_object().expect("operations") {
                let answers = operation["responses"].as_object().expect("answers");
                assert!(answers.contains_key("default") && answers.len() == 2, "{method} {path}");
            }
        }
        for (known, ..) in OTHER {
            assert!(PATHS.iter().any(|path| path.0.starts_with(known)), "{known}");
        }
        let written = &document["paths"]["/write"]["post"]["responses"]["204"];
        assert_eq!(written["description"], "Done.");
    }

    #[test]
    fn each_operation_is_there_once() {
        let document = document();
        let mut ids: Vec<&str> =
            document.lines().filter_map(|line| line.trim().strip_prefix("operationId: ")).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
        assert!(ids.contains(&"get-label-name-values"), "{ids:?}");
        assert!(
            document.contains("{name: 'match[]', in: query, required: true, schema: {type: array")
        );
        assert!(document.contains("{name: 'name', in: path, required: true"));
    }
}
