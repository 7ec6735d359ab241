//! One rule as it stands in a configuration file, with upstream's defaults and refusals.
//!
//! What was not given stays `None`, because some actions refuse a field that is given even if it
//! has its default value. Compiling into a [`Rule`](crate::Rule): `rule.rs`.

use std::fmt;

use masthead_model::is_legacy_label_name;
use serde::{Deserialize, Serialize};

use crate::{Error, template::Template};

/// The separator where none is given.
pub(crate) const SEPARATOR: &str = ";";
/// The pattern where none is given: anything, as group 1.
pub(crate) const REGEX: &str = "(.*)";
/// The replacement where none is given.
pub(crate) const REPLACEMENT: &str = "$1";

/// One entry of `relabel_configs` or `metric_relabel_configs`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RelabelConfig {
    /// Labels whose values are joined and matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_labels: Option<Vec<String>>,
    /// What stands between the joined values; `;` if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// What the joined values, or for the `label…` actions a label's name, must match as a
    /// whole; `(.*)` if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// Divisor of the hash for `hashmod`.
    #[serde(skip_serializing_if = "is_zero")]
    pub modulus: u64,
    /// The label to write; may name groups of the pattern for `replace`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub target_label: String,
    /// What to write, with `$1` and `${name}` for groups of the pattern; `$1` if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replacement: Option<String>,
    /// What the rule does; `replace` if not given.
    pub action: Action,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(modulus: &u64) -> bool {
    *modulus == 0
}

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Action {
    /// Writes the expanded replacement if the pattern matches.
    #[default]
    Replace,
    /// Drops the set unless the pattern matches.
    Keep,
    /// Drops the set if the pattern matches.
    Drop,
    /// Drops the set unless the joined values equal the target label's.
    KeepEqual,
    /// Drops the set if the joined values equal the target label's.
    DropEqual,
    /// Writes the hash of the joined values, modulo the modulus.
    HashMod,
    /// Copies labels whose names match to the name that the replacement yields.
    LabelMap,
    /// Removes labels whose names match.
    LabelDrop,
    /// Removes labels whose names do not match.
    LabelKeep,
    /// Writes the joined values in lower case.
    Lowercase,
    /// Writes the joined values in upper case.
    Uppercase,
}

impl Action {
    const ALL: [Self; 11] = [
        Self::Replace,
        Self::Keep,
        Self::Drop,
        Self::KeepEqual,
        Self::DropEqual,
        Self::HashMod,
        Self::LabelMap,
        Self::LabelDrop,
        Self::LabelKeep,
        Self::Lowercase,
        Self::Uppercase,
    ];

    /// The name in configuration files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Keep => "keep",
            Self::Drop => "drop",
            Self::KeepEqual => "keepequal",
            Self::DropEqual => "dropequal",
            Self::HashMod => "hashmod",
            Self::LabelMap => "labelmap",
            Self::LabelDrop => "labeldrop",
            Self::LabelKeep => "labelkeep",
            Self::Lowercase => "lowercase",
            Self::Uppercase => "uppercase",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Action> for &'static str {
    fn from(action: Action) -> Self {
        action.as_str()
    }
}

/// Letter case does not matter, as upstream.
impl TryFrom<String> for Action {
    type Error = Error;

    fn try_from(name: String) -> Result<Self, Error> {
        let lower = name.to_lowercase();
        Self::ALL
            .into_iter()
            .find(|action| action.as_str() == lower)
            .ok_or(Error::UnknownAction(name))
    }
}

/// Which names labels may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NameScheme {
    /// Any text that is not empty, as since Prometheus 3.
    #[default]
    Utf8,
    /// `[a-zA-Z_][a-zA-Z0-9_]*`, as `metric_name_validation_scheme: legacy` asks for.
    Legacy,
}

impl NameScheme {
    /// Whether a label may be called `name`.
    pub fn accepts(self, name: &str) -> bool {
        match self {
            Self::Utf8 => !name.is_empty(),
            Self::Legacy => is_legacy_label_name(name),
        }
    }

    /// Whether `template` can yield a label name.
    fn accepts_template(self, template: &str) -> bool {
        match self {
            // `$` is a letter like any other there.
            Self::Utf8 => self.accepts(template),
            Self::Legacy => Template::new(template).is_legacy_name(),
        }
    }
}

impl RelabelConfig {
    /// Checks what upstream's `Config.Validate` checks, in its order.
    pub(crate) fn validate(&self, scheme: NameScheme) -> Result<(), Error> {
        use Action::{
            DropEqual, HashMod, KeepEqual, LabelDrop, LabelKeep, LabelMap, Lowercase, Replace,
            Uppercase,
        };
        let action = self.action;
        for name in self.source_labels.iter().flatten() {
            if !NameScheme::Utf8.accepts(name) {
                return Err(Error::InvalidSourceLabel(name.clone()));
            }
        }
        if self.modulus == 0 && action == HashMod {
            return Err(Error::ZeroModulus);
        }
        let writes = matches!(action, Replace | HashMod | Lowercase | Uppercase);
        let equals = matches!(action, KeepEqual | DropEqual);
        let label = &self.target_label;
        if (writes || equals) && label.is_empty() {
            return Err(Error::MissingTargetLabel(action));
        }
        let invalid_target = || Error::InvalidTargetLabel { label: label.clone(), action };
        if action == Replace {
            let fits = if label.contains('$') {
                scheme.accepts_template(label)
            } else {
                scheme.accepts(label)
            };
            if !fits {
                return Err(invalid_target());
            }
        }
        if (matches!(action, Lowercase | Uppercase) || equals) && !scheme.accepts(label) {
            return Err(invalid_target());
        }
        let replacement = self.replacement.as_deref().unwrap_or(REPLACEMENT);
        if (matches!(action, Lowercase | Uppercase) || equals) && replacement != REPLACEMENT {
            return Err(Error::UnusedReplacement(action));
        }
        if action == LabelMap && !scheme.accepts_template(replacement) {
            return Err(Error::InvalidReplacement { replacement: replacement.to_owned(), action });
        }
        if action == HashMod && !scheme.accepts(label) {
            return Err(invalid_target());
        }
        let separator = self.separator.as_deref().unwrap_or(SEPARATOR);
        let unused = self.modulus != 0 || separator != SEPARATOR || replacement != REPLACEMENT;
        // Upstream compares patterns by identity: one that is spelled out is never the default.
        if equals && (self.regex.is_some() || unused) {
            return Err(Error::OnlySourceAndTarget(action));
        }
        if matches!(action, LabelDrop | LabelKeep)
            && (self.source_labels.is_some() || !label.is_empty() || unused)
        {
            return Err(Error::OnlyRegex(action));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
