//! Options that no rule of the table covers, as `unknownOptions` of `features.ts` names them.

use serde_json::Value;

use super::features::{Rule, Rules, features};

/// What of `of` no rule covers, as `path` or `path = value`.
pub(super) fn unknown_options(of: &Value, rules: &Rules, prefix: &str) -> Vec<String> {
    if of.is_null() {
        return Vec::new();
    }
    let rule = rules.get(prefix).or_else(|| rules.get("*").filter(|_| !prefix.is_empty()));
    if let Some(rule) = rule {
        return unknown_values(of, rule).map(|value| format!("{prefix} = {value}")).collect();
    }
    let Some(members) = of.as_object() else { return vec![prefix.to_owned()] };
    members
        .iter()
        .flat_map(|(key, value)| {
            let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            unknown_options(value, rules, &path)
        })
        .collect()
}

fn unknown_values<'a>(of: &'a Value, rule: &'a Rule) -> impl Iterator<Item = &'a Value> {
    let values = of.as_array().map_or(std::slice::from_ref(of), Vec::as_slice);
    values.iter().filter(move |value| {
        !value.is_null()
            && match rule {
                Rule::Named(name) if name == "reducers" => !features().is_reducer(value),
                Rule::Named(_) => false,
                Rule::OneOf(known) => !known.contains(value),
            }
    })
}
