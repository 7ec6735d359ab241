//! `| drop a, b="x"`: all labels but these.
//!
//! A label with a matcher goes only where the matcher holds. `drop __error__` takes back the
//! error, not its details.

use super::label_filter::text_matches;
use super::labels::LabelRef;
use super::{ERROR_DETAILS_LABEL, ERROR_LABEL, Keep, Line, Needed, Stage};

/// `| drop …`
#[derive(Debug, Clone)]
pub struct DropLabels(Vec<LabelRef>);

impl DropLabels {
    /// Which labels go.
    pub fn new(labels: impl IntoIterator<Item = LabelRef>) -> Self {
        Self(labels.into_iter().collect())
    }
}

impl Stage for DropLabels {
    fn process(&self, line: &mut Line<'_>) -> Keep {
        for label in &self.0 {
            let name = label.name();
            let value = match name {
                ERROR_LABEL => line.error().map(str::as_bytes),
                ERROR_DETAILS_LABEL => line.error_details(),
                _ => line.get(name),
            };
            if let LabelRef::Matching(matcher) = label
                && !text_matches(matcher, value.unwrap_or_default())
            {
                continue;
            }
            match name {
                ERROR_LABEL => line.clear_error(),
                ERROR_DETAILS_LABEL => line.clear_error_details(),
                _ => line.remove(name),
            }
        }
        Keep::Yes
    }

    fn needs(&self, needed: &mut Needed) {
        for label in &self.0 {
            if let LabelRef::Matching(matcher) = label {
                needed.add(matcher.name());
            }
        }
    }
}
