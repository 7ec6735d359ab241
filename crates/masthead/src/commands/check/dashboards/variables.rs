//! Writing variables into queries, as the application does when a board is open
//! (`web/src/dashboard/variables/`).
//!
//! No server is asked here, so a variable has the value that the file chose, else its first choice,
//! else a word that stands for any; `All` is several of them.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    references::replace,
    sources::{Kind, text},
};

/// Stands for a value that only a server knows.
const ANY: &str = "any";
/// Stand for all values.
const ALL: [&str; 2] = ["any", "other"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands) enum Chosen {
    One(String),
    /// Of a variable that may have several values, even if it has one now.
    Many(Vec<String>),
}

#[derive(Debug, Default)]
pub(in crate::commands) struct Scope {
    values: HashMap<String, Chosen>,
}

impl Scope {
    /// The variables of a dashboard.
    pub(in crate::commands) fn of(dashboard: &Value) -> Self {
        let list = dashboard["templating"]["list"].as_array().map_or(&[][..], Vec::as_slice);
        let values = list.iter().map(|one| (text(&one["name"]).to_owned(), chosen(one)));
        Self { values: values.collect() }
    }

    /// Gives a variable the value that a server knows.
    pub(in crate::commands) fn set(&mut self, name: &str, value: Chosen) {
        self.values.insert(name.to_owned(), value);
    }

    #[cfg(test)]
    pub(super) fn from_values(values: HashMap<String, Chosen>) -> Self {
        Self { values }
    }

    fn lookup(&self, name: &str) -> Option<Chosen> {
        let builtin = match name {
            "__interval" | "__auto_interval" | "__auto" => "1m",
            "__interval_ms" => "60000",
            "__rate_interval" => "1m15s",
            "__rate_interval_ms" => "75000",
            "__range" => "21600s",
            "__range_s" => "21600",
            "__range_ms" => "21600000",
            "__from" => "1700000000000",
            "__to" => "1700021600000",
            "__timezone" => "browser",
            "__dashboard" => "dashboard",
            _ if name.starts_with("__auto_interval") => "1m",
            _ => return self.values.get(name).cloned(),
        };
        Some(Chosen::One(builtin.to_owned()))
    }

    /// Names that are not known stay as they stand.
    pub(in crate::commands) fn write(&self, template: &str, language: Kind) -> String {
        let once = |template: &str| {
            replace(template, |found| match self.lookup(found.name) {
                None => found.whole.to_owned(),
                Some(value) => format(&value, found.format, found.name, language),
            })
        };
        let written = once(template);
        // An interval variable that is set to `auto` stands for a built-in one.
        if written.contains("$__auto_interval") { once(&written) } else { written }
    }
}

fn chosen(variable: &Value) -> Chosen {
    let multi = variable["multi"] == true;
    let current: Vec<String> = match &variable["current"]["value"] {
        Value::Array(values) => {
            values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        Value::String(value) if !value.is_empty() => vec![value.clone()],
        Value::Number(value) => vec![value.to_string()],
        _ => Vec::new(),
    };
    let all =
        |value: &String| value == "$__all" || (value == "All" && variable["includeAll"] == true);
    if current.iter().any(all) || (current.is_empty() && variable["includeAll"] == true) {
        return match text(&variable["allValue"]) {
            "" => Chosen::Many(ALL.map(str::to_owned).into()),
            value => Chosen::One(value.to_owned()),
        };
    }
    let mut values = current;
    if values.is_empty() {
        values.push(first_choice(variable));
    }
    if multi { Chosen::Many(values) } else { Chosen::One(values.swap_remove(0)) }
}

fn first_choice(variable: &Value) -> String {
    let query = text(&variable["query"]);
    let first = || {
        let plain = query.split(',').next().unwrap_or("").trim().trim_matches('"');
        // `text : value` has the value behind the colon.
        plain.split_once(" : ").map_or(plain, |(_, value)| value.trim()).to_owned()
    };
    match text(&variable["type"]) {
        "custom" | "interval" if !query.is_empty() => first(),
        "textbox" | "constant" | "datasource" => query.to_owned(),
        "adhoc" => String::new(),
        _ => ANY.to_owned(),
    }
}

/// Values in the given format; without one as `formatValues` of `format.ts` writes them.
fn format(value: &Chosen, format: Option<&str>, name: &str, language: Kind) -> String {
    let values = match value {
        Chosen::One(value) => std::slice::from_ref(value),
        Chosen::Many(values) => values.as_slice(),
    };
    let kind = format.unwrap_or("").split(':').next().unwrap_or("");
    if let Some(written) = formatted(values, kind, name) {
        return written;
    }
    match (value, language) {
        (Chosen::One(value), Kind::Prometheus | Kind::Loki) => value.clone(),
        (Chosen::Many(values), Kind::Prometheus | Kind::Loki) => {
            alternative(values.iter().map(|v| escaped(v).replace('\\', r"\\")))
        }
        _ => glob(values),
    }
}

fn formatted(values: &[String], format: &str, name: &str) -> Option<String> {
    let joined = |separator: &str, write: &dyn Fn(&String) -> String| {
        values.iter().map(write).collect::<Vec<_>>().join(separator)
    };
    Some(match format {
        "csv" | "raw" | "date" | "lucene" | "uriencode" => values.join(","),
        "text" => values.join(" + "),
        "pipe" => values.join("|"),
        "regex" => alternative(values.iter().map(|v| escaped(v))),
        "glob" => glob(values),
        "doublequote" => {
            joined(",", &|v| format!("\"{}\"", v.replace('\\', r"\\").replace('"', "\\\"")))
        }
        "singlequote" => joined(",", &|v| format!("'{}'", v.replace('\'', r"\'"))),
        "sqlstring" => joined(",", &|v| format!("'{}'", v.replace('\'', "''"))),
        "json" => match values {
            [one] => Value::from(one.as_str()).to_string(),
            many => Value::from(many).to_string(),
        },
        "distributed" => values
            .iter()
            .enumerate()
            .map(|(at, v)| if at == 0 { v.clone() } else { format!("{name}={v}") })
            .collect::<Vec<_>>()
            .join(","),
        "queryparam" => joined("&", &|v| format!("var-{name}={}", percent(v))),
        "percentencode" => percent(&glob(values)),
        _ => return None,
    })
}

fn glob(values: &[String]) -> String {
    if values.len() > 1 { format!("{{{}}}", values.join(",")) } else { values.join(",") }
}

fn alternative(values: impl Iterator<Item = String>) -> String {
    let values: Vec<String> = values.collect();
    if let [one] = values.as_slice() { one.clone() } else { format!("({})", values.join("|")) }
}

/// Escapes what is special in RE2.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\^$*+?.()|[]{}/".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn hex(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase()
}

/// As JavaScript's `encodeURIComponent`.
fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.extend(['%', hex(byte >> 4), hex(byte & 15)]);
        }
    }
    out
}
