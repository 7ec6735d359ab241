//! Families of rows, as collectors fill them in. Sorted by name, so that the answer is the same
//! whatever the order of the collectors. Writing them out is `text.rs`.

use std::{
    borrow::Cow,
    collections::{BTreeMap, btree_map},
};

use masthead_model::Labels;
use masthead_ports::MetricType;

/// Families by name.
#[derive(Debug, Clone, Default)]
pub struct Families {
    by_name: BTreeMap<Cow<'static, str>, Family>,
}

/// One metric with its rows.
#[derive(Debug, Clone)]
pub struct Family {
    /// What it is.
    pub metric_type: MetricType,
    /// What it means.
    pub help: Cow<'static, str>,
    /// One value for each set of labels.
    pub rows: Vec<Row>,
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Without the metric's name.
    pub labels: Labels,
    /// In the unit that the name ends with.
    pub value: f64,
}

impl Families {
    /// The gauge of this name, made if it is not there.
    pub fn gauge(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        help: impl Into<Cow<'static, str>>,
    ) -> &mut Family {
        self.family(name, MetricType::Gauge, help)
    }

    /// The counter of this name, made if it is not there.
    pub fn counter(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        help: impl Into<Cow<'static, str>>,
    ) -> &mut Family {
        self.family(name, MetricType::Counter, help)
    }

    /// The metric without a type of this name, made if it is not there.
    pub fn unknown(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        help: impl Into<Cow<'static, str>>,
    ) -> &mut Family {
        self.family(name, MetricType::Unknown, help)
    }

    /// The families in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Family)> {
        self.by_name.iter().map(|(name, family)| (name.as_ref(), family))
    }

    /// The value of the row of `name` with exactly these labels.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels: Labels = labels.iter().copied().collect();
        self.by_name.get(name)?.rows.iter().find(|row| row.labels == labels).map(|row| row.value)
    }

    /// Takes over all of `other`.
    pub(crate) fn merge(&mut self, other: Self) {
        for (name, family) in other.by_name {
            match self.by_name.entry(name) {
                btree_map::Entry::Vacant(entry) => {
                    entry.insert(family);
                }
                btree_map::Entry::Occupied(mut entry) => entry.get_mut().rows.extend(family.rows),
            }
        }
    }

    fn family(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        metric_type: MetricType,
        help: impl Into<Cow<'static, str>>,
    ) -> &mut Family {
        self.by_name.entry(name.into()).or_insert_with(|| Family {
            metric_type,
            help: help.into(),
            rows: Vec::new(),
        })
    }
}

impl Family {
    /// Adds a row. A label with an empty value is as good as none.
    pub fn row(&mut self, labels: &[(&str, &str)], value: f64) {
        self.rows.push(Row { labels: labels.iter().copied().collect(), value });
    }
}
