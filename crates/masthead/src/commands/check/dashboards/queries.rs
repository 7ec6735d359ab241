//! Whether a query parses, by the parsers that would evaluate it.

use masthead_promql::{Features, parse_selector};
use serde_json::Value;

use super::{
    sources::{Kind, text},
    variables::Scope,
};

/// Why a query does not parse; nothing when it does, or is no query of ours.
pub(super) fn fault(template: &str, language: Kind, scope: &Scope) -> Option<String> {
    let query = scope.write(template, language);
    if query.trim().is_empty() {
        return None;
    }
    match language {
        Kind::Prometheus => {
            masthead_promql::parse(&query, &Features::STABLE).err().map(|error| error.to_string())
        }
        Kind::Loki => masthead_logql::parse(&query).err().map(|error| error.to_string()),
        _ => None,
    }
}

/// The same of what a query variable asks: `label_values(selector, label)` and its kin.
pub(super) fn variable_fault(query: &Value, language: Kind, scope: &Scope) -> Option<String> {
    if query.is_object() && query.get("stream").is_some() {
        return match text(&query["stream"]) {
            "" => None,
            stream => fault(stream, language, scope),
        };
    }
    let asked = query.as_str().unwrap_or_else(|| match text(&query["query"]) {
        "" => text(&query["expr"]),
        query => query,
    });
    let (name, inside) = call(asked)?;
    match name {
        "query_result" => fault(inside, language, scope),
        "label_values" | "label_names" => {
            // The label is what follows the last comma outside of braces.
            let selector = match (name, inside.rfind(',')) {
                ("label_names", _) => inside,
                (_, Some(cut)) if !inside[cut..].contains('}') => &inside[..cut],
                _ => return None,
            };
            let selector = scope.write(selector, language);
            let selector = selector.trim();
            match language {
                _ if selector.is_empty() => None,
                Kind::Loki => masthead_logql::parse(selector).err().map(|error| error.to_string()),
                _ => parse_selector(selector).err().map(|error| error.to_string()),
            }
        }
        _ => None,
    }
}

/// `name(inside)`, when the text is that.
pub(in crate::commands) fn call(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.trim().split_once('(')?;
    let name = name.trim();
    let word = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    word.then(|| (name, rest.trim_end().strip_suffix(')').unwrap_or(rest).trim()))
}
