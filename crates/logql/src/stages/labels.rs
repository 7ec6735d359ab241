//! How `keep` and `drop` name labels.

use masthead_model::Matcher;

/// A label of which a stage speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelRef {
    /// `name`
    Name(Box<str>),
    /// `name="value"`: the label where it matches.
    Matching(Matcher),
}

impl LabelRef {
    /// The label's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Matching(matcher) => matcher.name(),
        }
    }
}
