//! `| keep a, b="x"`: no labels but these.
//!
//! A label with a matcher stays only where the matcher holds. Errors always stay.

use super::label_filter::text_matches;
use super::labels::LabelRef;
use super::{ERROR_DETAILS_LABEL, ERROR_LABEL, Line, Needed, Stage};

/// `| keep …`
#[derive(Debug, Clone)]
pub struct KeepLabels(Vec<LabelRef>);

impl KeepLabels {
    /// Which labels stay.
    pub fn new(labels: impl IntoIterator<Item = LabelRef>) -> Self {
        Self(labels.into_iter().collect())
    }
}

impl Stage for KeepLabels {
    fn process(&self, line: &mut Line<'_>) -> super::Keep {
        line.retain(|name, value| {
            matches!(name, ERROR_LABEL | ERROR_DETAILS_LABEL)
                || self.0.iter().any(|label| match label {
                    LabelRef::Name(kept) => **kept == *name,
                    LabelRef::Matching(matcher) => {
                        matcher.name() == name && text_matches(matcher, value)
                    }
                })
        });
        super::Keep::Yes
    }

    // What is kept is not thereby needed: nobody may look at it.
    fn needs(&self, _: &mut Needed) {}
}
