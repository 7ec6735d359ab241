//! The eleven actions, compiled.
//!
//! Cost matters for `metric_relabel_configs`, where each new series passes here once: a pattern
//! that cannot match is found out without running it (`Regexp::is_match` looks at literals
//! first), groups are only searched when the templates use them, and joined values share one
//! buffer.

use masthead_model::{Groups as Found, Labels, LabelsBuilder, Regexp};
use md5::{Digest as _, Md5};

use crate::{
    Action, Error, NameScheme, RelabelConfig,
    config::{REGEX, REPLACEMENT, SEPARATOR},
    template::{Groups, Template},
};

/// A checked rule, ready to be applied.
#[derive(Debug, Clone)]
pub struct Rule {
    config: RelabelConfig,
    scheme: NameScheme,
    source_labels: Vec<String>,
    separator: String,
    regex: Regexp,
    /// Whether the pattern is `(.*)`, so that group 1 is the whole value.
    takes_anything: bool,
    target: Template,
    replacement: Template,
}

impl Rule {
    /// Checks and compiles a rule.
    ///
    /// # Errors
    /// The first check that fails, with upstream's text.
    pub fn new(config: RelabelConfig, scheme: NameScheme) -> Result<Self, Error> {
        let pattern = config.regex.as_deref().unwrap_or(REGEX);
        // Upstream compiles the pattern while reading, so its errors come first.
        let regex = Regexp::new(pattern)?;
        config.validate(scheme)?;
        let replacement = config.replacement.as_deref().unwrap_or(REPLACEMENT);
        Ok(Self {
            scheme,
            source_labels: config.source_labels.clone().unwrap_or_default(),
            separator: config.separator.as_deref().unwrap_or(SEPARATOR).to_owned(),
            takes_anything: pattern == REGEX,
            target: Template::new(&config.target_label),
            replacement: Template::new(replacement),
            regex,
            config,
        })
    }

    /// The rule as it was written.
    pub fn config(&self) -> &RelabelConfig {
        &self.config
    }

    /// Applies the rule; `false` means that the set is dropped.
    fn apply(&self, labels: &mut LabelsBuilder, value: &mut String) -> bool {
        self.join(labels, value);
        let target = self.config.target_label.as_str();
        match self.config.action {
            Action::Keep => self.regex.is_match(value),
            Action::Drop => !self.regex.is_match(value),
            Action::KeepEqual => labels.get(target).unwrap_or("") == value,
            Action::DropEqual => labels.get(target).unwrap_or("") != value,
            Action::Replace => {
                self.replace(labels, value);
                true
            }
            Action::Lowercase => {
                labels.set(target, &lower(value));
                true
            }
            Action::Uppercase => {
                labels.set(target, &upper(value));
                true
            }
            Action::HashMod => {
                labels.set(target, &hash_mod(value, self.config.modulus).to_string());
                true
            }
            Action::LabelMap => {
                self.map_labels(labels);
                true
            }
            Action::LabelDrop => {
                labels.retain(|label| !self.regex.is_match(label.name));
                true
            }
            Action::LabelKeep => {
                labels.retain(|label| self.regex.is_match(label.name));
                true
            }
        }
    }

    fn join(&self, labels: &LabelsBuilder, value: &mut String) {
        value.clear();
        for (at, name) in self.source_labels.iter().enumerate() {
            if at > 0 {
                value.push_str(&self.separator);
            }
            value.push_str(labels.get(name).unwrap_or(""));
        }
    }

    fn replace(&self, labels: &mut LabelsBuilder, value: &str) {
        let constants = self.target.constant().zip(self.replacement.constant());
        if let Some((target, replacement)) = constants {
            if self.regex.is_match(value) && self.scheme.accepts(target) {
                labels.set(target, replacement);
            }
            return;
        }
        if self.takes_anything
            && self.replacement.is_first_group()
            && let Some(target) = self.target.constant()
        {
            if self.scheme.accepts(target) {
                labels.set(target, value);
            }
            return;
        }
        if !self.regex.is_match(value) {
            return;
        }
        let Some(groups) = Match::new(&self.regex, value) else { return };
        let mut target = String::new();
        self.target.expand(&groups, &mut target);
        if self.scheme.accepts(&target) {
            let mut replacement = String::new();
            self.replacement.expand(&groups, &mut replacement);
            labels.set(&target, &replacement);
        }
    }

    fn map_labels(&self, labels: &mut LabelsBuilder) {
        let mut mapped = Vec::new();
        for label in labels.iter() {
            if !self.regex.is_match(label.name) {
                continue;
            }
            let Some(groups) = Match::new(&self.regex, label.name) else { continue };
            let mut name = String::new();
            self.replacement.expand(&groups, &mut name);
            mapped.push((name, label.value.to_owned()));
        }
        for (name, value) in mapped {
            labels.set(&name, &value);
        }
    }
}

/// Applies `rules` in order; `false` means that the set is dropped, and then what `labels` holds
/// is what it was when a rule dropped it.
pub fn process(labels: &mut LabelsBuilder, rules: &[Rule]) -> bool {
    let mut value = String::new();
    rules.iter().all(|rule| rule.apply(labels, &mut value))
}

/// One rule on a set that is not being built, for `explain`.
pub(crate) fn apply_one(labels: &Labels, rule: &Rule) -> (Labels, bool) {
    let mut builder = labels.to_builder();
    let keep = rule.apply(&mut builder, &mut String::new());
    (if keep { builder.build() } else { Labels::default() }, keep)
}

/// The last eight bytes of the MD5 sum, big-endian: what upstream has always used.
fn hash_mod(value: &str, modulus: u64) -> u64 {
    let sum: [u8; 16] = Md5::digest(value.as_bytes()).into();
    let last = sum.iter().skip(8).fold(0_u64, |hash, byte| hash << 8 | u64::from(*byte));
    // A zero modulus was refused when the rule was made.
    last.checked_rem(modulus).unwrap_or(0)
}

/// Go maps letter by letter, so `ß` stays where full case folding would write `SS`.
fn upper(value: &str) -> String {
    value.chars().map(|c| single(c.to_uppercase(), c)).collect()
}

fn lower(value: &str) -> String {
    value.chars().map(|c| if c == 'İ' { 'i' } else { single(c.to_lowercase(), c) }).collect()
}

fn single(mut mapped: impl ExactSizeIterator<Item = char>, original: char) -> char {
    if mapped.len() == 1 { mapped.next().unwrap_or(original) } else { original }
}

/// A value with where the groups are in it.
struct Match<'t> {
    value: &'t str,
    found: Found<'t>,
}

impl<'t> Match<'t> {
    fn new(regex: &Regexp, value: &'t str) -> Option<Self> {
        Some(Self { value, found: regex.captures(value)? })
    }
}

impl<'t> Groups<'t> for Match<'t> {
    fn by_place(&self, place: usize) -> Option<&'t str> {
        self.value.get(self.found.place(place)?)
    }

    fn by_name(&self, name: &str) -> Option<&'t str> {
        self.value.get(self.found.place_of(name)?)
    }
}

#[cfg(test)]
mod tests;
