//! One dashboard file: what in it is not supported, and its queries.
//!
//! The walk is that of `web/src/dashboard/schema/` (`read.ts`, `panel.ts`, `variable.ts`), and says
//! the same in the same words; `testdata/dashboards/` holds files with the expected answers that
//! both sides are compared with.

use serde::Serialize;
use serde_json::Value;

use super::{
    features::features,
    options::unknown_options,
    queries::{call, fault, variable_fault},
    references::references,
    sources::{Kind, Sources, kind_of, source_name, text},
    variables::Scope,
};

/// Panels that draw without asking anything; what stands in their queries is nothing.
const NO_DATA: [&str; 4] = ["row", "text", "dashlist", "annolist"];
const NEW_SCHEMA: &str = "dashboards of the new schema";

/// What was found in one file.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    pub path: String,
    pub title: String,
    pub schema_version: i64,
    pub panels: usize,
    pub queries: usize,
    pub unsupported: Vec<Unsupported>,
    pub broken: Vec<Broken>,
    /// Why the file cannot be shown at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Why the file is no business of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
}

/// Something that a file asks for and that is not drawn.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Unsupported {
    #[serde(rename = "where")]
    pub place: String,
    pub what: String,
}

/// A query that does not parse.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Broken {
    #[serde(rename = "where")]
    pub place: String,
    pub language: &'static str,
    /// As it stands in the file, variables not written in.
    pub query: String,
    pub error: String,
}

impl Report {
    pub(super) fn is_dashboard(&self) -> bool {
        self.error.is_none() && self.skipped.is_none()
    }

    fn report(&mut self, place: &str, what: String) {
        let one = Unsupported { place: place.to_owned(), what };
        if !self.unsupported.contains(&one) {
            self.unsupported.push(one);
        }
    }
}

/// What data sources and variables the panels of a file refer to.
struct Context {
    sources: Sources,
    scope: Scope,
}

/// Looks at one file.
pub(super) fn inspect(file: &Value) -> Report {
    let mut report = Report::default();
    let Some(dashboard) = classic(file, &mut report) else { return report };
    let table = features();
    dashboard["title"].as_str().unwrap_or("Untitled").clone_into(&mut report.title);
    report.schema_version = dashboard["schemaVersion"].as_i64().unwrap_or(0);
    if report.schema_version > table.newest_schema {
        let what = format!(
            "schemaVersion {} (newest known: {})",
            report.schema_version, table.newest_schema
        );
        report.report("dashboard", what);
    }
    let mut formats = Vec::new();
    unknown_formats(dashboard, &mut formats);
    formats.sort();
    for format in formats {
        report.report("dashboard", format!("variable format {format}"));
    }
    let context = Context { sources: Sources::of(dashboard), scope: Scope::of(dashboard) };
    for variable in list(&dashboard["templating"]["list"]) {
        inspect_variable(variable, &context, &mut report);
    }
    for annotation in list(&dashboard["annotations"]["list"]) {
        inspect_annotation(annotation, &context, &mut report);
    }
    for row in list(&dashboard["rows"]) {
        inspect_panels(&row["panels"], &context, &mut report);
    }
    // A file that has rows has its panels there.
    if list(&dashboard["rows"]).is_empty() {
        inspect_panels(&dashboard["panels"], &context, &mut report);
    }
    report
}

/// The dashboard in a file of any envelope; nothing if it is none that can be shown.
fn classic<'f>(file: &'f Value, report: &mut Report) -> Option<&'f Value> {
    if !file.is_object() {
        report.skipped = Some("not a dashboard: the file is not a JSON object".to_owned());
        return None;
    }
    let json = match &file["dashboard"] {
        inner @ Value::Object(_) if file.get("panels").is_none() => inner,
        _ => file,
    };
    let spec = &json["spec"];
    if spec["elements"].is_object() {
        let version = json["apiVersion"].as_str().filter(|v| !v.is_empty()).unwrap_or("v2");
        report.error =
            Some(format!("{NEW_SCHEMA} ({version}) are not supported: export it as \"Classic\""));
        return None;
    }
    let classic = if spec.is_object() && json["metadata"].is_object() { spec } else { json };
    if classic["elements"].is_object() {
        report.error =
            Some(format!("{NEW_SCHEMA} (v2) are not supported: export it as \"Classic\""));
        return None;
    }
    if !classic["panels"].is_array() && !classic["rows"].is_array() {
        report.skipped = Some("not a dashboard: neither `panels` nor `rows`".to_owned());
        return None;
    }
    Some(classic)
}

