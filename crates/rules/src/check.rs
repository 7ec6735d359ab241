//! What can be wrong with several rules together.

use std::collections::BTreeMap;

use crate::{GroupSpec, RuleKind};

/// Rules that make the same series, one of which hides the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The metric or the alert.
    pub name: String,
    /// Labels that the rules add.
    pub labels: BTreeMap<String, String>,
    /// How many there are.
    pub count: usize,
}

/// Rules of the same kind, name and labels, as promtool looks for them.
pub fn duplicates(groups: &[GroupSpec]) -> Vec<Duplicate> {
    let mut counts: BTreeMap<(bool, &str, &BTreeMap<String, String>), usize> = BTreeMap::new();
    for rule in groups.iter().flat_map(|group| &group.rules) {
        let recording = rule.kind == RuleKind::Recording;
        *counts.entry((recording, &rule.name, &rule.labels)).or_default() += 1;
    }
    let many = counts.into_iter().filter(|(_, count)| *count > 1);
    many.map(|((_, name, labels), count)| Duplicate {
        name: name.to_owned(),
        labels: labels.clone(),
        count,
    })
    .collect()
}
