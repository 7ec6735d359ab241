//! What the browser application supports, from the table that it reads itself.

use std::{collections::BTreeMap, sync::OnceLock};

use serde::Deserialize;
use serde_json::Value;

/// `web/src/dashboard/schema/features.ts` explains the table.
const TABLE: &str = include_str!("../../../../../../web/src/dashboard/schema/features.json");

pub(super) type Rules = BTreeMap<String, Rule>;

/// Which values an option may have.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Rule {
    /// `any`, `cosmetic` or `reducers`.
    Named(String),
    OneOf(Vec<Value>),
}

#[derive(Debug, Deserialize)]
pub(super) struct PanelRules {
    pub options: Rules,
    pub custom: Rules,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Features {
    pub newest_schema: i64,
    pub panels: BTreeMap<String, PanelRules>,
    pub legacy_panels: Vec<String>,
    pub transformations: BTreeMap<String, Rules>,
    pub variables: Vec<String>,
    pub variable_queries: Vec<String>,
    pub formats: Vec<String>,
    pub reducers: Vec<String>,
    pub sources: Vec<String>,
    pub field: Vec<String>,
    pub colors: Vec<String>,
    pub mappings: Vec<String>,
    pub matchers: Vec<String>,
}

/// The table, read once.
pub(super) fn features() -> &'static Features {
    static READ: OnceLock<Features> = OnceLock::new();
    READ.get_or_init(|| {
        serde_json::from_str(TABLE).unwrap_or_else(|error| panic!("BUG: features.json: {error}"))
    })
}

impl Features {
    /// The name of a calculation; `p95` and its kin are percentiles.
    pub(super) fn is_reducer(&self, of: &Value) -> bool {
        of.as_str().is_some_and(|name| {
            let percentile = name.strip_prefix('p').is_some_and(|digits| {
                (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
            });
            percentile || self.reducers.iter().any(|known| known == name)
        })
    }
}