fn inspect_variable(json: &Value, context: &Context, report: &mut Report) {
    let table = features();
    let place = format!("variable {}", text(&json["name"]));
    let kind = text(&json["type"]);
    if !table.variables.iter().any(|known| known == kind) {
        let kind = if kind.is_empty() { "(none)" } else { kind };
        return report.report(&place, format!("variable type {kind}"));
    }
    if kind != "query" {
        return;
    }
    let language = context.sources.kind(&json["datasource"]);
    if !supported(language) {
        let source = source_name(&json["datasource"]);
        return report.report(&place, format!("data source {source}"));
    }
    let query = &json["query"];
    let asked = match query {
        Value::Object(_) => query["query"].as_str().or_else(|| query["expr"].as_str()),
        _ => query.as_str().or_else(|| json["definition"].as_str()),
    };
    let function = asked.and_then(call).map(|(function, _)| function);
    if let Some(function) = function
        && !table.variable_queries.iter().any(|known| known == function)
    {
        return report.report(&place, format!("variable query {function}()"));
    }
    report.queries += 1;
    if let Some(error) = variable_fault(query, language, &context.scope) {
        let query = asked.map_or_else(|| query.to_string(), str::to_owned);
        broken(report, place, language, query, error);
    }
}

fn inspect_annotation(json: &Value, context: &Context, report: &mut Report) {
    if json["builtIn"] == 1 || json["builtIn"] == true {
        return;
    }
    let place = format!("annotation {}", text(&json["name"]));
    let language = context.sources.kind(&json["datasource"]);
    if !supported(language) {
        let what = match language {
            Kind::Grafana => "grafana",
            Kind::Dashboard => "dashboard",
            Kind::Mixed => "mixed",
            _ => "unknown",
        };
        return report.report(&place, format!("data source {what}"));
    }
    let expr = json["expr"].as_str().unwrap_or_else(|| text(&json["target"]["expr"]));
    query(expr, place, language, context, report);
}

fn inspect_panels(panels: &Value, context: &Context, report: &mut Report) {
    for panel in list(panels).iter().filter(|panel| panel.is_object()) {
        inspect_panel(panel, context, report);
        inspect_panels(&panel["panels"], context, report);
    }
}

fn inspect_panel(json: &Value, context: &Context, report: &mut Report) {
    let table = features();
    let kind = text(&json["type"]);
    let id = json["id"].as_i64().map_or_else(|| "?".to_owned(), |id| id.to_string());
    let place = format!("panel {id} {}", Value::from(text(&json["title"])));
    report.panels += usize::from(kind != "row");
    let legacy = is_legacy(json, kind);
    if json["libraryPanel"].is_object() && kind.is_empty() && !json["targets"].is_array() {
        report.report(&place, "library panel that is not part of the file".to_owned());
    } else if let Some(rules) = table.panels.get(kind) {
        if !legacy {
            for what in unknown_options(&json["options"], &rules.options, "") {
                report.report(&place, format!("option {what}"));
            }
            inspect_fields(&json["fieldConfig"], rules, &place, report);
        }
    } else if !legacy {
        let kind = if kind.is_empty() { "(none)" } else { kind };
        report.report(&place, format!("panel type {kind}"));
    }
    for target in list(&json["targets"]) {
        inspect_target(target, json, &place, context, report);
    }
    for one in list(&json["transformations"]) {
        if one["disabled"] == true {
            continue;
        }
        let id = text(&one["id"]);
        let Some(rules) = table.transformations.get(id) else {
            report.report(&place, format!("transformation {id}"));
            continue;
        };
        for what in unknown_options(&one["options"], rules, "") {
            report.report(&place, format!("transformation {id}: {what}"));
        }
    }
}

/// Whether the application brings the panel to today's options first (`legacy.ts`).
fn is_legacy(json: &Value, kind: &str) -> bool {
    let options = &json["options"];
    let none = options.as_object().is_none_or(serde_json::Map::is_empty);
    options["fieldOptions"].as_object().is_some_and(|of| !of.is_empty())
        || features().legacy_panels.iter().any(|known| known == kind)
        || (kind == "heatmap" && none)
        || (kind == "text" && !options.is_object())
        || (kind == "table" && json["styles"].is_array() && !json["fieldConfig"].is_object())
}

