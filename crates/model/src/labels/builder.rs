//! Making and changing label sets.

use std::borrow::Cow;

use super::{CollectSorted as _, Label, Labels, push_field};

/// Collects labels in any order; the last value set for a name wins.
#[derive(Debug, Clone, Default)]
pub struct LabelsBuilder {
    /// Sorted by name. Empty values never stand here.
    pairs: Vec<(Box<str>, Box<str>)>,
}

impl LabelsBuilder {
    pub(super) fn from_sorted(labels: &Labels) -> Self {
        Self { pairs: labels.iter().map(|l| (l.name.into(), l.value.into())).collect() }
    }

    /// Sets `name` to `value`; an empty value removes it, an empty name is ignored.
    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        if name.is_empty() {
            return self;
        }
        match self.pairs.binary_search_by(|(n, _)| n.as_ref().cmp(name)) {
            Ok(at) if value.is_empty() => {
                self.pairs.remove(at);
            }
            Ok(at) => {
                if let Some((_, old)) = self.pairs.get_mut(at) {
                    *old = value.into();
                }
            }
            Err(_) if value.is_empty() => {}
            Err(at) => self.pairs.insert(at, (name.into(), value.into())),
        }
        self
    }

    /// Sets the label with the empty name, which no store has and one function of LogQL makes
    /// (`label_replace` to `""`); an empty value removes it.
    pub fn set_nameless(&mut self, value: &str) -> &mut Self {
        self.pairs.retain(|(name, _)| !name.is_empty());
        if !value.is_empty() {
            self.pairs.insert(0, ("".into(), value.into()));
        }
        self
    }

    /// Removes `name` if it is there.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        self.set(name, "")
    }

    /// Keeps only the labels for which `keep` says yes.
    pub fn retain(&mut self, mut keep: impl FnMut(Label<'_>) -> bool) -> &mut Self {
        self.pairs.retain(|(name, value)| keep(Label { name, value }));
        self
    }

    /// The value of `name` as it stands now.
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self.pairs.binary_search_by(|(n, _)| n.as_ref().cmp(name)).ok()?;
        self.pairs.get(at).map(|(_, value)| value.as_ref())
    }

    /// The labels as they stand now, in order.
    pub fn iter(&self) -> impl Iterator<Item = Label<'_>> {
        self.pairs.iter().map(|(name, value)| Label { name, value })
    }

    /// The finished set.
    pub fn build(&self) -> Labels {
        self.iter().collect_sorted()
    }
}

impl Labels {
    /// Makes a set from pairs in any order, without copying them first.
    ///
    /// This is the fast way for decoders, whose names are mostly sorted already.
    ///
    /// # Errors
    /// The first name that stands there twice.
    pub fn from_pairs<'a>(
        pairs: &mut Vec<(Cow<'a, str>, Cow<'a, str>)>,
    ) -> Result<Self, super::LabelsError> {
        pairs.retain(|(name, value)| !name.is_empty() && !value.is_empty());
        if !pairs.is_sorted_by(|a, b| a.0 < b.0) {
            pairs.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            for two in pairs.windows(2) {
                if let [a, b] = two
                    && a.0 == b.0
                {
                    return Err(super::LabelsError::Duplicate { name: a.0.to_string() });
                }
            }
        }
        Ok(pairs.iter().map(|(name, value)| Label { name, value }).collect_sorted())
    }

    /// Makes a set from labels that are sorted already, for decoders that make many: `buffer` is
    /// overwritten and spares the next call an allocation. `None` if names do not rise or if a
    /// name or value is empty.
    pub fn from_sorted<'a>(
        labels: impl Iterator<Item = Label<'a>>,
        buffer: &mut String,
    ) -> Option<Self> {
        buffer.clear();
        let mut before = "";
        for label in labels {
            // Every name comes after the empty one.
            if label.name <= before || label.value.is_empty() {
                return None;
            }
            before = label.name;
            push_field(buffer, label.name);
            push_field(buffer, label.value);
        }
        Some(Self(buffer.as_str().into()))
    }
}
