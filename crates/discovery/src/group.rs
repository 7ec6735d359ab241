//! What discovery finds: groups of targets that share labels.

use std::collections::BTreeMap;

use masthead_model::{Labels, LabelsBuilder};
use serde::Deserialize;

use crate::Error;

/// The label that holds a target's host and port.
pub const ADDRESS_LABEL: &str = "__address__";

/// Targets that share labels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetGroup {
    /// Where the group comes from; unique within a job and stable from one refresh to the next.
    pub source: String,
    /// Labels that every target of the group has unless it has its own.
    pub labels: Labels,
    /// Labels of each target; `__address__` is among them.
    pub targets: Vec<Labels>,
}

impl TargetGroup {
    /// A group of bare addresses.
    pub(crate) fn of_addresses(
        source: String,
        addresses: &[String],
        labels: &BTreeMap<String, String>,
        extra: Option<(&str, &str)>,
    ) -> Self {
        let mut shared = LabelsBuilder::default();
        for (name, value) in labels {
            shared.set(name, value);
        }
        if let Some((name, value)) = extra {
            shared.set(name, value);
        }
        let targets = addresses
            .iter()
            .map(|address| [(ADDRESS_LABEL, address)].into_iter().collect())
            .collect();
        Self { source, labels: shared.build(), targets }
    }

    /// The labels of every target, the group's filled in.
    pub fn target_labels(&self) -> impl Iterator<Item = Labels> {
        self.targets.iter().map(|own| {
            let mut labels = self.labels.to_builder();
            for label in own {
                labels.set(label.name, label.value);
            }
            labels.build()
        })
    }
}

/// One entry of a target file or of an HTTP answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) targets: Vec<String>,
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
}

/// Makes groups of the entries of one place; `label` says which place.
pub(crate) fn groups(
    place: &str,
    label: &str,
    entries: Vec<Option<Entry>>,
) -> Result<Vec<TargetGroup>, Error> {
    let mut groups = Vec::with_capacity(entries.len());
    for (at, entry) in entries.into_iter().enumerate() {
        let entry = entry.ok_or_else(|| Error::Malformed {
            what: format!("nil target group item found (index {at})"),
        })?;
        if let Some(name) = entry.labels.keys().find(|name| name.is_empty()) {
            return Err(Error::Malformed { what: format!("{name:?} is not a valid label name") });
        }
        let source = format!("{place}:{at}");
        groups.push(TargetGroup::of_addresses(
            source,
            &entry.targets,
            &entry.labels,
            Some((label, place)),
        ));
    }
    Ok(groups)
}