fn inspect_fields(
    config: &Value,
    rules: &super::features::PanelRules,
    place: &str,
    report: &mut Report,
) {
    let table = features();
    let property = |id: &str, value: &Value, report: &mut Report| {
        let custom = id.strip_prefix("custom.").or((id == "custom").then_some(""));
        if let Some(path) = custom {
            for what in unknown_options(value, &rules.custom, path) {
                report.report(place, format!("field option custom.{what}"));
            }
        } else if !table.field.iter().any(|known| known == id) {
            report.report(place, format!("field option {id}"));
        } else if id == "color" && value.is_object() {
            let mode = value["mode"].as_str().unwrap_or("palette-classic");
            if !table.colors.iter().any(|known| known == mode) {
                report.report(place, format!("color mode {mode}"));
            }
        } else if id == "mappings" {
            for mapping in list(value).iter().filter(|one| one.is_object()) {
                let kind = &mapping["type"];
                let old = kind == 1 || kind == 2;
                if !old && !table.mappings.iter().any(|known| kind == known.as_str()) {
                    let kind = kind.as_str().map_or_else(|| kind.to_string(), str::to_owned);
                    report.report(place, format!("value mapping {kind}"));
                }
            }
        }
    };
    for (id, value) in config["defaults"].as_object().into_iter().flatten() {
        property(id, value, report);
    }
    for one in list(&config["overrides"]) {
        let matcher = text(&one["matcher"]["id"]);
        if !table.matchers.iter().any(|known| known == matcher) {
            report.report(place, format!("override matcher {matcher}"));
        }
        for given in list(&one["properties"]) {
            property(text(&given["id"]), &given["value"], report);
        }
    }
}

fn inspect_target(
    json: &Value,
    panel: &Value,
    place: &str,
    context: &Context,
    report: &mut Report,
) {
    let own = &json["datasource"];
    let source = if own.is_null() { &panel["datasource"] } else { own };
    let mut kind = context.sources.kind(source);
    if matches!(kind, Kind::Mixed | Kind::Unknown) {
        let guessed = own.as_object().map_or(Kind::Unknown, |_| kind_of(text(&own["type"])));
        if guessed != Kind::Unknown {
            kind = guessed;
        } else if json["expr"].is_string() {
            kind = Kind::Prometheus;
        }
    }
    let asks = !NO_DATA.contains(&text(&panel["type"]));
    if asks && matches!(kind, Kind::Unknown | Kind::Grafana) {
        report.report(place, format!("data source {}", source_name(source)));
    }
    let expr = json["expr"].as_str().unwrap_or_else(|| text(&json["expression"]));
    let place = format!("{place}, query {}", text(&json["refId"]));
    query(expr, place, kind, context, report);
}

fn query(expr: &str, place: String, language: Kind, context: &Context, report: &mut Report) {
    if name(language).is_none() || expr.trim().is_empty() {
        return;
    }
    report.queries += 1;
    if let Some(error) = fault(expr, language, &context.scope) {
        broken(report, place, language, expr.to_owned(), error);
    }
}

fn broken(report: &mut Report, place: String, language: Kind, query: String, error: String) {
    let language = name(language).unwrap_or("");
    report.broken.push(Broken { place, language, query, error });
}

/// The name of a language; nothing for sources that have none.
fn name(language: Kind) -> Option<&'static str> {
    match language {
        Kind::Prometheus => Some("PromQL"),
        Kind::Loki => Some("LogQL"),
        _ => None,
    }
}

/// Whether the table has the data source.
fn supported(language: Kind) -> bool {
    let id = match language {
        Kind::Prometheus => "prometheus",
        Kind::Loki => "loki",
        _ => return false,
    };
    features().sources.iter().any(|known| known == id)
}

/// Formats of variables in any text of the file that are not known.
fn unknown_formats(of: &Value, found: &mut Vec<String>) {
    match of {
        Value::String(text) => {
            for format in references(text).filter_map(|one| one.format) {
                let format = format.split(':').next().unwrap_or("");
                let known = features().formats.iter().any(|known| known == format);
                if !known && !found.iter().any(|one| one == format) {
                    found.push(format.to_owned());
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|one| unknown_formats(one, found)),
        Value::Object(members) => members.values().for_each(|one| unknown_formats(one, found)),
        _ => {}
    }
}

fn list(of: &Value) -> &[Value] {
    of.as_array().map_or(&[], Vec::as_slice)
}
